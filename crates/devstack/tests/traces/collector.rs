//! The collector dies, comes back, falls silent: every failure still becomes a mail, no service
//! waits, and what is lost is counted.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use testkit::eventually;
use testkit::otlp::{Counter, Silence};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::stage::{PATIENCE, SERVICES, Stage};

/// Failures at a time.
const SOME: usize = 12;
/// How long a service waits for the collector to take a batch. Work that takes less has not waited.
const EXPORT_LIMIT: Duration = Duration::from_secs(10);
/// More spans than the queue has room for (8,192), with a batch on its way.
const MORE_THAN_FIT: usize = 9_500;
/// That the requests come over.
const CONNECTIONS: usize = 4;

#[tokio::test]
async fn a_collector_that_is_dead_or_silent_stops_nothing_and_what_it_costs_is_counted() {
    let collector = Counter::start().await;
    let address = collector.address();
    let steps = json!([{ "delay_seconds": 0, "action": "message" }]);
    let mut stage = Stage::start(collector.endpoint(), &steps).await;
    all_is_done(&stage, "alive").await;
    counted(&mut stage, "exported").await;
    let before = collector.spans();
    assert!(before > 0);

    drop(collector);
    all_is_done(&stage, "dead").await;
    counted(&mut stage, "failed").await;

    let collector = Counter::at(address).await;
    all_is_done(&stage, "back").await;
    eventually(PATIENCE, async || collector.spans() > 0).await;

    drop(collector);
    let silence = Silence::at(address).await;
    all_is_done(&stage, "silent").await;
    a_full_queue_drops(&mut stage).await;
    all_is_done(&stage, "full").await;
    stops_in_time(stage).await;
    drop(silence);
}

/// Every failure becomes a mail, and none takes as long as a service would wait for the collector.
async fn all_is_done(stage: &Stage, when: &str) {
    let one = async |number: usize| {
        let began = Instant::now();
        let failed = stage.fail_payment(&format!("{when}-{number}")).await;
        stage.messages(&failed, 1).await;
        began.elapsed()
    };
    let slowest = join_all((0..SOME).map(one))
        .await
        .into_iter()
        .max()
        .unwrap();
    assert!(slowest < EXPORT_LIMIT, "{when}: {slowest:?}");
}

/// Each service comes to count spans of this outcome.
async fn counted(stage: &mut Stage, outcome: &str) {
    for service in SERVICES {
        let begun = Instant::now();
        while stage.spans(service, outcome).await == 0 {
            assert!(begun.elapsed() < PATIENCE, "{service}: none {outcome}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A request to the api is a span. Those that the queue has no room for are dropped, so that what
/// the process holds is bounded.
async fn a_full_queue_drops(stage: &mut Stage) {
    let api = stage.stack.process("api").unwrap();
    let address = api.ready().address("http").unwrap();
    let answered = join_all((0..CONNECTIONS).map(|_| ask(address))).await;
    let answered: usize = answered.into_iter().sum();
    assert!(answered >= MORE_THAN_FIT, "{answered}");
    assert!(stage.spans("api", "dropped").await > 0);
}

/// Requests for a page that is not there, one after the other without waiting for answers. A client
/// as it should be would cost more than the service that is asked.
async fn ask(address: SocketAddr) -> usize {
    let (mut answers, mut requests) = TcpStream::connect(address).await.unwrap().into_split();
    let request = b"GET /nothing HTTP/1.1\r\nhost: api\r\n\r\n";
    let last = b"GET /nothing HTTP/1.1\r\nhost: api\r\nconnection: close\r\n\r\n";
    let all = [request.repeat(MORE_THAN_FIT / CONNECTIONS), last.to_vec()].concat();
    let asking = tokio::spawn(async move { requests.write_all(&all).await });
    let mut answered = Vec::new();
    answers.read_to_end(&mut answered).await.unwrap();
    asking.await.unwrap().unwrap();
    let answered = String::from_utf8(answered).unwrap();
    answered.matches("HTTP/1.1 404 ").count()
}

/// The last spans can't be sent; a process does not stay for them.
async fn stops_in_time(mut stage: Stage) {
    let stopping = SERVICES.map(|service| stage.stack.take(service).unwrap());
    let stopped = stopping.map(|mut process| async move {
        let status = process.terminate().await;
        assert!(status.success(), "{}: {status}", process.name());
    });
    join_all(stopped).await;
    stage.stack.stop().await;
}
