//! Sessions with the mail server, kept open between mails.
//!
//! A mail is handed over in two phases. [`MailSessions::begin`] goes as far as
//! the server's consent to the recipient; until then the mail can be called off.
//! [`MailSessions::end`] sends its content, after whose last line the server may
//! have the mail, whatever is heard of it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use circuit::Heard;
use domain::SuppressionReason;
use domain::consent::mailbox_is_gone;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use tokio::time::{Instant, timeout};

use super::mail_content::Content;
use super::mail_server::{MailServer, OpenError};
use super::{Refusal, without_addresses};

/// How long a session may rest: servers end idle ones after minutes
/// (RFC 5321, 4.5.3.2.7), relays and firewalls often sooner.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// A session whose server has agreed to the mail's recipient.
pub(crate) struct Begun {
    connection: AsyncSmtpConnection,
}

/// What the server said to a mail's content.
pub(crate) enum Ended {
    Taken,
    Refused(Refusal),
    Unheard(String),
}

struct Resting {
    connection: AsyncSmtpConnection,
    since: Instant,
}

pub(crate) struct MailSessions {
    server: MailServer,
    patience: Duration,
    most: usize,
    resting: Mutex<Vec<Resting>>,
}

impl MailSessions {
    /// Sessions with `server`, of which at most `most` rest; each answer is
    /// waited for no longer than `patience`.
    pub(crate) fn new(server: MailServer, patience: Duration, most: usize) -> Self {
        Self {
            server,
            patience,
            most,
            resting: Mutex::default(),
        }
    }

    pub(crate) fn server(&self) -> &MailServer {
        &self.server
    }

    /// Goes as far as the server's consent to the recipient.
    pub(crate) async fn begin(&self, envelope: &Envelope) -> Result<Begun, Refusal> {
        // A rested session may have ended unnoticed; nothing is lost by asking in it.
        while let Some(mut connection) = self.take() {
            match self.address(&mut connection, envelope).await {
                Ok(()) => return Ok(Begun { connection }),
                Err(Unaddressed::Silence(_)) => {}
                Err(unaddressed) => return Err(self.refused(connection, unaddressed).await),
            }
        }
        let mut connection = self.open().await?;
        match self.address(&mut connection, envelope).await {
            Ok(()) => Ok(Begun { connection }),
            Err(unaddressed) => Err(self.refused(connection, unaddressed).await),
        }
    }

    /// Keeps the session for the next mail, unless an answer is still owed in it: that
    /// would be taken for the answer to what is said next, and so on, until a mail's
    /// refusal is taken for that of another one.
    async fn refused(&self, connection: AsyncSmtpConnection, why: Unaddressed) -> Refusal {
        if !matches!(why, Unaddressed::Silence(_)) {
            self.put_back(connection).await;
        }
        why.into()
    }

    /// Calls the mail off.
    pub(crate) async fn call_off(&self, begun: Begun) {
        self.put_back(begun.connection).await;
    }

    /// Sends the content.
    pub(crate) async fn end(&self, begun: Begun, content: &str) -> Ended {
        let mut connection = begun.connection;
        match timeout(self.patience, connection.command(Data)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                // Nothing of the mail has left yet.
                let refusal = refusal(
                    &error,
                    "the mail server did not want the mail",
                    Heard::Trouble,
                );
                if error.status().is_some() {
                    self.put_back(connection).await;
                }
                return Ended::Refused(refusal);
            }
            Err(_) => return Ended::Refused(silent()),
        }
        match timeout(self.patience, connection.command(Content(content))).await {
            Ok(Ok(_)) => {
                self.rest(connection);
                Ended::Taken
            }
            Ok(Err(error)) if error.status().is_some() => {
                let refusal = refusal(&error, "the mail server refused the mail", Heard::Trouble);
                self.rest(connection);
                Ended::Refused(refusal)
            }
            Ok(Err(_)) => Ended::Unheard("the connection broke before the answer".to_owned()),
            Err(_) => Ended::Unheard("the mail server did not answer in time".to_owned()),
        }
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, Refusal> {
        let opened = timeout(self.patience, self.server.open(self.patience)).await;
        let error = match opened {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_) => return Err(silent()),
        };
        // The operator has to see it, and every mail waits for them.
        tracing::warn!(error = %full(&error), "no session with the mail server");
        Err(Refusal::trouble(error.to_string()))
    }

    async fn address(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
    ) -> Result<(), Unaddressed> {
        let sender = Mail::new(envelope.from().cloned(), Vec::new());
        self.say(connection, sender, Unaddressed::Sender).await?;
        for recipient in envelope.to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            self.say(connection, recipient, Unaddressed::Recipient)
                .await?;
        }
        Ok(())
    }

    async fn say(
        &self,
        connection: &mut AsyncSmtpConnection,
        command: impl std::fmt::Display,
        refused: fn(Error) -> Unaddressed,
    ) -> Result<(), Unaddressed> {
        match timeout(self.patience, connection.command(command)).await {
            Ok(Ok(_)) => Ok(()),
            // 421: the server ends the session, this mail's or not.
            Ok(Err(error)) if status(&error).is_none_or(|code| code == 421) => {
                Err(Unaddressed::Silence(silent()))
            }
            Ok(Err(error)) => Err(refused(error)),
            Err(_) => Err(Unaddressed::Silence(silent())),
        }
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|session| session.since.elapsed() < LONGEST_REST);
        resting.pop().map(|session| session.connection)
    }

    /// Clears what a mail had begun, and keeps the session.
    async fn put_back(&self, mut connection: AsyncSmtpConnection) {
        let cleared = timeout(self.patience, connection.command(Rset)).await;
        if matches!(cleared, Ok(Ok(_))) {
            self.rest(connection);
        }
    }

    fn rest(&self, connection: AsyncSmtpConnection) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.len() < self.most {
            resting.push(Resting {
                connection,
                since: Instant::now(),
            });
        }
    }
}

/// Why a mail got no further than its addresses.
enum Unaddressed {
    Silence(Refusal),
    Sender(Error),
    Recipient(Error),
}

impl From<Unaddressed> for Refusal {
    fn from(unaddressed: Unaddressed) -> Self {
        match unaddressed {
            Unaddressed::Silence(refusal) => refusal,
            // The payer's address has no part in it: the operator has to mend
            // the sender's, and the mails wait.
            Unaddressed::Sender(error) => Self::trouble(format!(
                "the mail server does not take mail from our sender ({})",
                said(&error)
            )),
            Unaddressed::Recipient(error) => {
                // Greylisting and full mailboxes: the server is well.
                refusal(&error, "the mail server refused the recipient", Heard::Well)
            }
        }
    }
}

fn silent() -> Refusal {
    Refusal::trouble("the mail server did not answer")
}

/// 4xx passes, 5xx does not (RFC 5321, 4.2.1); no code at all means that the
/// connection broke, with nothing sent. `passing` is what a 4xx tells of the server.
fn refusal(error: &Error, what: &str, passing: Heard) -> Refusal {
    let why = format!("{what} ({})", said(error));
    match status(error) {
        Some(500..) => Refusal::ForGood {
            why,
            suppress: is_dead_address(error).then_some(SuppressionReason::HardBounce),
        },
        Some(_) => Refusal::ForNow {
            why,
            heard: passing,
        },
        None => Refusal::trouble(why),
    }
}

fn status(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// The code and the server's words.
fn said(error: &Error) -> String {
    let words = std::error::Error::source(error).map(ToString::to_string);
    let words = without_addresses(&words.unwrap_or_default());
    match status(error) {
        Some(code) => format!("{code} {words}").trim_end().to_owned(),
        None => "the connection broke".to_owned(),
    }
}

/// Whether the server means the mailbox and not this mail. By the enhanced
/// status code where there is one, else by the reply code.
fn is_dead_address(error: &Error) -> bool {
    let words = std::error::Error::source(error).map(ToString::to_string);
    let enhanced = words
        .as_deref()
        .and_then(|words| words.split_whitespace().next());
    match enhanced.filter(|code| code.split('.').count() == 3) {
        Some(code) => mailbox_is_gone(code),
        None => matches!(status(error), Some(550 | 551 | 553)),
    }
}

fn full(error: &OpenError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Greets, and answers what comes until `MAIL`, whose answer it owes.
    async fn greet(stream: TcpStream) -> BufReader<TcpStream> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 here\r\n").await.unwrap();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            if line.starts_with("MAIL") {
                return stream;
            }
            stream.write_all(b"250 yes\r\n").await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_session_in_which_an_answer_is_owed_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = MailServer::try_from(format!("smtp://127.0.0.1:{port}?tls=none")).unwrap();
        let sessions = MailSessions::new(server, Duration::from_millis(300), 4);
        let from = Some("shop@example.com".parse().unwrap());
        let envelope = Envelope::new(from, vec!["a@example.com".parse().unwrap()]).unwrap();
        let slow = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = greet(stream).await;
            let mut more = String::new();
            stream.read_line(&mut more).await.unwrap();
            more
        };
        let (begun, more) = tokio::join!(sessions.begin(&envelope), slow);
        assert!(begun.is_err());
        assert_eq!(more, "", "it went on in a session whose answers are late");
        assert!(sessions.take().is_none());
    }
}
