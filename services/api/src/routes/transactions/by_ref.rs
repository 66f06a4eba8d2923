//! `GET /v1/transactions/by_ref/{ref}`: by the merchant's own name for it.

use actix_web::web::{Data, Json, Path};
use domain::TransactionRef;

use super::show::{WholeTransaction, whole};
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;

/// The transaction of a reference, with its failures and recoveries.
#[utoipa::path(
    get,
    path = "/v1/transactions/by_ref/{ref}",
    tag = "Transactions",
    params(("ref" = String, Path, description = "The merchant's name for it.")),
    responses(
        (status = 200, description = "The transaction.", body = WholeTransaction),
        (status = 404, description = "There is no transaction of that reference."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    reference: Path<String>,
    api: Data<Api>,
) -> Result<Json<WholeTransaction>, Problem> {
    let unknown = || Problem::not_found("transaction");
    let reference = TransactionRef::parse(&reference).map_err(|_| unknown())?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::transactions::by_ref(&mut conn, access.tenant, &reference).await?;
    let id = found.ok_or_else(unknown)?.id;
    let whole = whole(&mut conn, access.tenant, id, &access.caller).await?;
    Ok(Json(whole))
}
