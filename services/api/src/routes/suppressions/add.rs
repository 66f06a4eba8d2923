//! `POST /v1/suppressions`: an address is not written to any more. 201; 200 with
//! the same row where it was suppressed for that reason before.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::{DbError, Tx};
use domain::consent::PayerAddress;
use domain::{Channel, SuppressionReason};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::SuppressionView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};

/// Longest evidence, in characters.
const LONGEST_EVIDENCE: usize = 1_000;

/// An address to be written to no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuppressionToAdd)]
struct Wanted {
    #[schema(value_type = words::Channel)]
    channel: Channel,
    /// An email address, or a telephone number in E.164.
    #[schema(min_length = 1, max_length = 320, example = "asha@example.com")]
    address: String,
    #[serde(default = "usual_reason")]
    #[schema(value_type = words::SuppressionReason)]
    reason: SuppressionReason,
    /// What shows that this is right, for those who look at it later.
    #[schema(min_length = 1, max_length = 1_000)]
    evidence: Option<String>,
}

fn usual_reason() -> SuppressionReason {
    SuppressionReason::Manual
}

impl Wanted {
    fn check(&self) -> Result<PayerAddress, Problem> {
        let mut faults = Vec::new();
        let lengths = 1..=LONGEST_EVIDENCE;
        let evidence = self.evidence.as_deref().map(str::trim);
        if evidence.is_some_and(|text| !lengths.contains(&text.chars().count())) {
            let fault = format!("must have 1 to {LONGEST_EVIDENCE} characters");
            faults.push(FieldFault::new("evidence", fault));
        }
        match PayerAddress::parse(self.channel, &self.address) {
            Ok(address) if faults.is_empty() => return Ok(address),
            Ok(_) => {}
            Err(fault) => faults.push(FieldFault::new("address", fault.to_string())),
        }
        Err(Problem::invalid(faults))
    }
}

/// Stops all writing to an address.
///
/// Where it was suppressed for that reason before, the same row is answered.
#[utoipa::path(
    post,
    path = "/v1/suppressions",
    tag = "Consent",
    params(IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 201, description = "It is suppressed.", body = SuppressionView),
        (status = 200, description = "It was before.", body = SuppressionView),
    )
)]
pub(crate) async fn add(
    access: WriteAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let address = wanted.check()?;
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        wanted.suppress(tx, &access, &address).await
    });
    Ok(reply.await?.respond())
}

impl Wanted {
    async fn suppress(
        &self,
        tx: &mut Tx,
        access: &WriteAccess,
        address: &PayerAddress,
    ) -> Result<Reply, Problem> {
        let (tenant, reason) = (access.tenant, self.reason);
        let evidence = self.evidence.as_deref().map(str::trim);
        let new = db::suppressions::add(tx, tenant, address, reason, evidence).await?;
        let stored = db::suppressions::find(tx.conn(), tenant, address, reason).await?;
        let stored = stored.ok_or_else(|| DbError::Corrupt {
            what: "suppression",
            fault: "it is not there right after it was added".to_owned(),
        })?;
        let object = stored.id.to_string();
        let detail = json!({ "channel": self.channel, "reason": reason, "new": new });
        access
            .caller
            .note(tx, "suppression.added", &object, detail)
            .await?;
        let status = if new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Reply::json(status, &SuppressionView::new(&stored, &access.caller))
    }
}
