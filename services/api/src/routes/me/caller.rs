//! `GET /v1/me`: key or user, what it may do, and of which organization. It costs
//! what every authenticated request costs, and nothing more.

use actix_web::web::Json;
use domain::Role;
use domain::id::{OrganizationId, UserSessionId};
use serde::Serialize;

use crate::auth::{ReadAccess, Who};

#[derive(Serialize)]
pub(crate) struct CallerView {
    kind: &'static str,
    id: String,
    organization_id: OrganizationId,
    scopes: Vec<String>,
    role: Option<Role>,
    session_id: Option<UserSessionId>,
}

pub(crate) async fn show(access: ReadAccess) -> Json<CallerView> {
    let caller = access.caller;
    let id = caller.actor();
    let (kind, role, session_id) = match caller.who {
        Who::Key(_) => ("api_key", None, None),
        Who::User(_, role, session) => ("user", Some(role), Some(session)),
    };
    Json(CallerView {
        kind,
        id,
        organization_id: access.tenant.organization(),
        scopes: caller.scopes,
        role,
        session_id,
    })
}
