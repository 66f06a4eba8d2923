//! Webhooks of one connection that come while others of it are being committed, committed
//! together.
//!
//! ```text
//! the first                    goes at once, alone
//! those that come meanwhile    wait for it, and go next, together
//! ```
//!
//! Nobody waits for company, so that a webhook on a quiet day is no slower; under load
//! the cost of a commit, and of each statement, is shared by as many as came during the
//! one before. Connections do not wait for each other.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::rt;
use actix_web::web::Data;
use db::DbError;
use domain::id::{ConnectionId, RecoveryId};
use tokio::sync::oneshot;

use crate::app::Api;
use crate::ingest::{self, Connection, Heard};

/// Most webhooks of one commit.
const MOST: usize = 64;
/// Commits of one connection that are under way at the same time: while one waits for
/// the disk, another one's statements run.
const AT_ONCE: usize = 2;

/// What came of a webhook.
#[derive(Debug, Clone, Copy)]
pub(super) enum TakenIn {
    /// It opened a recovery.
    Opened(RecoveryId),
    /// Nothing yet: it has to be taken in alone.
    Not,
    /// Nothing: Postgres is busy or away.
    Busy,
}

/// Who waits, and what is under way.
#[derive(Default)]
pub(crate) struct Gatherer {
    lanes: Mutex<HashMap<ConnectionId, Lane>>,
}

#[derive(Default)]
struct Lane {
    under_way: usize,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    heard: Arc<Heard>,
    tell: oneshot::Sender<TakenIn>,
}

impl Gatherer {
    fn lanes(&self) -> MutexGuard<'_, HashMap<ConnectionId, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lines up; true if the caller has to see to it that the line moves.
    fn line_up(&self, connection: ConnectionId, waiting: Waiting) -> bool {
        let mut lanes = self.lanes();
        let lane = lanes.entry(connection).or_default();
        lane.waiting.push_back(waiting);
        let free = lane.under_way < AT_ONCE;
        lane.under_way += usize::from(free);
        free
    }
}

/// Sees to it that a connection's line moves.
struct Mover<'a> {
    gatherer: &'a Gatherer,
    connection: ConnectionId,
    /// Whether nobody waited any more.
    done: bool,
}

impl<'a> Mover<'a> {
    const fn of(gatherer: &'a Gatherer, connection: ConnectionId) -> Self {
        Self {
            gatherer,
            connection,
            done: false,
        }
    }

    /// Those who go next. None, and the next one who comes moves the line, if nobody
    /// waits.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut lanes = self.gatherer.lanes();
        let lane = lanes.get_mut(&self.connection)?;
        let many = MOST.min(lane.waiting.len());
        if many > 0 {
            return Some(lane.waiting.drain(..many).collect());
        }
        self.done = true;
        leave(&mut lanes, self.connection);
        None
    }
}

impl Drop for Mover<'_> {
    /// If it was given up halfway, those who wait go alone.
    fn drop(&mut self) {
        if !self.done {
            leave(&mut self.gatherer.lanes(), self.connection);
        }
    }
}

fn leave(lanes: &mut HashMap<ConnectionId, Lane>, connection: ConnectionId) {
    if let Some(lane) = lanes.get_mut(&connection) {
        lane.under_way -= 1;
        if lane.under_way == 0 {
            lanes.remove(&connection);
        }
    }
}

/// Takes a webhook in with those that come at the same time. It goes on when its
/// request is given up.
pub(super) async fn take_in(
    api: &Data<Api>,
    connection: Connection,
    heard: &Arc<Heard>,
) -> TakenIn {
    let (tell, told) = oneshot::channel();
    let heard = Arc::clone(heard);
    if api.gatherer.line_up(connection.id, Waiting { heard, tell }) {
        let api = api.clone();
        rt::spawn(async move {
            let mut mover = Mover::of(&api.gatherer, connection.id);
            while let Some(next) = mover.next() {
                go(&api, connection, next).await;
            }
        });
    }
    told.await.unwrap_or(TakenIn::Not)
}

async fn go(api: &Api, connection: Connection, next: Vec<Waiting>) {
    let heard: Vec<Arc<Heard>> = next.iter().map(|it| Arc::clone(&it.heard)).collect();
    let taken = match committed(api, connection, &heard).await {
        Ok(taken) => taken,
        // Alone each of them may find its way past the other transaction.
        Err(error) if matches!(error, DbError::Contention(_)) || !error.is_passing() => {
            tracing::debug!(%error, "webhooks are taken in one by one");
            vec![TakenIn::Not; next.len()]
        }
        Err(error) => {
            tracing::warn!(%error, webhooks = next.len(), "answered with 503");
            vec![TakenIn::Busy; next.len()]
        }
    };
    metrics::histogram!("webhooks_commit_size").record(count(&taken));
    for (waiting, taken) in next.into_iter().zip(taken) {
        // Whose request was given up does not listen.
        let _heard = waiting.tell.send(taken);
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is 64 at most")]
fn count(taken: &[TakenIn]) -> f64 {
    let opened = taken.iter().filter(|it| matches!(it, TakenIn::Opened(_)));
    opened.count() as f64
}

async fn committed(
    api: &Api,
    connection: Connection,
    heard: &[Arc<Heard>],
) -> Result<Vec<TakenIn>, DbError> {
    let cause = api.backbone.cause_by(connection.provider.as_str());
    let mut tx = api.backbone.db.begin(cause).await?;
    let opened = match ingest::unheard_of(&mut tx, connection, heard).await {
        Ok(Some(opened)) => opened,
        Ok(None) => {
            tx.roll_back().await?;
            return Ok(vec![TakenIn::Not; heard.len()]);
        }
        Err(error) => {
            tx.roll_back().await?;
            return Err(error);
        }
    };
    tx.commit().await?;
    let taken = opened
        .into_iter()
        .map(|it| it.map_or(TakenIn::Not, TakenIn::Opened));
    Ok(taken.collect())
}
