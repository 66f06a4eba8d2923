//! `POST /v1/auth/login/request-otp`: a code to log in with, by mail. The answer
//! says nothing of whether the address is anybody's.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use domain::CodePurpose;
use serde::Deserialize;
use utoipa::ToSchema;

use super::email;
use crate::app::Api;
use crate::auth::codes;
use crate::auth::lockout::Trying;
use crate::conduct::body::Body;
use crate::problem::Problem;

/// Whose code is wanted.
#[derive(Deserialize, ToSchema)]
#[schema(as = CodeRequest)]
pub(crate) struct Wanted {
    /// The address to log in with.
    #[schema(format = "email", example = "asha@shop.example")]
    email: String,
    /// The slug of the organization, for an address that several know.
    organization: Option<String>,
}

/// Mails a code to log in with.
///
/// The answer is the same whether there is such a user or not, and whether a mail
/// was sent: at most 20 are, a day. A code works once, for ten minutes, and takes
/// the place of an earlier one.
#[utoipa::path(post, path = "/v1/auth/login/request-otp", tag = "Login", request_body = Wanted,
    responses((status = 202, description = "If there is such a user, a mail is on its way.", body = codes::Asked)))]
pub(crate) async fn request(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let email = email(&wanted.email)?;
    let slug = wanted.organization.as_deref();
    let what = (CodePurpose::Login, Trying::CodeRequest);
    codes::mail(&api, &request, what, &email, slug).await
}
