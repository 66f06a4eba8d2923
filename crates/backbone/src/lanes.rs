//! Which messages may go to Redis now.
//!
//! A Redis stream is first in, first out: what an organization has put there is ahead
//! of all that comes after. So no organization has more than a bounded number of a
//! channel's messages there; the others wait in the outbox, which is the truth in any
//! case, and the sweeper publishes them as those ahead are sent, organizations in
//! turn. Whoever comes with ten finds a bounded number ahead of them, whatever waits.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use contracts::{Envelope, Stream};
use db::{Db, DbError};
use domain::id::OrganizationId;
use runtime::clock::SharedClock;
use tokio::time::Instant;

use crate::sweep::LEFT_AFTER;

/// How long messages of an organization wait before its new ones wait behind them.
///
/// Twice as long as the sweeper leaves them be. Were it as long, there would always be one
/// that has just waited so long: after a jam each message would go by the sweeper,
/// two seconds late, for as long as messages come.
const BEHIND_AFTER: TimeDelta = TimeDelta::seconds(2 * LEFT_AFTER.num_seconds());

/// How long a lane that was found full is taken to be full. What comes meanwhile is left
/// to the sweeper, as nearly all that comes to a full lane is anyway, and Postgres is spared
/// the counting of hundreds of messages for each batch of a flood.
const FULL_FOR: Duration = Duration::from_millis(100);

/// An organization's messages in a stream.
type Lane = (Stream, OrganizationId);

/// What a relay knows of the lanes.
#[derive(Default)]
pub(crate) struct Lanes {
    full_until: HashMap<Lane, Instant>,
}

impl Lanes {
    /// Leaves those of `batch` that may be published, and answers how many may not.
    pub(crate) async fn hold_back(
        &mut self,
        db: &Db,
        clock: &SharedClock,
        ahead: i64,
        batch: &mut Vec<Envelope>,
    ) -> Result<usize, DbError> {
        let now = Instant::now();
        self.full_until.retain(|_, until| *until > now);
        let mut asked: Vec<Lane> = batch.iter().filter_map(lane).collect();
        asked.sort_unstable_by_key(|(stream, organization)| (stream.as_str(), *organization));
        asked.dedup();
        asked.retain(|lane| !self.full_until.contains_key(lane));
        let mut places = HashMap::new();
        if !asked.is_empty() {
            let mut conn = db.read().await?;
            let before = clock.now() - BEHIND_AFTER;
            let rooms = db::outbox::room(&mut conn, &asked, before, ahead).await?;
            places.extend(asked.into_iter().zip(rooms));
        }
        let all = batch.len();
        batch.retain(|envelope| {
            let Some(lane) = lane(envelope) else {
                return true;
            };
            places.get_mut(&lane).is_some_and(|places| {
                *places -= 1;
                *places >= 0
            })
        });
        let full = places.into_iter().filter(|(_, places)| *places <= 0);
        let until = now + FULL_FOR;
        self.full_until.extend(full.map(|(lane, _)| (lane, until)));
        Ok(all - batch.len())
    }
}

/// The lane of a message to a payer; other events have none.
fn lane(envelope: &Envelope) -> Option<Lane> {
    let stream = envelope.stream();
    has_lanes(stream).then_some((stream, envelope.organization))
}

/// Whether organizations have lanes in this stream: messages to payers, which may come
/// in floods. The others are as quick as Postgres.
pub(crate) const fn has_lanes(stream: Stream) -> bool {
    matches!(stream, Stream::Notifications(_))
}
