//! `tinko-dev servers run`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

fn servers_run(script: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tinko-dev"))
        .args(["servers", "run", "--", "/bin/sh", "-c", script])
        .output()
        .unwrap()
}

#[test]
fn the_command_finds_its_servers_and_its_exit_code_is_passed_on() {
    let output = servers_run(r#"echo "$TINKO_TEST_DATABASE_URL $TINKO_TEST_REDIS_URL"; exit 7"#);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("postgres://tinko@127.0.0.1:"), "{said}");
    assert!(said.contains(" redis://127.0.0.1:"), "{said}");
}

#[test]
fn the_command_finds_a_pooler_where_it_asks_for_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_tinko-dev"))
        .args(["servers", "run", "--pgbouncer", "--", "/bin/sh", "-c"])
        .arg(r#"echo "$TINKO_TEST_POOLER_URL""#)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("postgres://tinko@127.0.0.1:"), "{said}");
}

#[test]
fn a_command_that_a_signal_ended_gives_the_code_that_shells_give() {
    let output = servers_run("kill -KILL $$");
    assert_eq!(output.status.code(), Some(128 + 9), "{output:?}");
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_tinko-dev"))
        .args(["servers", "run", "--", "no-such-command"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no-such-command cannot be started"), "{said}");
}
