//! The one effect of a genuine webhook, committed before it is answered.

use std::sync::Arc;

use actix_web::web::Data;
use db::psp_events;
use domain::Provider;
use psp::webhook::{self, Incoming};
use serde_json::Value;

use super::gather::{self, TakenIn};
use crate::app::Api;
use crate::conduct::observe;
use crate::ingest::{self, Connection, Effect, Heard, IngestError};
use crate::problem::Problem;
use crate::vault::WebhookKeys;

/// How often a transaction that met another one is run.
const RUNS: u32 = 3;

/// Gives a webhook its one effect, and answers its status. Who tells of a failed
/// payment goes with others of its connection, and alone if it was not news.
pub(super) async fn take_in(
    api: &Data<Api>,
    keys: &WebhookKeys,
    incoming: Incoming,
    body: Value,
) -> Result<&'static str, Problem> {
    let connection = Connection {
        id: keys.connection,
        tenant: keys.tenant,
        provider: keys.provider,
        ended: keys.ended,
    };
    let trace = api.backbone.cause_by(keys.provider.as_str()).trace();
    let heard = Arc::new(Heard {
        incoming,
        body,
        trace,
    });
    let status = match together(api, connection, &heard).await? {
        Some(status) => status,
        None => alone(api, connection, &heard).await?,
    };
    count(&heard.incoming, keys.provider, status);
    Ok(status)
}

/// With the others of its connection that come at this time; none if it has to go alone.
async fn together(
    api: &Data<Api>,
    connection: Connection,
    heard: &Arc<Heard>,
) -> Result<Option<&'static str>, Problem> {
    let incoming = &heard.incoming;
    if connection.ended || !matches!(incoming.fact, webhook::Fact::PaymentFailed(_)) {
        return Ok(None);
    }
    match gather::take_in(api, connection, heard).await {
        TakenIn::Opened(recovery) => {
            observe::about_recovery(recovery);
            told(incoming, Effect::Opened.words());
            Ok(Some("accepted"))
        }
        TakenIn::Not => Ok(None),
        TakenIn::Busy => Err(Problem::unavailable(
            "the database is busy or away; nothing has changed",
        )),
    }
}

/// In a transaction of its own, again where it met another one.
async fn alone(
    api: &Api,
    connection: Connection,
    heard: &Heard,
) -> Result<&'static str, IngestError> {
    let mut run = 1;
    loop {
        match take_once(api, connection, heard).await {
            Err(IngestError::Db(db::DbError::Contention(_))) if run < RUNS => run += 1,
            done => return done,
        }
    }
}

async fn take_once(
    api: &Api,
    connection: Connection,
    Heard { incoming, body, .. }: &Heard,
) -> Result<&'static str, IngestError> {
    let (id, tenant, provider) = (connection.id, connection.tenant, connection.provider);
    let cause = api.backbone.cause_by(provider.as_str());
    let mut tx = api.backbone.db.begin(cause).await?;
    let event_id = incoming.event_id.as_str();
    let claimed = psp_events::claim(&mut tx, tenant, id, event_id).await?;
    let Some(event) = claimed else {
        tx.roll_back().await?;
        return Ok("duplicate");
    };
    let outcome = ingest::take(&mut tx, connection, incoming).await?;
    told(incoming, &outcome);
    let received = psp_events::Received {
        id: event,
        connection: id,
        provider,
        provider_event_id: event_id,
        kind: &incoming.event_type,
        body,
        outcome: &outcome,
    };
    psp_events::keep(&mut tx, tenant, &received).await?;
    tx.commit().await?;
    Ok("accepted")
}

fn told(incoming: &Incoming, outcome: &str) {
    tracing::info!(
        psp.event = incoming.event_id,
        kind = incoming.event_type,
        outcome,
        "webhook taken in"
    );
}

fn count(incoming: &Incoming, provider: Provider, status: &'static str) {
    let fact = match incoming.fact {
        webhook::Fact::PaymentFailed(_) => "payment_failed",
        webhook::Fact::PaymentSucceeded(_) => "payment_succeeded",
        webhook::Fact::CheckoutExpired { .. } => "checkout_expired",
        webhook::Fact::PaymentUnderway(_) => "payment_underway",
        webhook::Fact::PaymentReleased(_) => "payment_released",
        webhook::Fact::PaymentCancelled(_) => "payment_cancelled",
        webhook::Fact::PartlyPaid(_) => "partly_paid",
        webhook::Fact::Refunded(_) => "refunded",
        webhook::Fact::Disputed(_) => "disputed",
        webhook::Fact::Ignored => "ignored",
    };
    metrics::counter!(
        "webhooks_total", "provider" => provider.as_str(), "fact" => fact, "status" => status
    )
    .increment(1);
}
