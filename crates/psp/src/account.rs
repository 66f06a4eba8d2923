//! One merchant's account at a PSP: how hard it is asked, and whether it is at all.

use circuit::{Circuit, Heard, Limits, Scope};
use domain::Provider;

use crate::PspError;
use crate::company::AccountNumber;
use crate::pace::Pace;

/// What all requests over one account share.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) number: AccountNumber,
    pub(crate) pace: Pace,
    /// Opened by what concerns this account alone.
    pub(crate) circuit: Circuit,
}

impl Account {
    pub(crate) fn new(provider: Provider, pace: Pace, limits: Limits) -> Self {
        let circuit = Circuit::new(provider.as_str(), Scope::Account, limits);
        Self {
            number: AccountNumber::next(),
            pace,
            circuit,
        }
    }
}

/// What an outcome tells of the health of a PSP, and of an account there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) company: Heard,
    pub(crate) account: Heard,
}

/// Reads a request's outcome. Refusals and declines are answers, and a merchant's
/// fault (a revoked key, a limit of the account) is no trouble of the PSP's.
pub(crate) const fn health<T>(outcome: &Result<T, PspError>) -> Health {
    let (company, account) = match outcome {
        Ok(_) | Err(PspError::Refused { .. } | PspError::Forbidden { .. }) => {
            (Heard::Well, Heard::Well)
        }
        Err(PspError::Unauthorized { .. }) => (Heard::Well, Heard::StayAway(None)),
        Err(PspError::RateLimited { retry_after: None }) => (Heard::Well, Heard::Trouble),
        Err(PspError::RateLimited { retry_after }) => (Heard::Well, Heard::StayAway(*retry_after)),
        // Nobody was there to know the account.
        Err(PspError::NotSent { .. }) => (Heard::Trouble, Heard::Nothing),
        // The PSP may fail for one account alone: its company tells (`Company::hear`).
        Err(PspError::Unclear { status, .. }) if is_the_psps(*status) => {
            (Heard::Trouble, Heard::Trouble)
        }
        Err(PspError::Unclear { .. }) => (Heard::Well, Heard::Well),
        Err(PspError::Malformed { .. } | PspError::HeldBack | PspError::Paused { .. }) => {
            (Heard::Nothing, Heard::Nothing)
        }
    };
    Health { company, account }
}

/// No answer, or an error of the PSP's own; 409 and the like are none.
const fn is_the_psps(status: Option<u16>) -> bool {
    match status {
        None => true,
        Some(status) => status >= 500,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(error: PspError) -> (Heard, Heard) {
        let Health { company, account } = health::<()>(&Err(error));
        (company, account)
    }

    #[test]
    fn only_what_is_the_psps_fault_counts_against_it() {
        let message = String::new;
        let refused = PspError::Refused {
            status: Some(402),
            code: None,
            message: message(),
        };
        let forbidden = PspError::Forbidden { message: message() };
        for answer in [refused, forbidden, PspError::unclear_by(409, "busy")] {
            assert_eq!(of(answer), (Heard::Well, Heard::Well));
        }
        let broken = [
            PspError::unclear("no answer"),
            PspError::unclear_by(503, "away"),
        ];
        for trouble in broken {
            assert_eq!(of(trouble), (Heard::Trouble, Heard::Trouble));
        }
        let unreached = PspError::NotSent {
            what: message(),
            source: None,
        };
        assert_eq!(of(unreached), (Heard::Trouble, Heard::Nothing));
        assert_eq!(of(PspError::HeldBack), (Heard::Nothing, Heard::Nothing));
    }

    #[test]
    fn a_revoked_key_and_an_accounts_limit_stop_that_account_alone() {
        let message = String::new();
        let revoked = of(PspError::Unauthorized { message });
        assert_eq!(revoked, (Heard::Well, Heard::StayAway(None)));
        let limit = |seconds: Option<u64>| {
            let retry_after = seconds.map(Duration::from_secs);
            of(PspError::RateLimited { retry_after })
        };
        let asked = Some(Duration::from_secs(30));
        assert_eq!(limit(Some(30)), (Heard::Well, Heard::StayAway(asked)));
        assert_eq!(limit(None), (Heard::Well, Heard::Trouble));
    }
}
