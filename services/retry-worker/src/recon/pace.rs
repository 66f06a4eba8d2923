//! How fast a PSP is asked.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::id::ConnectionId;
use tokio::time::Instant;

/// Connections remembered; above it those whose time has passed are forgotten.
const REMEMBERED: usize = 4_096;

/// So many look-ups a second over each connection, evenly: a connection's next
/// look-up is a gap after its last one, whoever makes it.
pub struct Pace {
    gap: Duration,
    /// When each connection may be used next.
    next: Mutex<HashMap<ConnectionId, Instant>>,
}

impl Pace {
    /// `per_second` look-ups a second over one connection.
    pub fn new(per_second: NonZeroU32) -> Self {
        Self {
            gap: Duration::from_secs(1) / per_second.get(),
            next: Mutex::default(),
        }
    }

    /// Waits for the connection's next place.
    pub(super) async fn turn(&self, connection: ConnectionId) {
        let at = self.reserve(connection, Instant::now());
        tokio::time::sleep_until(at).await;
    }

    /// Takes the connection's next place: when it is.
    fn reserve(&self, connection: ConnectionId, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.len() >= REMEMBERED {
            next.retain(|_, at| *at > now);
        }
        let place = next.entry(connection).or_insert(now);
        let at = (*place).max(now);
        *place = at + self.gap;
        at
    }

    /// Lets the connection rest, as its PSP has asked.
    pub(super) fn rest(&self, connection: ConnectionId, pause: Duration, now: Instant) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let place = next.entry(connection).or_insert(now);
        *place = (*place).max(now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const GAP: Duration = Duration::from_millis(200);

    fn connection(number: u128) -> ConnectionId {
        ConnectionId::from_uuid(Uuid::from_u128(number))
    }

    fn five_a_second() -> Pace {
        Pace::new(NonZeroU32::new(5).unwrap())
    }

    #[test]
    fn a_connection_is_asked_evenly_and_another_does_not_wait_for_it() {
        let (pace, now) = (five_a_second(), Instant::now());
        let places: Vec<Instant> = (0..4).map(|_| pace.reserve(connection(1), now)).collect();
        let evenly: Vec<Instant> = (0..4).map(|at| now + GAP * at).collect();
        assert_eq!(places, evenly);
        assert_eq!(pace.reserve(connection(2), now), now);
    }

    #[test]
    fn time_that_went_by_unused_is_not_made_up_for() {
        let (pace, now) = (five_a_second(), Instant::now());
        pace.reserve(connection(1), now);
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.reserve(connection(1), later), later);
        assert_eq!(pace.reserve(connection(1), later), later + GAP);
    }

    #[test]
    fn a_connection_whose_psp_asks_for_rest_gets_it() {
        let (pace, now) = (five_a_second(), Instant::now());
        let rest = Duration::from_secs(3);
        pace.rest(connection(1), rest, now);
        assert_eq!(pace.reserve(connection(1), now), now + rest);
        assert_eq!(pace.reserve(connection(2), now), now);
    }

    #[test]
    fn connections_that_are_not_used_are_forgotten() {
        let (pace, now) = (five_a_second(), Instant::now());
        for number in 0..u128::try_from(REMEMBERED).unwrap() {
            pace.reserve(connection(number), now);
        }
        pace.reserve(connection(u128::MAX), now + Duration::from_secs(1));
        assert_eq!(pace.next.lock().unwrap().len(), 1);
    }
}
