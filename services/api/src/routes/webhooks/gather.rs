//! Failed payments that one connection tells of at the same time, committed together.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use backbone::gather::{Limits, size};
use db::DbError;
use domain::id::{ConnectionId, RecoveryId};

use crate::app::Api;
use crate::ingest::{self, Connection, Heard};

/// A webhook is answered as soon as may be, so there is no pace.
pub(crate) const LIMITS: Limits = Limits {
    most: 64,
    at_once: 2,
    every: Duration::ZERO,
};

/// By connection: none waits for another one.
pub(crate) type Gatherer = backbone::gather::Gatherer<ConnectionId, Arc<Heard>, TakenIn>;

/// What came of a webhook.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TakenIn {
    /// It opened a recovery.
    Opened(RecoveryId),
    /// Nothing yet: it has to be taken in alone.
    Not,
    /// Nothing: Postgres is busy or away.
    Busy,
}

/// Takes a webhook in with those that come at the same time. It goes on when its
/// request is given up. Where Postgres is spoken to, not in the thread that reads requests:
/// each statement would go back and forth between the two.
pub(super) async fn take_in(
    api: &Data<Api>,
    connection: Connection,
    heard: &Arc<Heard>,
) -> TakenIn {
    let shared = Arc::clone(api);
    let taking = move |heard| go(Arc::clone(&shared), connection, heard);
    let taken = api
        .gatherer
        .with_others(&api.home, connection.id, Arc::clone(heard), taking);
    taken.await.unwrap_or(TakenIn::Not)
}

async fn go(api: Arc<Api>, connection: Connection, heard: Vec<Arc<Heard>>) -> Vec<TakenIn> {
    let taken = match committed(&api, connection, &heard).await {
        Ok(taken) => taken,
        // Alone each of them may find its way past the other transaction.
        Err(error) if matches!(error, DbError::Contention(_)) || !error.is_passing() => {
            tracing::debug!(%error, "webhooks are taken in one by one");
            vec![TakenIn::Not; heard.len()]
        }
        Err(error) => {
            tracing::warn!(%error, webhooks = heard.len(), "answered with 503");
            vec![TakenIn::Busy; heard.len()]
        }
    };
    let opened = taken.iter().filter(|it| matches!(it, TakenIn::Opened(_)));
    metrics::histogram!("webhooks_commit_size").record(size(opened.count()));
    taken
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
