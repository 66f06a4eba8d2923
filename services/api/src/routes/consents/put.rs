//! `PUT /v1/consents`: a payer has opted in, or has taken it back. The same again
//! changes nothing, nor does what was said before the newest that is known.

use actix_web::web::{Data, Json};
use chrono::{DateTime, TimeDelta, Utc};
use db::DbError;
use db::consents::NewConsent;
use domain::consent::PayerAddress;
use domain::{Channel, ConsentState};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::ConsentView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};

/// Longest source, in characters.
const LONGEST_SOURCE: usize = 64;
/// Longest evidence, in characters.
const LONGEST_EVIDENCE: usize = 1_000;
/// How far a partner's clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// What a payer said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsentToRecord)]
struct Told {
    #[schema(value_type = words::Channel)]
    channel: Channel,
    /// An email address, or a telephone number in E.164.
    #[schema(min_length = 1, max_length = 320, example = "asha@example.com")]
    address: String,
    #[schema(value_type = words::ConsentState)]
    state: ConsentState,
    /// Where it was said.
    #[serde(default = "usual_source")]
    #[schema(min_length = 1, max_length = 64, default = "api")]
    source: String,
    #[schema(min_length = 1, max_length = 1_000)]
    evidence: Option<String>,
    /// Now when left out; not in the future.
    at: Option<DateTime<Utc>>,
}

fn usual_source() -> String {
    "api".to_owned()
}

impl Told {
    fn check(&self, now: DateTime<Utc>) -> Result<PayerAddress, Problem> {
        let mut faults = Vec::new();
        let mut within = |field: &str, text: &str, longest: usize| {
            if !(1..=longest).contains(&text.trim().chars().count()) {
                let fault = format!("must have 1 to {longest} characters");
                faults.push(FieldFault::new(field, fault));
            }
        };
        within("source", &self.source, LONGEST_SOURCE);
        if let Some(evidence) = &self.evidence {
            within("evidence", evidence, LONGEST_EVIDENCE);
        }
        if self.at.is_some_and(|at| at > now + AHEAD) {
            faults.push(FieldFault::new("at", "must not be in the future"));
        }
        match PayerAddress::parse(self.channel, &self.address) {
            Ok(address) if faults.is_empty() => return Ok(address),
            Ok(_) => {}
            Err(fault) => faults.push(FieldFault::new("address", fault.to_string())),
        }
        Err(Problem::invalid(faults))
    }
}

/// Records that a payer has opted in, or has taken it back.
///
/// The same again changes nothing, nor does what was said before the newest that is known.
#[utoipa::path(
    put,
    path = "/v1/consents",
    tag = "Consent",
    request_body = Told,
    responses(
        (status = 200, description = "What holds now.", body = ConsentView),
    )
)]
pub(crate) async fn put(
    access: WriteAccess,
    body: Body,
    api: Data<Api>,
) -> Result<Json<ConsentView>, Problem> {
    let told: Told = body.json()?;
    let cause = access.caller.cause(&api);
    let address = told.check(cause.at)?;
    let new = NewConsent {
        address: &address,
        state: told.state,
        source: told.source.trim(),
        evidence: told.evidence.as_deref().map(str::trim),
        at: told.at.unwrap_or(cause.at),
    };
    let mut tx = api.backbone.db.begin(cause).await?;
    db::consents::put(&mut tx, access.tenant, &new).await?;
    let stored = db::consents::find(tx.conn(), access.tenant, &address).await?;
    let detail = json!({ "channel": address.channel(), "state": told.state });
    let object = stored.as_ref().map(|stored| stored.id.to_string());
    let object = object.unwrap_or_default();
    access
        .caller
        .note(&mut tx, "consent.recorded", &object, detail)
        .await?;
    tx.commit().await?;
    let stored = stored.ok_or_else(|| DbError::Corrupt {
        what: "consent",
        fault: "it is not there right after it was put".to_owned(),
    })?;
    Ok(Json(ConsentView::new(stored, &access.caller)))
}
