//! Where the mail server is and how a session with it begins.

use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

/// Message submission with STARTTLS (RFC 6409).
const SUBMISSION: u16 = 587;
/// Message submission with TLS from the start (RFC 8314).
const SUBMISSIONS: u16 = 465;

/// Whether and when a session is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// From the first byte.
    Tls,
    /// By STARTTLS; no session without it.
    StartTls,
    /// By STARTTLS when it is offered.
    WhenOffered,
    /// Not at all.
    None,
}

/// The mail server, as `SMTP_URL` names it. Its password does not print.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MailServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    security: Security,
    credentials: Option<Credentials>,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ({:?})", self.host, self.port, self.security)
    }
}

/// Text that names no mail server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidMailServer {
    #[error("it must be an address such as smtp://user:password@host:587 or smtps://host")]
    Form,
    #[error("its ?tls= must be required, opportunistic or none")]
    Tls,
}

impl TryFrom<String> for MailServer {
    type Error = InvalidMailServer;

    fn try_from(text: String) -> Result<Self, InvalidMailServer> {
        let url = Url::parse(&text).map_err(|_| InvalidMailServer::Form)?;
        let tls = url.query_pairs().find(|(name, _)| name == "tls");
        let (security, port) = match (url.scheme(), tls.as_ref().map(|(_, value)| &**value)) {
            ("smtps", None) => (Security::Tls, SUBMISSIONS),
            ("smtp", None | Some("opportunistic")) => (Security::WhenOffered, SUBMISSION),
            ("smtp", Some("required")) => (Security::StartTls, SUBMISSION),
            ("smtp", Some("none")) => (Security::None, SUBMISSION),
            ("smtp" | "smtps", Some(_)) => return Err(InvalidMailServer::Tls),
            _ => return Err(InvalidMailServer::Form),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8();
            text.map(std::borrow::Cow::into_owned)
                .map_err(|_| InvalidMailServer::Form)
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(
                decoded(url.username())?,
                decoded(password)?,
            )),
            None => None,
        };
        Ok(Self {
            // The brackets of an IPv6 address belong to the URL.
            host: host
                .ok_or(InvalidMailServer::Form)?
                .trim_matches(['[', ']'])
                .to_owned(),
            port: url.port().unwrap_or(port),
            security,
            credentials,
        })
    }
}

/// Why no session could be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("the mail server cannot be reached")]
    Unreached(#[source] Error),
    #[error("the mail server does not offer STARTTLS, which SMTP_URL asks for")]
    NoStartTls,
    #[error("the mail server offers no encryption, and the password is not sent without it")]
    WouldExposePassword,
    #[error("the mail server does not take our credentials")]
    Credentials(#[source] Error),
}

impl MailServer {
    /// Connects, greets, encrypts and authenticates.
    pub(crate) async fn open(&self, patience: Duration) -> Result<AsyncSmtpConnection, OpenError> {
        let hello = ClientId::default();
        let parameters = || TlsParameters::new(self.host.clone()).map_err(OpenError::Unreached);
        let wrapper = match self.security {
            Security::Tls => Some(parameters()?),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        let connecting =
            AsyncSmtpConnection::connect_tokio1(address, Some(patience), &hello, wrapper, None);
        let mut connection = connecting.await.map_err(OpenError::Unreached)?;
        match self.security {
            Security::StartTls | Security::WhenOffered if connection.can_starttls() => {
                let upgrading = connection.starttls(parameters()?, &hello);
                upgrading.await.map_err(OpenError::Unreached)?;
            }
            Security::StartTls => return Err(OpenError::NoStartTls),
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            if !connection.is_encrypted() && self.security != Security::None {
                return Err(OpenError::WouldExposePassword);
            }
            let greeting = connection.auth(DEFAULT_MECHANISMS, credentials);
            greeting.await.map_err(OpenError::Credentials)?;
        }
        Ok(connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<MailServer, InvalidMailServer> {
        MailServer::try_from(text.to_owned())
    }

    #[test]
    fn an_address_says_where_and_how_safely() {
        for (text, port, security) in [
            ("smtp://mail.example", 587, Security::WhenOffered),
            ("smtp://mail.example:25?tls=none", 25, Security::None),
            ("smtp://mail.example?tls=required", 587, Security::StartTls),
            ("smtps://mail.example", 465, Security::Tls),
        ] {
            let server = read(text).unwrap();
            assert_eq!((server.port, server.security), (port, security), "{text}");
            assert_eq!(server.host, "mail.example");
        }
        assert_eq!(read("smtp://[::1]:25").unwrap().host, "::1");
    }

    #[test]
    fn the_password_is_decoded_and_does_not_print() {
        let server = read("smtp://us%40er:p%3Aw%2B@mail.example").unwrap();
        let wanted = Credentials::new("us@er".to_owned(), "p:w+".to_owned());
        assert_eq!(server.credentials, Some(wanted));
        assert_eq!(format!("{server:?}"), "mail.example:587 (WhenOffered)");
    }

    #[test]
    fn what_is_no_mail_server_is_refused() {
        for text in [
            "",
            "mail.example",
            "http://x",
            "smtp://x?tls=maybe",
            "smtps://x?tls=none",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
