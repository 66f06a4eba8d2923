//! Pages and times as ranges of ids.
//!
//! An id holds when it was born, so a time asked for is a bound on the ids: the
//! index that a list walks serves both, and months outside are not looked at. A
//! bound is always there, since `$1 IS NULL OR id < $1` keeps a plan that is made
//! once for all values from beginning at the page.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Ids from `low` on, and below `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IdRange {
    pub(crate) low: Uuid,
    pub(crate) high: Uuid,
}

impl IdRange {
    /// Born from `from` on and before `to`, and older than `before`.
    pub(crate) fn new(
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        before: Option<Uuid>,
    ) -> Self {
        let until = to.map_or(Uuid::max(), floor);
        Self {
            low: from.map_or(Uuid::nil(), floor),
            high: before.map_or(until, |before| before.min(until)),
        }
    }
}

/// The smallest `UUIDv7` that can be born at `at`, as the function `uuid7_floor` has it.
fn floor(at: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use domain::id::AttemptId;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn an_id_is_in_the_range_of_its_time_and_in_no_other() {
        let at = DateTime::from_timestamp_millis(1_790_000_000_123).unwrap();
        let id = AttemptId::new(at, &mut StdRng::seed_from_u64(1)).uuid();
        let holds = |range: IdRange| range.low <= id && id < range.high;
        let next = at + TimeDelta::milliseconds(1);
        assert!(holds(IdRange::new(None, None, None)));
        assert!(holds(IdRange::new(Some(at), Some(next), None)));
        assert!(!holds(IdRange::new(Some(next), None, None)));
        assert!(!holds(IdRange::new(None, Some(at), None)));
        assert!(!holds(IdRange::new(Some(at), Some(next), Some(id))));
    }
}
