//! Looking up what is in doubt.
//!
//! ```text
//! never sent ───────────> handed back: the next claim begins from the beginning
//! paid ─────────────────> succeeded
//! the PSP is at it ─────> looked at again, ever more seldom
//! cancelled ────────────> handed back: the next claim ends it
//! a new charge, refused > declined
//! no charge since
//!   sent just now ──────> sent again under the same key: answered as before, or
//!                         acted on for the first time
//!   minutes ago ────────> not charged; planned anew
//! ```
//!
//! Why minutes are enough. A PSP that failed inside keeps its 500 under the key
//! and answers it for a day, so that the same key tells nothing any more. What the
//! payment itself shows does: no charge but the one that was there before, and
//! nothing processing, while no request of ours can still be under way. And should
//! one be all the same, it can do no harm: an intent or an invoice succeeds once,
//! whatever key tries it. A charge that makes a payment of its own has no such
//! guard, and is only ever sent again under its own key.

use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::{Reserved, Sent, StoredAttempt};
use db::recoveries::StoredRecovery;
use domain::Provider;
use domain::limits::Ceiling;
use psp::{Decline, Sighting};

use super::charge;
use super::outcome::Arrived;
use super::prepare::{self, Prepared, left_to_its_holder};
use super::{AttemptTrouble, budget, outcome};
use crate::Worker;
use crate::places::Place;

/// Until the first look-up of a charge in doubt: the PSP has finished what it
/// began by then.
const FIRST_LOOK: TimeDelta = TimeDelta::seconds(2);
/// Between look-ups of a payment that the PSP is still processing.
pub(super) const NEXT_LOOK: TimeDelta = TimeDelta::seconds(30);
/// The longest pause between look-ups. They grow with the time since the charge:
/// a tenth of it.
const SELDOM: TimeDelta = TimeDelta::hours(6);
/// For so long after it was reserved a charge of a payment that succeeds once is
/// sent again under its key.
const SENT_AGAIN_FOR: TimeDelta = TimeDelta::minutes(2);
/// So long after it was last sent a charge that is not there will not come: a
/// request ends within a minute or two at the PSP, and within
/// `TINKO__PSP_TIMEOUT_MS` here.
const WILL_NOT_COME: TimeDelta = TimeDelta::minutes(3);
/// Stripe keeps an idempotency key's answer for at least 24 hours; a charge that
/// only its key holds to one is not sent after this.
/// <https://docs.stripe.com/api/idempotent_requests>
const KEY_IS_KEPT: TimeDelta = TimeDelta::hours(20);

/// The pause before a charge is looked at (again): a tenth of the attempt's age
/// since it last became due.
pub(super) fn pause(worker: &Worker, attempt: &StoredAttempt) -> TimeDelta {
    let age = worker.backbone.clock.now() - attempt.due_at;
    growing(age, FIRST_LOOK)
}

fn growing(age: TimeDelta, least: TimeDelta) -> TimeDelta {
    (age / 10).clamp(least, SELDOM)
}

/// Settles an attempt whose charge may have gone through.
pub(super) async fn look_up(
    worker: &Worker,
    attempt: &StoredAttempt,
    place: &mut Place,
) -> Result<(), AttemptTrouble> {
    while let Some(crowded) = look(worker, attempt, place).await? {
        if !place.wait_aside_for(crowded).await {
            let why = "it is looked up later: as many as may be are at its PSP already";
            return outcome::in_doubt(worker, attempt, why, NEXT_LOOK).await;
        }
    }
    Ok(())
}

/// As [`look_up`]; answers the PSP whose share of the places is taken, and has done
/// nothing then.
async fn look(
    worker: &Worker,
    attempt: &StoredAttempt,
    place: &mut Place,
) -> Result<Option<Provider>, AttemptTrouble> {
    let (mut tx, recovery) = outcome::locked(worker, attempt).await?;
    let Some(recovery) = recovery else {
        return Ok(None);
    };
    let read = prepare::read(&mut tx, worker, attempt, &recovery).await?;
    let Ok(prepared) = read else {
        tx.roll_back().await?;
        blind(worker, attempt).await?;
        return Ok(None);
    };
    let provider = prepared.payment.provider;
    if !place.try_at(provider) {
        tx.roll_back().await?;
        return Ok(Some(provider));
    }
    match hold(&mut tx, worker, attempt, &recovery, &prepared).await? {
        Held::Yes(Ceiling::Allowed) => {}
        Held::Yes(refused) => {
            // It died before it had reserved anything: surely nothing was sent.
            tx.roll_back().await?;
            prepare::refused_by_rule(worker, attempt, &recovery, refused).await?;
            return Ok(None);
        }
        Held::ByAnother => {
            tx.roll_back().await?;
            blind(worker, attempt).await?;
            return Ok(None);
        }
        Held::NoMore => {
            tx.roll_back().await?;
            left_to_its_holder();
            return Ok(None);
        }
    }
    let sent = db::attempts::sent(tx.conn(), attempt.tenant, attempt.id).await?;
    tx.commit().await?;
    let look = Look {
        worker,
        attempt,
        prepared: &prepared,
        sent,
        wanted: recovery.state.is_open() && recovery.paused_at.is_none(),
    };
    look.settle().await?;
    Ok(None)
}

/// Whether the charge that is looked up is the recovery's open one.
enum Held {
    /// It is; what the rules say of sending it.
    Yes(Ceiling),
    /// Another charge of the recovery is under way.
    ByAnother,
    /// The attempt was taken over.
    NoMore,
}

/// Reserves what the worker that left an attempt may have died before reserving,
/// if it may still be sent.
async fn hold(
    tx: &mut db::Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    recovery: &StoredRecovery,
    prepared: &Prepared,
) -> Result<Held, AttemptTrouble> {
    if !recovery.state.is_open() {
        return Ok(Held::Yes(Ceiling::Allowed));
    }
    let under_way = db::attempts::charge_under_way(tx.conn(), attempt.tenant, recovery.id).await?;
    if under_way == Some(attempt.id) {
        budget::keep(tx, attempt, recovery, &prepared.transaction).await?;
        return Ok(Held::Yes(Ceiling::Allowed));
    }
    match db::attempts::open_charge(tx, attempt, worker.id).await? {
        Reserved::Yes => {
            let said = budget::reserve(tx, attempt, recovery, &prepared.transaction).await?;
            Ok(Held::Yes(said))
        }
        Reserved::ByAnother => Ok(Held::ByAnother),
        Reserved::NotHeld => Ok(Held::NoMore),
    }
}

/// The connection is gone or its credentials do not open, for a while or for good.
async fn blind(worker: &Worker, attempt: &StoredAttempt) -> Result<(), AttemptTrouble> {
    metrics::counter!("charges_in_doubt_blind_total").increment(1);
    let why = "it cannot be looked up whether the charge went through";
    let age = worker.backbone.clock.now() - attempt.due_at;
    outcome::in_doubt(worker, attempt, why, growing(age, NEXT_LOOK)).await
}

/// One look at a charge in doubt.
struct Look<'a> {
    worker: &'a Worker,
    attempt: &'a StoredAttempt,
    prepared: &'a Prepared,
    sent: Option<Sent>,
    /// Whether the recovery still wants the money.
    wanted: bool,
}

impl Look<'_> {
    async fn settle(&self) -> Result<(), AttemptTrouble> {
        let (worker, attempt) = (self.worker, self.attempt);
        let before = self
            .sent
            .as_ref()
            .and_then(|sent| sent.charge_before.as_deref());
        let psp = &self.prepared.psp;
        match psp.look_up_charge(&self.prepared.request, before).await {
            Ok(Sighting::Succeeded {
                payment,
                charge,
                amount,
            }) => {
                let arrived = Arrived {
                    payment: &payment,
                    charge: charge.as_deref(),
                    amount,
                };
                if self.was_sent() {
                    outcome::succeeded(worker, attempt, &arrived).await
                } else {
                    // Another's: the next claim sees the same and ends the recovery.
                    let why = "the payment was made by another way";
                    outcome::handed_back(worker, attempt, why, None).await
                }
            }
            Ok(Sighting::Pending) => {
                let why = "the PSP is still processing the charge";
                outcome::in_doubt(worker, attempt, why, growing(self.age(), NEXT_LOOK)).await
            }
            Ok(Sighting::Cancelled) => {
                // Surely not charged: the next claim sees the same and ends it.
                let why = "the payment was cancelled at the PSP";
                outcome::handed_back(worker, attempt, why, None).await
            }
            Ok(Sighting::Declined(decline)) if self.was_sent() => {
                charge::declined(worker, attempt, self.prepared, &decline).await
            }
            Ok(Sighting::NotMade | Sighting::Declined(_)) => self.not_there().await,
            Err(error) => {
                let why = format!("the look-up has no answer yet: {error}");
                outcome::in_doubt(worker, attempt, &why, growing(self.age(), NEXT_LOOK)).await
            }
        }
    }

    /// No charge of ours is there.
    async fn not_there(&self) -> Result<(), AttemptTrouble> {
        let (worker, attempt) = (self.worker, self.attempt);
        let now = worker.backbone.clock.now();
        let once = self.prepared.request.succeeds_once();
        match next(self.sent.as_ref(), once, now) {
            Next::Send if self.wanted => {
                if charge::closed_for_charge(worker, attempt, self.prepared).await? {
                    let before = self
                        .sent
                        .as_ref()
                        .and_then(|it| it.charge_before.as_deref());
                    charge::send(worker, attempt, self.prepared, before).await
                } else {
                    Ok(())
                }
            }
            Next::Wait => {
                let why = "no charge is there yet; the request may still be on its way";
                outcome::in_doubt(worker, attempt, why, growing(self.age(), FIRST_LOOK)).await
            }
            Next::Begin => {
                let why = "the charge was never sent";
                outcome::handed_back(worker, attempt, why, None).await
            }
            Next::Send | Next::NotCharged => self.not_charged().await,
        }
    }

    /// Settled as a try that the PSP failed to make, which the plan goes on from.
    async fn not_charged(&self) -> Result<(), AttemptTrouble> {
        metrics::counter!("charges_not_made_total").increment(1);
        let decline = Decline {
            code: Some("processing_error".to_owned()),
            message: Some("No charge is there: the PSP failed before it made one".to_owned()),
            payment: Some(self.prepared.payment.id.clone()),
            ..Decline::default()
        };
        charge::not_made(self.worker, self.attempt, self.prepared, &decline).await
    }

    fn was_sent(&self) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent.at.is_some())
    }

    fn age(&self) -> TimeDelta {
        let since = self
            .sent
            .as_ref()
            .map(|sent| sent.at.unwrap_or(sent.reserved_at));
        self.worker.backbone.clock.now() - since.unwrap_or(self.attempt.due_at)
    }
}

/// What follows when no charge of ours is there.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// It was never sent: the next claim begins from the beginning.
    Begin,
    /// It is sent under the same key again.
    Send,
    /// It may still come.
    Wait,
    /// It was not made.
    NotCharged,
}

fn next(sent: Option<&Sent>, succeeds_once: bool, now: DateTime<Utc>) -> Next {
    let Some((sent, at)) = sent.and_then(|sent| Some((sent, sent.at?))) else {
        return Next::Begin;
    };
    let since_reserved = now - sent.reserved_at;
    if !succeeds_once {
        return if since_reserved < KEY_IS_KEPT {
            Next::Send
        } else {
            Next::NotCharged
        };
    }
    if since_reserved < SENT_AGAIN_FOR {
        Next::Send
    } else if now - at < WILL_NOT_COME {
        Next::Wait
    } else {
        Next::NotCharged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn sent_after(reserved: i64, last: Option<i64>) -> Sent {
        Sent {
            at: last.map(|seconds| noon() + TimeDelta::seconds(seconds)),
            reserved_at: noon() + TimeDelta::seconds(reserved),
            charge_before: None,
        }
    }

    #[test]
    fn a_charge_that_is_not_there_is_sent_again_then_waited_for_then_given_up() {
        for (now, expected) in [
            (5, Next::Send),
            (119, Next::Send),
            (121, Next::Wait),
            (296, Next::Wait),
            (301, Next::NotCharged),
        ] {
            let sent = sent_after(0, Some(119.min(now)));
            let at = noon() + TimeDelta::seconds(now);
            assert_eq!(next(Some(&sent), true, at), expected, "{now}");
        }
    }

    #[test]
    fn what_was_never_sent_begins_from_the_beginning_however_late() {
        let late = noon() + TimeDelta::days(3);
        assert_eq!(next(Some(&sent_after(0, None)), true, late), Next::Begin);
        assert_eq!(next(None, false, late), Next::Begin);
    }

    #[test]
    fn what_only_its_key_holds_to_one_is_sent_while_the_key_is_kept() {
        let sent = sent_after(0, Some(1));
        for (hours, expected) in [(1, Next::Send), (19, Next::Send), (21, Next::NotCharged)] {
            let at = noon() + TimeDelta::hours(hours);
            assert_eq!(next(Some(&sent), false, at), expected);
        }
    }

    #[test]
    fn looks_become_rarer_and_never_cease() {
        let looks = [0, 60, 3_600, 86_400, 30 * 86_400]
            .map(|age| growing(TimeDelta::seconds(age), NEXT_LOOK).num_seconds());
        assert_eq!(looks, [30, 30, 360, 8_640, 21_600]);
    }
}
