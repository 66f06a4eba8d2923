//! Email over SMTP.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use db::notifications::Letter;
use db::user_codes::mail::UserMail;
use domain::EmailAddress;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use runtime::outgoing::Call;
use tracing::Instrument as _;
use wording::{EmailWords, Facts, Link, Stored, Used, UserFacts, Wording, Written};

use super::mail_sessions::{Begun, Ended, MailSessions};
use super::{Courier, LookUp, Outcome, Refusal, Unwritable};

pub(crate) struct Email {
    sessions: MailSessions,
    wording: Wording,
    sender: Mailbox,
}

/// A written mail.
pub(crate) struct Mail {
    envelope: Envelope,
    content: String,
    message_id: String,
}

/// A mail whose recipient the server has agreed to.
pub(crate) struct Addressed {
    mail: Mail,
    begun: Begun,
}

impl Email {
    pub(crate) fn new(sessions: MailSessions, wording: Wording, sender: Mailbox) -> Self {
        Self {
            sessions,
            wording,
            sender,
        }
    }

    /// Who mails are from, as people see it.
    pub(crate) fn sender_name(&self) -> &str {
        self.sender.name.as_deref().unwrap_or("Tinko")
    }

    /// Writes a mail to one of a merchant's people.
    pub(crate) fn write_to_user(
        &self,
        mail: &UserMail,
        facts: &UserFacts<'_>,
        now: DateTime<Utc>,
    ) -> Result<Mail, Unwritable> {
        let words = self.wording.user_mail(facts)?;
        let letterhead = Letterhead {
            id: mail.id.to_string(),
            to: &mail.email,
            unsubscribe: None,
            date: now,
        };
        self.compose(words, &letterhead)
    }

    fn compose(&self, words: EmailWords, head: &Letterhead<'_>) -> Result<Mail, Unwritable> {
        let no_mail = |fault: String| Unwritable::Content(format!("it makes no mail: {fault}"));
        // Parsed again here: what is stored is not trusted with a header.
        let to = EmailAddress::parse(head.to)
            .map_err(|_| no_mail("the stored address is not one".to_owned()))?;
        let to = to
            .expose()
            .parse()
            .map_err(|_| no_mail("the stored address is not one".to_owned()))?;
        // The same on every try, so that a mail that went out twice can be told
        // from two mails.
        let message_id = format!("<{}@{}>", head.id, self.sender.email.domain());
        let mut message = Message::builder()
            .from(Mailbox::new(
                Some(words.from_name),
                self.sender.email.clone(),
            ))
            .to(Mailbox::new(None, to))
            .subject(words.subject)
            .date(SystemTime::from(head.date))
            .message_id(Some(message_id.clone()));
        if let Some(unsubscribe) = head.unsubscribe {
            message = message
                .raw_header(ascii("List-Unsubscribe", format!("<{unsubscribe}>")))
                .raw_header(ascii(
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click".to_owned(),
                ));
        }
        let message = message
            .raw_header(ascii("Auto-Submitted", "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(words.text, words.html))
            .map_err(|fault| no_mail(fault.to_string()))?;
        // Headers and parts are encoded, so that it is ASCII.
        let content = String::from_utf8(message.formatted());
        Ok(Mail {
            envelope: message.envelope().clone(),
            content: content.map_err(|fault| no_mail(fault.to_string()))?,
            message_id,
        })
    }
}

/// What a mail has besides its words.
struct Letterhead<'a> {
    /// Of the row that it is of.
    id: String,
    to: &'a str,
    /// Where payers end such mails.
    unsubscribe: Option<&'a str>,
    date: DateTime<Utc>,
}

impl Courier for Email {
    type Message = Mail;
    type Ready = Addressed;

    const PROVIDER: &'static str = "smtp";
    const RECEIVER: &'static str = "the mail server";

    fn write(
        &self,
        letter: &Letter,
        facts: &Facts,
        own: Stored,
        now: DateTime<Utc>,
    ) -> Result<(Mail, Used), Unwritable> {
        let Written { words, used } = self.wording.email(facts, own)?;
        let letterhead = Letterhead {
            id: letter.id.to_string(),
            to: &letter.address,
            unsubscribe: Some(&facts.link.unsubscribe),
            date: now,
        };
        Ok((self.compose(words, &letterhead)?, used))
    }

    async fn prepare(&self, mail: Mail) -> Result<Addressed, Refusal> {
        let call = Call::start(Self::PROVIDER, "begin");
        let begun = self.sessions.begin(&mail.envelope).await;
        call.finish(match &begun {
            Ok(_) => "ok",
            Err(Refusal::ForNow { .. }) => "refused_for_now",
            Err(Refusal::ForGood { .. }) => "refused",
        });
        Ok(Addressed {
            mail,
            begun: begun?,
        })
    }

    async fn undo(&self, addressed: Addressed) {
        self.sessions.call_off(addressed.begun).await;
    }

    async fn hand_over(&self, addressed: Addressed) -> Outcome {
        let server = self.sessions.server();
        let span = tracing::info_span!(
            "smtp.send",
            otel.kind = "client",
            server.address = %server.host,
            server.port = server.port,
        );
        let call = Call::start(Self::PROVIDER, "send");
        let Addressed { mail, begun } = addressed;
        let ended = self
            .sessions
            .end(begun, &mail.content)
            .instrument(span)
            .await;
        let outcome = match ended {
            Ended::Taken => Outcome::Accepted(Some(mail.message_id)),
            Ended::Refused(refusal) => Outcome::Refused(refusal),
            Ended::Unheard(why) => Outcome::Unclear(why),
        };
        call.finish(super::word(&outcome));
        outcome
    }

    /// SMTP has no way to ask.
    async fn look_up(&self, _letter: &Letter, _link: &Link) -> LookUp {
        LookUp::Impossible
    }
}

/// A header of our own making: ASCII, on one line however long, since some
/// readers of `List-Unsubscribe` do not unfold it.
fn ascii(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(name),
        value.clone(),
        value,
    )
}
