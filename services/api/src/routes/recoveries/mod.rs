//! Recoveries, as partners see them.

mod filter;
mod view;

pub(crate) mod attempts;
pub(crate) mod cancel;
pub(crate) mod decisions;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod timeline;

pub(crate) use filter::{parsed, taken};
pub(crate) use view::RecoveryView;

use db::recoveries::{Listed, StoredRecovery};
use db::{Conn, Tenant};
use domain::id::RecoveryId;
use utoipa::OpenApi;

use crate::conduct::observe;
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    show::show,
    timeline::show,
    attempts::list,
    decisions::list,
    cancel::cancel
))]
pub(crate) struct Documented;

/// The organization's recovery of that id.
pub(super) async fn found(
    conn: &mut Conn,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<StoredRecovery, Problem> {
    observe::about_recovery(id);
    let found = db::recoveries::find(conn, tenant, id).await?;
    found.ok_or_else(|| Problem::not_found("recovery"))
}

/// The organization's recovery of that id, as it is shown.
pub(super) async fn shown(
    conn: &mut Conn,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<RecoveryView, Problem> {
    observe::about_recovery(id);
    let listed: Option<Listed> = db::recoveries::listed(conn, tenant, id).await?;
    let listed = listed.ok_or_else(|| Problem::not_found("recovery"))?;
    Ok(RecoveryView::new(listed))
}
