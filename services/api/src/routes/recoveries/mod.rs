//! Recoveries, as partners see them.

mod view;

pub(crate) mod attempts;
pub(crate) mod cancel;
pub(crate) mod decisions;
pub(crate) mod list;
pub(crate) mod show;
pub(crate) mod timeline;

use db::recoveries::StoredRecovery;
use db::{Conn, Tenant};
use domain::id::RecoveryId;

use crate::conduct::observe;
use crate::problem::Problem;

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
