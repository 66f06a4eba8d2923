//! `POST /v1/auth/invitations/accept`: whoever has the link becomes a user, and is
//! logged in at once.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use db::sessions::Method;
use db::users::{self, NewUser};
use db::{Tx, audit};
use domain::CodePurpose;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::codes::Returned;
use crate::auth::session::{self, LoggedIn, Origin};
use crate::conduct::body::Body;
use crate::problem::Problem;
use crate::routes::users::name_fault;

/// The link's token, and who it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = AcceptedInvitation)]
pub(crate) struct Wanted {
    /// What stands behind `token=` in the link.
    #[schema(value_type = String, max_length = 128)]
    token: SecretString,
    /// The password to log in with from now on.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 512)]
    password: SecretString,
    /// What the user is called.
    #[schema(min_length = 1, max_length = 128, example = "Ravi Iyer")]
    full_name: Option<String>,
}

/// Accepts an invitation: makes the user and logs them in.
#[utoipa::path(post, path = "/v1/auth/invitations/accept", tag = "Login", request_body = Wanted,
    responses(
        (status = 201, description = "A session of the new user", body = LoggedIn),
        (status = 401, description = "The link is unknown, was used or revoked, or has expired"),
        (status = 409, description = "The organization has a user of that address"),
    ))]
pub(crate) async fn accept(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let name = wanted.full_name.as_deref().map(str::trim);
    if let Some(fault) = name.and_then(name_fault) {
        return Err(Problem::invalid_field("full_name", fault));
    }
    let names: Vec<&str> = name.into_iter().collect();
    let secrets = (&wanted.token, &wanted.password);
    let returned = Returned::read(&api, CodePurpose::Invitation, secrets, &names).await?;
    let from = Origin::of(&request, &api);
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    let worked = join(&api, &mut tx, &returned, name, &from).await;
    let answer = tx.end(worked).await?;
    Ok(HttpResponse::Created().json(answer))
}

async fn join(
    api: &Api,
    tx: &mut Tx,
    returned: &Returned,
    full_name: Option<&str>,
    from: &Origin,
) -> Result<LoggedIn, Problem> {
    let link = returned.use_up(tx).await?;
    let tenant = link.tenant;
    let new = NewUser {
        email: &link.email,
        full_name,
        role: link.role,
        password_hash: Some(&returned.password),
    };
    let user = users::add(tx, tenant, &new).await?;
    let user = user.ok_or_else(|| {
        Problem::conflict(
            "email",
            "is one of the organization's users already; log in",
        )
    })?;
    let organization = db::organizations::find(tx.conn(), tenant).await?;
    let actor = user.id.to_string();
    let detail = json!({ "invitation_id": link.id, "role": link.role });
    audit::note(tx, tenant, &actor, "user.joined", Some(&actor), &detail).await?;
    let who = (tenant, &user, &organization);
    session::begin(api, tx, who, Method::Invitation, from).await
}
