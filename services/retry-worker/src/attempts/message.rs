//! Asking for messages: rows for the notifier, in one transaction.
//!
//! A message whose time has come as it is planned is asked for in the transaction that
//! plans it ([`plan_and_ask`]); one that was scheduled, in a transaction of its own
//! ([`ask`]). Either plans the step after it, from what it has read already.

use chrono::{DateTime, Utc};
use contracts::Message;
use db::attempts::{Outcome, StoredAttempt};
use db::facts::Read;
use db::notifications::NewMessage;
use db::recoveries::StoredRecovery;
use db::{DbError, Trace, Tx};
use domain::id::{AttemptId, RecoveryLink};
use domain::schedule::{Facts, PastAttempt, Step};
use domain::{AttemptKind, AttemptState, Bar, Channel, PayerAddress, token};
use serde_json::json;

use super::{AttemptTrouble, NOT_TO_BE_ACTED_ON, may_be_acted_on};
use crate::Worker;
use crate::plan::{self, Decided, Followed, Planned};

/// Plans the next step of a recovery that is open and locked; a message that is due by
/// then is asked for, and the step after it planned.
pub(crate) async fn plan_and_ask(
    tx: &mut Tx,
    worker: &Worker,
    recovery: &StoredRecovery,
    followed: &Followed,
    read: Read,
) -> Result<Planned, DbError> {
    let decision = plan::decide(followed, &read.facts);
    let due = plan::due_message(&decision, &read.facts);
    if let Some(step) = due.filter(|_| may_be_acted_on(recovery)) {
        let asked = Asked::of(&step.channels, &read.contacts);
        let after = after_it(tx, followed, &read.facts);
        let decided = (&read.facts, &decision);
        let words = asked.words();
        let taking = plan::take(tx, recovery, followed, decided, (step, &words), &after);
        if let Some(taken) = taking.await? {
            asked.ask_as(tx, worker, recovery, followed, step, taken.attempt);
            return plan::put_after(tx, recovery, followed, after, taken.next).await;
        }
    }
    plan::put(tx, recovery, followed, read.facts, decision).await
}

/// What is to be done once a message has been asked for.
fn after_it(tx: &Tx, followed: &Followed, facts: &Facts) -> Decided {
    let mut facts = facts.clone();
    facts.attempts.push(succeeded(tx));
    let decision = plan::decide(followed, &facts);
    Decided { facts, decision }
}

/// Writes a notification for each channel of a claimed attempt, each with a link of its
/// own, and plans the next step.
pub(super) async fn ask(worker: &Worker, attempt: &StoredAttempt) -> Result<(), AttemptTrouble> {
    let mut tx = worker.backbone.db.begin(worker.backbone.cause()).await?;
    let tenant = attempt.tenant;
    let recovery = db::recoveries::lock(&mut tx, tenant, attempt.recovery).await?;
    let Some(recovery) = recovery.filter(may_be_acted_on) else {
        let cancelled = AttemptState::Cancelled;
        settle(&mut tx, worker, attempt, cancelled, NOT_TO_BE_ACTED_ON).await?;
        tx.commit().await?;
        return Ok(());
    };
    let so_far = plan::so_far(tx.conn(), &recovery).await?;
    let (followed, mut others) = (so_far.followed, so_far.past);
    others.retain(|it| it.id != attempt.id);
    let read = match so_far.matter {
        Some(matter) => {
            let now = tx.now();
            Some(plan::read(tx.conn(), now, &recovery, matter, &others).await?)
        }
        None => None,
    };
    let contacts = read.as_ref().map_or(&[][..], |read| &read.contacts);
    let asked = Asked::of(&attempt.channels, contacts);
    let state = if asked.contacts.is_empty() {
        AttemptState::Cancelled
    } else {
        AttemptState::Succeeded
    };
    if !settle(&mut tx, worker, attempt, state, &asked.words()).await? {
        // Another worker has it: all of this is dropped uncommitted.
        return Ok(());
    }
    let step = (attempt.id, attempt.number);
    asked.ask(&mut tx, worker, &recovery, &followed, step);
    let planned = match read {
        Some(read) => {
            let mut facts = read.facts;
            let this = PastAttempt {
                state,
                ..succeeded(&tx)
            };
            facts.attempts.push(this);
            plan::next_from(&mut tx, &recovery, &followed, facts).await?
        }
        None => Planned::Nothing,
    };
    tx.commit().await?;
    if planned == Planned::Scheduled {
        worker.planned.notify_one();
    }
    Ok(())
}

async fn settle(
    tx: &mut Tx,
    worker: &Worker,
    attempt: &StoredAttempt,
    state: AttemptState,
    words: &str,
) -> Result<bool, DbError> {
    let outcome = Outcome {
        words: Some(words),
        ..Outcome::default()
    };
    super::outcome::settle(tx, worker, attempt, state, None, &outcome).await
}

/// A message that this transaction asks for, as the plan after it sees it.
const fn succeeded(tx: &Tx) -> PastAttempt {
    PastAttempt {
        kind: AttemptKind::Message,
        state: AttemptState::Succeeded,
        at: tx.now(),
        decline: None,
    }
}

/// What is asked for, and what is left out although there is an address.
struct Asked<'a> {
    contacts: Vec<&'a PayerAddress>,
    barred: Vec<(Channel, Bar)>,
}

impl<'a> Asked<'a> {
    /// On these channels, as far as the payer has addresses and may be written to.
    fn of(channels: &[Channel], contacts: &'a [(PayerAddress, Option<Bar>)]) -> Self {
        let mut asked = Self {
            contacts: Vec::new(),
            barred: Vec::new(),
        };
        for channel in channels {
            let on_it = contacts.iter().filter(|(it, _)| it.channel() == *channel);
            for (contact, bar) in on_it {
                match bar {
                    Some(bar) => asked.barred.push((*channel, *bar)),
                    None => asked.contacts.push(contact),
                }
            }
        }
        asked
    }

    fn channels(&self) -> Vec<Channel> {
        self.contacts.iter().map(|it| it.channel()).collect()
    }

    fn words(&self) -> String {
        let channels: Vec<&str> = self
            .contacts
            .iter()
            .map(|it| it.channel().as_str())
            .collect();
        let asked = if channels.is_empty() {
            "No channel could be written to".to_owned()
        } else {
            format!("Asked for a message by {}", channels.join(" and by "))
        };
        let barred = self
            .barred
            .iter()
            .map(|(channel, bar)| format!("not by {channel}: {}", bar.words()));
        let parts: Vec<String> = std::iter::once(asked).chain(barred).collect();
        parts.join("; ")
    }

    /// As [`Asked::ask`], within the span that a claimed attempt would have, and counted as one.
    fn ask_as(
        &self,
        tx: &mut Tx,
        worker: &Worker,
        recovery: &StoredRecovery,
        followed: &Followed,
        step: &Step,
        attempt: AttemptId,
    ) {
        let span = super::span_of(
            recovery.tenant,
            recovery.id,
            attempt,
            step.kind,
            step.number,
        );
        span.in_scope(|| self.ask(tx, worker, recovery, followed, (attempt, step.number)));
        super::outcome::count(step.kind, AttemptState::Succeeded);
    }

    /// A notification for each contact, with a link of its own, under the current trace.
    fn ask(
        &self,
        tx: &mut Tx,
        worker: &Worker,
        recovery: &StoredRecovery,
        followed: &Followed,
        (attempt, number): (AttemptId, u32),
    ) {
        let trace = worker.backbone.cause().trace();
        let expires_at = tx.now() + followed.policy.link_ttl();
        for contact in &self.contacts {
            ask_one(tx, worker, recovery, attempt, contact, expires_at, &trace);
        }
        let detail = json!({
            "attempt_id": attempt,
            "number": number,
            "channels": self.channels(),
        });
        let (tenant, kind) = (recovery.tenant, "message.asked_for");
        db::timeline::add(tx, tenant, recovery.id, kind, &self.words(), detail);
    }
}

fn ask_one(
    tx: &mut Tx,
    worker: &Worker,
    recovery: &StoredRecovery,
    attempt: AttemptId,
    contact: &PayerAddress,
    expires_at: DateTime<Utc>,
    trace: &Trace,
) {
    let (tenant, recovery, channel) = (recovery.tenant, recovery.id, contact.channel());
    let link = tx.new_id::<RecoveryLink>();
    let asked = NewMessage {
        recovery,
        attempt,
        link,
        token_hash: token::hash(&token::derive(&worker.link_key, link)),
        expires_at,
        channel,
        address: contact.expose().to_owned(),
    };
    let notification = db::notifications::ask(tx, tenant, asked);
    let message = Message::NotificationRequested {
        notification,
        recovery,
        channel,
    };
    tx.emit_under(trace, tenant, message);
}
