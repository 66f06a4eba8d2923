//! `GET /v1/events/by_ref/{ref}`: the reports about one transaction.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use db::failures::StoredFailure;
use domain::TransactionRef;
use domain::classification::{Category, Hardness};
use domain::id::{FailureEventId, RecoveryId, TransactionId};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// A report of a failed payment.
#[derive(Serialize, ToSchema)]
#[schema(as = FailureEvent)]
pub(crate) struct EventView {
    #[schema(value_type = words::FailureEventId)]
    id: FailureEventId,
    #[schema(value_type = words::TransactionId)]
    transaction_id: TransactionId,
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    gateway: Option<String>,
    reason: String,
    /// Why it failed.
    #[schema(value_type = String, example = "insufficient_funds")]
    category: Category,
    /// `soft` or `hard`: whether the same means may do later.
    #[schema(value_type = String, example = "soft")]
    hardness: Hardness,
    occurred_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    /// The merchant's own particulars.
    #[schema(value_type = Object)]
    meta: Value,
}

/// Lists the reports about one transaction.
#[utoipa::path(
    get,
    path = "/v1/events/by_ref/{ref}",
    tag = "Events",
    params(("ref" = String, Path, description = "The transaction's reference, as the partner has it.", example = "order-1042")),
    responses((status = 200, description = "All of them; none for a reference that is not known.", body = Vec<EventView>))
)]
pub(crate) async fn list(
    access: ReadAccess,
    reference: Path<String>,
    api: Data<Api>,
) -> Result<Json<Vec<EventView>>, Problem> {
    let Ok(reference) = TransactionRef::parse(&reference) else {
        return Ok(Json(Vec::new()));
    };
    let mut conn = api.backbone.db.read().await?;
    let found = db::transactions::by_ref(&mut conn, access.tenant, &reference).await?;
    let Some(transaction) = found else {
        return Ok(Json(Vec::new()));
    };
    let events = db::failures::of_transaction(&mut conn, access.tenant, transaction.id).await?;
    Ok(Json(events.into_iter().map(view).collect()))
}

pub(crate) fn view(event: StoredFailure) -> EventView {
    EventView {
        id: event.id,
        transaction_id: event.transaction,
        recovery_id: event.recovery,
        gateway: event.report.gateway,
        reason: event.report.reason,
        category: event.category,
        hardness: event.hardness,
        occurred_at: event.report.occurred_at,
        created_at: event.created_at,
        meta: event.report.metadata,
    }
}
