//! Where a requested message is taken in hand.
//!
//! ```text
//! queued ──(recovery over or paused, suppressed or no consent, link expired)──> withdrawn
//!   │ prepare: everything that can be undone
//!   │ mark ──────────> handing_over      (one guarded statement; sees the recovery still open, the payer reachable)
//!   │                      │ hand over   (the irrevocable step, right after the mark)
//!   │<──(refused for now)──┤
//!   │                      ├──> sent | failed
//!   │                      └──(unclear)──> look up ──> sent | unconfirmed
//!   └──(refused for good before the mark, or for now for too long)──> failed
//!
//! handing_over, found on arrival: another process is at it (its lease runs: come
//! back), or it died (take over, and settle as unclear)
//! ```
//!
//! While the provider is not well (its [`Circuit`] is open), or operators have paused the
//! channel for everyone ([`Holds`](crate::holds::Holds)), no delivery is begun: the
//! messages wait in their stream, uncounted. One of an organization that is paused is put
//! back there.
//!
//! A message is never handed over a second time unless the provider surely did
//! not take it the first time.

use std::sync::Arc;
use std::time::Duration;

use backbone::{Backbone, work};
use chrono::{DateTime, Utc};
use circuit::{Circuit, Heard};
use contracts::Message;
use db::notifications::{self, Letter, WrittenWith};
use db::templates::StoredTemplate;
use db::{DbError, Tenant};
use domain::{Channel, Contact, NotificationState};
use streams::{Delivery, Failure, Handler};
use tokio::time::Instant;
use tracing::Instrument as _;
use wording::{Stored, TemplateFault};

use crate::channels::{Courier, LookUp, Outcome, Refusal, Unwritable, not_now};
use crate::ending::Ending;
use crate::facts;
use crate::office::Office;

/// How many times in one delivery a row is looked at again after it moved under
/// our hands; a third surprise waits for the next delivery.
const LOOKS: u32 = 2;
/// How long a message that is paused lies in its stream before it is looked at again.
const WHILE_HELD: Duration = Duration::from_secs(10);

/// Hands over the messages of one channel.
pub(crate) struct Desk<C> {
    pub(crate) office: Office,
    pub(crate) channel: Channel,
    pub(crate) courier: C,
    /// Of the provider's account.
    pub(crate) circuit: Arc<Circuit>,
}

/// How a look at a message ended.
enum Look {
    Done,
    /// The row moved meanwhile: what is to be done has to be decided anew.
    Again,
}

impl<C: Courier> Handler for Desk<C> {
    async fn handle(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.attend(delivery).instrument(work::span(delivery)).await
    }

    async fn ready(&self) {
        self.office.holds.passable(self.channel).await;
        self.circuit.passable().await;
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        let Backbone { db, clock, .. } = &self.office.backbone;
        work::bury(db, clock, delivery, reason).await
    }
}

impl<C: Courier> Desk<C> {
    async fn attend(&self, delivery: &Delivery) -> Result<(), Failure> {
        let Message::NotificationRequested { notification, .. } = delivery.envelope.message else {
            return Err(Failure::for_good("the entry asks for no message"));
        };
        for _ in 0..LOOKS {
            let tenant = Tenant::of_envelope(&delivery.envelope);
            let letter = self.office.letter(tenant, notification).await;
            let letter = letter.map_err(work::failed)?;
            let look = match letter {
                Some(letter) if letter.state == NotificationState::Queued => {
                    self.send(delivery, letter).await?
                }
                Some(letter) if letter.state == NotificationState::HandingOver => {
                    self.take_up(delivery, letter).await?
                }
                // Ended, or gone with its recovery: a copy, or nothing left to do.
                _ => self.settle(delivery).await.map_err(work::failed)?,
            };
            if let Look::Done = look {
                return Ok(());
            }
        }
        Err(Failure::retry("another process has the message in hand"))
    }

    async fn send(&self, delivery: &Delivery, letter: Letter) -> Result<Look, Failure> {
        let now = self.office.now();
        if let Some(reason) = reason_to_withdraw(&letter, now) {
            return self.end(delivery, &letter, Ending::Withdrawn(reason)).await;
        }
        if letter.held {
            return Err(Failure::NotNow {
                why: "operators have paused it".to_owned(),
                pause: WHILE_HELD,
            });
        }
        let own = self.office.own(&letter).await.map_err(work::failed)?;
        let (message, written) =
            match self.write(&letter, own.as_ref(), facts::stored(own.as_ref()), now) {
                Ok(written) => written,
                Err(Unwritable::Content(why)) => {
                    let refusal = Refusal::for_good(why);
                    return self.refused(delivery, &letter, refusal).await;
                }
                // A release with the template mended can replay it.
                Err(broken @ Unwritable::Wording(_)) => {
                    return Err(Failure::for_good(broken.to_string()));
                }
            };
        let letter = Letter {
            written: Some(written),
            ..letter
        };
        let passage = self.circuit.enter().map_err(not_now)?;
        let ready = match self.courier.prepare(message).await {
            Ok(ready) => ready,
            Err(refusal) => {
                passage.tell(refusal.heard());
                return self.refused(delivery, &letter, refusal).await;
            }
        };
        match self.office.mark(&letter).await {
            Ok(true) => {}
            Ok(false) => {
                self.courier.undo(ready).await;
                return Ok(Look::Again);
            }
            Err(error) => {
                self.courier.undo(ready).await;
                return Err(work::failed(error));
            }
        }
        let letter = Letter {
            state: NotificationState::HandingOver,
            ..letter
        };
        let began = Instant::now();
        let outcome = self.courier.hand_over(ready).await;
        let (letter, outcome) = self
            .without_a_refused_template(letter, own, outcome, now)
            .await;
        passage.tell(outcome.heard());
        metrics::histogram!("notifier_hand_over_seconds", "channel" => letter.channel.as_str())
            .record(began.elapsed().as_secs_f64());
        self.conclude(delivery, &letter, outcome).await
    }

    /// What follows from a hand-over.
    async fn conclude(
        &self,
        delivery: &Delivery,
        letter: &Letter,
        outcome: Outcome,
    ) -> Result<Look, Failure> {
        match outcome {
            Outcome::Accepted(message_id) => {
                self.end(delivery, letter, Ending::Sent { message_id })
                    .await
            }
            Outcome::Refused(refusal) => self.refused(delivery, letter, refusal).await,
            // Tinko's own, which the operator has to mend.
            Outcome::TemplateRefused(why) => {
                let heard = Heard::Well;
                self.refused(delivery, letter, Refusal::ForNow { why, heard })
                    .await
            }
            Outcome::Unclear(why) => self.clear_up(delivery, letter, why).await,
        }
    }

    /// Where the provider refused the organization's template, and so surely took
    /// nothing, the message goes out in Tinko's words under the same mark.
    async fn without_a_refused_template(
        &self,
        letter: Letter,
        own: Option<StoredTemplate>,
        outcome: Outcome,
        now: DateTime<Utc>,
    ) -> (Letter, Outcome) {
        let is_own = letter
            .written
            .as_ref()
            .is_some_and(|it| it.template.is_some());
        let why = match outcome {
            Outcome::TemplateRefused(why) if is_own => why,
            other => return (letter, other),
        };
        let fault = Err(TemplateFault::new(letter.channel.as_str(), why));
        let (message, written) = match self.write(&letter, own.as_ref(), Some(fault), now) {
            Ok(written) => written,
            Err(why) => return (letter, Outcome::Refused(Refusal::for_good(why.to_string()))),
        };
        let letter = Letter {
            written: Some(written),
            ..letter
        };
        let outcome = match self.courier.prepare(message).await {
            Ok(ready) => self.courier.hand_over(ready).await,
            Err(refusal) => Outcome::Refused(refusal),
        };
        (letter, outcome)
    }

    /// A message that someone began to hand over.
    async fn take_up(&self, delivery: &Delivery, letter: Letter) -> Result<Look, Failure> {
        let now = self.office.now();
        if letter.lease_until.is_some_and(|until| until > now) {
            return Err(Failure::retry(
                "its hand-over is under way, or was and is unclear",
            ));
        }
        let office = &self.office;
        let taken = async {
            let mut conn = office.backbone.db.read().await?;
            let until = now + office.lease;
            notifications::take_over(&mut conn, &letter, office.worker, now, until).await
        };
        if !taken.await.map_err(work::failed)? {
            return Ok(Look::Again);
        }
        tracing::warn!(notification.id = %letter.id, "a hand-over was left unfinished");
        let why = "the process that sent it was interrupted".to_owned();
        self.clear_up(delivery, &letter, why).await
    }

    /// Settles a hand-over of which nobody knows what became.
    async fn clear_up(
        &self,
        delivery: &Delivery,
        letter: &Letter,
        why: String,
    ) -> Result<Look, Failure> {
        let ending = match self
            .courier
            .look_up(letter, &self.office.link(letter))
            .await
        {
            LookUp::Found(message_id) => Ending::Sent {
                message_id: Some(message_id),
            },
            // Asked again when the lease is over, by whoever gets the entry then.
            LookUp::Failed(trouble) if !self.office.is_out_of_patience(letter) => {
                return Err(Failure::retry(trouble));
            }
            LookUp::Failed(_) | LookUp::NotFound | LookUp::Impossible => Ending::Unconfirmed(why),
        };
        self.end(delivery, letter, ending).await
    }

    async fn refused(
        &self,
        delivery: &Delivery,
        letter: &Letter,
        refusal: Refusal,
    ) -> Result<Look, Failure> {
        let ending = match refusal {
            Refusal::ForGood { why, suppress } => Ending::Failed { why, suppress },
            Refusal::ForNow { why, .. } if self.office.is_out_of_patience(letter) => {
                Ending::Failed {
                    why: format!("{why}; it was tried for as long as makes sense"),
                    suppress: None,
                }
            }
            Refusal::ForNow { why, .. } => {
                let first = delivery.deliveries == 1;
                self.record(
                    delivery,
                    letter,
                    &Ending::Delayed {
                        why: why.clone(),
                        first,
                    },
                )
                .await?;
                return Err(Failure::retry(why));
            }
        };
        self.end(delivery, letter, ending).await
    }

    async fn end(
        &self,
        delivery: &Delivery,
        letter: &Letter,
        ending: Ending,
    ) -> Result<Look, Failure> {
        let moved = self.record(delivery, letter, &ending).await?;
        Ok(if moved { Look::Done } else { Look::Again })
    }

    /// Commits what became of a message. What the provider said is heard once,
    /// so passing trouble with Postgres is waited out, for as long as the lease
    /// keeps others off.
    async fn record(
        &self,
        delivery: &Delivery,
        letter: &Letter,
        ending: &Ending,
    ) -> Result<bool, Failure> {
        const PAUSE: Duration = Duration::from_millis(250);
        let lease = self.office.lease.to_std().unwrap_or_default();
        let deadline = Instant::now() + lease / 2;
        loop {
            let recorded = ending
                .record::<C>(&self.office.backbone, delivery, letter, self.office.worker)
                .await;
            match recorded {
                Ok(moved) => return Ok(moved),
                Err(error) if error.is_passing() && Instant::now() + PAUSE < deadline => {
                    tracing::warn!(%error, "what became of a message is not recorded yet");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(work::failed(error)),
            }
        }
    }

    async fn settle(&self, delivery: &Delivery) -> Result<Look, DbError> {
        let conn = self.office.backbone.db.read().await?;
        db::outbox::settle(&conn, delivery.envelope.outbox).await?;
        Ok(Look::Done)
    }

    fn write(
        &self,
        letter: &Letter,
        own: Option<&StoredTemplate>,
        stored: Stored,
        now: DateTime<Utc>,
    ) -> Result<(C::Message, WrittenWith), Unwritable> {
        let facts = facts::facts(letter, &self.office.link(letter));
        let (message, used) = self.courier.write(letter, &facts, stored, now)?;
        if used.fault.is_some() {
            let channel = letter.channel.as_str();
            metrics::counter!("notifier_template_fallbacks_total", "channel" => channel)
                .increment(1);
        }
        Ok((message, facts::written(&used, own)))
    }
}

fn reason_to_withdraw(letter: &Letter, now: DateTime<Utc>) -> Option<String> {
    if !letter.recovery_state.is_open() {
        Some(format!("the recovery is {} already", letter.recovery_state))
    } else if letter.recovery_paused {
        Some("the recovery is paused".to_owned())
    } else if let Some(bar) = letter.barred {
        Some(bar.words().to_owned())
    } else if letter.about.contact == Contact::None {
        Some("the failure is nothing to write to the payer about".to_owned())
    } else if letter.link_expires_at <= now {
        Some("its link has expired".to_owned())
    } else {
        None
    }
}
