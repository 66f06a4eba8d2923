//! `GET /v1/customer/transactions/{ref}`

use actix_web::web::{Data, Json, Path};
use domain::TransactionRef;

use super::view::TransactionView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// Shows a transaction.
#[utoipa::path(
    get,
    path = "/v1/customer/transactions/{ref}",
    tag = "Customers",
    params(("ref" = String, Path, description = "The merchant's own name for it.")),
    responses(
        (status = 200, description = "The transaction.", body = TransactionView),
        (status = 404, description = "There is no such transaction."),
    ),
)]
pub(crate) async fn show(
    access: ReadAccess,
    reference: Path<String>,
    api: Data<Api>,
) -> Result<Json<TransactionView>, Problem> {
    let nothing = || Problem::not_found("transaction");
    let reference = TransactionRef::parse(&reference).map_err(|_| nothing())?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::transactions::one_by_ref(&mut conn, access.tenant, &reference).await?;
    let found = found.ok_or_else(nothing)?;
    Ok(Json(TransactionView::new(found, &access.caller)))
}
