//! Ids shaped like each company's, from one seeded generator.

use std::sync::Mutex;

use rand::distr::{Alphanumeric, SampleString as _};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::state::locked;

pub(crate) struct Ids(Mutex<StdRng>);

impl Ids {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// `prefix` and `length` letters or digits, as in `pi_3Qx…`.
    pub(crate) fn next(&self, prefix: &str, length: usize) -> String {
        let mut id = String::from(prefix);
        Alphanumeric.append_string(&mut *locked(&self.0), &mut id, length);
        id
    }

    /// An id the way Stripe makes it: 24 letters or digits after the prefix.
    pub(crate) fn stripe(&self, prefix: &str) -> String {
        self.next(prefix, 24)
    }

    /// An id the way Razorpay makes it: 14 letters or digits after the prefix.
    pub(crate) fn razorpay(&self, prefix: &str) -> String {
        self.next(prefix, 14)
    }

    /// `prefix` and 32 hexadecimal digits, as Twilio's sids are.
    pub(crate) fn twilio(&self, prefix: &str) -> String {
        format!("{prefix}{:032x}", locked(&self.0).random::<u128>())
    }

    /// Puts `items` into another order than they came in, when there are two or more.
    pub(crate) fn disorder<T>(&self, items: &mut [T]) {
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.shuffle(&mut *locked(&self.0));
        if order.iter().enumerate().all(|(place, item)| place == *item) {
            items.rotate_left(usize::from(items.len() > 1));
            return;
        }
        apply(&order, items);
    }
}

/// Moves the item at `order[place]` to `place`, by swaps along each cycle.
fn apply<T>(order: &[usize], items: &mut [T]) {
    let mut position: Vec<usize> = (0..items.len()).collect();
    let mut holder: Vec<usize> = (0..items.len()).collect();
    for (place, wanted) in order.iter().enumerate() {
        let at = position[*wanted];
        let displaced = holder[place];
        items.swap(place, at);
        holder.swap(place, at);
        position[displaced] = at;
        position[*wanted] = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disorder_keeps_every_item_and_never_the_order() {
        let ids = Ids::seeded(7);
        for length in 2..9_usize {
            for _ in 0..50 {
                let mut items: Vec<usize> = (0..length).collect();
                ids.disorder(&mut items);
                assert_ne!(items, (0..length).collect::<Vec<_>>());
                items.sort_unstable();
                assert_eq!(items, (0..length).collect::<Vec<_>>());
            }
        }
    }
}
