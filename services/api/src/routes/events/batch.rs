//! `POST /v1/events/payment_failed/batch`: up to a thousand failures in one request.
//!
//! The answer is 200 with what came of each item, in order: the batch itself was
//! taken, whatever became of its items. 207 would say the same with the body of
//! another protocol (RFC 4918, XML), which JSON clients do not read.

use std::cell::Cell;

use actix_web::HttpResponse;
use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::transactions::Report;
use db::{Cause, DbError, Tenant, Tx};
use domain::consent::PayerAddress;
use domain::id::{FailureEvent, FailureEventId, RecoveryId, TransactionId};
use domain::{Channel, Id};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::opt_in;
use super::report::Reported;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::{self, LargeBody};
use crate::conduct::idempotency::{Reply, once};
use crate::ingest::{self, Batched, Consents, Effect, Ingested, Item, Refused};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// Most items of one request.
const MOST: usize = 1_000;
/// Longest key of an item, in characters.
const LONGEST_KEY: usize = 255;
/// How often a batch is begun anew that another request got in the way of.
const TURNS: u32 = 3;

/// Failures to report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FailureBatch)]
pub(crate) struct Asked {
    /// Each as if it were reported alone, in this order.
    #[schema(value_type = Vec<BatchItem>, min_items = 1, max_items = 1_000)]
    events: Vec<Value>,
}

/// A failure within a batch: a report, with a key of its own if it may be sent again.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes an item, which is read in two parts")]
pub(crate) struct BatchItem {
    #[schema(inline)]
    #[serde(flatten)]
    report: Reported,
    /// What makes two items the same failure, within a request and for ever: the
    /// gateway's id of the event, say. A repeat has no effect, and is answered with
    /// what the first one led to.
    #[schema(min_length = 1, max_length = 255, example = "evt_1001")]
    idempotency_key: Option<String>,
}

/// What came of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchResult)]
pub(crate) struct BatchView {
    /// What came of each item, in the order in which they were sent.
    data: Vec<ItemView>,
    /// How many were recorded now.
    recorded: usize,
    /// How many had been reported before.
    repeated: usize,
    /// How many were refused, and changed nothing.
    refused: usize,
}

/// What came of one item.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchItemResult)]
struct ItemView {
    /// 201 if it was recorded, 200 if it had been before, else the status of `problem`.
    #[schema(minimum = 200, maximum = 599, example = 201)]
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::FailureEventId>, nullable = false)]
    id: Option<FailureEventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::TransactionId>, nullable = false)]
    transaction_id: Option<TransactionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::RecoveryId>, nullable = false)]
    recovery_id: Option<RecoveryId>,
    /// Why it was refused (RFC 9457); its fields are the item's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    problem: Option<Value>,
}

/// The channels on which the payer has opted in, as the item says.
struct OptIn(Vec<Channel>);

impl Consents for OptIn {
    type Fault = Problem;
    fn addresses(&self, known: &Report) -> Result<Vec<PayerAddress>, Problem> {
        opt_in::addresses(known, &self.0)
    }
}

/// Reports up to a thousand failed payments; a bad item changes nothing for the others.
#[utoipa::path(
    post,
    path = "/v1/events/payment_failed/batch",
    tag = "Events",
    params(IdempotencyKey),
    request_body = Asked,
    responses((status = 200, description = "What came of each item.", body = BatchView))
)]
pub(crate) async fn report(
    access: WriteAccess,
    LargeBody(body): LargeBody,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let asked: Asked = body.items()?;
    if !(1..=MOST).contains(&asked.events.len()) {
        let fault = format!("must have 1 to {MOST} items");
        return Err(Problem::invalid_field("events", fault));
    }
    let cause = api.backbone.cause();
    let read = read(&api, &cause, asked.events);
    let raced = Cell::new(false);
    let mut turn = 0;
    loop {
        turn += 1;
        raced.set(false);
        let cause = cause.clone();
        let reply = once(&api, access.tenant, &body, cause, async |tx| {
            record(tx, &access, &read, &raced).await
        });
        match reply.await {
            Err(_) if raced.get() && turn < TURNS => {}
            reply => return Ok(reply?.respond()),
        }
    }
}

/// The items that read and hold nothing wrong, and what is wrong with each other one.
struct Read {
    items: Vec<Item<OptIn>>,
    /// Of each place in the request: the item's place, or what is wrong.
    places: Vec<Result<usize, Problem>>,
}

fn read(api: &Api, cause: &Cause, events: Vec<Value>) -> Read {
    let rng = &mut api.backbone.db.fork_rng();
    let mut items = Vec::with_capacity(events.len());
    let places = events.into_iter().map(|event| {
        // Without a key, each item is a failure of its own.
        let own = Id::<FailureEvent>::new(cause.at, rng).to_string();
        let item = item(event, own, cause)?;
        items.push(item);
        Ok(items.len() - 1)
    });
    let places = places.collect();
    Read { items, places }
}

fn item(mut event: Value, own: String, cause: &Cause) -> Result<Item<OptIn>, Problem> {
    let key = event
        .as_object_mut()
        .and_then(|fields| fields.remove("idempotency_key"));
    let key = match key {
        None | Some(Value::Null) => None,
        Some(Value::String(key)) if is_key(&key) => Some(format!("key:{key}")),
        Some(_) => {
            let fault = format!("must be a text of 1 to {LONGEST_KEY} characters");
            return Err(Problem::invalid_field("idempotency_key", fault));
        }
    };
    let reported: Reported = body::item(event)?;
    let consent = OptIn(reported.consent()?);
    let may_repeat = key.is_some();
    let report = reported.check(key.unwrap_or(own), cause.at)?;
    Ok(Item {
        report,
        may_repeat,
        consent,
        trace: cause.trace(),
    })
}

fn is_key(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.chars().count()) && !key.contains('\0')
}

async fn record(
    tx: &mut Tx,
    access: &WriteAccess,
    read: &Read,
    raced: &Cell<bool>,
) -> Result<Reply, Problem> {
    let tenant = access.tenant;
    let batched = ingest::failures(tx, tenant, &read.items).await?;
    let Some(Batched { items, consents }) = batched else {
        raced.set(true);
        return Err(Problem::unavailable(
            "others report the same; nothing has changed",
        ));
    };
    db::consents::grant_unless_known(tx, tenant, &consents, opt_in::SOURCE).await?;
    note(tx, access, tenant, &items).await?;
    let views: Vec<ItemView> = read
        .places
        .iter()
        .map(|place| match place {
            Ok(place) => match items.get(*place) {
                Some(Ok(ingested)) => taken(ingested),
                Some(Err(Refused::Report(fault))) => refused(&fault.into()),
                Some(Err(Refused::Consent(problem))) => refused(problem),
                Some(Err(Refused::KeyReused)) => refused(&key_reused()),
                None => refused(&Problem::internal()),
            },
            Err(problem) => refused(problem),
        })
        .collect();
    let count = |status: std::ops::Range<u16>| {
        let of_them = views.iter().filter(|view| status.contains(&view.status));
        of_them.count()
    };
    let view = BatchView {
        recorded: count(201..202),
        repeated: count(200..201),
        refused: count(400..600),
        data: views,
    };
    Reply::json(StatusCode::OK, &view)
}

/// Each failure that was recorded now is in the audit log, as if it had come alone.
async fn note(
    tx: &mut Tx,
    access: &WriteAccess,
    tenant: Tenant,
    items: &[Result<Ingested, Refused<Problem>>],
) -> Result<(), DbError> {
    let news = items
        .iter()
        .flatten()
        .filter(|it| it.effect != Effect::Duplicate);
    let changes: Vec<(String, Value)> = news
        .map(|it| {
            let detail = json!({ "recovery_id": it.recovery });
            (it.failure.to_string(), detail)
        })
        .collect();
    let actor = access.caller.actor();
    db::audit::note_all(tx, tenant, &actor, "failure.reported", &changes).await
}

fn taken(ingested: &Ingested) -> ItemView {
    let status = if ingested.effect == Effect::Duplicate {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    ItemView {
        status: status.as_u16(),
        id: Some(ingested.failure),
        transaction_id: Some(ingested.transaction),
        recovery_id: ingested.recovery,
        problem: None,
    }
}

fn refused(problem: &Problem) -> ItemView {
    ItemView {
        status: problem.status_code().as_u16(),
        id: None,
        transaction_id: None,
        recovery_id: None,
        problem: Some(problem.to_json()),
    }
}

fn key_reused() -> Problem {
    let fault = "came with another transaction_ref before";
    Problem::invalid_field("idempotency_key", fault)
}
