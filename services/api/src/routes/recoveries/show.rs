//! `GET /v1/recoveries/{id}`

use actix_web::web::{Data, Json, Path};
use domain::id::RecoveryId;

use super::found;
use super::view::RecoveryView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

pub(crate) async fn show(
    access: ReadAccess,
    id: Path<RecoveryId>,
    api: Data<Api>,
) -> Result<Json<RecoveryView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let recovery = found(&mut conn, access.tenant, *id).await?;
    let transaction =
        db::transactions::find(&mut conn, access.tenant, recovery.transaction).await?;
    let reference = transaction.map(|transaction| transaction.transaction_ref);
    Ok(Json(RecoveryView::new(recovery, reference)))
}
