//! `POST /v1/auth/password/change`: another password, by the old one. The user's other
//! sessions end; the one that asks goes on.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use db::sessions::{self, EndedBy};
use db::users::Account;
use db::{Tx, user_codes, users};
use domain::EmailAddress;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::codes::account;
use crate::auth::lockout::{Try, Trying};
use crate::auth::session::Origin;
use crate::auth::{UserAccess, password};
use crate::conduct::body::Body;
use crate::problem::{FieldFault, Problem};

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordChange)]
pub(crate) struct Wanted {
    /// The password as it is.
    #[schema(value_type = String, format = "password")]
    old_password: SecretString,
    /// As it is to be.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 512)]
    new_password: SecretString,
}

/// Changes the caller's password.
///
/// The caller's other sessions end, and codes and links that were mailed are void.
#[utoipa::path(post, path = "/v1/auth/password/change", tag = "Login", request_body = Wanted,
    responses((status = 204, description = "The new password holds")))]
pub(crate) async fn change(
    access: UserAccess,
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let mut conn = api.backbone.db.read().await?;
    let found = users::account(&mut conn, access.tenant, access.user).await?;
    let found = found.ok_or_else(|| Problem::not_found("user"))?;
    let email = EmailAddress::parse(&found.user.email).map_err(|_| Problem::internal())?;
    let (named, now) = (account(&email, None), api.backbone.clock.now());
    let address = Origin::of(&request, &api).address;
    let tried = Try::begin(&mut conn, Trying::Password, &named, address, now).await?;
    // Not held while passwords are hashed.
    drop(conn);
    if !tried.allowed {
        return Err(Problem::too_many_tries(Trying::Password.seconds()));
    }
    wanted.check(&api, &found, &email).await?;
    let mut rng = api.backbone.db.fork_rng();
    let hash = api.passwords.hash(wanted.new_password, &mut rng).await?;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    match set(&mut tx, &access, &found, &hash).await {
        Ok(()) => {
            tried.succeeded(tx.conn()).await?;
            tx.commit().await?;
            Ok(HttpResponse::NoContent().finish())
        }
        Err(problem) => {
            tx.roll_back().await?;
            Err(problem)
        }
    }
}

impl Wanted {
    async fn check(&self, api: &Api, found: &Account, email: &EmailAddress) -> Result<(), Problem> {
        let mut faults = Vec::new();
        let (old, hash) = (self.old_password.clone(), found.password_hash.clone());
        if !api.passwords.matches(old, hash).await? {
            faults.push(not_the_password());
        }
        let name = found.user.full_name.as_deref().unwrap_or_default();
        let names = [found.organization.name.as_str(), name];
        if let Some(fault) = password::fault(&self.new_password, email, &names) {
            faults.push(FieldFault::new("new_password", fault));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(faults))
        }
    }
}

fn not_the_password() -> FieldFault {
    FieldFault::new("old_password", "is not the password")
}

async fn set(
    tx: &mut Tx,
    access: &UserAccess,
    found: &Account,
    hash: &SecretString,
) -> Result<(), Problem> {
    let (tenant, user, old) = (access.tenant, access.user, found.password_hash.as_ref());
    // Changed meanwhile: what was sent is no longer the old one.
    if !users::set_password(tx, tenant, user, old, hash).await? {
        return Err(Problem::invalid(vec![not_the_password()]));
    }
    let kept = Some(access.session);
    let ended = sessions::end_others(tx, tenant, user, kept, EndedBy::Password).await?;
    user_codes::close_all(tx, tenant, user).await?;
    let (object, detail) = (user.to_string(), json!({ "sessions_ended": ended }));
    access
        .caller
        .note(tx, "user.password_changed", &object, detail)
        .await?;
    Ok(())
}
