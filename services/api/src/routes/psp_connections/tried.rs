//! Asking a PSP whether it accepts credentials.

use domain::Provider;
use domain::state::ConnectionCheck;
use psp::{Psp, PspError};

use crate::problem::Problem;

/// What the PSP says: a cheap read that changes nothing there.
pub(super) async fn check(psp: &Psp) -> ConnectionCheck {
    match psp.verify_credentials().await {
        Ok(()) => ConnectionCheck::Verified,
        Err(
            PspError::Unauthorized { .. } | PspError::Forbidden { .. } | PspError::Refused { .. },
        ) => ConnectionCheck::Refused,
        Err(error) => {
            tracing::warn!(%error, "whether credentials hold could not be asked");
            ConnectionCheck::Unreachable
        }
    }
}

/// Goes on only where the PSP accepts them: nothing is kept that it refuses, or
/// that it could not be asked about.
pub(super) async fn must_hold(psp: &Psp) -> Result<(), Problem> {
    let provider = psp.provider();
    match check(psp).await {
        ConnectionCheck::Verified => Ok(()),
        ConnectionCheck::Refused => Err(Problem::invalid_field(
            field(provider),
            format!("was refused by {provider}: it is wrong, revoked, or may not read payments"),
        )),
        ConnectionCheck::Unverified | ConnectionCheck::Unreachable => {
            Err(Problem::unavailable(&format!(
                "{provider} could not be asked whether it accepts the credentials; nothing was saved"
            )))
        }
    }
}

const fn field(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "credentials.secret_key",
        Provider::Razorpay => "credentials.key_secret",
    }
}
