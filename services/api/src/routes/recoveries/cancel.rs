//! `POST /v1/recoveries/{id}/cancel`: the merchant wants no more of it.

use actix_web::web::{Data, Json, Path};
use domain::RecoveryState;
use domain::id::RecoveryId;
use serde_json::json;

use super::found;
use super::view::RecoveryView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::checkout;
use crate::problem::Problem;

const WHY: &str = "Cancelled by the merchant";

pub(crate) async fn cancel(
    access: WriteAccess,
    id: Path<RecoveryId>,
    api: Data<Api>,
) -> Result<Json<RecoveryView>, Problem> {
    let tenant = access.tenant;
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("merchant"))
        .await?;
    let recovery = db::recoveries::lock(&mut tx, tenant, *id).await?;
    let Some(recovery) = recovery else {
        tx.roll_back().await?;
        return Err(Problem::not_found("recovery"));
    };
    let live = db::checkouts::live(tx.conn(), tenant, recovery.id).await?;
    let cancelled = RecoveryState::Cancelled;
    let changed = db::ending::ended(&mut tx, tenant, recovery.id, cancelled, WHY).await?;
    if !changed && recovery.state != cancelled {
        tx.roll_back().await?;
        let fault = format!("is {} already", recovery.state);
        return Err(Problem::conflict("state", fault));
    }
    if changed {
        let (caller, object) = (&access.caller, id.to_string());
        caller
            .note(&mut tx, "recovery.cancelled", &object, json!({}))
            .await?;
    }
    tx.commit().await?;
    if let Some(live) = live {
        checkout::close(&api, tenant, &live).await;
    }
    let mut conn = api.backbone.db.read().await?;
    let recovery = found(&mut conn, tenant, *id).await?;
    let transaction = db::transactions::find(&mut conn, tenant, recovery.transaction).await?;
    let reference = transaction.map(|transaction| transaction.transaction_ref);
    Ok(Json(RecoveryView::new(recovery, reference)))
}
