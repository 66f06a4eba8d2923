//! Which messages may go to Redis now.
//!
//! A Redis stream is first in, first out: what an organization has put there is ahead
//! of all that comes after. So no organization has more than a bounded number of a
//! channel's messages there; the others wait in the outbox, which is the truth in any
//! case, and the sweeper publishes them as those ahead are sent, organizations in
//! turn. Whoever comes with ten finds a bounded number ahead of them, whatever waits.

use std::collections::HashMap;

use chrono::TimeDelta;
use contracts::{Envelope, Stream};
use db::{Db, DbError};
use domain::id::OrganizationId;
use runtime::clock::SharedClock;

use crate::sweep::LEFT_AFTER;

/// How long messages of an organization wait before its new ones wait behind them.
///
/// Twice as long as the sweeper leaves them be. Were it as long, there would always be one
/// that has just waited so long: after a jam each message would go by the sweeper,
/// two seconds late, for as long as messages come.
const BEHIND_AFTER: TimeDelta = TimeDelta::seconds(2 * LEFT_AFTER.num_seconds());

/// Leaves those of `batch` that may be published, and answers how many may not.
pub(crate) async fn hold_back(
    db: &Db,
    clock: &SharedClock,
    ahead: i64,
    batch: &mut Vec<Envelope>,
) -> Result<usize, DbError> {
    let mut lanes: Vec<(Stream, OrganizationId)> = batch.iter().filter_map(lane).collect();
    lanes.sort_unstable_by_key(|(stream, organization)| (stream.as_str(), *organization));
    lanes.dedup();
    if lanes.is_empty() {
        return Ok(0);
    }
    let mut conn = db.read().await?;
    let rooms = db::outbox::room(&mut conn, &lanes, clock.now() - BEHIND_AFTER, ahead).await?;
    drop(conn);
    let mut left: HashMap<_, i64> = lanes.into_iter().zip(rooms).collect();
    let all = batch.len();
    batch.retain(|envelope| {
        let Some(places) = lane(envelope).and_then(|lane| left.get_mut(&lane)) else {
            return true;
        };
        *places -= 1;
        *places >= 0
    });
    Ok(all - batch.len())
}

/// The lane of a message to a payer; other events have none.
fn lane(envelope: &Envelope) -> Option<(Stream, OrganizationId)> {
    let stream = envelope.stream();
    has_lanes(stream).then_some((stream, envelope.organization))
}

/// Whether organizations have lanes in this stream: messages to payers, which may come
/// in floods. The others are as quick as Postgres.
pub(crate) const fn has_lanes(stream: Stream) -> bool {
    matches!(stream, Stream::Notifications(_))
}
