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

/// What may be tried, and how often within [`window`].
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
}

impl Trying {
    const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Registration => "registration",
        }
    }

    /// For one account, and for one network address, behind which many people
    /// may sit.
    const fn most(self) -> [i32; 2] {
        match self {
            Self::Password => [10, 100],
            Self::Registration => [20, 20],
        }
    }
}

/// For how long tries are counted.
const fn window() -> TimeDelta {
    TimeDelta::minutes(15)
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
        let tries = login_tries::count(conn, subjects, now, window()).await?;
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

    /// Seconds after which everything is forgotten for certain.
    pub(crate) const fn seconds() -> u32 {
        15 * 60
    }
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
    fn the_window_is_as_long_as_callers_are_told() {
        assert_eq!(window().num_seconds(), i64::from(Try::seconds()));
    }
}
