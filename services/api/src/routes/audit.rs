//! `GET /v1/audit?actor=&action=&object=&cursor=&limit=`: every change by whom, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, Utc};
use db::audit::{StoredEntry, Wanted};
use domain::id::{AuditEntry, AuditEntryId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::page::{Asked, Page};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::openapi::words;
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(paths(list))]
pub(crate) struct Documented;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only what this user or key did.
    actor: Option<String>,
    /// Only changes of this kind.
    #[param(example = "api_key.made")]
    action: Option<String>,
    /// Only changes of what has this id.
    object: Option<String>,
}

/// A change, and who made it.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct EntryView {
    #[schema(value_type = words::AuditEntryId)]
    id: AuditEntryId,
    at: DateTime<Utc>,
    /// The id of the user or the key, or the service.
    actor: String,
    #[schema(example = "api_key.made")]
    action: String,
    /// The id of what was changed.
    #[schema(required)]
    object: Option<String>,
    detail: Value,
    #[schema(required)]
    trace_id: Option<String>,
}

/// Lists who changed what, newest first.
#[utoipa::path(
    get,
    path = "/v1/audit",
    tag = "Audit",
    params(Filter, Asked),
    responses(
        (status = 200, description = "One page.", body = Page<EntryView>),
    )
)]
pub(crate) async fn list(
    access: AdminAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let page = asked.read::<AuditEntry>()?;
    let wanted = Wanted {
        actor: filter.actor.clone(),
        action: filter.action.clone(),
        object: filter.object.clone(),
        before: page.cursor,
        limit: page.rows(),
    };
    let mut conn = api.backbone.db.read().await?;
    let found = db::audit::list(&mut conn, access.tenant, &wanted).await?;
    let filters = [
        ("actor", filter.actor.as_deref()),
        ("action", filter.action.as_deref()),
        ("object", filter.object.as_deref()),
    ];
    let rows = found.into_iter().map(|entry| (entry.id, view(entry)));
    Ok(page.answer_of(&api, "/v1/audit", &filters, rows.collect()))
}

fn view(entry: StoredEntry) -> EntryView {
    EntryView {
        id: entry.id,
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        object: entry.object,
        detail: entry.detail,
        trace_id: entry.trace_id,
    }
}
