//! `GET /v1/consents/changes?channel=&address=&cursor=&limit=`: the book of every
//! change to a consent or a suppression, with who made it, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, Utc};
use db::contacts::Change;
use domain::Channel;
use domain::id::{ContactChange, ContactChangeId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::{Caller, ReadAccess};
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::address_page::{Filter, shown};
use crate::routes::page::{Asked, Page};

/// A change to a consent or a suppression.
#[derive(Serialize, ToSchema)]
#[schema(as = ContactChange)]
struct ChangeView {
    #[schema(value_type = words::ContactChangeId)]
    id: ContactChangeId,
    #[schema(value_type = words::Channel)]
    channel: Channel,
    /// Whole for administrators, masked for others.
    address: String,
    change: String,
    reason: String,
    #[schema(required)]
    evidence: Option<String>,
    actor: String,
    #[schema(required)]
    trace_id: Option<String>,
    at: DateTime<Utc>,
}

/// Lists every change to a consent or a suppression, newest first.
#[utoipa::path(
    get,
    path = "/v1/consents/changes",
    tag = "Consent",
    params(Filter, Asked),
    responses(
        (status = 200, description = "One page.", body = Page<ChangeView>),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (page, wanted) = filter.read::<ContactChange>(&asked)?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::contacts::changes(&mut conn, access.tenant, &wanted).await?;
    let rows = found
        .into_iter()
        .map(|change| (change.id, view(change, &access.caller)));
    Ok(page.answer_of(
        &api,
        "/v1/consents/changes",
        &filter.pairs(),
        rows.collect(),
    ))
}

fn view(change: Change, caller: &Caller) -> ChangeView {
    ChangeView {
        id: change.id,
        channel: change.address.channel(),
        address: shown(&change.address, caller),
        change: change.change,
        reason: change.reason,
        evidence: change.evidence,
        actor: change.actor,
        trace_id: change.trace_id,
        at: change.at,
    }
}
