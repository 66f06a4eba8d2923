//! `POST /v1/auth/login`: address and password for a session. A wrong password, an
//! unknown address, a disabled user and too many tries are answered alike, after
//! the same work.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use db::sessions::Method;
use db::users::Account;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::email;
use crate::app::Api;
use crate::auth::codes::account;
use crate::auth::lockout::{Try, Trying};
use crate::auth::session::{self, LoggedIn, Origin};
use crate::conduct::body::Body;
use crate::problem::Problem;

/// An address and its password.
#[derive(Deserialize, ToSchema)]
#[schema(as = Credentials)]
struct Wanted {
    #[schema(max_length = 320, example = "asha@shop.example")]
    email: String,
    #[schema(value_type = String, format = Password, example = "correct horse battery")]
    password: SecretString,
    /// The slug of the organization, for an address that several know.
    #[schema(example = "shop")]
    organization: Option<String>,
}

/// Logs in with address and password.
#[utoipa::path(
    post,
    path = "/v1/auth/login",
    tag = "Login",
    request_body = Wanted,
    responses(
        (status = 200, description = "A session, with its first tokens.", body = LoggedIn),
        (status = 401, description = "The login failed: the same whatever was wrong."),
    )
)]
pub(crate) async fn log_in(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<Json<LoggedIn>, Problem> {
    let wanted: Wanted = body.json()?;
    let email = email(&wanted.email)?;
    let slug = wanted.organization.as_deref();
    let from = Origin::of(&request, &api);
    let mut conn = api.backbone.db.read().await?;
    let (named, now) = (account(&email, slug), api.backbone.clock.now());
    let tried = Try::begin(&mut conn, Trying::Password, &named, from.address, now).await?;
    let found = db::users::by_email(&mut conn, email.expose(), slug).await?;
    // Not held while the password is hashed.
    drop(conn);
    let hash = found.as_ref().and_then(|found| found.password_hash.clone());
    let right = api.passwords.matches(wanted.password, hash).await?;
    let found = found
        .filter(Account::may_log_in)
        .filter(|_| right && tried.allowed)
        .ok_or_else(Problem::login_failed)?;
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    let who = (found.tenant, &found.user, &found.organization);
    let answer = session::begin(&api, &mut tx, who, Method::Password, &from).await?;
    tried.succeeded(tx.conn()).await?;
    tx.commit().await?;
    Ok(Json(answer))
}
