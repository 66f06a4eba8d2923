//! `POST /v1/auth/password/request-reset`: a link for a new password, by mail. The
//! answer says nothing of whether the address is anybody's.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::CodePurpose;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::codes;
use crate::auth::lockout::Trying;
use crate::conduct::body::Body;
use crate::problem::Problem;
use crate::routes::login::email;

/// Whose password is forgotten.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasswordResetRequest)]
pub(crate) struct Wanted {
    /// The address to log in with.
    #[schema(format = "email", example = "asha@shop.example")]
    email: String,
    /// The slug of the organization, for an address that several know.
    organization: Option<String>,
}

/// Mails a link to choose a new password by.
///
/// The answer is the same whether there is such a user or not, and whether a mail
/// was sent: at most five are, a day. A link works once, for an hour, and takes the
/// place of an earlier one.
#[utoipa::path(post, path = "/v1/auth/password/request-reset", tag = "Login",
    request_body = Wanted,
    responses((status = 202, description = "If there is such a user, a mail is on its way.", body = codes::Asked)))]
pub(crate) async fn request(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let email = email(&wanted.email)?;
    let slug = wanted.organization.as_deref();
    let what = (CodePurpose::PasswordReset, Trying::ResetRequest);
    codes::mail(&api, &request, what, &email, slug).await
}
