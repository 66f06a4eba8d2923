//! The binary, as operators run it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use serde_json::{Value, json};
use testkit::{PgBouncer, PgBouncerEdition, PgBouncerOptions, TestDatabase, TestRedis, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Machine {
    pub(crate) database: TestDatabase,
    redis: TestRedis,
    folder: tempfile::TempDir,
}

impl Machine {
    pub(crate) async fn new() -> Self {
        runtime::tls::install_ring();
        let (database, redis) = tokio::join!(TestDatabase::create_empty(), TestRedis::create());
        let folder = tempfile::tempdir().unwrap();
        Self {
            database,
            redis,
            folder,
        }
    }

    pub(crate) fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    pub(crate) fn api(&self, arguments: &[&str]) -> Command {
        let database_url = match arguments {
            // Wants a session of its own.
            ["migrate"] => self.database.direct_url(),
            _ => self.database.plain_url(),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        command
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", database_url)
            .env("REDIS_URL", self.redis.url())
            .env("TINKO__LISTEN", "127.0.0.1:0")
            .env("TINKO__ADMIN_LISTEN", "127.0.0.1:0")
            .env("TINKO__PUBLIC_BASE_URL", "http://127.0.0.1:1")
            .env(
                "TINKO__MASTER_KEY",
                format!("k1:{}", STANDARD.encode([3; 32])),
            )
            .env("TINKO__LINK_KEY", STANDARD.encode([7; 32]))
            .env("TINKO__HTTP_WORKERS", "1")
            .env("TINKO__READY_FILE", self.ready_file())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs to the end; what it printed.
    pub(crate) async fn ran(&self, arguments: &[&str]) -> String {
        let output = self.api(arguments).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) async fn seed(&self) -> Value {
        let wanted = json!({ "organization": { "name": "Shop", "slug": "shop" } });
        let mut child = self.api(&["seed"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin
            .write_all(wanted.to_string().as_bytes())
            .await
            .unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The addresses that a started process wrote down.
pub(crate) async fn addresses(file: &Path) -> (String, String) {
    let text = eventually(SOON, async || std::fs::read_to_string(file).ok()).await;
    let ready: Value = serde_json::from_str(&text).unwrap();
    let address = |name: &str| format!("http://{}", ready["addresses"][name].as_str().unwrap());
    (address("http"), address("admin"))
}

pub(crate) async fn terminate(child: &mut Child) -> Option<i32> {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(SOON, child.wait()).await;
    ended.unwrap().unwrap().code()
}

#[tokio::test]
async fn it_migrates_seeds_serves_and_ends_in_order() {
    let machine = Machine::new().await;
    let unready = machine.api(&["--check"]).output().await.unwrap();
    assert!(!unready.status.success());
    let said = String::from_utf8_lossy(&unready.stderr).into_owned();
    assert!(said.contains("run `api migrate`"), "{said}");

    assert!(machine.ran(&["migrate"]).await.contains("migration "));
    assert_eq!(
        machine.ran(&["migrate"]).await,
        "",
        "there is nothing left to do"
    );
    machine.ran(&["--check"]).await;
    let seeded = machine.seed().await;

    let mut child = machine.api(&[]).spawn().unwrap();
    let (http, admin) = addresses(&machine.ready_file()).await;
    let client = Client::new();
    let answer = client
        .get(format!("{http}/v1/recoveries"))
        .bearer_auth(seeded["api_key"].as_str().unwrap())
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let trace = answer.headers()["traceparent"].to_str().unwrap().to_owned();
    assert!(
        trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
        "{trace}"
    );
    assert!(
        !trace.contains("00f067aa0ba902b7"),
        "a span of its own: {trace}"
    );

    let page = client.get(format!("{http}/pay/unknown"));
    let page = page.header("traceparent", &trace).send().await.unwrap();
    let own = page.headers()["traceparent"].to_str().unwrap();
    assert!(
        !own.contains("4bf92f3577b34da6a3ce929d0e0e4736"),
        "a visitor chooses no trace: {own}"
    );

    let ready = client.get(format!("{admin}/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 200);
    let metrics = client.get(format!("{admin}/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let line = r#"http_server_request_duration_seconds_count{method="GET",route="/v1/recoveries",status="200"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
    assert_eq!(terminate(&mut child).await, Some(0));
}

#[tokio::test]
async fn what_it_prints_of_its_settings_holds_no_secret() {
    let machine = Machine::new().await;
    let mut command = machine.api(&["--print-settings"]);
    command.env("DATABASE_URL", "postgres://tinko:hush@127.0.0.1/tinko");
    let output = command.output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("TINKO__PUBLIC_BASE_URL"), "{printed}");
    for secret in ["hush", &STANDARD.encode([3; 32]), &STANDARD.encode([7; 32])] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_and_is_named() {
    let machine = Machine::new().await;
    for (name, value) in [
        ("TINKO__LINK_KEY", "short"),
        ("TINKO__MASTER_KEY", "k1:short"),
        ("TINKO__PUBLIC_BASE_URL", "nowhere"),
        ("TINKO__LISTEM", "127.0.0.1:1"),
    ] {
        let output = machine
            .api(&["--check"])
            .env(name, value)
            .output()
            .await
            .unwrap();
        assert!(!output.status.success(), "{name}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(name), "{name}: {said}");
    }
}

/// The api ends at once behind that pooler, and names `DATABASE_URL` and these.
async fn refuses(
    machine: &Machine,
    arguments: &[&str],
    pooler: &PgBouncer,
    named: [&str; 2],
    options: &PgBouncerOptions,
) {
    let mut command = machine.api(arguments);
    command.env("DATABASE_URL", machine.database.plain_url_through(pooler));
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{options:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for named in ["DATABASE_URL"].into_iter().chain(named) {
        assert!(said.contains(named), "{options:?}: {said}");
    }
}

/// One of a service's first acts is to look what stands before Postgres.
#[tokio::test]
async fn a_pooler_that_mixes_up_prepared_statements_stops_the_start_and_is_told_how_to_mend() {
    let machine = Machine::new().await;
    machine.ran(&["migrate"]).await;
    let turned_off = PgBouncerOptions {
        prepared_statements: 0,
        ..PgBouncerOptions::default()
    };
    let too_old = PgBouncerOptions {
        edition: PgBouncerEdition::Debian12,
        ..PgBouncerOptions::default()
    };
    for options in [turned_off, too_old] {
        let pooler = testkit::pooler(options).await;
        let named = ["1.21 or newer", "max_prepared_statements above 0"];
        for arguments in [&["--check"][..], &[]] {
            refuses(&machine, arguments, &pooler, named, &options).await;
        }
    }
    let pooler = testkit::pooler(PgBouncerOptions::default()).await;
    let mut command = machine.api(&["--check"]);
    command.env("DATABASE_URL", machine.database.plain_url_through(&pooler));
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Its lock lives in a session, which such a pooler lends to others.
#[tokio::test]
async fn migrating_through_a_pooler_is_refused_and_told_how_else() {
    let machine = Machine::new().await;
    let turned_off = PgBouncerOptions {
        prepared_statements: 0,
        ..PgBouncerOptions::default()
    };
    for options in [PgBouncerOptions::default(), turned_off] {
        let pooler = testkit::pooler(options).await;
        let named = ["Postgres itself", "migrations.databaseUrlKey"];
        refuses(&machine, &["migrate"], &pooler, named, &options).await;
        let left = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let row = machine.database.connect().await.query_one(left, &[]).await;
        assert_eq!(row.unwrap().get::<_, i64>(0), 0, "{options:?}");
    }
    machine.ran(&["migrate"]).await;
}

/// One request on a connection that is kept; the head of its answer.
async fn asked(connection: &mut TcpStream) -> String {
    let request = b"GET /v1/recoveries HTTP/1.1\r\nHost: api\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap();
    let length = length.split_once("\r\n").unwrap().0.parse().unwrap();
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.unwrap();
    head
}

#[tokio::test]
async fn a_process_that_ends_closes_kept_connections_by_an_answer() {
    let machine = Machine::new().await;
    machine.ran(&["migrate"]).await;
    let mut child = machine.api(&[]).spawn().unwrap();
    let (http, _) = addresses(&machine.ready_file()).await;
    let address = http.trim_start_matches("http://");
    let mut kept = TcpStream::connect(address).await.unwrap();
    assert!(!asked(&mut kept).await.contains("connection: close"));

    let pid = i32::try_from(child.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGTERM).unwrap();
    // It is told so, and never finds the connection closed under a question.
    let told = async { while !asked(&mut kept).await.contains("connection: close") {} };
    timeout(SOON, told).await.unwrap();
    assert_eq!(kept.read(&mut [0]).await.unwrap(), 0, "it is closed");
    let ended = timeout(SOON, child.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(0));
}
