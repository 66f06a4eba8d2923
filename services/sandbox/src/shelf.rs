//! Objects by id that remember the order in which they came.

use std::collections::HashMap;

pub(crate) struct Shelf<T> {
    by_id: HashMap<String, T>,
    order: Vec<String>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            by_id: HashMap::new(),
            order: Vec::new(),
        }
    }
}

impl<T> Shelf<T> {
    pub(crate) fn put(&mut self, id: &str, item: T) {
        if self.by_id.insert(id.to_owned(), item).is_none() {
            self.order.push(id.to_owned());
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.order.iter().rev().filter_map(|id| self.by_id.get(id))
    }

    pub(crate) fn oldest_first(&self) -> impl Iterator<Item = &T> {
        self.order.iter().filter_map(|id| self.by_id.get(id))
    }
}
