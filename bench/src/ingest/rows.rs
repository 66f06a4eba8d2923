//! Which rows one accepted event leaves: what the api and the ceiling both have to write.

use anyhow::ensure;

use crate::database::Database;

/// Each table that an event writes to, and its rows an event. `ceiling.sql` writes the same; both
/// are held to it in every run, so a change of the api's rows shows here before it bends the ratio.
const OF_ONE_EVENT: [(&str, u64); 11] = [
    ("psp_event_keys", 1),
    ("psp_events", 1),
    ("transactions", 1),
    // The payment intent and its charge.
    ("psp_objects", 2),
    ("failure_keys", 1),
    ("recoveries", 1),
    ("failure_events", 1),
    // The card by its number, and the means that was made of it.
    ("cards", 2),
    ("card_tries", 1),
    ("timeline", 1),
    // To be planned, and for partners and analytics.
    ("outbox", 2),
];

/// The rows of each of those tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows(Vec<u64>);

impl Rows {
    pub(super) async fn count(database: &Database) -> anyhow::Result<Self> {
        let mut counts = Vec::with_capacity(OF_ONE_EVENT.len());
        for (table, _) in OF_ONE_EVENT {
            counts.push(database.rows(table).await?);
        }
        Ok(Self(counts))
    }

    /// Those that came since.
    pub(super) fn since(&self, before: &Self) -> Self {
        let pairs = self.0.iter().zip(&before.0);
        Self(
            pairs
                .map(|(after, before)| after.saturating_sub(*before))
                .collect(),
        )
    }

    /// Whether they are the rows of `events` events, written by `whom`.
    pub(super) fn are_of(&self, events: u64, whom: &str) -> anyhow::Result<()> {
        for ((table, each), found) in OF_ONE_EVENT.iter().zip(&self.0) {
            let wanted = each * events;
            ensure!(
                *found == wanted,
                "{whom} reported {events} events, which make {wanted} rows of {table}; there are \
                 {found}"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_row_is_named() {
        let rows = |events: u64| Rows(OF_ONE_EVENT.iter().map(|(_, each)| each * events).collect());
        assert!(rows(5).since(&rows(2)).are_of(3, "the api").is_ok());
        let error = rows(4).are_of(5, "the api").unwrap_err().to_string();
        assert!(
            error.contains("5 rows of psp_event_keys; there are 4"),
            "{error}"
        );
    }
}
