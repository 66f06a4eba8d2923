//! One SMTP connection: greeted, then `MAIL`, `RCPT`…, `DATA`, as often as the client likes.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::command::Command;
use super::lines::{self, Data};
use super::mailboxes::{self, Mailbox};
use crate::clock;
use crate::faults::{Mode, Target};
use crate::inbox::mail;
use crate::state::{State, locked};

/// The largest mail, in bytes: what large providers take.
const LARGEST: usize = 25 * 1024 * 1024;

/// A client that says nothing for so long is let go (RFC 5321, 4.5.3.2).
const PATIENCE: Duration = Duration::from_mins(5);

/// Whether the connection goes on.
enum Next {
    GoOn,
    Close,
}

struct Session<'a> {
    stream: BufReader<TcpStream>,
    state: &'a State,
    sender: Option<String>,
    recipients: Vec<String>,
}

pub(super) async fn serve(stream: TcpStream, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let stream = BufReader::new(stream);
    let mut session = Session {
        stream,
        state,
        sender: None,
        recipients: Vec::new(),
    };
    session.reply("220 sandbox ESMTP ready").await?;
    loop {
        let line = tokio::time::timeout(PATIENCE, lines::command(&mut session.stream)).await??;
        let Some(line) = line else {
            return Ok(());
        };
        if let Next::Close = session.obey(Command::read(&line)).await? {
            return Ok(());
        }
    }
}

impl Session<'_> {
    async fn reply(&mut self, text: &str) -> io::Result<()> {
        self.stream
            .write_all(format!("{text}\r\n").as_bytes())
            .await?;
        self.stream.flush().await
    }

    async fn obey(&mut self, command: Command) -> io::Result<Next> {
        match command {
            Command::Helo => {
                self.forget();
                self.reply("250 sandbox").await?;
            }
            Command::Ehlo => self.ehlo().await?,
            Command::Mail { from, size } => self.mail(from, size).await?,
            Command::Rcpt { to } => self.rcpt(to).await?,
            Command::Data => return self.data().await,
            Command::Reset => {
                self.forget();
                self.reply("250 2.0.0 Forgotten").await?;
            }
            Command::Noop => self.reply("250 2.0.0 Here").await?,
            Command::Verify => self.reply("252 2.1.5 Send it and see").await?,
            Command::AuthPlain { initial } => self.auth(usize::from(!initial), &["334 "]).await?,
            Command::AuthLogin { initial } => {
                let questions = ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"];
                self.auth(2 - usize::from(initial), &questions).await?;
            }
            Command::Quit => {
                self.reply("221 2.0.0 Goodbye").await?;
                return Ok(Next::Close);
            }
            Command::Unknown => self.reply("500 5.5.1 Unknown command").await?,
            Command::Malformed => self.reply("501 5.5.4 Arguments not understood").await?,
        }
        Ok(Next::GoOn)
    }

    fn forget(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    async fn ehlo(&mut self) -> io::Result<()> {
        self.forget();
        let lines = [
            "250-sandbox greets you",
            "250-PIPELINING",
            &format!("250-SIZE {LARGEST}"),
            "250-8BITMIME",
            "250-SMTPUTF8",
            "250-ENHANCEDSTATUSCODES",
            "250 AUTH PLAIN LOGIN",
        ];
        self.reply(&lines.join("\r\n")).await
    }

    async fn mail(&mut self, from: String, size: Option<usize>) -> io::Result<()> {
        if self.sender.is_some() {
            return self.reply("503 5.5.1 There is a mail begun").await;
        }
        if size.is_some_and(|size| size > LARGEST) {
            return self.reply("552 5.3.4 The mail is too large").await;
        }
        self.sender = Some(from);
        self.reply("250 2.1.0 Sender noted").await
    }

    async fn rcpt(&mut self, to: String) -> io::Result<()> {
        if self.sender.is_none() {
            return self.reply("503 5.5.1 MAIL comes first").await;
        }
        if locked(&self.state.mailboxes).of(&to) == Mailbox::Refused {
            return self.reply("550 5.1.1 There is no such mailbox").await;
        }
        self.recipients.push(to);
        self.reply("250 2.1.5 Recipient noted").await
    }

    /// Asks the last `rounds` of the questions; any answer is right.
    async fn auth(&mut self, rounds: usize, questions: &[&str]) -> io::Result<()> {
        for question in questions
            .iter()
            .skip(questions.len().saturating_sub(rounds))
        {
            self.reply(question).await?;
            match lines::command(&mut self.stream).await? {
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(answer) if answer == "*" => return self.reply("501 5.7.0 Called off").await,
                Some(_) => {}
            }
        }
        self.reply("235 2.7.0 Welcome").await
    }

    async fn data(&mut self) -> io::Result<Next> {
        if self.recipients.is_empty() {
            self.reply("503 5.5.1 RCPT comes first").await?;
            return Ok(Next::GoOn);
        }
        self.reply("354 Go on, end with a dot").await?;
        let received = lines::data(&mut self.stream, LARGEST);
        let received = tokio::time::timeout(PATIENCE, received).await??;
        let next = match received {
            Data::TooLong => {
                self.reply("552 5.3.4 The mail is too large").await?;
                Next::GoOn
            }
            Data::Whole(mail) => self.deliver(&mail).await?,
        };
        self.forget();
        Ok(next)
    }

    /// Delivers the mail, with the misbehaviour that is due.
    async fn deliver(&mut self, mail: &[u8]) -> io::Result<Next> {
        match self
            .state
            .faults
            .take(Target::Smtp, &self.recipients.join(" "))
        {
            None | Some(Mode::FailUnderKey { .. }) => {}
            Some(Mode::Slow { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Some(Mode::Fail { status }) => {
                self.reply(&refusal(status)).await?;
                return Ok(Next::GoOn);
            }
            Some(Mode::RateLimited) => {
                self.reply("451 4.7.1 Too many mails, try again later")
                    .await?;
                return Ok(Next::GoOn);
            }
            Some(Mode::DropBeforeActing) => return Ok(Next::Close),
            Some(Mode::TimeoutAfterActing { ms }) => {
                self.accept(mail);
                tokio::time::sleep(Duration::from_millis(ms)).await;
                return Ok(Next::Close);
            }
        }
        self.accept(mail);
        self.reply("250 2.0.0 Delivered").await?;
        Ok(Next::GoOn)
    }

    fn accept(&self, raw: &[u8]) {
        let sender = self.sender.as_deref().unwrap_or_default();
        for message in mail::messages(sender, &self.recipients, raw) {
            let mailbox = locked(&self.state.mailboxes).of(&message.to);
            match mailbox {
                Mailbox::Bounces { status } => {
                    mailboxes::bounce(self.state, &message.to, &status, raw);
                }
                Mailbox::Ok | Mailbox::Refused => self.state.inbox.receive(message, clock::now()),
            }
        }
    }
}

fn refusal(status: u16) -> String {
    match status {
        550 => "550 5.1.1 There is no such mailbox".to_owned(),
        permanent @ 500..=599 => format!("{permanent} 5.0.0 Refused"),
        transient => format!("{transient} 4.3.0 Try again later"),
    }
}
