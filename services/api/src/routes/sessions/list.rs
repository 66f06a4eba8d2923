//! `GET /v1/auth/sessions?user_id=&cursor=&limit=`: the sessions that go on, newest
//! first. Those of another user are for administrators.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, Utc};
use db::sessions::StoredSession;
use domain::id::{UserId, UserSession, UserSessionId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::Api;
use crate::auth::UserAccess;
use crate::auth::scope::Scope;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::page::{Asked, Page};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Another user's, for administrators.
    #[param(value_type = Option<words::UserId>)]
    user_id: Option<String>,
}

/// A login, and what follows from it.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionView {
    #[schema(value_type = words::UserSessionId)]
    id: UserSessionId,
    /// Whether it is the one that asks.
    current: bool,
    /// How it began.
    #[schema(example = "password")]
    method: String,
    #[schema(required)]
    user_agent: Option<String>,
    /// Where it began.
    #[schema(required)]
    address: Option<String>,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Lists the sessions that go on, newest first.
#[utoipa::path(
    get,
    path = "/v1/auth/sessions",
    tag = "Sessions",
    params(Filter, Asked),
    responses(
        (status = 200, description = "One page.", body = Page<SessionView>),
    )
)]
pub(crate) async fn list(
    access: UserAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let page = asked.read::<UserSession>()?;
    let user = filter.read()?.unwrap_or(access.user);
    if user != access.user {
        access.caller.must(Scope::Admin)?;
    }
    let (tenant, now) = (access.tenant, api.backbone.clock.now());
    let mut conn = api.backbone.db.read().await?;
    let found = db::sessions::list(&mut conn, tenant, user, now, page.cursor, page.rows()).await?;
    let rows = found
        .into_iter()
        .map(|found| (found.id, view(found, access.session)));
    let filters = [("user_id", filter.user_id.as_deref())];
    Ok(page.answer_of(&api, "/v1/auth/sessions", &filters, rows.collect()))
}

impl Filter {
    fn read(&self) -> Result<Option<UserId>, Problem> {
        let user = self.user_id.as_deref().map(str::parse).transpose();
        user.map_err(|_| Problem::invalid_field("user_id", "is not a user's id"))
    }
}

fn view(stored: StoredSession, asking: UserSessionId) -> SessionView {
    SessionView {
        id: stored.id,
        current: stored.id == asking,
        method: stored.method,
        user_agent: stored.user_agent,
        address: stored.address,
        created_at: stored.created_at,
        last_used_at: stored.last_used_at,
        expires_at: stored.expires_at,
    }
}
