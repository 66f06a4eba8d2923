//! Where webhooks may go.
//!
//! A partner names any address it likes, and Tinko sends from within its own
//! network: without a guard that is a way into it (server-side request forgery).
//! An address is judged three times: its text when it is saved and before each
//! request ([`Guard::read`]); what its name resolves to when it is saved
//! ([`Guard::check`]); and what its name resolves to when the connection is made
//! ([`Guard::resolve`], which the HTTP client asks in place of the system), so that
//! a name which changes in between leads nowhere. Redirects are not followed.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use url::{Host, Url};

use crate::address;

/// Longest address, in bytes.
pub const LONGEST_URL: usize = 2_048;

/// Why an address is not sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not read.
    #[error(
        "must be a whole address of at most {LONGEST_URL} bytes, such as https://example.com/webhooks"
    )]
    Unreadable,
    /// It is not encrypted.
    #[error("must begin with https://")]
    NotHttps,
    /// It holds what belongs elsewhere.
    #[error("must hold neither a user's name and password nor a fragment")]
    Superfluous,
    /// Its port is not one of those allowed.
    #[error("has port {0}, which webhooks are not sent to")]
    Port(u16),
    /// Its name is not known.
    #[error("has a name that does not resolve")]
    Unresolved,
    /// It leads into a network that is not the open internet. Which address it
    /// resolves to is not said: that would map a network for whoever asks.
    #[error("leads to an address that is not on the open internet")]
    Closed,
}

/// Resolves names: the system's resolver, or another in tests.
pub trait Names: Send + Sync {
    /// The addresses of a name.
    fn look_up(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's resolver.
struct SystemNames;

impl Names for SystemNames {
    fn look_up(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        }
        .boxed()
    }
}

/// An address that the guard has read. Prints without its query, which may hold
/// what the partner knows its callers by.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl(Url);

impl EndpointUrl {
    /// The whole address.
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// Its whole text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.clone();
        shown.set_query(None);
        f.write_str(shown.as_str())
    }
}

/// Judges where webhooks may go. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    ports: Vec<u16>,
    /// For development: http, any port, and the machine itself.
    loopback: bool,
    names: Arc<dyn Names>,
}

impl Guard {
    /// Allows https to these ports on the open internet; with `loopback` also http,
    /// any port, and the machine itself.
    pub fn new(ports: Vec<u16>, loopback: bool) -> Self {
        Self::with_names(ports, loopback, Arc::new(SystemNames))
    }

    /// The same with a resolver of one's own.
    pub fn with_names(ports: Vec<u16>, loopback: bool, names: Arc<dyn Names>) -> Self {
        Self {
            ports,
            loopback,
            names,
        }
    }

    /// Whether only https is allowed.
    pub const fn is_https_only(&self) -> bool {
        !self.loopback
    }

    /// Reads an address, and judges what its text tells: scheme, port, and an IP
    /// address in place of a name, in whichever notation.
    pub fn read(&self, text: &str) -> Result<EndpointUrl, Refusal> {
        if text.len() > LONGEST_URL {
            return Err(Refusal::Unreadable);
        }
        let url = Url::parse(text).map_err(|_| Refusal::Unreadable)?;
        match url.scheme() {
            "https" => {}
            "http" if self.loopback => {}
            _ => return Err(Refusal::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(Refusal::Superfluous);
        }
        let port = url.port_or_known_default().ok_or(Refusal::Unreadable)?;
        if !self.loopback && !self.ports.contains(&port) {
            return Err(Refusal::Port(port));
        }
        let literal = match url.host().ok_or(Refusal::Unreadable)? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        if literal.is_some_and(|address| !self.permits(address)) {
            return Err(Refusal::Closed);
        }
        Ok(EndpointUrl(url))
    }

    /// Judges what its name resolves to now.
    pub async fn check(&self, url: &EndpointUrl) -> Result<(), Refusal> {
        match url.url().host() {
            Some(Host::Domain(name)) => self.resolve(name).await.map(|_| ()),
            // Judged when it was read.
            _ => Ok(()),
        }
    }

    /// The addresses of a name, all of which may be connected to. One that may not
    /// refuses the name: which of them is tried is not ours to choose.
    pub async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, Refusal> {
        let found = self.names.look_up(name).await;
        let found = found.map_err(|_| Refusal::Unresolved)?;
        if found.is_empty() {
            return Err(Refusal::Unresolved);
        }
        if found.iter().all(|address| self.permits(*address)) {
            Ok(found)
        } else {
            Err(Refusal::Closed)
        }
    }

    fn permits(&self, address: IpAddr) -> bool {
        address::is_open(address) || (self.loopback && address.is_loopback())
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("ports", &self.ports)
            .field("loopback", &self.loopback)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers each look-up with the next of its lists.
    struct Changing(Mutex<Vec<Vec<IpAddr>>>);

    impl Names for Changing {
        fn look_up(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let next = self.0.lock().unwrap().remove(0);
            async move { Ok(next) }.boxed()
        }
    }

    fn guard(answers: &[&[&str]]) -> Guard {
        let read = |list: &&[&str]| list.iter().map(|it| it.parse().unwrap()).collect();
        let answers = answers.iter().map(read).collect();
        let names = Arc::new(Changing(Mutex::new(answers)));
        Guard::with_names(vec![443, 8_443], false, names)
    }

    #[test]
    fn https_on_the_ports_that_are_allowed_is_read() {
        let guard = guard(&[]);
        for text in [
            "https://partner.example/hooks?key=1",
            "https://partner.example:8443/",
            "https://93.184.215.14/",
            "https://[2606:4700:4700::1111]/",
        ] {
            assert_eq!(guard.read(text).map(|_| ()), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_must_not_be_sent_to_is_refused_by_its_text() {
        let guard = guard(&[]);
        for (text, refusal) in [
            ("partner.example", Refusal::Unreadable),
            ("https://", Refusal::Unreadable),
            ("http://partner.example/", Refusal::NotHttps),
            ("file:///etc/passwd", Refusal::NotHttps),
            ("gopher://partner.example/", Refusal::NotHttps),
            ("https://me:secret@partner.example/", Refusal::Superfluous),
            ("https://partner.example/#here", Refusal::Superfluous),
            ("https://partner.example:22/", Refusal::Port(22)),
            ("https://127.0.0.1/", Refusal::Closed),
            // The same in other notations.
            ("https://2130706433/", Refusal::Closed),
            ("https://0x7f.1/", Refusal::Closed),
            ("https://0177.0.0.1/", Refusal::Closed),
            ("https://127.1/", Refusal::Closed),
            ("https://[::1]/", Refusal::Closed),
            ("https://[::ffff:10.0.0.1]/", Refusal::Closed),
            ("https://[64:ff9b::7f00:1]/", Refusal::Closed),
            ("https://169.254.169.254/latest/meta-data/", Refusal::Closed),
        ] {
            assert_eq!(guard.read(text).map(|_| ()), Err(refusal), "{text}");
        }
        let long = format!("https://partner.example/{}", "a".repeat(LONGEST_URL));
        assert_eq!(guard.read(&long), Err(Refusal::Unreadable));
    }

    #[tokio::test]
    async fn a_name_that_leads_to_both_sides_is_refused() {
        let guard = guard(&[&["93.184.215.14", "10.0.0.1"], &[]]);
        let url = guard.read("https://partner.example/").unwrap();
        assert_eq!(guard.check(&url).await, Err(Refusal::Closed));
        assert_eq!(guard.check(&url).await, Err(Refusal::Unresolved));
    }

    #[tokio::test]
    async fn a_name_that_changes_after_it_was_saved_is_refused_when_it_is_connected_to() {
        let guard = guard(&[&["93.184.215.14"], &["127.0.0.1"]]);
        let url = guard.read("https://partner.example/").unwrap();
        assert_eq!(guard.check(&url).await, Ok(()));
        let connecting = guard.resolve("partner.example").await;
        assert_eq!(connecting, Err(Refusal::Closed));
    }

    #[tokio::test]
    async fn in_development_the_machine_itself_may_be_sent_to_and_its_network_may_not() {
        let guard = Guard::new(vec![443], true);
        let url = guard.read("http://localhost:8099/hooks").unwrap();
        assert_eq!(guard.check(&url).await, Ok(()));
        assert!(guard.read("http://127.0.0.1:1/").is_ok());
        assert_eq!(
            guard.read("http://192.168.0.1/").unwrap_err(),
            Refusal::Closed
        );
        assert_eq!(
            guard.read("http://169.254.169.254/").unwrap_err(),
            Refusal::Closed
        );
    }

    #[test]
    fn an_address_prints_without_its_query() {
        let url = guard(&[]).read("https://partner.example/h?token=hush");
        assert_eq!(format!("{:?}", url.unwrap()), "https://partner.example/h");
    }
}
