//! `POST /v1/suppressions`: an address is not written to any more. 201; 200 with
//! the same row where it was suppressed for that reason before.

use actix_web::HttpResponse;
use actix_web::web::Data;
use db::DbError;
use domain::consent::PayerAddress;
use domain::{Channel, SuppressionReason};
use serde::Deserialize;
use serde_json::json;

use super::SuppressionView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::problem::{FieldFault, Problem};

/// Longest evidence, in characters.
const LONGEST_EVIDENCE: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    channel: Channel,
    address: String,
    #[serde(default = "usual_reason")]
    reason: SuppressionReason,
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

pub(crate) async fn add(
    access: WriteAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let address = wanted.check()?;
    let (tenant, reason) = (access.tenant, wanted.reason);
    let evidence = wanted.evidence.as_deref().map(str::trim);
    let cause = access.caller.cause(&api);
    let mut tx = api.backbone.db.begin(cause).await?;
    let new = db::suppressions::add(&mut tx, tenant, &address, reason, evidence).await?;
    let stored = db::suppressions::find(tx.conn(), tenant, &address, reason).await?;
    let object = stored.as_ref().map(|stored| stored.id.to_string());
    let detail = json!({ "channel": wanted.channel, "reason": reason, "new": new });
    let object = object.unwrap_or_default();
    access
        .caller
        .note(&mut tx, "suppression.added", &object, detail)
        .await?;
    tx.commit().await?;
    let stored = stored.ok_or_else(|| DbError::Corrupt {
        what: "suppression",
        fault: "it is not there right after it was added".to_owned(),
    })?;
    let mut answer = if new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(answer.json(SuppressionView::new(&stored, &access.caller)))
}
