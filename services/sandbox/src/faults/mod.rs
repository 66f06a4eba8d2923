//! Misbehaviour on demand, one rule at a time.
//!
//! A rule names a target and how it misbehaves; it fires for the next `times` matching calls, or
//! for all when `times` is absent. Of several rules that match a call the oldest that is not used
//! up fires, alone.

pub(crate) mod http;

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::state::locked;

/// Which of the companies misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The API under `/stripe/v1`; the checkout page stays well.
    Stripe,
    /// The API under `/razorpay/v1`.
    Razorpay,
    /// The API under `/twilio`.
    Twilio,
    /// The API under `/whatsapp`.
    Whatsapp,
    /// The mail server, at the end of DATA.
    Smtp,
}

/// How it misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Mode {
    /// Takes `ms` milliseconds longer, then acts and answers.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// Answers `status` without acting. For SMTP 451 is a transient refusal, 550 a permanent one.
    Fail {
        /// An HTTP status, or an SMTP reply code.
        status: u16,
    },
    /// Acts, remembers the answer under its idempotency key, stays silent for `ms` milliseconds and
    /// drops the connection. The caller cannot know that it was done.
    TimeoutAfterActing {
        /// Milliseconds.
        #[serde(default)]
        ms: u64,
    },
    /// Drops the connection without having acted.
    DropBeforeActing,
    /// Refuses with 429 (SMTP: 451 4.7.1) without acting.
    RateLimited,
    /// Stripe only: answers `status` without acting, and keeps that answer under the call's
    /// idempotency key, as Stripe does with a 500 of its own once a call has begun
    /// (<https://docs.stripe.com/api/idempotent_requests>).
    FailUnderKey {
        /// An HTTP status.
        status: u16,
    },
}

/// A rule as it is told to the control API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) target: Target,
    /// A part of the request's path; for SMTP a part of a recipient's address.
    #[serde(default)]
    pub(crate) path_contains: Option<String>,
    #[serde(flatten)]
    pub(crate) mode: Mode,
    /// How many calls it meets; absent or null means all.
    #[serde(default)]
    pub(crate) times: Option<u64>,
}

/// A rule with how often it has fired.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Counted {
    #[serde(flatten)]
    pub(crate) rule: Rule,
    pub(crate) fired: u64,
}

impl Counted {
    fn is_used_up(&self) -> bool {
        self.rule.times.is_some_and(|times| self.fired >= times)
    }
}

#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Counted>>);

impl Faults {
    /// Adds a rule. The same target, path and mode again starts that rule anew.
    pub(crate) fn put(&self, rule: Rule) -> Counted {
        let mut rules = locked(&self.0);
        rules.retain(|old| {
            (old.rule.target, &old.rule.path_contains, old.rule.mode)
                != (rule.target, &rule.path_contains, rule.mode)
        });
        let counted = Counted { rule, fired: 0 };
        rules.push(counted.clone());
        counted
    }

    pub(crate) fn clear(&self) {
        locked(&self.0).clear();
    }

    pub(crate) fn list(&self) -> Vec<Counted> {
        locked(&self.0).clone()
    }

    /// The misbehaviour for this call, counted as fired.
    pub(crate) fn take(&self, target: Target, path: &str) -> Option<Mode> {
        self.take_if(target, path, |mode| {
            !matches!(mode, Mode::FailUnderKey { .. })
        })
    }

    /// The status that is to be answered and kept under the call's key.
    pub(crate) fn take_under_key(&self, target: Target, path: &str) -> Option<u16> {
        let kept = |mode| matches!(mode, Mode::FailUnderKey { .. });
        match self.take_if(target, path, kept)? {
            Mode::FailUnderKey { status } => Some(status),
            _ => None,
        }
    }

    fn take_if(&self, target: Target, path: &str, fits: impl Fn(Mode) -> bool) -> Option<Mode> {
        let mut rules = locked(&self.0);
        let rule = rules.iter_mut().find(|counted| {
            let part = counted.rule.path_contains.as_deref();
            counted.rule.target == target
                && !counted.is_used_up()
                && fits(counted.rule.mode)
                && part.is_none_or(|part| path.contains(part))
        })?;
        rule.fired += 1;
        Some(rule.rule.mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_fires_as_often_as_it_was_told_and_only_on_its_path() {
        let faults = Faults::default();
        let rule = serde_json::json!({
            "target": "stripe", "path_contains": "/confirm", "mode": "slow", "ms": 5, "times": 2,
        });
        faults.put(serde_json::from_value(rule).unwrap());
        let confirm = "/stripe/v1/payment_intents/pi_1/confirm";
        assert_eq!(faults.take(Target::Stripe, "/stripe/v1/charges"), None);
        assert_eq!(faults.take(Target::Razorpay, confirm), None);
        assert_eq!(
            faults.take(Target::Stripe, confirm),
            Some(Mode::Slow { ms: 5 })
        );
        assert_eq!(
            faults.take(Target::Stripe, confirm),
            Some(Mode::Slow { ms: 5 })
        );
        assert_eq!(faults.take(Target::Stripe, confirm), None);
        assert_eq!(faults.list()[0].fired, 2);
    }
}
