//! One organization's part of what is handled at the same time.
//!
//! An entry begins with a seat of its organization's, of which there are
//! [`ConsumerConfig::per_organization`](crate::ConsumerConfig::per_organization). One
//! that finds none steps aside: it keeps its turn in memory and gives back its room
//! among the fresh entries, so that those behind it are read. Where as many as may be
//! wait aside already it goes back to Redis for a while, uncounted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use domain::id::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ConsumerConfig;

/// From so many organizations on, those of whom nothing is held are forgotten.
const MANY: usize = 256;

/// The seats of all organizations, over all shards of a stream.
#[derive(Debug)]
pub(super) struct Seats {
    each: usize,
    /// None where one organization may have all there is.
    of: Option<Mutex<HashMap<OrganizationId, Weak<Semaphore>>>>,
}

impl Seats {
    pub(super) fn new(config: &ConsumerConfig) -> Self {
        let each = config.per_organization.max(1);
        let limits = each < config.concurrency.max(1);
        Self {
            each,
            of: limits.then(Mutex::default),
        }
    }

    /// Where an organization's entries take seats; none if they need none.
    pub(super) fn of(&self, organization: OrganizationId) -> Option<Arc<Semaphore>> {
        let mut known = self
            .of
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = known.get(&organization).and_then(Weak::upgrade) {
            return Some(seats);
        }
        if known.len() >= MANY {
            // A seat that is taken, and whoever waits for one, keeps its semaphore.
            known.retain(|_, seats| seats.strong_count() > 0);
        }
        let seats = Arc::new(Semaphore::new(self.each));
        known.insert(organization, Arc::downgrade(&seats));
        Some(seats)
    }
}

/// How an entry fares that wants a seat.
pub(super) enum Seated {
    /// It may begin; the seat, where it needs one.
    Now(Option<OwnedSemaphorePermit>),
    /// All seats are taken, and nobody more may wait aside.
    Crowded,
}

/// Takes a seat, waiting aside for it if need be; `room` is then that of whoever waits.
pub(super) async fn seat(
    seats: Option<Arc<Semaphore>>,
    aside: &Arc<Semaphore>,
    room: &mut OwnedSemaphorePermit,
) -> Seated {
    let Some(seats) = seats else {
        return Seated::Now(None);
    };
    if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
        return Seated::Now(Some(seat));
    }
    let Ok(place) = Arc::clone(aside).try_acquire_owned() else {
        return Seated::Crowded;
    };
    *room = place;
    // Never closed.
    Seated::Now(seats.acquire_owned().await.ok())
}

#[cfg(test)]
mod tests {
    use domain::Id;
    use uuid::Uuid;

    use super::*;

    fn config(per_organization: usize) -> ConsumerConfig {
        ConsumerConfig {
            concurrency: 4,
            per_organization,
            ..ConsumerConfig::new("group", "consumer")
        }
    }

    fn organization(number: u128) -> OrganizationId {
        Id::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn organizations_of_whom_nothing_is_held_are_forgotten() {
        let seats = Seats::new(&config(2));
        let kept = seats.of(organization(0)).unwrap();
        let _seat = Arc::clone(&kept).try_acquire_owned().unwrap();
        for number in 1..10_000 {
            drop(seats.of(organization(number)));
        }
        assert!(seats.of.as_ref().unwrap().lock().unwrap().len() <= MANY + 1);
        let again = seats.of(organization(0)).unwrap();
        assert!(Arc::ptr_eq(&kept, &again));
        assert_eq!(again.available_permits(), 1);
    }

    #[test]
    fn who_may_have_all_needs_no_seat() {
        assert!(Seats::new(&config(4)).of(organization(0)).is_none());
        assert!(Seats::new(&config(3)).of(organization(0)).is_some());
    }
}
