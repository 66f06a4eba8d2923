//! From a figure to a trace: a real Prometheus takes the services' pages with their exemplars.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use devstack::os::{Child, Output, Spawn, Stop};
use devstack::servers::{find_program, free_port};
use serde_json::{Value, json};
use testkit::eventually;
use testkit::otlp::{Receiver, Span};

use crate::stage::{PATIENCE, SERVICES, Stage};

/// When samples may be of.
const ALWAYS: [(&str, &str); 2] = [
    ("start", "2020-01-01T00:00:00Z"),
    ("end", "2100-01-01T00:00:00Z"),
];

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_slow_bucket_leads_to_a_trace_that_the_collector_has() {
    let receiver = Receiver::start().await;
    let steps = json!([{ "delay_seconds": 0, "action": "message" }]);
    let mut stage = Stage::start(receiver.endpoint(), &steps).await;
    let mut pages = Vec::new();
    for service in SERVICES {
        let process = stage.stack.process(service).unwrap();
        pages.push(process.ready().admin().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let (_prometheus, address) = prometheus(folder.path(), &pages);
    let failed = stage.fail_payment("exemplary").await;
    stage.messages(&failed, 1).await;

    for histogram in [
        "http_server_request_duration_seconds_bucket",
        "outgoing_request_duration_seconds_bucket",
    ] {
        let query = [("query", histogram)];
        let trace = eventually(PATIENCE, async || {
            let found = ask(address, "query_exemplars", &[&query[..], &ALWAYS].concat()).await?;
            let labels = &found[0]["exemplars"][0]["labels"];
            Some(labels["trace_id"].as_str()?.to_owned())
        })
        .await;
        let has = |spans: &[Span]| spans.iter().any(|it| it.trace_id == trace).then_some(());
        receiver.wait_for(PATIENCE, has).await;
    }
    eventually(PATIENCE, async || {
        let up = ask(address, "query", &[("query", "sum(up)")]).await;
        up.is_some_and(|up| up[0]["value"][1] == "3")
    })
    .await;
    stage.stack.stop().await;
}

/// Scrapes the pages each second. Dropping it stops it.
fn prometheus(folder: &Path, pages: &[SocketAddr]) -> (Child, SocketAddr) {
    let configuration = json!({
        "global": { "scrape_interval": "1s" },
        "scrape_configs": [{ "job_name": "tinko", "static_configs": [{ "targets": pages }] }],
    });
    let file = folder.join("prometheus.json");
    std::fs::write(&file, configuration.to_string()).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let program = find_program("prometheus", "/usr/bin").unwrap();
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .arg("--enable-feature=exemplar-storage")
        .arg("--log.level=warn");
    let spawn = Spawn {
        name: "prometheus".to_owned(),
        command,
        output: Output::to(folder.join("log")),
        stop: Stop::default(),
        pid_file: None,
        temporary: None,
    };
    (Child::spawn(spawn).unwrap(), address)
}

/// The data of an answer; none while Prometheus starts.
async fn ask(prometheus: SocketAddr, path: &str, query: &[(&str, &str)]) -> Option<Value> {
    let url = format!("http://{prometheus}/api/v1/{path}");
    let asked = reqwest::Client::new().get(url).query(query).send();
    let answer: Value = asked.await.ok()?.json().await.ok()?;
    let data = &answer["data"];
    Some(data.get("result").unwrap_or(data).clone())
}
