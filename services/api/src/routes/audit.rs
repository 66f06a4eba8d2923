//! `GET /v1/audit?actor=&action=&object=&cursor=&limit=`: every change by whom, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, Utc};
use db::audit::{StoredEntry, Wanted};
use domain::id::{AuditEntry, AuditEntryId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::page::Asked;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::problem::Problem;

#[derive(Deserialize)]
pub(crate) struct Filter {
    actor: Option<String>,
    action: Option<String>,
    object: Option<String>,
}

#[derive(Serialize)]
struct EntryView {
    id: AuditEntryId,
    at: DateTime<Utc>,
    actor: String,
    action: String,
    object: Option<String>,
    detail: Value,
    trace_id: Option<String>,
}

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
