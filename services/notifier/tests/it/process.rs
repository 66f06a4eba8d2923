//! The binary, as an orchestrator sees it.

use std::process::Stdio;
use std::time::Duration;

use domain::Channel;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use testkit::eventually;
use tokio::process::{Child, Command};

use crate::harness::{EMAIL, PHONE, SOON, Stage};

/// The binary with the stage's settings, writing its log to `log`.
fn start(stage: &Stage, arguments: &[&str], log: Stdio) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notifier"));
    command.args(arguments).env_clear().envs(stage.variables());
    command.stdout(Stdio::piped()).stderr(log);
    command.kill_on_drop(true).spawn().unwrap()
}

fn terminate(child: &Child) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
}

#[tokio::test]
async fn it_sends_ends_at_sigterm_and_logs_neither_tokens_nor_addresses() {
    let mut stage = Stage::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (ready, log) = (folder.path().join("ready"), folder.path().join("log"));
    stage.set("TINKO__READY_FILE", ready.to_str().unwrap());
    stage.set("TINKO__ADMIN_LISTEN", "127.0.0.1:0");
    stage.set("LOG_LEVEL", "debug");
    // Each channel has something to complain of as well.
    stage
        .fault(json!({ "target": "smtp", "mode": "fail", "status": 451 }))
        .await;
    stage
        .fault(json!({ "target": "twilio", "mode": "timeout_after_acting" }))
        .await;
    stage
        .fault(json!({ "target": "whatsapp", "mode": "rate_limited" }))
        .await;
    let file = std::fs::File::create(&log).unwrap();
    let mut child = start(&stage, &[], file.into());
    let mut links = Vec::new();
    for channel in [Channel::Email, Channel::Sms, Channel::WhatsApp] {
        let asked = stage.ask(channel).await;
        stage.becomes(&asked, "sent").await;
        links.push(asked.pay);
    }
    assert_readiness_and_metrics(&stage, &ready).await;
    terminate(&child);
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait()).await;
    assert!(ended.unwrap().unwrap().success());

    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("a delivery failed"), "{log}");
    let tokens = links.iter().map(|link| link.rsplit('/').next().unwrap());
    for secret in tokens.chain([
        EMAIL,
        PHONE,
        &PHONE[1..],
        "twilio-secret",
        "whatsapp-secret",
    ]) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

async fn assert_readiness_and_metrics(stage: &Stage, ready: &std::path::Path) {
    let line = eventually(SOON, async || std::fs::read_to_string(ready).ok()).await;
    let line: Value = serde_json::from_str(&line).unwrap();
    let admin = format!("http://{}", line["addresses"]["admin"].as_str().unwrap());
    let readiness = stage.http.get(format!("{admin}/readyz")).send().await;
    assert!(readiness.unwrap().status().is_success());
    let page = stage.http.get(format!("{admin}/metrics")).send().await;
    let page = page.unwrap().text().await.unwrap();
    for line in [
        r#"notifier_messages_total{channel="email",outcome="sent"} 1"#,
        r#"notifier_messages_total{channel="email",outcome="delayed"} 1"#,
        r#"notifier_hand_over_seconds_count{channel="sms"} 1"#,
        r#"outgoing_requests_total{peer="twilio",operation="look_up",outcome="ok"} 1"#,
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}

#[tokio::test]
async fn check_answers_and_print_settings_hides_secrets() {
    let stage = Stage::new().await;
    let check = start(&stage, &["--check"], Stdio::piped());
    assert!(check.wait_with_output().await.unwrap().status.success());
    let printed = start(&stage, &["--print-settings"], Stdio::piped());
    let printed = printed.wait_with_output().await.unwrap().stdout;
    let printed = String::from_utf8(printed).unwrap();
    assert!(
        printed.contains("TINKO__WHATSAPP_TEMPLATE = `payment_recovery`"),
        "{printed}"
    );
    assert!(!printed.contains("twilio-secret"), "{printed}");
}
