//! `POST /v1/recoveries/by_ref/{ref}/link`: a link for the merchant to pass on.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use chrono::{DateTime, TimeDelta, Utc};
use db::Tx;
use db::recoveries::StoredRecovery;
use domain::id::{RecoveryId, RecoveryLink, RecoveryLinkId, TransactionId};
use domain::{TransactionRef, token};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::conduct::observe;
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;

/// Hours that a link lives by itself, and at most.
const USUAL_HOURS: i64 = 24;
const MOST_HOURS: i64 = 168;
/// What the link is stored under; the older contract's only channel.
const CHANNEL: &str = "link";

/// How long a link lives.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = LinkToMake)]
struct Wanted {
    /// Hours.
    #[schema(minimum = 0, maximum = 168, default = 24)]
    ttl_hours: Option<i64>,
    #[schema(pattern = "^link$", example = "link")]
    channel: Option<String>,
}

/// A link that was made.
#[derive(Serialize, ToSchema)]
struct MadeLink {
    /// The link's id, under the name that it always had.
    #[schema(value_type = words::RecoveryLinkId)]
    attempt_id: RecoveryLinkId,
    #[schema(value_type = words::TransactionId)]
    transaction_id: TransactionId,
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    token: String,
    /// Where the payer goes.
    #[schema(example = "https://pay.example.com/pay/zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE")]
    url: String,
    expires_at: DateTime<Utc>,
}

impl Wanted {
    /// An empty body asks for the usual.
    fn read(body: &Body) -> Result<i64, Problem> {
        let wanted: Self = if body.bytes.is_empty() {
            Self::default()
        } else {
            body.json()?
        };
        if wanted.channel.is_some_and(|channel| channel != CHANNEL) {
            return Err(Problem::invalid_field("channel", "must be \"link\""));
        }
        let hours = wanted.ttl_hours.unwrap_or(USUAL_HOURS);
        if (0..=MOST_HOURS).contains(&hours) {
            return Ok(hours);
        }
        let fault = format!("must be from 0 to {MOST_HOURS}");
        Err(Problem::invalid_field("ttl_hours", fault))
    }
}

/// Makes a link for the merchant to pass on.
#[utoipa::path(
    post,
    path = "/v1/recoveries/by_ref/{ref}/link",
    tag = "Links",
    params(("ref" = String, Path, description = "The transaction's reference, as the partner has it.", example = "order-1042"), IdempotencyKey),
    request_body(content = Option<Wanted>, description = "The usual when left out."),
    responses(
        (status = 201, description = "The link.", body = MadeLink),
        (status = 404, description = "There is no such transaction, or nothing to pay of it."),
        (status = 409, description = "The recovery has ended, or the first request with this key is still being worked on."),
    )
)]
pub(crate) async fn make(
    access: WriteAccess,
    reference: Path<String>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let hours = Wanted::read(&body)?;
    let reference =
        TransactionRef::parse(&reference).map_err(|_| Problem::not_found("transaction"))?;
    let cause = api.backbone.cause_by("merchant");
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        add(&api, tx, &access, &reference, hours).await
    });
    Ok(reply.await?.respond())
}

async fn add(
    api: &Api,
    tx: &mut Tx,
    access: &WriteAccess,
    reference: &TransactionRef,
    hours: i64,
) -> Result<Reply, Problem> {
    let recovery = open_recovery(tx, access, reference).await?;
    let id = tx.new_id::<RecoveryLink>();
    let token = token::derive(&api.link_key, id);
    let expires_at = tx.now() + TimeDelta::hours(hours);
    let (tenant, hash) = (access.tenant, token::hash(&token));
    let recovered = recovery.id;
    db::links::add(tx, tenant, id, recovered, None, &hash, CHANNEL, expires_at).await?;
    let why = "The merchant made a link to pass on";
    let detail = json!({ "link_id": id, "expires_at": expires_at });
    db::timeline::announce(tx, tenant, recovered, "link.created", why, detail);
    let (caller, object) = (&access.caller, id.to_string());
    let detail = json!({ "recovery_id": recovered, "expires_at": expires_at });
    caller.note(tx, "link.made", &object, detail).await?;
    let url = api.public_url(&format!("/pay/{}", token.expose()));
    let made = MadeLink {
        attempt_id: id,
        transaction_id: recovery.transaction,
        recovery_id: recovery.id,
        token: token.expose().to_owned(),
        url: url.into(),
        expires_at,
    };
    Reply::secret(StatusCode::CREATED, &made)
}

async fn open_recovery(
    tx: &mut Tx,
    access: &WriteAccess,
    reference: &TransactionRef,
) -> Result<StoredRecovery, Problem> {
    let transaction = db::transactions::by_ref(tx.conn(), access.tenant, reference).await?;
    let transaction = transaction.ok_or_else(|| Problem::not_found("transaction"))?;
    let newest = db::recoveries::newest_of_transaction(tx, access.tenant, transaction.id).await?;
    let recovery = newest.ok_or_else(|| Problem::not_found("recovery"))?;
    observe::about_recovery(recovery.id);
    if recovery.state.is_open() {
        return Ok(recovery);
    }
    let fault = format!("is {}: there is nothing to pay", recovery.state);
    Err(Problem::conflict("state", fault))
}
