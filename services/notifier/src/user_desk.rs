//! Where a mail to one of a merchant's people is taken in hand.
//!
//! The same moves as at the payers' desk ([`crate::desk`]), with less to look at:
//! what it carries must be open still, and patience lasts as long as it does.
//! SMTP has no way to ask, so a hand-over whose end nobody saw is `unconfirmed`
//! and never made again: whoever waits asks for another code.
//!
//! ```text
//! queued ──(closed, expired)──> withdrawn
//!   │ prepare, mark ──> handing_over ──> sent | failed | unconfirmed
//!   │<──(refused for now)──┘
//!   └──(refused for good)──> failed
//! ```

use std::sync::Arc;

use backbone::{Backbone, work};
use chrono::{DateTime, TimeDelta, Utc};
use circuit::Circuit;
use contracts::Message;
use db::user_codes::mail::{self, UserMail};
use db::{DbError, Tenant, Tx, outbox};
use domain::NotificationState;
use domain::id::UserCodeId;
use domain::token::LinkKey;
use domain::user_code::{OneTimeCode, UserToken};
use streams::{Delivery, Failure, Handler};
use tracing::Instrument as _;
use url::Url;
use uuid::Uuid;
use wording::UserFacts;

use crate::channels::email::Email;
use crate::channels::{Courier, Outcome, Refusal, Unwritable, not_now};

/// Hands over mails to merchants' people.
pub(crate) struct UserDesk {
    pub(crate) backbone: Backbone,
    pub(crate) link_key: Arc<LinkKey>,
    /// Where merchants' frontend stands.
    pub(crate) console_url: Url,
    /// Who hands over: new at each start.
    pub(crate) worker: Uuid,
    /// How long a marked hand-over is believed to be under way.
    pub(crate) lease: TimeDelta,
    pub(crate) email: Email,
    /// Of the mail server, shared with the payers' desk.
    pub(crate) circuit: Arc<Circuit>,
}

impl Handler for UserDesk {
    async fn handle(&self, delivery: &Delivery) -> Result<(), Failure> {
        self.attend(delivery).instrument(work::span(delivery)).await
    }

    async fn ready(&self) {
        self.circuit.passable().await;
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        work::bury(&self.backbone.db, &self.backbone.clock, delivery, reason).await
    }
}

impl UserDesk {
    async fn attend(&self, delivery: &Delivery) -> Result<(), Failure> {
        let Message::UserMailRequested { code } = delivery.envelope.message else {
            return Err(Failure::for_good("the entry asks for no mail to a user"));
        };
        let found = self.find(delivery, code).await.map_err(work::failed)?;
        match found {
            Some(mail) if mail.state == NotificationState::Queued => {
                self.send(delivery, mail).await
            }
            Some(mail) if mail.state == NotificationState::HandingOver => {
                self.take_up(delivery, mail).await
            }
            // Ended, or forgotten: a copy, or nothing left to do.
            _ => self.settle(delivery).await.map_err(work::failed),
        }
    }

    async fn send(&self, delivery: &Delivery, mail: UserMail) -> Result<(), Failure> {
        let now = self.backbone.clock.now();
        if !mail.open || mail.expires_at <= now {
            let why = "what it carries was used, replaced or has expired";
            return self.end(delivery, &mail, &Ending::Withdrawn(why)).await;
        }
        let written = match self.write(&mail, now) {
            Ok(written) => written,
            Err(Unwritable::Content(why)) => {
                return self.end(delivery, &mail, &Ending::Failed(why)).await;
            }
            // A release with the template mended can replay it.
            Err(broken @ Unwritable::Wording(_)) => {
                return Err(Failure::for_good(broken.to_string()));
            }
        };
        let passage = self.circuit.enter().map_err(not_now)?;
        let ready = match self.email.prepare(written).await {
            Ok(ready) => ready,
            Err(refusal) => {
                passage.tell(refusal.heard());
                return self.refused(delivery, &mail, refusal).await;
            }
        };
        match self.mark(&mail, now).await {
            Ok(true) => {}
            Ok(false) => {
                self.email.undo(ready).await;
                return Err(Failure::retry("the mail's row moved meanwhile"));
            }
            Err(error) => {
                self.email.undo(ready).await;
                return Err(work::failed(error));
            }
        }
        let mail = UserMail {
            state: NotificationState::HandingOver,
            ..mail
        };
        let outcome = self.email.hand_over(ready).await;
        passage.tell(outcome.heard());
        match outcome {
            Outcome::Accepted(_) => self.end(delivery, &mail, &Ending::Sent).await,
            Outcome::Refused(refusal) => self.refused(delivery, &mail, refusal).await,
            Outcome::TemplateRefused(why) => self.end(delivery, &mail, &Ending::Failed(why)).await,
            Outcome::Unclear(why) => self.end(delivery, &mail, &Ending::Unconfirmed(why)).await,
        }
    }

    /// A mail that someone began to hand over.
    async fn take_up(&self, delivery: &Delivery, mail: UserMail) -> Result<(), Failure> {
        let now = self.backbone.clock.now();
        if mail.lease_until.is_some_and(|until| until > now) {
            return Err(Failure::retry("its hand-over is under way"));
        }
        let abandoned = Ending::Abandoned("the process that sent it was interrupted");
        self.end(delivery, &mail, &abandoned).await
    }

    async fn refused(
        &self,
        delivery: &Delivery,
        mail: &UserMail,
        refusal: Refusal,
    ) -> Result<(), Failure> {
        match refusal {
            Refusal::ForGood { why, .. } => self.end(delivery, mail, &Ending::Failed(why)).await,
            Refusal::ForNow { why, .. } => {
                let delayed = Ending::Delayed(why.clone());
                self.end(delivery, mail, &delayed).await?;
                Err(Failure::retry(why))
            }
        }
    }

    /// Commits what became of the mail. If the row has moved meanwhile nothing
    /// changes, and the next delivery looks at it anew.
    async fn end(
        &self,
        delivery: &Delivery,
        mail: &UserMail,
        ending: &Ending,
    ) -> Result<(), Failure> {
        match self.record(delivery, mail, ending).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::retry("the mail's row moved meanwhile")),
            Err(error) => Err(work::failed(error)),
        }
    }

    async fn record(
        &self,
        delivery: &Delivery,
        mail: &UserMail,
        ending: &Ending,
    ) -> Result<bool, DbError> {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await?;
        if !ending.move_row(&mut tx, mail, self.worker).await? {
            tx.roll_back().await?;
            return Ok(false);
        }
        if !matches!(ending, Ending::Delayed(_)) {
            outbox::settle(tx.conn(), delivery.envelope.outbox).await?;
        }
        tx.commit().await?;
        metrics::counter!(
            "notifier_user_mails_total",
            "purpose" => mail.purpose.as_str(), "outcome" => ending.outcome(),
        )
        .increment(1);
        Ok(true)
    }

    async fn find(&self, delivery: &Delivery, id: UserCodeId) -> Result<Option<UserMail>, DbError> {
        let mut conn = self.backbone.db.read().await?;
        mail::find(&mut conn, Tenant::of_envelope(&delivery.envelope), id).await
    }

    async fn mark(&self, mail: &UserMail, now: DateTime<Utc>) -> Result<bool, DbError> {
        let mut conn = self.backbone.db.read().await?;
        mail::begin_hand_over(&mut conn, mail, self.worker, now, now + self.lease).await
    }

    async fn settle(&self, delivery: &Delivery) -> Result<(), DbError> {
        let conn = self.backbone.db.read().await?;
        outbox::settle(&conn, delivery.envelope.outbox).await?;
        Ok(())
    }

    fn write(
        &self,
        mail: &UserMail,
        now: DateTime<Utc>,
    ) -> Result<<Email as Courier>::Message, Unwritable> {
        let secret = self.secret(mail);
        let facts = UserFacts {
            purpose: mail.purpose,
            secret: &secret,
            organization: &mail.organization_name,
            full_name: mail.full_name.as_deref(),
            role: mail.role,
            from_name: self.email.sender_name(),
        };
        self.email.write_to_user(mail, &facts, now)
    }

    /// The code, or the link with its token, derived again from the row's id.
    fn secret(&self, mail: &UserMail) -> String {
        let page = match mail.purpose {
            domain::CodePurpose::Login => {
                return OneTimeCode::derive(&self.link_key, mail.id)
                    .expose()
                    .to_owned();
            }
            domain::CodePurpose::Invitation => "invitation",
            domain::CodePurpose::PasswordReset => "reset-password",
        };
        let mut url = self.console_url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{page}"));
        let token = UserToken::derive(&self.link_key, mail.id);
        url.query_pairs_mut().append_pair("token", token.expose());
        url.into()
    }
}

/// What became of a mail.
enum Ending {
    Sent,
    Failed(String),
    /// This process cannot say whether it was sent.
    Unconfirmed(String),
    /// Nor can anybody, since the process that knew is gone.
    Abandoned(&'static str),
    /// There was no more reason to send it.
    Withdrawn(&'static str),
    /// No ending: it was refused for now and comes back.
    Delayed(String),
}

impl Ending {
    const fn outcome(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed(_) => "failed",
            Self::Unconfirmed(_) | Self::Abandoned(_) => "unconfirmed",
            Self::Withdrawn(_) => "withdrawn",
            Self::Delayed(_) => "delayed",
        }
    }

    /// A mail that was marked is finished under its mark; one that was not is
    /// dropped, or left as it is.
    async fn move_row(&self, tx: &mut Tx, mail: &UserMail, worker: Uuid) -> Result<bool, DbError> {
        use NotificationState::{Failed, Queued, Sent, Unconfirmed, Withdrawn};
        let marked = mail.state == NotificationState::HandingOver;
        match self {
            Self::Sent => mail::finish(tx, mail, worker, Sent, None).await,
            Self::Unconfirmed(why) => mail::finish(tx, mail, worker, Unconfirmed, Some(why)).await,
            Self::Abandoned(why) => mail::give_up(tx, mail, why).await,
            Self::Failed(why) if marked => mail::finish(tx, mail, worker, Failed, Some(why)).await,
            Self::Failed(why) => mail::drop_queued(tx, mail, Failed, why).await,
            Self::Withdrawn(why) => mail::drop_queued(tx, mail, Withdrawn, why).await,
            Self::Delayed(why) if marked => mail::finish(tx, mail, worker, Queued, Some(why)).await,
            Self::Delayed(_) => Ok(true),
        }
    }
}
