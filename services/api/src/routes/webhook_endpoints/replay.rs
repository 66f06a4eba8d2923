//! `POST /v1/webhook-endpoints/{id}/replay`: the events of a time, once more.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use chrono::{DateTime, TimeDelta, Utc};
use db::partners::{MOST_REPLAYED, StoredEndpoint};
use db::{Tenant, Tx};
use domain::id::WebhookEndpointId;
use domain::partner::{EventFilter, EventType};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;

/// The longest time that is replayed at once.
const LONGEST: TimeDelta = TimeDelta::days(31);

/// Between two of them: ten a second, so that what happens meanwhile is not held up.
const PACE: TimeDelta = TimeDelta::milliseconds(100);

/// Which events to send once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookReplay)]
pub(crate) struct Wanted {
    /// From this time on.
    #[schema(value_type = DateTime<Utc>)]
    from: String,
    /// Before this time; at most 31 days later.
    #[schema(value_type = DateTime<Utc>)]
    to: String,
    /// Only these, of those that the endpoint wants; all of them when absent.
    #[schema(min_items = 1, max_items = 32)]
    event_types: Option<Vec<String>>,
}

/// What is sent once more.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookReplayBegun)]
struct Begun {
    /// How many events.
    #[schema(maximum = 10_000)]
    queued: usize,
    /// When the last of them is due: they go out at a pace of ten a second.
    last_due_at: DateTime<Utc>,
}

struct Range {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    only: Option<EventFilter>,
}

impl Wanted {
    fn read(&self) -> Result<Range, Problem> {
        let mut faults = Faults::default();
        let from = faults.time("from", Some(&self.from));
        let to = faults.time("to", Some(&self.to));
        if let (Some(from), Some(to)) = (from, to)
            && !(from < to && to - from <= LONGEST)
        {
            let days = LONGEST.num_days();
            let fault = format!("must be after `from`, by at most {days} days");
            faults.note("to", fault);
        }
        let only = self.event_types.as_deref().map(EventFilter::parse);
        let only = only.and_then(|only| faults.take("event_types", only));
        match (from, to) {
            (Some(from), Some(to)) if faults.is_empty() => Ok(Range { from, to, only }),
            _ => Err(faults.into()),
        }
    }
}

/// Sends the events of a time to a webhook endpoint once more.
///
/// Those that were sent before have the same ids, by which a receiver knows them.
#[utoipa::path(
    post,
    path = "/v1/webhook-endpoints/{id}/replay",
    tag = "Webhook endpoints",
    params(("id" = words::WebhookEndpointId, Path, description = "Which one."), IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 202, description = "They are queued.", body = Begun),
        (status = 404, description = "There is no such endpoint."),
        (status = 409, description = "The endpoint is disabled, or the first request with this key is still being worked on."),
    )
)]
pub(crate) async fn replay(
    access: WriteAccess,
    id: Path<WebhookEndpointId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let range = wanted.read()?;
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        range.queue(tx, &access, *id).await
    });
    Ok(reply.await?.respond())
}

impl Range {
    async fn queue(
        &self,
        tx: &mut Tx,
        access: &WriteAccess,
        id: WebhookEndpointId,
    ) -> Result<Reply, Problem> {
        let tenant = access.tenant;
        let endpoint = sendable(tx, tenant, id).await?;
        let types: Vec<EventType> = endpoint.filter.types();
        let wanted = |it: &EventType| self.only.as_ref().is_none_or(|only| only.wants(*it));
        let types: Vec<EventType> = types.into_iter().filter(wanted).collect();
        let range = (self.from, self.to);
        let queued = db::partners::replay(tx, tenant, id, range, &types, PACE).await?;
        let queued = queued.ok_or_else(|| {
            let fault = format!("leaves more than {MOST_REPLAYED} events: ask for a shorter time");
            Problem::invalid_field("to", fault)
        })?;
        let detail = json!({ "from": self.from, "to": self.to, "queued": queued });
        let (caller, object) = (&access.caller, id.to_string());
        caller
            .note(tx, "webhook_endpoint.replayed", &object, detail)
            .await?;
        let pauses = i32::try_from(queued.saturating_sub(1)).unwrap_or(i32::MAX);
        let last_due_at = tx.now() + PACE * pauses;
        let begun = Begun {
            queued,
            last_due_at,
        };
        Reply::json(StatusCode::ACCEPTED, &begun)
    }
}

/// The endpoint, if something can be sent to it; its row is held meanwhile.
pub(crate) async fn sendable(
    tx: &mut Tx,
    tenant: Tenant,
    id: WebhookEndpointId,
) -> Result<StoredEndpoint, Problem> {
    let endpoint = db::partners::lock(tx, tenant, id).await?;
    let endpoint = endpoint.ok_or_else(|| Problem::not_found("webhook endpoint"))?;
    if !endpoint.enabled {
        return Err(Problem::conflict("enabled", "is false: enable it first"));
    }
    Ok(endpoint)
}
