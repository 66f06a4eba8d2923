//! Postgres and Redis over TLS: whoever does not prove to be who was asked for is not spoken to.

use std::path::PathBuf;

use backbone::{Backbone, BackboneError, BackboneSettings};
use devstack::servers::Postgres;
use secrecy::SecretString;
use tempfile::TempDir;
use testkit::tls::{Authority, TlsRedis, postgres_with_tls, redis_with_tls};

use crate::stage::{Service, Stage};

/// Where the servers are.
const HERE: &str = "127.0.0.1";

/// An authority, and its certificate in a file.
struct Trust {
    authority: Authority,
    file: String,
    _folder: TempDir,
}

impl Trust {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        Self {
            file: authority.write_to(&folder),
            authority,
            _folder: folder,
        }
    }

    async fn postgres(&self, name: &str) -> Postgres {
        postgres_with_tls(&self.authority.certify(name)).await
    }

    async fn redis(&self) -> TlsRedis {
        redis_with_tls(&self.authority.certify(HERE)).await
    }
}

fn url(postgres: &Postgres, query: &str) -> SecretString {
    let plain = postgres.maintenance_url();
    SecretString::from(format!("{plain}?application_name=over-tls&{query}"))
}

/// All that an operator is shown.
fn refusal(refused: Result<Service, BackboneError>) -> String {
    let error = refused.err().expect("a start that is refused");
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        said = format!("{said}: {next}");
        cause = next.source();
    }
    said
}

/// Sessions that are encrypted.
async fn encrypted(postgres: &Postgres) -> i64 {
    let url = postgres.maintenance_url();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let sessions = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE ssl AND application_name = 'over-tls'";
    client.query_one(sessions, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_vouched_for_is_migrated_and_used_over_tls() {
    let (stage, trust) = (Stage::new().await, Trust::new());
    let postgres = trust.postgres(HERE).await;
    let full = url(
        &postgres,
        &format!("sslmode=verify-full&sslrootcert={}", trust.file),
    );
    assert!(!db::migrate(&full).await.unwrap().is_empty());
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = url(
            &postgres,
            &format!("sslmode={mode}&sslrootcert={}", trust.file),
        );
        let service = stage.connect(&url).await.unwrap();
        service.backbone.check().await.unwrap();
        assert!(encrypted(&postgres).await > 0, "{mode}");
    }
}

#[tokio::test]
async fn a_postgres_of_another_authority_is_refused_at_the_start_in_words() {
    let (stage, trust, other) = (Stage::new().await, Trust::new(), Trust::new());
    let postgres = trust.postgres(HERE).await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = url(
            &postgres,
            &format!("sslmode={mode}&sslrootcert={}", other.file),
        );
        let said = refusal(stage.connect(&url).await);
        for named in [
            "Postgres is not trusted",
            "invalid peer certificate",
            "sslrootcert",
        ] {
            assert!(said.contains(named), "{mode}: {said}");
        }
    }
    // Without a file, the system's authorities: none of them vouches for it either.
    let said = refusal(stage.connect(&url(&postgres, "sslmode=verify-full")).await);
    assert!(said.contains("DATABASE_URL"), "{said}");
    // Encrypted, to whomever: as it says.
    let anybody = stage.connect(&url(&postgres, "sslmode=require")).await;
    let held = anybody.unwrap().backbone.db.read().await.unwrap();
    assert!(encrypted(&postgres).await > 0);
    drop(held);
}

#[tokio::test]
async fn another_hosts_certificate_is_refused_where_the_name_was_asked_for() {
    let (stage, trust) = (Stage::new().await, Trust::new());
    let postgres = trust.postgres("db.example").await;
    let asking = |mode: &str| {
        url(
            &postgres,
            &format!("sslmode={mode}&sslrootcert={}", trust.file),
        )
    };
    stage.connect(&asking("verify-ca")).await.unwrap();
    let said = refusal(stage.connect(&asking("verify-full")).await);
    assert!(said.contains("not valid for name"), "{said}");
}

#[tokio::test]
async fn a_postgres_without_tls_is_refused_where_it_was_asked_for() {
    let stage = Stage::new().await;
    let url = format!("{}?sslmode=require", stage.database.direct_url());
    let said = refusal(stage.connect(&SecretString::from(url)).await);
    assert!(said.contains("does not support TLS"), "{said}");
}

#[tokio::test]
async fn an_authority_that_is_not_there_is_named() {
    let stage = Stage::new().await;
    let url = format!(
        "{}?sslmode=verify-full&sslrootcert=/nowhere/ca.crt",
        stage.database.direct_url()
    );
    let said = refusal(stage.connect(&SecretString::from(url)).await);
    assert!(said.contains("sslrootcert=/nowhere/ca.crt"), "{said}");
}

impl Stage {
    async fn over(&self, redis_url: &str, authority: &str) -> Result<Service, BackboneError> {
        let settings = BackboneSettings {
            redis_ca_file: Some(PathBuf::from(authority)),
            ..Self::settings(self.database.url(), redis_url)
        };
        self.connected(&settings).await
    }
}

#[tokio::test]
async fn a_redis_that_is_vouched_for_is_used_over_tls_and_no_other() {
    let (stage, trust, other) = (Stage::new().await, Trust::new(), Trust::new());
    let redis = trust.redis().await;
    let service = stage.over(&redis.url, &trust.file).await.unwrap();
    let Backbone { streams, .. } = &service.backbone;
    streams.ping().await.unwrap();

    let said = refusal(stage.over(&redis.url, &other.file).await);
    for named in [
        "Redis is not trusted",
        "invalid peer certificate",
        "TINKO__REDIS_CA_FILE",
    ] {
        assert!(said.contains(named), "{said}");
    }
    let said = refusal(stage.over(&redis.url, "/nowhere/ca.crt").await);
    assert!(
        said.contains("TINKO__REDIS_CA_FILE=/nowhere/ca.crt"),
        "{said}"
    );
    // An authority for what is spoken to in the clear would be of no use to anybody.
    let said = refusal(stage.over(stage.redis.url(), &trust.file).await);
    assert!(said.contains("rediss://"), "{said}");
}

#[tokio::test]
async fn a_redis_with_tls_that_is_away_keeps_no_service_from_starting() {
    let (stage, trust) = (Stage::new().await, Trust::new());
    let away = format!("rediss://{HERE}:{}/0", devstack::servers::free_port());
    let service = stage.over(&away, &trust.file).await.unwrap();
    assert!(service.backbone.check().await.is_err());
}
