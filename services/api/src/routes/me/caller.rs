//! `GET /v1/me`: key or user, what it may do, and of which organization. It costs
//! what every authenticated request costs, and nothing more.

use actix_web::web::Json;
use domain::Role;
use domain::id::{OrganizationId, UserSessionId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::scope::Scope;
use crate::auth::{ReadAccess, Who};
use crate::openapi::words;

/// Who calls.
#[derive(Serialize, ToSchema)]
#[schema(as = Caller)]
pub(crate) struct CallerView {
    /// `api_key` or `user`.
    #[schema(pattern = "^(api_key|user)$")]
    kind: &'static str,
    /// The key's or the user's id.
    #[schema(example = "key_0199c0de5eed7000a000000000000001")]
    id: String,
    #[schema(value_type = words::OrganizationId)]
    organization_id: OrganizationId,
    /// What the caller may do.
    #[schema(value_type = Vec<Scope>)]
    scopes: Vec<String>,
    /// A user's; null for a key.
    #[schema(value_type = Option<words::Role>, required)]
    role: Option<Role>,
    /// A user's; null for a key.
    #[schema(value_type = Option<words::UserSessionId>, required)]
    session_id: Option<UserSessionId>,
}

/// Shows who calls, and what they may do.
#[utoipa::path(
    get,
    path = "/v1/me",
    tag = "Organization",
    responses((status = 200, description = "The caller.", body = CallerView))
)]
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
