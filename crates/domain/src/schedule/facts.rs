//! What a decision is made from.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::classification::{Category, Classification, Contact, FailureSource, Hardness, Signals};
use crate::experiment::Assignment;
use crate::id::RecoveryId;
use crate::limits::{CardNetwork, CardTry, Rail, TriedBy, TryOutcome};
use crate::money::Money;
use crate::payer::Country;
use crate::state::{AttemptKind, AttemptState, Channel};

/// Why an attempt's charge was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// The category.
    pub category: Category,
    /// Whether the same means may succeed later.
    pub hardness: Hardness,
}

/// One attempt that was planned earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastAttempt {
    /// What it did.
    pub kind: AttemptKind,
    /// What became of it. A cancelled one used up no step: its reason, such as
    /// an address that was suppressed, has to show in the rest of the facts.
    pub state: AttemptState,
    /// When it was acted on; while that is still to come, when it is due.
    pub at: DateTime<Utc>,
    /// For a declined charge, why. A hard one forbids further charges: leave it
    /// out for means that the payer has replaced since.
    pub decline: Option<Decline>,
}

/// The latest failure: its codes, and what was made of them. A decision follows
/// the latter, so that it stays what it was when the tables of codes learn.
///
/// A PSP's message is not kept: it may name the payer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureFacts {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who reported it.
    pub source: FailureSource,
    /// The gateway's name, when a merchant reported it.
    pub gateway: Option<String>,
    /// The PSP's or merchant's code.
    pub code: Option<String>,
    /// Stripe's advice.
    pub advice_code: Option<String>,
    /// The network's own decline code.
    pub network_decline_code: Option<String>,
    /// The network's own advice code.
    pub network_advice_code: Option<String>,
    /// Why it failed.
    pub category: Category,
    /// Whether the same means may succeed later.
    pub hardness: Hardness,
    /// Whether they may be charged again at all without the payer.
    pub charge_allowed: bool,
    /// Whether and how the payer may be written to.
    pub contact: Contact,
    /// The least seconds between the failure and the next charge.
    pub cooldown_seconds: u32,
    /// Which signal decided.
    pub decided_by: String,
}

/// All that a decision is made from. With a policy and an edition of the rules
/// it gives the same decision for ever.
///
/// The latest failure is that of the saved means. When the payer meanwhile
/// failed with other means, it is that failure; then `can_charge` has to answer
/// for the saved ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// When the decision is made.
    pub now: DateTime<Utc>,
    /// When the recovery opened.
    pub opened_at: DateTime<Utc>,
    /// What jitter is drawn from; [`seed`] gives a recovery's.
    pub seed: u64,
    /// The arm of the policy's experiment.
    pub assignment: Assignment,
    /// The latest failure.
    pub failure: FailureFacts,
    /// Every attempt of the recovery so far, in the order they were planned.
    pub attempts: Vec<PastAttempt>,
    /// Channels with an address, consent and no suppression.
    pub reachable: Vec<Channel>,
    /// Whether means are saved, not known to be refused for good, at a PSP that
    /// charges without the payer. The rail has its say besides.
    pub can_charge: bool,
    /// The rail that the payment takes.
    pub rail: Rail,
    /// The saved card's network.
    pub network: Option<CardNetwork>,
    /// The country of the card's issuer.
    pub card_country: Option<Country>,
    /// The payer's country.
    pub country: Option<Country>,
    /// The payer's time zone.
    pub time_zone: Tz,
    /// What is owed.
    pub amount: Money,
    /// Every try on the card within [`crate::limits::LOOK_BACK`], whoever made
    /// it, this recovery's first failure and charges among them.
    pub tries: Vec<CardTry>,
    /// When somebody asked for the next step to be taken, in place of the policy's
    /// delay and preferences. Rules, waits and quiet hours bind it all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_for: Option<DateTime<Utc>>,
}

/// A recovery's seed: the last 64 bits of its id, of which 62 are random.
pub const fn seed(recovery: RecoveryId) -> u64 {
    recovery.uuid().as_u64_pair().1
}

impl FailureFacts {
    /// A failure with its codes and what was made of them.
    pub fn new(at: DateTime<Utc>, signals: &Signals<'_>, made: &Classification) -> Self {
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        let cooldown = made.cooldown.unwrap_or_default().num_seconds();
        Self {
            at,
            source: signals.source,
            gateway: owned(signals.gateway),
            code: owned(signals.code),
            advice_code: owned(signals.advice_code),
            network_decline_code: owned(signals.network_decline_code),
            network_advice_code: owned(signals.network_advice_code),
            category: made.category,
            hardness: made.hardness,
            charge_allowed: made.charge_allowed,
            contact: made.contact,
            cooldown_seconds: u32::try_from(cooldown.max(0)).unwrap_or(u32::MAX),
            decided_by: made.decided_by.to_owned(),
        }
    }

    pub(super) fn cooldown(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.cooldown_seconds))
    }
}

impl Facts {
    /// Attempts that used up a step.
    pub(super) fn taken(&self) -> impl Iterator<Item = &PastAttempt> {
        self.attempts
            .iter()
            .filter(|attempt| attempt.state != AttemptState::Cancelled)
    }

    pub(super) fn taken_of(&self, kind: AttemptKind) -> impl Iterator<Item = &PastAttempt> {
        self.taken().filter(move |attempt| attempt.kind == kind)
    }

    /// When the payer was last written to.
    pub(super) fn written_at(&self) -> Option<DateTime<Utc>> {
        self.taken_of(AttemptKind::Message)
            .map(|attempt| attempt.at)
            .max()
    }

    /// The country whose rules bind a charge: the issuer's, else the payer's.
    pub(super) fn charged_in(&self) -> Option<Country> {
        self.card_country.or(self.country)
    }

    /// The tries on the card. A ledger that knows fewer of our charges than the
    /// recovery made, or none at all, is completed: better one counted twice
    /// than one too many made.
    pub(super) fn all_tries(&self) -> Cow<'_, [CardTry]> {
        let known = self
            .tries
            .iter()
            .filter(|tried| tried.by == TriedBy::Us && tried.at >= self.opened_at);
        let made = self.taken_of(AttemptKind::Charge);
        if !self.tries.is_empty() && known.count() >= made.count() {
            return Cow::Borrowed(&self.tries);
        }
        let one = |at, by, outcome| CardTry {
            at,
            by,
            outcome,
            amount: self.amount,
        };
        let mut tries = self.tries.clone();
        if tries.is_empty() {
            tries.push(one(self.opened_at, TriedBy::Payer, TryOutcome::Declined));
        }
        let made = self.taken_of(AttemptKind::Charge);
        tries.extend(made.map(|attempt| one(attempt.at, TriedBy::Us, TryOutcome::Declined)));
        tries.sort_by_key(|tried| tried.at);
        Cow::Owned(tries)
    }
}
