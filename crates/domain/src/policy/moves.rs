//! A policy unrolled into single moves for one kind of failure.

use chrono::TimeDelta;

use super::RetryPolicy;
use super::document::{StepAction, StepRule};
use crate::classification::Category;
use crate::limits::Rail;
use crate::state::{AttemptKind, Channel};

/// One charge or one message round that a policy asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Move<'a> {
    pub(crate) kind: AttemptKind,
    /// After the move before it, or after the failure; without jitter.
    pub(crate) delay: TimeDelta,
    /// Where to write; none for a charge.
    pub(crate) channels: &'a [Channel],
    /// The payer is likely still there: better now by email alone than later.
    pub(crate) at_once: bool,
}

/// Failures that happen in front of the payer, or that only the payer can mend
/// in a moment. A pending UPI payment is none: at peak hours it may be queued
/// and still succeed.
const fn payer_is_present(category: Category) -> bool {
    matches!(
        category,
        Category::AuthenticationRequired
            | Category::ExpiredCard
            | Category::InvalidDetails
            | Category::UpiDeclined
    )
}

impl RetryPolicy {
    /// The moves that this policy asks for after a failure of `category` on
    /// `rail`, in order: see the module's precedence. Without `charging`,
    /// charges are left out.
    pub(crate) fn moves(&self, category: Category, rail: Rail, charging: bool) -> Vec<Move<'_>> {
        let document = self.document();
        let explicit = document
            .overrides
            .get(&category)
            .or_else(|| document.rail_overrides.get(&rail))
            .or(document.steps.as_ref());
        match explicit {
            Some(steps) => self.explicit(steps, category, charging),
            None => self.derived(category, charging),
        }
    }

    fn explicit<'a>(
        &'a self,
        steps: &'a [StepRule],
        category: Category,
        charging: bool,
    ) -> Vec<Move<'a>> {
        // A step that charges and writes is two moves.
        let mut moves = Vec::with_capacity(2 * steps.len());
        for step in steps {
            let delay = TimeDelta::seconds(i64::from(step.delay_seconds));
            let message = |delay| self.message(delay, step.channels.as_deref(), category);
            match (step.action, charging) {
                (StepAction::Charge, true) => moves.push(charge(delay)),
                (StepAction::Charge, false) => {}
                (StepAction::ChargeAndMessage, true) => {
                    moves.push(charge(delay));
                    moves.push(message(TimeDelta::zero()));
                }
                (StepAction::Message, _) | (StepAction::ChargeAndMessage, false) => {
                    moves.push(message(delay));
                }
            }
        }
        moves
    }

    /// Where nothing is explicit: first the silent charges, then messages and
    /// charges in turn, a message first. Where nothing can be charged, messages
    /// only; the first at once when the payer was present.
    fn derived(&self, category: Category, charging: bool) -> Vec<Move<'_>> {
        let document = self.document();
        let silent = u32::from(document.silent_charges);
        let at_once = !charging
            && document.immediate_message_when_payer_present
            && payer_is_present(category);
        (0..document.max_retries)
            .map(|k| {
                let charges = k < silent || (k - silent) % 2 == 1;
                match (charging && charges, at_once, k.checked_sub(1)) {
                    (true, ..) => charge(self.base_delay(k)),
                    (false, true, None) => self.message(TimeDelta::zero(), None, category),
                    (false, true, Some(before)) => {
                        self.message(self.base_delay(before), None, category)
                    }
                    (false, false, _) => self.message(self.base_delay(k), None, category),
                }
            })
            .collect()
    }

    fn message<'a>(
        &'a self,
        delay: TimeDelta,
        channels: Option<&'a [Channel]>,
        category: Category,
    ) -> Move<'a> {
        Move {
            kind: AttemptKind::Message,
            delay,
            channels: channels.unwrap_or(&self.document().enabled_channels),
            at_once: delay.is_zero() && payer_is_present(category),
        }
    }
}

const fn charge(delay: TimeDelta) -> Move<'static> {
    Move {
        kind: AttemptKind::Charge,
        delay,
        channels: &[],
        at_once: false,
    }
}
