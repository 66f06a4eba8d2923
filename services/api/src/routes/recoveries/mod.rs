//! Recoveries, as partners see them.

pub(crate) mod asked;
mod filter;
mod view;

pub(crate) mod attempts;
pub(crate) mod cancel;
pub(crate) mod decisions;
pub(crate) mod list;
pub(crate) mod pause;
pub(crate) mod reschedule;
pub(crate) mod resume;
pub(crate) mod retry_now;
pub(crate) mod show;
pub(crate) mod timeline;

pub(crate) use view::RecoveryView;

use db::recoveries::{Listed, StoredRecovery};
use db::{Conn, Tenant, Tx};
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
    cancel::cancel,
    pause::pause,
    resume::resume,
    retry_now::retry,
    reschedule::reschedule
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

/// The organization's recovery of that id, open and locked.
pub(crate) async fn open(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<StoredRecovery, Problem> {
    observe::about_recovery(id);
    let recovery = db::recoveries::lock(tx, tenant, id).await?;
    let recovery = recovery.ok_or_else(|| Problem::not_found("recovery"))?;
    if !recovery.state.is_open() {
        let fault = format!("is {} already", recovery.state);
        return Err(Problem::conflict("state", fault));
    }
    Ok(recovery)
}
