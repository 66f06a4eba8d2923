//! `POST /v1/auth/password/reset`: a new password, by the link that was mailed. Every
//! session ends: whoever knew the old one is out.

use actix_web::HttpResponse;
use actix_web::web::Data;
use db::sessions::{self, EndedBy};
use db::{Tx, audit, user_codes, users};
use domain::{CodePurpose, EmailAddress};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::codes::{Returned, account};
use crate::auth::lockout::{Trying, forgive};
use crate::conduct::body::Body;
use crate::problem::Problem;

/// The link's token, and the password that is to hold.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordReset)]
pub(crate) struct Wanted {
    /// What stands behind `token=` in the link.
    #[schema(value_type = String, max_length = 128)]
    token: SecretString,
    /// The new password.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 512)]
    password: SecretString,
}

/// Chooses a new password by a mailed link.
///
/// Every session of the user ends, and every code and link that was mailed before
/// is void; log in with the new password.
#[utoipa::path(post, path = "/v1/auth/password/reset", tag = "Login", request_body = Wanted,
    responses(
        (status = 204, description = "The password holds"),
        (status = 401, description = "The link is unknown, was used or replaced, or has expired"),
    ))]
pub(crate) async fn reset(body: Body, api: Data<Api>) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let secrets = (&wanted.token, &wanted.password);
    let returned = Returned::read(&api, CodePurpose::PasswordReset, secrets, &[]).await?;
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    let worked = set(&mut tx, &returned).await;
    tx.end(worked).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn set(tx: &mut Tx, returned: &Returned) -> Result<(), Problem> {
    let link = returned.use_up(tx).await?;
    // The table says that a link of this kind is somebody's.
    let user = link.user.ok_or_else(Problem::internal)?;
    let tenant = link.tenant;
    users::set_password(tx, tenant, user, None, &returned.password).await?;
    users::verified(tx, tenant, user).await?;
    user_codes::close_all(tx, tenant, user).await?;
    let ended = sessions::end_all(tx, tenant, user, EndedBy::Password).await?;
    // Somebody else's guesses must not keep the owner out any longer.
    let organization = db::organizations::find(tx.conn(), tenant).await?;
    let email = EmailAddress::parse(&link.email).map_err(|_| Problem::internal())?;
    for slug in [None, Some(organization.slug.as_str())] {
        let tried = [Trying::Password, Trying::Code];
        forgive(tx.conn(), &tried, &account(&email, slug)).await?;
    }
    let (actor, detail) = (user.to_string(), json!({ "sessions_ended": ended }));
    let action = "user.password_reset";
    audit::note(tx, tenant, &actor, action, Some(&actor), &detail).await?;
    Ok(())
}
