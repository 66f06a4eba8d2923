//! Who runs this installation, proved by the token of its setting.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, dev};
use anyhow::ensure;
use futures_util::future::{Ready, ready};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::app::Api;
use crate::problem::Problem;

/// The shortest token taken, in characters: a shorter one can be guessed.
const SHORTEST: usize = 32;

/// What an operator has to say; nothing of it prints.
pub struct OperatorToken(Option<[u8; 32]>);

impl OperatorToken {
    /// By the setting, which is found to be too short here if it is.
    pub fn new(setting: Option<&SecretString>) -> anyhow::Result<Self> {
        let Some(token) = setting.map(ExposeSecret::expose_secret) else {
            return Ok(Self(None));
        };
        ensure!(
            token.len() >= SHORTEST,
            "TINKO__OPERATOR_TOKEN must have at least {SHORTEST} characters"
        );
        Ok(Self(Some(hash(token))))
    }

    fn check(&self, said: Option<&str>) -> Result<(), Problem> {
        let Some(wanted) = &self.0 else {
            let nothing = "maintenance here: TINKO__OPERATOR_TOKEN is not set";
            return Err(Problem::not_found(nothing));
        };
        let said = said.map(hash);
        let same = said.is_some_and(|said| bool::from(said.ct_eq(wanted)));
        same.then_some(()).ok_or_else(|| {
            Problem::unauthorized(
                "send Authorization: Bearer with the installation's operator token",
            )
        })
    }
}

/// Hashes are compared, so that neither length nor content shows in the time taken.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The caller runs this installation. It is no one's user and acts for no organization.
pub struct OperatorAccess(());

impl FromRequest for OperatorAccess {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let header = request.headers().get(AUTHORIZATION);
        let said = header.and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
        let api = request
            .app_data::<Data<Api>>()
            .ok_or_else(Problem::internal);
        ready(
            api.and_then(|api| api.operator.check(said))
                .map(|()| Self(())),
        )
    }
}
