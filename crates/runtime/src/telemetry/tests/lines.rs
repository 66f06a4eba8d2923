use serde_json::Value;

use super::Stack;

#[test]
fn a_log_line_is_one_json_object_with_the_ids_of_its_trace_and_its_work() {
    let (stack, subscriber) = Stack::new(&[]);
    tracing::subscriber::with_default(subscriber, || {
        let outer = tracing::info_span!(
            "request",
            request.id = "req_1",
            organization.id = "org_1",
            recovery.id = tracing::field::Empty,
            path = "/v1/recoveries"
        );
        outer.record("recovery.id", "rec_9");
        let _outer = outer.enter();
        let _inner =
            tracing::info_span!("charge", attempt.id = 7, organization.id = "org_2").entered();
        tracing::info!(target: "api::charge", amount_minor = 4999, level = "gold", ok = true, "charged\nonce");
    });
    let lines = stack.lines();
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    for (name, value) in [
        ("level", Value::from("INFO")),
        ("target", "api::charge".into()),
        ("message", "charged\nonce".into()),
        ("service", "api".into()),
        ("span", "charge".into()),
        ("request.id", "req_1".into()),
        ("recovery.id", "rec_9".into()),
        ("organization.id", "org_2".into()),
        ("attempt.id", 7.into()),
        ("amount_minor", 4999.into()),
        ("event.level", "gold".into()),
        ("ok", true.into()),
    ] {
        assert_eq!(line[name], value, "{name} in {line}");
    }
    assert!(line.get("path").is_none(), "{line}");
    let charge = stack.span("charge");
    assert_eq!(line["trace_id"], charge.span_context.trace_id().to_string());
    assert_eq!(line["span_id"], charge.span_context.span_id().to_string());
    let written = chrono::DateTime::parse_from_rfc3339(line["timestamp"].as_str().unwrap());
    assert!(written.unwrap().timestamp() > 1_700_000_000);
}

#[test]
fn a_line_outside_every_span_has_no_trace() {
    let (stack, subscriber) = Stack::new(&[]);
    tracing::subscriber::with_default(subscriber, || tracing::info!("alone"));
    let line = &stack.lines()[0];
    assert!(
        line.get("trace_id").is_none() && line.get("span").is_none(),
        "{line}"
    );
}

#[test]
fn a_high_log_level_takes_lines_away_and_leaves_ids_and_spans() {
    let (stack, subscriber) = Stack::new(&[("LOG_LEVEL", "warn")]);
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("claim", recovery.id = "rec_1").entered();
        tracing::info!("not written");
        tracing::warn!("written");
    });
    let lines = stack.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["message"], "written");
    assert_eq!(lines[0]["recovery.id"], "rec_1");
    let claim = stack.span("claim").span_context;
    assert_eq!(lines[0]["trace_id"], claim.trace_id().to_string());
}

#[test]
fn log_level_directives_choose_by_target() {
    let (stack, subscriber) = Stack::new(&[("LOG_LEVEL", "warn,api::charge=debug")]);
    tracing::subscriber::with_default(subscriber, || {
        tracing::debug!(target: "api::charge", "written");
        tracing::info!(target: "api::other", "not written");
    });
    assert_eq!(stack.lines().len(), 1);
}

#[test]
fn lines_for_people_say_the_same() {
    let (stack, subscriber) = Stack::new(&[("TINKO__LOG_FORMAT", "text")]);
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("claim", recovery.id = "rec_1").entered();
        tracing::info!(rows = 3, "claimed");
    });
    let line = String::from_utf8(stack.lines.all()).unwrap();
    for part in ["INFO", "claim", "rec_1", "claimed", "rows"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert_eq!(line.lines().count(), 1, "{line}");
}

/// What somebody may try to write a line of their own with.
const INJECTED: &str =
    "a\r\n{\"level\":\"INFO\"}\u{2028}b\u{2029}c\u{85}d\u{1b}[2Je\u{9b}2Jf\u{7f}g\u{202e}h\u{0}";

#[test]
fn nothing_that_is_logged_can_end_its_line_or_command_a_terminal() {
    let (stack, subscriber) = Stack::new(&[]);
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("claim", recovery.id = INJECTED).entered();
        tracing::info!(target: "api", fault = INJECTED, error = %INJECTED, "{INJECTED}");
    });
    let written = String::from_utf8(stack.lines.all()).unwrap();
    let line = written.strip_suffix('\n').unwrap();
    let harmless =
        |letter: char| !letter.is_control() && !"\u{2028}\u{2029}\u{202e}".contains(letter);
    assert!(line.chars().all(harmless), "{line}");
    // And whoever reads the JSON reads what was said.
    let line = &stack.lines()[0];
    for name in ["message", "fault", "error", "recovery.id"] {
        assert_eq!(line[name], INJECTED, "{name}");
    }
}

#[test]
fn a_library_is_never_as_talkative_as_we_may_be() {
    let (stack, subscriber) = Stack::new(&[("LOG_LEVEL", "trace,tokio_postgres=trace")]);
    tracing::subscriber::with_default(subscriber, || {
        tracing::debug!(target: "tokio_postgres::query", "asha@example.com");
        tracing::trace!(target: "lettre", "asha@example.com");
        tracing::debug!(target: "apis", "asha@example.com");
        tracing::trace!(target: "api::charge", "ours");
        tracing::info!(target: "tokio_postgres::query", "theirs");
    });
    let said: Vec<_> = stack
        .lines()
        .iter()
        .map(|line| line["message"].clone())
        .collect();
    assert_eq!(said, ["ours", "theirs"]);
}

#[test]
fn every_crate_that_runs_in_an_installation_is_known_as_ours() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders =
        ["crates", "services"].map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let of_developers = ["chaos", "devstack", "drills", "fuzzing", "testkit"];
    for folder in folders.into_iter().flatten() {
        let name = folder
            .unwrap()
            .file_name()
            .into_string()
            .unwrap()
            .replace('-', "_");
        let ours = super::levels::OURS.contains(&&*name);
        assert!(
            ours || of_developers.contains(&&*name),
            "{name} is not in OURS"
        );
    }
}

#[test]
fn a_span_of_more_detail_than_is_recorded_disturbs_nothing() {
    let (stack, subscriber) = Stack::new(&[("LOG_LEVEL", "trace")]);
    tracing::subscriber::with_default(subscriber, || {
        let _theirs = tracing::trace_span!(target: "h2::codec", "FramedWrite::buffer").entered();
        let _ours = tracing::debug_span!(target: "api", "a detail").entered();
        tracing::info!(target: "api", "written");
    });
    assert_eq!(stack.lines().len(), 1);
}
