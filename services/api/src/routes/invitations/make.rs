//! `POST /v1/users/invitations`: a link by mail, with which someone joins the
//! organization. One that is sent again makes the older one void.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::Message;
use db::Tx;
use db::user_codes::NewCode;
use db::user_codes::invitations::{self, Invited};
use domain::{CodePurpose, EmailAddress, Role};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::InvitationView;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::codes::token_hash;
use crate::auth::lockout::{Try, Trying};
use crate::auth::session::Origin;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::login::email;

/// Whom to invite, as what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation)]
pub(crate) struct Wanted {
    /// Where the link is mailed to, and what is logged in with.
    #[schema(format = "email", example = "ravi@shop.example")]
    email: String,
    /// What they will be: `analyst`, `operator` or `admin`.
    #[schema(value_type = words::Role)]
    role: Role,
}

/// Invites someone to the organization.
///
/// A link is mailed that works once, for seven days. Inviting the address again
/// mails another one, and the older one is void.
#[utoipa::path(post, path = "/v1/users/invitations", tag = "Users", params(IdempotencyKey), request_body = Wanted,
    responses(
        (status = 201, description = "The invitation; its mail is on its way", body = InvitationView),
        (status = 409, description = "The organization has a user of that address"),
    ))]
pub(crate) async fn make(
    access: AdminAccess,
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let email = email(&wanted.email)?;
    let organization = access.tenant.organization().to_string();
    let (trying, now) = (Trying::Invitation, api.backbone.clock.now());
    let address = Origin::of(&request, &api).address;
    let mut conn = api.backbone.db.read().await?;
    let tried = Try::begin(&mut conn, trying, &organization, address, now).await?;
    drop(conn);
    if !tried.allowed {
        return Err(Problem::too_many_tries(trying.seconds()));
    }
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        wanted.invite(&api, tx, &access, &email).await
    });
    Ok(reply.await?.respond())
}

impl Wanted {
    async fn invite(
        &self,
        api: &Api,
        tx: &mut Tx,
        access: &AdminAccess,
        email: &EmailAddress,
    ) -> Result<Reply, Problem> {
        let tenant = access.tenant;
        let id = tx.new_id();
        let hash = token_hash(api, CodePurpose::Invitation, id);
        let new = NewCode {
            id,
            purpose: CodePurpose::Invitation,
            token_hash: hash.as_ref(),
        };
        let whom = (email.expose(), self.role);
        let by = access.caller.actor();
        let made = match invitations::make(tx, tenant, whom, &by, &new).await? {
            Invited::Made(made) => made,
            Invited::AlreadyUser => {
                let fault = "is one of the organization's users already";
                return Err(Problem::conflict("email", fault));
            }
        };
        tx.emit(tenant, Message::UserMailRequested { code: id });
        let (object, detail) = (id.to_string(), json!({ "role": self.role }));
        access
            .caller
            .note(tx, "user.invited", &object, detail)
            .await?;
        Reply::json(StatusCode::CREATED, &InvitationView::new(&made, tx.now()))
    }
}
