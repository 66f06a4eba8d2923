//! The private servers: they start, keep their data, and end with their holder.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use devstack::servers::{
    Durability, PgBouncer, PgBouncerEdition, PgBouncerOptions, Postgres, PostgresOptions, RabbitMq,
    Redis, RedisOptions, free_port,
};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_postgres::NoTls;

const FAST: PostgresOptions = PostgresOptions {
    durability: Durability::Fast,
    port: None,
    max_connections: 20,
};

/// A folder that other accounts may pass through, as a repository's usually is.
fn folder() -> TempDir {
    tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o711))
        .tempdir()
        .unwrap()
}

async fn query(postgres: &Postgres, sql: &str) -> String {
    query_at(&postgres.maintenance_url(), sql).await
}

async fn query_at(url: &str, sql: &str) -> String {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let rows = client.simple_query(sql).await.unwrap();
    let value = rows.iter().find_map(|row| match row {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    value.unwrap_or_default()
}

async fn redis(port: u16, command: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream
        .write_all(format!("{command}\r\n").as_bytes())
        .await
        .unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).await.unwrap();
    if line.starts_with('$') && !line.starts_with("$-1") {
        line.clear();
        reader.read_line(&mut line).await.unwrap();
    }
    line.trim().to_owned()
}

async fn until_refused(port: u16) {
    let refused = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), refused)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_second_start_keeps_what_postgres_was_told() {
    let folder = folder();
    let path = folder.path().join("postgres");
    let first = Postgres::start(&path, FAST).await.unwrap();
    query(
        &first,
        "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)",
    )
    .await;
    first.stop().await;

    let second = Postgres::start(&path, FAST).await.unwrap();
    assert_eq!(query(&second, "SELECT n FROM kept").await, "42");
}

#[tokio::test]
async fn postgres_comes_back_after_its_whole_process_group_was_killed() {
    let folder = folder();
    let path = folder.path().join("postgres");
    let options = PostgresOptions {
        durability: Durability::Full,
        ..FAST
    };
    let mut killed = Postgres::start(&path, options).await.unwrap();
    query(
        &killed,
        "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)",
    )
    .await;
    killed.child().kill9().await;
    assert!(path.join("data/postmaster.pid").exists());

    let again = Postgres::start(&path, options).await.unwrap();
    assert_eq!(query(&again, "SELECT n FROM kept").await, "42");
}

#[tokio::test]
async fn durable_is_what_postgres_is_unless_told_otherwise() {
    let folder = folder();
    let options = PostgresOptions {
        durability: Durability::Full,
        ..FAST
    };
    let durable = Postgres::start(&folder.path().join("full"), options)
        .await
        .unwrap();
    assert_eq!(query(&durable, "SHOW fsync").await, "on");
    let fast = Postgres::start(&folder.path().join("fast"), FAST)
        .await
        .unwrap();
    assert_eq!(query(&fast, "SHOW fsync").await, "off");
}

#[tokio::test]
async fn a_database_is_made_once() {
    let postgres = Postgres::temporary(FAST).await.unwrap();
    postgres.ensure_database("tinko \"dev\"").await.unwrap();
    postgres.ensure_database("tinko \"dev\"").await.unwrap();
    let found = query(
        &postgres,
        "SELECT count(*) FROM pg_database WHERE datname = 'tinko \"dev\"'",
    );
    assert_eq!(found.await, "1");
}

#[tokio::test]
async fn a_port_in_use_is_said_and_not_waited_for() {
    let first = Postgres::temporary(FAST).await.unwrap();
    let options = PostgresOptions {
        port: Some(first.port()),
        ..FAST
    };
    let error = Postgres::temporary(options).await.unwrap_err().to_string();
    assert!(error.contains("Address already in use"), "{error}");
}

/// In a session, or in a transaction, the answer would stay the same.
#[tokio::test]
async fn pgbouncer_gives_a_connection_back_after_each_transaction() {
    let postgres = Postgres::temporary(FAST).await.unwrap();
    let options = PgBouncerOptions {
        pool_size: 1,
        ..Default::default()
    };
    let pooler = PgBouncer::temporary(&postgres.maintenance_url(), options)
        .await
        .unwrap();
    let url = pooler.url("postgres");
    let first = query_at(&url, "SELECT pg_backend_pid()");
    let second = query_at(&url, "SELECT pg_backend_pid()");
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first, second);
    assert_ne!(first, query(&postgres, "SELECT pg_backend_pid()").await);
}

#[tokio::test]
async fn pgbouncer_is_the_edition_that_was_asked_for_and_comes_back_on_its_port() {
    let folder = folder();
    let postgres = Postgres::temporary(FAST).await.unwrap();
    for (edition, version) in [
        (PgBouncerEdition::Current, "PgBouncer 1.24"),
        (PgBouncerEdition::Debian12, "PgBouncer 1.18"),
    ] {
        let options = PgBouncerOptions {
            edition,
            ..Default::default()
        };
        let path = folder.path().join(format!("{edition:?}"));
        let mut killed = PgBouncer::start(&path, &postgres.maintenance_url(), options)
            .await
            .unwrap();
        let port = Some(killed.port());
        killed.child().kill9().await;

        let options = PgBouncerOptions { port, ..options };
        let again = PgBouncer::start(&path, &postgres.maintenance_url(), options)
            .await
            .unwrap();
        let said = query_at(&again.console_url(), "SHOW VERSION").await;
        assert!(said.starts_with(version), "{said}");
        again.stop().await;
    }
}

#[tokio::test]
async fn redis_keeps_its_entries_when_asked_to() {
    let folder = folder();
    let path = folder.path().join("redis");
    let options = RedisOptions {
        append_only: true,
        port: None,
    };
    let first = Redis::start(&path, options).await.unwrap();
    assert_eq!(redis(first.port(), "SET kept 42").await, "+OK");
    first.stop().await;

    let second = Redis::start(&path, options).await.unwrap();
    assert_eq!(redis(second.port(), "GET kept").await, "42");
}

#[tokio::test]
async fn dropping_a_server_stops_it_and_removes_what_was_temporary() {
    let redis = Redis::temporary().await.unwrap();
    let postgres = Postgres::temporary(FAST).await.unwrap();
    let ports = [redis.port(), postgres.port()];
    let data = query(&postgres, "SHOW data_directory").await;
    assert!(std::path::Path::new(&data).exists());
    drop((redis, postgres));
    for port in ports {
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    }
    assert!(!std::path::Path::new(&data).exists());
}

/// The holder is `tinko-dev servers run`, killed with no chance to stop anything.
#[tokio::test]
async fn servers_end_when_their_holder_is_killed() {
    let mut holder = tokio::process::Command::new(env!("CARGO_BIN_EXE_tinko-dev"))
        .args(["servers", "run", "--", "/bin/sh", "-c"])
        .arg(r#"echo "$TINKO_TEST_DATABASE_URL $TINKO_TEST_REDIS_URL"; exec cat"#)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut stdout = BufReader::new(holder.stdout.take().unwrap());
    stdout.read_line(&mut said).await.unwrap();
    let ports: Vec<u16> = said
        .split_whitespace()
        .map(|url| {
            url.rsplit(':')
                .next()
                .unwrap()
                .split('/')
                .next()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    for port in &ports {
        TcpStream::connect(("127.0.0.1", *port)).await.unwrap();
    }

    holder.kill().await.unwrap();
    for port in ports {
        until_refused(port).await;
    }
    // The command itself is not a server: its input closes with the test.
    drop(holder.stdin.take());
    stdout.read_to_string(&mut said).await.unwrap();
}

#[test]
fn free_ports_can_be_listened_on() {
    let port = free_port();
    assert!(port >= 1024);
    std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[tokio::test]
#[ignore = "minutes: ./scripts/test --all"]
async fn rabbitmq_starts_beside_others_and_keeps_its_node() {
    let folder = folder();
    let path = folder.path().join("rabbitmq");
    let temporary = RabbitMq::temporary();
    let kept = RabbitMq::start(&path, None);
    let (temporary, kept) = tokio::try_join!(temporary, kept).unwrap();
    assert_ne!(temporary.url(), kept.url());
    kept.stop().await;
    RabbitMq::start(&path, None).await.unwrap().stop().await;
}
