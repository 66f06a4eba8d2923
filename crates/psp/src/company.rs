//! A PSP as a whole: whether it is asked by anybody.
//!
//! Its breaker may be opened by what befell several accounts, or the only one there is.
//! A PSP that fails for one account, while others are well, is that account's trouble:
//! the account's own breaker opens, however much it asks at once and however little the
//! others do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use circuit::{Circuit, Heard, Limits, Passage, Scope};
use domain::Provider;
use tokio::time::Instant;

/// For so long a good answer tells that a PSP is well.
const LATELY: Duration = Duration::from_mins(1);

/// Tells accounts of one process apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccountNumber(u64);

impl AccountNumber {
    /// One that no other account has.
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// A PSP, as all its accounts share it.
#[derive(Debug)]
pub(crate) struct Company {
    pub(crate) circuit: Circuit,
    lately: Mutex<Lately>,
}

/// Who was heard of last.
#[derive(Debug, Default)]
struct Lately {
    troubled: Option<AccountNumber>,
    /// The two accounts that were well last, the newest first.
    well: [Option<(AccountNumber, Instant)>; 2],
}

impl Lately {
    /// What an account's outcome tells of the PSP.
    fn tells(&mut self, account: AccountNumber, heard: Heard, now: Instant) -> Heard {
        match heard {
            Heard::Well => {
                let [first, second] = self.well;
                let other = if first.is_some_and(|(it, _)| it == account) {
                    second
                } else {
                    first
                };
                self.well = [Some((account, now)), other];
                Heard::Well
            }
            Heard::Trouble => {
                let again = self.troubled.replace(account) == Some(account);
                if again && self.others_are_well(account, now) {
                    Heard::Nothing
                } else {
                    Heard::Trouble
                }
            }
            other => other,
        }
    }

    fn others_are_well(&self, account: AccountNumber, now: Instant) -> bool {
        let mut well = self.well.iter().flatten();
        well.any(|(other, at)| *other != account && now.duration_since(*at) < LATELY)
    }
}

impl Company {
    pub(crate) fn new(provider: Provider, limits: Limits) -> Self {
        Self {
            circuit: Circuit::new(provider.as_str(), Scope::Company, limits),
            lately: Mutex::default(),
        }
    }

    /// Tells what a request over `account` heard. Where no connection came about
    /// nobody was there to know the account: `reached` is false.
    pub(crate) fn hear(
        &self,
        passage: Passage<'_>,
        account: AccountNumber,
        heard: Heard,
        reached: bool,
    ) {
        let told = if reached {
            let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
            lately.tells(account, heard, Instant::now())
        } else {
            heard
        };
        passage.tell(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_own_trouble_is_told_once_while_others_are_well() {
        let (bad, good) = (AccountNumber::next(), AccountNumber::next());
        let mut lately = Lately::default();
        let now = Instant::now();
        let mut tell = |account, heard, at| lately.tells(account, heard, at);
        assert_eq!(tell(good, Heard::Well, now), Heard::Well);
        assert_eq!(tell(bad, Heard::Well, now), Heard::Well);
        assert_eq!(tell(bad, Heard::Trouble, now), Heard::Trouble);
        for _ in 0..50 {
            assert_eq!(tell(bad, Heard::Trouble, now), Heard::Nothing);
        }
        assert_eq!(tell(good, Heard::Trouble, now), Heard::Trouble);
        assert_eq!(tell(bad, Heard::Trouble, now), Heard::Trouble);
    }

    #[test]
    fn the_only_accounts_trouble_is_the_psps() {
        let (only, gone) = (AccountNumber::next(), AccountNumber::next());
        let mut lately = Lately::default();
        let long_ago = Instant::now();
        lately.tells(gone, Heard::Well, long_ago);
        for _ in 0..5 {
            let told = lately.tells(only, Heard::Trouble, long_ago + LATELY);
            assert_eq!(told, Heard::Trouble);
        }
    }
}
