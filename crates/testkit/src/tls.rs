//! Servers that speak TLS, under an authority that the test made up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use devstack::servers::{Durability, Postgres, PostgresOptions, Redis, free_port};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::database::connect;
use crate::eventually;

const SOON: std::time::Duration = std::time::Duration::from_secs(20);

/// An authority that nobody trusts but those who are given its certificate.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// What a server proves itself with, in PEM.
pub struct Certified {
    /// Its certificate.
    pub certificate: String,
    /// The key of it.
    pub key: String,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no name is a good name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let name = "An authority of a test";
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// Its certificate in a file of `folder`; the path.
    pub fn write_to(&self, folder: &TempDir) -> String {
        let path = folder.path().join("ca.crt");
        std::fs::write(&path, &self.certificate).expect("a written file");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Vouches for a server of that name or address.
    pub fn certify(&self, name: &str) -> Certified {
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a good name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certified {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// A Postgres of the caller's own that speaks TLS, and without it too.
pub async fn postgres_with_tls(certified: &Certified) -> Postgres {
    let options = PostgresOptions {
        durability: Durability::Fast,
        ..Default::default()
    };
    let postgres = Postgres::temporary(options).await.expect("a Postgres");
    let client = connect(&postgres.maintenance_url()).await;
    for (name, pem) in [
        ("server.crt", &certified.certificate),
        ("server.key", &certified.key),
    ] {
        // By the server's own account, in its own folder. It refuses a key that others can read.
        let write = format!(
            "COPY (SELECT unnest(string_to_array('{}', E'\\n'))) TO PROGRAM 'umask 077; cat > {name}'",
            pem.trim()
        );
        client.batch_execute(&write).await.expect("a written file");
    }
    for step in ["ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"] {
        client.batch_execute(step).await.expect("a setting");
    }
    eventually(SOON, async || {
        let row = client.query_one("SHOW ssl", &[]).await;
        row.expect("a setting").get::<_, String>(0) == "on"
    })
    .await;
    postgres
}

/// A Redis that speaks TLS.
pub struct TlsRedis {
    /// `rediss://127.0.0.1:PORT/0`.
    pub url: String,
    _redis: Redis,
    _files: TempDir,
}

/// A Redis of the caller's own that speaks TLS.
pub async fn redis_with_tls(certified: &Certified) -> TlsRedis {
    let files = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, pem: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, pem).expect("a written file");
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    let certificate = write("server.crt", &certified.certificate);
    let key = write("server.key", &certified.key);
    let port = free_port();
    let running = Redis::temporary().await.expect("a Redis");
    let client = redis::Client::open(running.url()).expect("an address");
    let mut conn = client
        .get_multiplexed_async_connection()
        .await
        .expect("a running Redis");
    let mut set = redis::cmd("CONFIG");
    set.arg("SET")
        .arg(&["tls-cert-file", &certificate, "tls-key-file", &key])
        .arg(&["tls-ca-cert-file", &certificate, "tls-auth-clients", "no"])
        .arg("tls-port")
        .arg(port);
    let () = set.query_async(&mut conn).await.expect("a setting");
    TlsRedis {
        url: format!("rediss://127.0.0.1:{port}/0"),
        _redis: running,
        _files: files,
    }
}

/// What speaks TLS before a server that does not.
pub struct Front {
    /// Where it listens on the loopback address.
    pub port: u16,
    refused: Arc<AtomicUsize>,
}

impl Front {
    /// How many clients broke off, since they do not trust it.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Speaks TLS before the server at `upstream`, for as long as the test's run-time.
pub async fn front(certified: &Certified, upstream: String) -> Front {
    let certificate = CertificateDer::from_pem_slice(certified.certificate.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(certified.key.as_bytes());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions that ring has")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.expect("a certificate")],
            key.expect("a key"),
        );
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("a key of the certificate")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refused);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let Ok(mut near) = acceptor.accept(stream).await else {
                    counted.fetch_add(1, Ordering::Relaxed);
                    return;
                };
                let mut far = TcpStream::connect(upstream).await.expect("the server");
                // Ends with whichever side ends.
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    Front { port, refused }
}
