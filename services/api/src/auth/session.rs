//! Beginning a session, and the answer that a login gives.

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use chrono::{DateTime, Utc};
use db::organizations::StoredOrganization;
use db::sessions::{Method, NewSession};
use db::users::StoredUser;
use db::{Tenant, Tx};
use domain::Role;
use domain::id::{OrganizationId, UserId, UserSessionId};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::access_token::Bearer;
use super::address::client_address;
use super::refresh_token::NewRefreshToken;
use crate::app::Api;
use crate::openapi::words;
use crate::problem::Problem;

/// Longest name of a browser that is kept, in characters.
const LONGEST_AGENT: usize = 256;

/// Where a login comes from, as its session shows it.
pub(crate) struct Origin {
    user_agent: Option<String>,
    /// The address, for counting tries.
    pub(crate) address: Option<std::net::IpAddr>,
}

impl Origin {
    pub(crate) fn of(request: &HttpRequest, api: &Api) -> Self {
        let agent = request.headers().get(USER_AGENT);
        let agent = agent.and_then(|value| value.to_str().ok());
        Self {
            user_agent: agent.map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
            address: client_address(request, api.proxies),
        }
    }
}

/// A person as the API shows them.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    #[schema(value_type = words::UserId)]
    id: UserId,
    #[schema(example = "asha@shop.example")]
    email: String,
    #[schema(required)]
    full_name: Option<String>,
    #[schema(value_type = words::Role)]
    role: Role,
    #[schema(value_type = words::OrganizationId)]
    organization_id: OrganizationId,
    /// Whether a code that was sent there came back.
    email_verified: bool,
    /// False for one who may not log in.
    is_active: bool,
    created_at: DateTime<Utc>,
    #[schema(required)]
    last_login_at: Option<DateTime<Utc>>,
}

impl UserView {
    pub(crate) fn new(user: &StoredUser, tenant: Tenant) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            full_name: user.full_name.clone(),
            role: user.role,
            organization_id: tenant.organization(),
            email_verified: user.email_verified_at.is_some(),
            is_active: user.disabled_at.is_none(),
            created_at: user.created_at,
            last_login_at: user.last_login_at,
        }
    }
}

/// An organization as its people see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Organization)]
pub(crate) struct OrganizationView {
    #[schema(value_type = words::OrganizationId)]
    id: OrganizationId,
    name: String,
    /// Its name in addresses.
    #[schema(example = "shop")]
    slug: String,
    #[schema(example = "active")]
    state: String,
    created_at: DateTime<Utc>,
}

impl OrganizationView {
    pub(crate) fn new(stored: &StoredOrganization) -> Self {
        Self {
            id: stored.id,
            name: stored.name.clone(),
            slug: stored.slug.clone(),
            state: stored.state.clone(),
            created_at: stored.created_at,
        }
    }
}

/// What a login answers: the older contract's fields, and what keeps it going.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedIn {
    /// Goes with every request, as `Authorization: Bearer`.
    access_token: String,
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds for which the access token holds.
    expires_in: i64,
    /// Works once: for the next of both.
    refresh_token: String,
    #[schema(value_type = words::UserSessionId)]
    session_id: UserSessionId,
    user: UserView,
    organization: OrganizationView,
}

/// Begins a session for a person who has proved to be one, within `tx`.
pub(crate) async fn begin(
    api: &Api,
    tx: &mut Tx,
    who: (Tenant, &StoredUser, &StoredOrganization),
    method: Method,
    from: &Origin,
) -> Result<LoggedIn, Problem> {
    let (tenant, user, organization) = who;
    let token = NewRefreshToken::generate(tx.rng());
    let address = from.address.map(|address| address.to_string());
    let new = NewSession {
        user: user.id,
        method,
        user_agent: from.user_agent.as_deref(),
        address: address.as_deref(),
        expires_at: tx.now() + api.session_life,
        token_hash: &token.hash,
    };
    let session = db::sessions::begin(tx, tenant, &new).await?;
    let verified = matches!(method, Method::Code | Method::Invitation);
    db::users::logged_in(tx, tenant, user.id, verified).await?;
    let detail = json!({ "session_id": session, "method": method.as_str() });
    let actor = user.id.to_string();
    db::audit::note(tx, tenant, &actor, "user.logged_in", Some(&actor), &detail).await?;
    let user = StoredUser {
        last_login_at: Some(tx.now()),
        email_verified_at: user.email_verified_at.or(verified.then(|| tx.now())),
        ..user.clone()
    };
    answer(
        api,
        (tenant, &user, organization),
        session,
        &token.secret,
        tx.now(),
    )
}

/// The answer to a login or a refresh.
pub(crate) fn answer(
    api: &Api,
    (tenant, user, organization): (Tenant, &StoredUser, &StoredOrganization),
    session: UserSessionId,
    refresh_token: &SecretString,
    now: DateTime<Utc>,
) -> Result<LoggedIn, Problem> {
    let bearer = Bearer {
        user: user.id,
        organization: tenant.organization(),
        role: user.role,
        session,
    };
    let token = api.access_tokens.sign(&bearer, now).map_err(|error| {
        tracing::error!(%error, "answered with 500");
        Problem::internal()
    })?;
    Ok(LoggedIn {
        access_token: token.expose_secret().to_owned(),
        token_type: "bearer",
        expires_in: api.access_tokens.lifetime().num_seconds(),
        refresh_token: refresh_token.expose_secret().to_owned(),
        session_id: session,
        user: UserView::new(user, tenant),
        organization: OrganizationView::new(organization),
    })
}
