//! Registering, logging in and out: the routes that lead to an access token.

pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod refresh;
pub(crate) mod register;
mod registered_before;
pub(crate) mod request_otp;
pub(crate) mod verify_otp;

use domain::EmailAddress;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use crate::auth::refresh_token;
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(paths(
    register::register,
    password::log_in,
    refresh::refresh,
    logout::log_out,
    request_otp::request,
    verify_otp::verify
))]
pub(crate) struct Documented;

/// The address that a login is about, in lower case, as it is stored.
pub(super) fn email(text: &str) -> Result<EmailAddress, Problem> {
    EmailAddress::parse(&text.trim().to_lowercase())
        .map_err(|fault| Problem::invalid_field("email", fault.to_string()))
}

/// A body that holds a refresh token.
#[derive(Deserialize, ToSchema)]
#[schema(as = RefreshToken)]
struct Presented {
    #[schema(value_type = String, format = Password, example = "rt_…")]
    refresh_token: SecretString,
}

impl Presented {
    fn hash(&self) -> [u8; 32] {
        refresh_token::hash(&self.refresh_token)
    }
}
