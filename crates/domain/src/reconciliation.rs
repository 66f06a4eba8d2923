//! How what we know of a recovery differs from what the PSP says of its payment.
//!
//! ```text
//! ours            the PSP says        difference           what follows
//! not recovered   paid                paid_at_psp          recovered
//! open            cancelled           cancelled_at_psp     cancelled
//! recovered       nothing is paid     not_paid_at_psp      told
//! recovered       under way           pending_at_psp       told
//! any             paid another sum    amount | currency    told
//! any             paid, then back     refunded             told
//! any             paid twice          paid_twice           told
//! ```
//!
//! What follows is what a webhook of the same content would have done: only
//! money that arrived, and a payment that the merchant cancelled, move anything.
//! A conclusion from something *not* being there is drawn only when every
//! look-up was answered.

use serde::Serialize;

use crate::Money;
use crate::state::{RecoveryState, named};

named! {
    /// What came of comparing one recovery.
    Verdict, "verdict" {
        /// Both say the same.
        Ok = "ok",
        /// They differ.
        Mismatch = "mismatch",
        /// The PSP did not tell.
        Unknown = "unknown",
    }
}

named! {
    /// How the two differ.
    DifferenceKind, "difference" {
        /// Paid at the PSP, not recovered with us.
        PaidAtPsp = "paid_at_psp",
        /// Cancelled at the PSP, open with us.
        CancelledAtPsp = "cancelled_at_psp",
        /// Recovered with us, not paid at the PSP.
        NotPaidAtPsp = "not_paid_at_psp",
        /// Recovered with us, still under way at the PSP.
        PendingAtPsp = "pending_at_psp",
        /// Another sum was paid.
        Amount = "amount",
        /// It was paid in another currency.
        Currency = "currency",
        /// Money went back to the payer.
        Refunded = "refunded",
        /// Two payments of it succeeded.
        PaidTwice = "paid_twice",
    }
}

named! {
    /// What a comparison changed.
    Change, "change" {
        /// Nothing.
        None = "none",
        /// The recovery is recovered.
        Recovered = "recovered",
        /// The recovery is cancelled.
        Cancelled = "cancelled",
    }
}

named! {
    /// Where a comparison of all of an organization's recoveries stands.
    RunState, "run state" {
        /// Being worked on, or waiting for its turn.
        Running = "running",
        /// Every recovery was compared.
        Finished = "finished",
    }
}

named! {
    /// Who wanted a comparison.
    AskedBy, "asker" {
        /// The daily schedule.
        Schedule = "schedule",
        /// The merchant.
        Merchant = "merchant",
    }
}

/// What we know of a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ours {
    /// Where it stands.
    pub state: RecoveryState,
    /// What is owed.
    pub owed: Money,
    /// What was won back.
    pub recovered: Option<Money>,
}

/// What the PSP says of one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The money is there.
    Paid {
        /// What was paid.
        amount: Money,
        /// What of it went back to the payer.
        refunded: Option<Money>,
    },
    /// Not paid; it may be paid yet, or its page closed unpaid.
    Unpaid,
    /// Under way.
    Pending,
    /// It can never be paid any more, by the merchant's will.
    Cancelled,
}

/// One difference, with what each side says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// How they differ.
    pub kind: DifferenceKind,
    /// What we say.
    pub ours: String,
    /// What the PSP says.
    pub theirs: String,
}

/// What a comparison found, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Whether both say the same.
    pub verdict: Verdict,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What follows.
    pub follows: Follows,
}

/// What a comparison asks to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Nothing.
    Nothing,
    /// The money is there: record it.
    Recovered {
        /// What was paid.
        amount: Money,
        /// Which of the payments that were looked at, counted from 0.
        payment: usize,
    },
    /// The merchant cancelled it: end it.
    Cancelled,
}

/// Compares. `seen` holds what the PSP said of each payment that was looked at;
/// `complete` tells whether every one was answered.
pub fn compare(ours: &Ours, seen: &[Seen], complete: bool) -> Comparison {
    let (mut differences, follows) = if ours.state == RecoveryState::Recovered {
        (of_recovered(ours, seen, complete), Follows::Nothing)
    } else {
        of_unpaid(ours, seen, complete)
    };
    differences.extend(of_money(seen));
    let verdict = match (differences.is_empty(), complete) {
        (false, _) => Verdict::Mismatch,
        (true, true) => Verdict::Ok,
        (true, false) => Verdict::Unknown,
    };
    Comparison {
        verdict,
        differences,
        follows,
    }
}

fn paid(seen: &[Seen]) -> impl Iterator<Item = (usize, Money)> {
    let paid = |(at, seen): (usize, &Seen)| match seen {
        Seen::Paid { amount, .. } => Some((at, *amount)),
        _ => None,
    };
    seen.iter().enumerate().filter_map(paid)
}

fn of_recovered(ours: &Ours, seen: &[Seen], complete: bool) -> Vec<Difference> {
    let known = ours.recovered.unwrap_or(ours.owed);
    let difference = |kind, theirs: &str| Difference {
        kind,
        ours: format!("recovered, {known}"),
        theirs: theirs.to_owned(),
    };
    if paid(seen).any(|(_, amount)| amount == known) {
        return Vec::new();
    }
    if let Some((_, amount)) = paid(seen).next() {
        return vec![of_sums(known, amount)];
    }
    if !complete {
        return Vec::new();
    }
    if seen.contains(&Seen::Pending) {
        return vec![difference(DifferenceKind::PendingAtPsp, "under way")];
    }
    if seen.contains(&Seen::Cancelled) {
        return vec![difference(DifferenceKind::NotPaidAtPsp, "cancelled")];
    }
    vec![difference(DifferenceKind::NotPaidAtPsp, "not paid")]
}

fn of_unpaid(ours: &Ours, seen: &[Seen], complete: bool) -> (Vec<Difference>, Follows) {
    let difference = |kind, theirs: String| Difference {
        kind,
        ours: ours.state.to_string(),
        theirs,
    };
    let right = |(_, amount): &(usize, Money)| amount.currency() == ours.owed.currency();
    if let Some((payment, amount)) = paid(seen).find(right).or_else(|| paid(seen).next()) {
        let mut found = vec![difference(
            DifferenceKind::PaidAtPsp,
            format!("paid, {amount}"),
        )];
        if amount != ours.owed {
            found.push(of_sums(ours.owed, amount));
        }
        let follows = if right(&(payment, amount)) {
            Follows::Recovered { amount, payment }
        } else {
            Follows::Nothing
        };
        return (found, follows);
    }
    let gone = complete && seen.contains(&Seen::Cancelled) && !seen.contains(&Seen::Pending);
    if gone && ours.state == RecoveryState::Open {
        let found = difference(DifferenceKind::CancelledAtPsp, "cancelled".to_owned());
        return (vec![found], Follows::Cancelled);
    }
    (Vec::new(), Follows::Nothing)
}

fn of_sums(ours: Money, theirs: Money) -> Difference {
    let kind = if ours.currency() == theirs.currency() {
        DifferenceKind::Amount
    } else {
        DifferenceKind::Currency
    };
    Difference {
        kind,
        ours: ours.to_string(),
        theirs: theirs.to_string(),
    }
}

/// What matters whatever we say: money that went back, and money that came twice.
fn of_money(seen: &[Seen]) -> Vec<Difference> {
    let mut found = Vec::new();
    let back = |seen: &Seen| match seen {
        Seen::Paid { refunded, .. } => *refunded,
        _ => None,
    };
    for refunded in seen.iter().filter_map(back) {
        found.push(Difference {
            kind: DifferenceKind::Refunded,
            ours: "no refund".to_owned(),
            theirs: format!("refunded, {refunded}"),
        });
    }
    let payments = paid(seen).count();
    if payments > 1 {
        found.push(Difference {
            kind: DifferenceKind::PaidTwice,
            ours: "one payment".to_owned(),
            theirs: format!("{payments} payments succeeded"),
        });
    }
    found
}

impl DifferenceKind {
    /// What it means, in words that a merchant understands.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::PaidAtPsp => "The payment succeeded at the PSP, and Tinko had not heard of it",
            Self::CancelledAtPsp => "The payment was cancelled at the PSP while Tinko pursued it",
            Self::NotPaidAtPsp => "Tinko has it as paid, and the PSP does not",
            Self::PendingAtPsp => "Tinko has it as paid, and the PSP still processes it",
            Self::Amount => "Another amount was paid than Tinko knows of",
            Self::Currency => "It was paid in another currency than is owed",
            Self::Refunded => "Money of this payment went back to the payer",
            Self::PaidTwice => "It was paid more than once: one payment has to be refunded",
        }
    }
}

#[cfg(test)]
mod tests;
