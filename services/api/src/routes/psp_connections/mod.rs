//! A merchant's accounts at PSPs. Secrets come in, are tried at the PSP, and are
//! kept sealed; none is ever answered again.

mod asked;
mod tried;
mod view;

pub(crate) mod change;
pub(crate) mod end;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod test;

use db::connections::Managed;
use db::{Tenant, Tx};
use domain::id::ConnectionId;
use utoipa::OpenApi;

use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    make::make,
    show::show,
    change::change,
    end::end,
    test::test,
    rotate::rotate
))]
pub(crate) struct Documented;

/// The connection of that id, which has not ended, its row locked.
async fn living(tx: &mut Tx, tenant: Tenant, id: ConnectionId) -> Result<Managed, Problem> {
    let found = db::connections::lock(tx, tenant, id).await?;
    still_living(found)
}

fn still_living(found: Option<Managed>) -> Result<Managed, Problem> {
    let found = found.ok_or_else(|| Problem::not_found("connection"))?;
    if found.ended_at.is_some() {
        return Err(Problem::conflict(
            "id",
            "has ended; connect the account anew",
        ));
    }
    Ok(found)
}
