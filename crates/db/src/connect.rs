//! Connecting to Postgres, with TLS as the address asks for it.
//!
//! `DATABASE_URL` says it in libpq's words
//! (<https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>):
//!
//! | `sslmode` | encrypted | certificate | its name |
//! |---|---|---|---|
//! | none, `disable` | no | | |
//! | `prefer` | if Postgres can | not looked at | |
//! | `require` | yes | not looked at; with `sslrootcert` as `verify-ca` | |
//! | `verify-ca` | yes | of a trusted authority | not looked at |
//! | `verify-full` | yes | of a trusted authority | the host's |
//!
//! Trusted are the authorities of the PEM file that `sslrootcert` names, which is read
//! for each connection, or the system's. TLS is rustls over ring, as everywhere in Tinko.

use std::path::PathBuf;
use std::sync::Arc;

use diesel::result::ConnectionError;
use diesel_async::AsyncPgConnection;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::config::{Config, SslMode};
use tokio_postgres::{NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Conn, DbError};

/// Why there is no connection.
pub(crate) enum ConnectError {
    /// Postgres was reached, and its first statements failed.
    Setup(diesel::result::Error),
    /// It was not reached.
    Failed(DbError),
}

impl From<ConnectError> for DbError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Setup(error) => error.into(),
            ConnectError::Failed(error) => error,
        }
    }
}

/// A new connection.
pub(crate) async fn connect(database_url: &SecretString) -> Result<Conn, ConnectError> {
    let address = Address::read(database_url.expose_secret()).map_err(ConnectError::Failed)?;
    let Some(tls) = address.tls().map_err(ConnectError::Failed)? else {
        let (client, connection) = address
            .config
            .connect(NoTls)
            .await
            .map_err(|error| failed(&error))?;
        return set_up(client, connection).await;
    };
    let (client, connection) = address
        .config
        .connect(tls)
        .await
        .map_err(|error| failed(&error))?;
    set_up(client, connection).await
}

async fn set_up<S>(
    client: tokio_postgres::Client,
    connection: tokio_postgres::Connection<Socket, S>,
) -> Result<Conn, ConnectError>
where
    S: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    let conn = AsyncPgConnection::try_from_client_and_connection(client, connection).await;
    conn.map_err(|error| match error {
        ConnectionError::CouldntSetupConfiguration(error) => ConnectError::Setup(error),
        error => ConnectError::Failed(DbError::Unavailable(error.to_string())),
    })
}

fn failed(error: &tokio_postgres::Error) -> ConnectError {
    let said = in_full(error);
    ConnectError::Failed(if is_distrust(error) {
        DbError::Untrusted(said)
    } else {
        DbError::Unavailable(said)
    })
}

/// An error with its causes, each of which may have been told by the one before.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = next.source();
    }
    said
}

/// Whether trying again is of no use before somebody mends the address, the file of
/// authorities, or Postgres.
fn is_distrust(error: &tokio_postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        // Of Postgres that answers that it has no TLS, the driver keeps only the words.
        if next.to_string() == "server does not support TLS" {
            return true;
        }
        let inner = next.downcast_ref::<std::io::Error>();
        let inner = inner.and_then(std::io::Error::get_ref);
        if inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) {
            return true;
        }
        cause = next.source();
    }
    false
}

/// What of a server's certificate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verify {
    Nothing,
    Authority,
    AuthorityAndName,
}

/// `DATABASE_URL`, read.
#[derive(Debug)]
struct Address {
    config: Config,
    verify: Verify,
    /// A PEM file; the system's authorities when there is none.
    authorities: Option<PathBuf>,
}

impl Address {
    /// The driver knows only some of libpq's words, so they are taken out before it reads the rest.
    fn read(url: &str) -> Result<Self, DbError> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut authorities) = (None, None);
        let mut others = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => authorities = Some(decoded(value)),
                _ => others.push(pair),
            }
        }
        let authorities = authorities.filter(|path| path != "system");
        let is_named = query.contains("sslrootcert=");
        let (ssl, verify) = match (mode, is_named) {
            (None, true) => {
                return Err(DbError::Address(
                    "sslrootcert without sslmode protects against nobody; add sslmode=verify-full"
                        .to_owned(),
                ));
            }
            (None | Some("disable"), _) => (SslMode::Disable, Verify::Nothing),
            (Some("prefer"), _) => (SslMode::Prefer, Verify::Nothing),
            (Some("require"), false) => (SslMode::Require, Verify::Nothing),
            (Some("require" | "verify-ca"), _) => (SslMode::Require, Verify::Authority),
            (Some("verify-full"), _) => (SslMode::Require, Verify::AuthorityAndName),
            (Some(other), _) => {
                return Err(DbError::Address(format!(
                    "sslmode={other} is not one of disable, prefer, require, verify-ca and verify-full"
                )));
            }
        };
        let mut plain = place.to_owned();
        if !others.is_empty() {
            plain = format!("{plain}?{}", others.join("&"));
        }
        let mut config: Config = plain
            .parse()
            .map_err(|error: tokio_postgres::Error| DbError::Address(in_full(&error)))?;
        // What the driver read where we did not look must not be undone below.
        if mode.is_none() && config.get_ssl_mode() == SslMode::Require {
            return Err(DbError::Address(
                "sslmode has to stand in an address of the form postgres://…?sslmode=…, in which a ? before it is written %3F"
                    .to_owned(),
            ));
        }
        config.ssl_mode(ssl);
        Ok(Self {
            config,
            verify,
            authorities: authorities.map(PathBuf::from),
        })
    }

    /// How to speak TLS, if it is to be spoken.
    fn tls(&self) -> Result<Option<MakeRustlsConnect>, DbError> {
        if self.config.get_ssl_mode() == SslMode::Disable {
            return Ok(None);
        }
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let lenient = |authority| {
            Arc::new(Lenient {
                authority,
                algorithms,
            })
        };
        let verifier: Arc<dyn ServerCertVerifier> = match self.verify {
            Verify::Nothing => lenient(None),
            Verify::Authority => lenient(Some(self.verifier(&provider)?)),
            Verify::AuthorityAndName => self.verifier(&provider)?,
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| DbError::Address(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Some(MakeRustlsConnect::new(config)))
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<WebPkiServerVerifier>, DbError> {
        let roots = Arc::new(self.roots()?);
        WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
            .build()
            .map_err(|error| DbError::Address(format!("its authorities are not usable: {error}")))
    }

    fn roots(&self) -> Result<RootCertStore, DbError> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.authorities else {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let trouble = "this system has no authorities; name a file with sslrootcert";
                return Err(DbError::Address(trouble.to_owned()));
            }
            return Ok(roots);
        };
        let unusable = |fault: String| {
            let path = path.display();
            DbError::Address(format!("sslrootcert={path} is not usable: {fault}"))
        };
        let read = CertificateDer::pem_file_iter(path).map_err(|it| unusable(it.to_string()))?;
        for certificate in read {
            let certificate = certificate.map_err(|it| unusable(it.to_string()))?;
            let added = roots.add(certificate);
            added.map_err(|it| unusable(it.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unusable("it holds no certificate in PEM".to_owned()));
        }
        Ok(roots)
    }
}

/// A query's value as it was meant.
fn decoded(value: &str) -> String {
    percent_encoding::percent_decode_str(value)
        .decode_utf8_lossy()
        .into_owned()
}

/// Looks at less than `verify-full` does: not at the name, and at the authority only where there
/// is one to ask. Signatures are looked at in any case.
#[derive(Debug)]
struct Lenient {
    /// `verify-ca`'s; `require` speaks to whoever answers, out of earshot of everybody else.
    authority: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        let judged = authority.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match judged {
            // Names are compared last.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Address {
        Address::read(&format!("postgres://u:p@db.example:5432/tinko{query}")).unwrap()
    }

    #[test]
    fn each_mode_asks_for_what_libpq_says_it_does() {
        for (query, mode, verify) in [
            ("", SslMode::Disable, Verify::Nothing),
            ("?sslmode=disable", SslMode::Disable, Verify::Nothing),
            ("?sslmode=prefer", SslMode::Prefer, Verify::Nothing),
            ("?sslmode=require", SslMode::Require, Verify::Nothing),
            (
                "?sslmode=require&sslrootcert=/ca.crt",
                SslMode::Require,
                Verify::Authority,
            ),
            ("?sslmode=verify-ca", SslMode::Require, Verify::Authority),
            (
                "?sslmode=verify-full&sslrootcert=system",
                SslMode::Require,
                Verify::AuthorityAndName,
            ),
        ] {
            let address = read(query);
            assert_eq!(address.config.get_ssl_mode(), mode, "{query}");
            assert_eq!(address.verify, verify, "{query}");
        }
    }

    #[test]
    fn what_the_driver_knows_is_left_to_it() {
        let address = read(
            "?application_name=tinko&sslmode=verify-full&sslrootcert=/a%20b.crt&connect_timeout=3",
        );
        assert_eq!(address.config.get_application_name(), Some("tinko"));
        assert_eq!(
            address
                .config
                .get_connect_timeout()
                .map(std::time::Duration::as_secs),
            Some(3)
        );
        assert_eq!(address.config.get_dbname(), Some("tinko"));
        assert_eq!(address.authorities, Some(PathBuf::from("/a b.crt")));
        assert_eq!(
            read("?sslmode=verify-ca&sslrootcert=system").authorities,
            None
        );
    }

    /// Speaking in the clear, when TLS was asked for in a way that is not ours, would be the worst answer.
    #[test]
    fn a_mode_that_the_driver_alone_finds_is_refused() {
        for url in [
            "host=db.example user=u sslmode=require",
            "postgres://u:p?x@db.example/tinko?sslmode=require",
        ] {
            let said = Address::read(url).unwrap_err().to_string();
            assert!(said.contains("postgres://…?sslmode="), "{url}: {said}");
        }
        let plain = Address::read("host=db.example user=u").unwrap();
        assert_eq!(plain.config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn what_protects_against_nobody_or_is_not_known_is_refused_by_name() {
        for (query, named) in [
            ("?sslrootcert=/ca.crt", "sslmode=verify-full"),
            ("?sslmode=allow", "sslmode=allow"),
            ("?sslmode=verify", "verify-full"),
            ("?sslcert=/mine.crt", "sslcert"),
        ] {
            let url = format!("postgres://u:hidden@db.example/tinko{query}");
            let said = Address::read(&url).unwrap_err().to_string();
            assert!(said.contains(named), "{query}: {said}");
            assert!(said.contains("DATABASE_URL"), "{said}");
            assert!(!said.contains("hidden"), "{said}");
        }
    }
}
