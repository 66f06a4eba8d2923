//! `GET /v1/transactions/{id}`: with its failures and recoveries.

use actix_web::web::{Data, Json, Path};
use db::recoveries::{Order, Wanted};
use db::{Conn, Tenant};
use domain::id::TransactionId;
use serde::Serialize;
use utoipa::ToSchema;

use super::TransactionView;
use crate::app::Api;
use crate::auth::{Caller, ReadAccess};
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::events::by_ref::{self, EventView};
use crate::routes::recoveries::RecoveryView;

/// Most recoveries of one transaction that are shown, the newest.
const MOST_RECOVERIES: i64 = 50;

/// A transaction with what happened to it.
#[derive(Serialize, ToSchema)]
pub(crate) struct WholeTransaction {
    #[serde(flatten)]
    transaction: TransactionView,
    /// The first 200 reports that it failed, oldest first.
    #[schema(max_items = 200)]
    events: Vec<EventView>,
    /// Its newest 50 recoveries, newest first.
    #[schema(max_items = 50)]
    recoveries: Vec<RecoveryView>,
}

/// One transaction, with its failures and recoveries.
#[utoipa::path(
    get,
    path = "/v1/transactions/{id}",
    tag = "Transactions",
    params(("id" = words::TransactionId, Path, description = "The transaction.")),
    responses(
        (status = 200, description = "The transaction.", body = WholeTransaction),
        (status = 404, description = "There is no such transaction."),
    )
)]
pub(crate) async fn show(
    access: ReadAccess,
    id: Path<TransactionId>,
    api: Data<Api>,
) -> Result<Json<WholeTransaction>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let whole = whole(&mut conn, access.tenant, *id, &access.caller).await?;
    Ok(Json(whole))
}

/// A transaction with all that is shown of it.
pub(super) async fn whole(
    conn: &mut Conn,
    tenant: Tenant,
    id: TransactionId,
    caller: &Caller,
) -> Result<WholeTransaction, Problem> {
    let found = db::transactions::one(conn, tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("transaction"))?;
    let events = db::failures::of_transaction(conn, tenant, id).await?;
    let wanted = Wanted {
        transaction: Some(id),
        ..Wanted::all(Order::Newest(None), MOST_RECOVERIES)
    };
    let recoveries = db::recoveries::list(conn, tenant, &wanted).await?;
    Ok(WholeTransaction {
        transaction: TransactionView::new(found, caller),
        events: events.into_iter().map(by_ref::view).collect(),
        recoveries: recoveries.into_iter().map(RecoveryView::new).collect(),
    })
}
