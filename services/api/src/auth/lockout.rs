//! Too many tries: by account, and by network address.
//!
//! Tries are counted by what was sent, not by what was found, so that an account
//! which does not exist is locked as one that does. A locked one is answered as a
//! wrong password is, after as much work: from outside nobody can tell which of
//! the three it was.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use db::login_tries::{self, Subject};
use db::{Conn, DbError};
use sha2::{Digest, Sha256};

use super::address::network;

/// What may be tried, and how often within its window.
///
/// NIST SP 800-63B, section 3.2.2, allows at most 100 failures in a row; OWASP's
/// Authentication Cheat Sheet asks for few, for a while, so that an account
/// cannot be kept shut for good.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trying {
    /// To log in with a password.
    Password,
    /// To register.
    Registration,
    /// To have a code mailed.
    CodeRequest,
    /// To log in with a code.
    Code,
    /// To have a link for a new password mailed.
    ResetRequest,
    /// To invite someone; the account is the organization.
    Invitation,
}

impl Trying {
    const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Registration => "registration",
            Self::CodeRequest => "code_request",
            Self::Code => "code",
            Self::ResetRequest => "reset_request",
            Self::Invitation => "invitation",
        }
    }

    /// For one account, and for one network address, behind which many people
    /// may sit. Twenty codes of five tries each are the hundred failures in a row
    /// that NIST allows, a day; and as many mails as anybody can be sent by others.
    const fn most(self) -> [i32; 2] {
        match self {
            Self::Password | Self::Code => [10, 100],
            Self::Registration => [20, 20],
            Self::CodeRequest => [20, 500],
            Self::ResetRequest => [5, 200],
            Self::Invitation => [100, 200],
        }
    }

    /// For how long tries are counted.
    const fn window(self) -> TimeDelta {
        match self {
            Self::Password | Self::Registration | Self::Code => TimeDelta::minutes(15),
            Self::CodeRequest | Self::ResetRequest | Self::Invitation => TimeDelta::hours(24),
        }
    }

    /// Seconds after which everything is forgotten for certain.
    pub(crate) fn seconds(self) -> u32 {
        u32::try_from(self.window().num_seconds()).unwrap_or(u32::MAX)
    }
}

/// A try that has been counted.
pub(crate) struct Try {
    subjects: [Subject; 2],
    /// Whether it may go on. If not, it must look as if it had failed.
    pub(crate) allowed: bool,
}

impl Try {
    /// Counts a try for `account` (an address in lower case, with the
    /// organization where it was named) from `address`.
    pub(crate) async fn begin(
        conn: &mut Conn,
        trying: Trying,
        account: &str,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<Self, DbError> {
        let from = address.map_or_else(|| "unknown".to_owned(), network);
        let subjects = [
            subject(trying, "account", account),
            subject(trying, "address", &from),
        ];
        let tries = login_tries::count(conn, subjects, now, trying.window()).await?;
        let allowed = tries
            .iter()
            .zip(trying.most())
            .all(|(made, most)| *made <= most);
        if !allowed {
            metrics::counter!("api_tries_refused_total", "of" => trying.word()).increment(1);
        }
        Ok(Self { subjects, allowed })
    }

    /// It succeeded, and is taken back.
    pub(crate) async fn succeeded(&self, conn: &mut Conn) -> Result<(), DbError> {
        let [account, address] = self.subjects;
        login_tries::succeeded(conn, account, address).await
    }
}

/// Forgets the tries of an account, which has shown to be its owner's.
pub(crate) async fn forgive(
    conn: &mut Conn,
    trying: &[Trying],
    account: &str,
) -> Result<(), DbError> {
    let subjects: Vec<Subject> = trying
        .iter()
        .map(|trying| subject(*trying, "account", account))
        .collect();
    login_tries::forgive(conn, &subjects).await
}

fn subject(trying: Trying, kind: &str, what: &str) -> Subject {
    Sha256::digest(format!("{}\n{kind}\n{what}", trying.word()).as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_apart_has_names_apart() {
        let all = [
            subject(Trying::Password, "account", "a@b.de"),
            subject(Trying::Registration, "account", "a@b.de"),
            subject(Trying::Password, "address", "a@b.de"),
            subject(Trying::Password, "account", "b@b.de"),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[..place].contains(one));
        }
    }

    #[test]
    fn a_day_of_guessing_codes_is_no_more_than_nist_allows() {
        let [codes, _] = Trying::CodeRequest.most();
        let tries = i32::from(domain::CodePurpose::Login.tries());
        assert!(codes * tries <= 100);
        assert_eq!(Trying::CodeRequest.seconds(), 86_400);
    }
}
