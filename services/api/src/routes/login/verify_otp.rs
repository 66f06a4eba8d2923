//! `POST /v1/auth/login/verify-otp`: a mailed code for a session. A wrong code, one
//! that has expired, was used or never was, and too many tries are answered alike.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use db::Tx;
use db::sessions::Method;
use db::user_codes::{self, OpenCode};
use domain::EmailAddress;
use domain::id::UserCodeId;
use domain::user_code::OneTimeCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::email;
use crate::app::Api;
use crate::auth::codes::account;
use crate::auth::lockout::{Try, Trying, forgive};
use crate::auth::session::{self, LoggedIn, Origin};
use crate::conduct::body::Body;
use crate::problem::{FieldFault, Problem};

/// A code, and whose it is.
#[derive(Deserialize, ToSchema)]
#[schema(as = CodeLogin)]
pub(crate) struct Wanted {
    /// The address that the code was mailed to.
    #[schema(format = "email", example = "asha@shop.example")]
    email: String,
    /// The six digits of the mail.
    #[schema(example = "012345")]
    code: String,
    /// The slug of the organization, as it was in the request for the code.
    organization: Option<String>,
}

impl Wanted {
    fn check(&self) -> Result<(EmailAddress, OneTimeCode), Problem> {
        let fault = |field: &str, fault: String| FieldFault::new(field, fault);
        match (email(&self.email), OneTimeCode::parse(&self.code)) {
            (Ok(email), Ok(code)) => Ok((email, code)),
            (Err(problem), Ok(_)) => Err(problem),
            (Ok(_), Err(code)) => Err(Problem::invalid_field("code", code.to_string())),
            (Err(_), Err(code)) => Err(Problem::invalid(vec![
                fault(
                    "email",
                    "expected one email address of the form name@domain".to_owned(),
                ),
                fault("code", code.to_string()),
            ])),
        }
    }
}

/// Logs in with a mailed code.
#[utoipa::path(post, path = "/v1/auth/login/verify-otp", tag = "Login", request_body = Wanted,
    responses(
        (status = 200, description = "A session", body = LoggedIn),
        (status = 401, description = "The code is wrong, used, expired, or was tried too often"),
    ))]
pub(crate) async fn verify(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<Json<LoggedIn>, Problem> {
    let wanted: Wanted = body.json()?;
    let (email, code) = wanted.check()?;
    let slug = wanted.organization.as_deref();
    let from = Origin::of(&request, &api);
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    let named = account(&email, slug);
    let now = tx.now();
    let tried = Try::begin(tx.conn(), Trying::Code, &named, from.address, now).await?;
    let open = user_codes::open_for_address(&mut tx, (email.expose(), slug)).await?;
    // One that is locked out takes no try from a code either: it is not looked at.
    let open = open.filter(|_| tried.allowed);
    // Where there is none, nobody's is derived, and compared as one would be.
    let id = open.map_or(UserCodeId::from_uuid(Uuid::nil()), |open| open.id);
    let right = OneTimeCode::derive(&api.link_key, id).is(&code) && open.is_some();
    user_codes::tried(&mut tx, open.map(|open| open.id), right).await?;
    let Some(open) = open.filter(|_| right) else {
        // The try counts.
        tx.commit().await?;
        return Err(Problem::login_failed());
    };
    let answer = log_in(&api, &mut tx, open, &from).await?;
    tried.succeeded(tx.conn()).await?;
    forgive(tx.conn(), &[Trying::CodeRequest], &named).await?;
    tx.commit().await?;
    Ok(Json(answer))
}

async fn log_in(
    api: &Api,
    tx: &mut Tx,
    open: OpenCode,
    from: &Origin,
) -> Result<LoggedIn, Problem> {
    let found = db::users::account(tx.conn(), open.tenant, open.user).await?;
    let found = found.ok_or_else(Problem::login_failed)?;
    let who = (found.tenant, &found.user, &found.organization);
    session::begin(api, tx, who, Method::Code, from).await
}
