//! Over a bare socket: requests that no decent client sends.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::stage::Stage;

/// Longer than the server may take to give up on a client.
const PATIENCE: Duration = Duration::from_secs(40);

async fn connect(stage: &Stage) -> TcpStream {
    let address = stage.base.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// What comes until the server hangs up.
async fn heard(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        let mut chunk = [0; 4_096];
        // A connection that was reset has ended too.
        while let Ok(length @ 1..) = socket.read(&mut chunk).await {
            bytes.extend_from_slice(&chunk[..length]);
        }
    };
    timeout(PATIENCE, reading).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn said(stage: &Stage, request: &str) -> String {
    let mut socket = connect(stage).await;
    socket.write_all(request.as_bytes()).await.unwrap();
    heard(&mut socket).await
}

/// The status of each answer in what was heard.
fn statuses(heard: &str) -> Vec<&str> {
    let lines = heard.split("HTTP/1.1 ").skip(1);
    lines
        .map(|line| line.get(..3).unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn a_request_that_ends_in_two_places_is_refused_and_the_connection_closed() {
    let stage = Stage::new().await;
    let hidden = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: identity\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 0",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: -1",
        "Content-Length: 5\r\nTransfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \x0bchunked",
    ] {
        let request = format!(
            "POST /v1/auth/login HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\n0\r\n\r\n{hidden}"
        );
        let answer = said(&stage, &request).await;
        let statuses = statuses(&answer);
        assert_eq!(statuses.first(), Some(&"400"), "{lengths:?}: {answer}");
        assert!(
            !answer.contains("\"ok\":true"),
            "what was hidden is served: {lengths:?}: {answer}"
        );
    }
    // Either length alone is fine.
    for request in [
        format!(
            "POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{hidden}"
        ),
        format!("POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{{}}{hidden}"),
    ] {
        assert_eq!(
            statuses(&said(&stage, &request).await),
            ["422", "200"],
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_head_that_does_not_read_or_never_ends_is_not_taken_in() {
    let stage = Stage::new().await;
    let long = "x".repeat(300_000);
    for (what, head) in [
        (
            "a folded header",
            "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c: d\r\n\r\n".to_owned(),
        ),
        (
            "a header without a name",
            "GET /healthz HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n".to_owned(),
        ),
        (
            "a lone line feed in a value",
            "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\rc\r\n\r\n".to_owned(),
        ),
        (
            "a zero byte",
            "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: \0\r\n\r\n".to_owned(),
        ),
        (
            "two hosts",
            "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
        ),
        (
            "an endless header",
            format!("GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: {long}\r\n\r\n"),
        ),
        (
            "an endless path",
            format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"),
        ),
        (
            "a thousand headers",
            format!(
                "GET /healthz HTTP/1.1\r\nHost: a\r\n{}\r\n",
                "X-A: b\r\n".repeat(1_000)
            ),
        ),
        ("no HTTP", "hello\r\n\r\n".to_owned()),
    ] {
        let mut socket = connect(&stage).await;
        // The server may hang up while it is still being written to.
        let _ = socket.write_all(head.as_bytes()).await;
        let answer = heard(&mut socket).await;
        assert!(!answer.contains("200 OK"), "{what}: {answer}");
    }
    assert_eq!(stage.browse("/healthz").await.status, 200, "it serves on");
}

#[tokio::test]
async fn a_client_that_sends_its_head_drop_by_drop_is_cut_off() {
    let stage = Stage::new().await;
    let mut socket = connect(&stage).await;
    let begun = Instant::now();
    socket
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        .await
        .unwrap();
    let (mut reading, mut writing) = socket.split();
    let mut answer = String::new();
    let dripping = async {
        // A slow client is what is tried: its pace is the point, not a wait for something.
        while writing.write_all(b"X-A: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = dripping => {}
        ended = timeout(PATIENCE, reading.read_to_string(&mut answer)) => {
            let _reset_counts_too = ended.unwrap();
        }
    }
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    assert!(
        begun.elapsed() >= Duration::from_secs(5),
        "not at once: {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_client_that_sends_its_body_drop_by_drop_is_given_up() {
    let more = [
        ("TINKO__REQUEST_TIMEOUT_MS", "2000"),
        ("TINKO__RECON_WAIT_MS", "500"),
    ];
    let stage = Stage::with(&more).await;
    let mut socket = connect(&stage).await;
    let head = "POST /v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n{";
    socket.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = socket.split();
    let mut answer = String::new();
    let dripping = async {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = dripping => {}
        ended = timeout(PATIENCE, reading.read_to_string(&mut answer)) => {
            let _reset_counts_too = ended.unwrap();
        }
    }
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
}

#[tokio::test]
async fn a_path_leads_nowhere_but_to_a_route() {
    let stage = Stage::new().await;
    for path in [
        "/assets/../../../../etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/docs/../../../../etc/passwd",
        "/docs/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/docs/..\\..\\etc\\passwd",
        "/docs//etc/passwd",
        "//evil.example/%2e%2e",
        "//evil.example",
        "/\\evil.example",
        "http://evil.example/healthz/../x",
        "/pay/..%2fv1%2frecoveries",
        "/v1/recoveries/..%2f..%2fmaintenance",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = said(&stage, &request).await;
        assert!(
            ["404", "401", "400"].contains(&statuses(&answer)[0]),
            "{path}: {answer}"
        );
        assert!(!answer.contains("root:"), "{path}");
        assert!(
            !answer.to_lowercase().contains("\nlocation:"),
            "{path}: {answer}"
        );
    }
}
