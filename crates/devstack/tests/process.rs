//! A program that is run: its ready file, its environment, its end.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use devstack::os::SpawnError;
use devstack::process::{Process, ProcessSpec};

/// A program that is ready at once, tells its environment in its log, and stops when asked.
const WELL_BEHAVED: &str = r#"
env
echo '{"addresses":{"admin":"127.0.0.1:4001"},"pid":1}' >"$0"
trap 'echo bye; exit 0' TERM
while :; do sleep 0.05; done
"#;

fn shell(script: &str, folder: &Path) -> ProcessSpec {
    let mut spec = ProcessSpec::new("program", Path::new("/bin/sh"), folder);
    spec.args = ["-c", script, "{ready_file}"].map(str::to_owned).to_vec();
    spec.env = vec![("GIVEN".to_owned(), "on purpose".to_owned())];
    spec
}

#[tokio::test]
async fn a_program_is_ready_when_it_says_so_and_stops_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(shell(WELL_BEHAVED, folder.path()))
        .await
        .unwrap();
    assert_eq!(
        process.ready().admin(),
        Some("127.0.0.1:4001".parse().unwrap())
    );
    assert_eq!(process.status(), None);
    assert!(folder.path().join("program.pid").exists());

    assert!(process.terminate().await.success());
    assert!(process.log_tail().ends_with("bye"));
    assert!(!folder.path().join("program.pid").exists());
}

#[tokio::test]
async fn it_sees_what_it_is_given_and_nothing_of_the_starters_settings() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(shell(WELL_BEHAVED, folder.path()))
        .await
        .unwrap();
    let seen = std::fs::read_to_string(process.log_file()).unwrap();
    assert!(seen.contains("GIVEN=on purpose"), "{seen}");
    assert!(seen.contains("PATH="), "{seen}");
    // Cargo sets this one for the test itself.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!seen.contains("CARGO_MANIFEST_DIR"), "{seen}");
}

#[tokio::test]
async fn a_killed_program_can_be_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(shell(WELL_BEHAVED, folder.path()))
        .await
        .unwrap();
    let first = process.pid();
    assert_eq!(process.kill9().await.signal(), Some(9));
    process.restart().await.unwrap();
    assert_ne!(process.pid(), first);
    assert_eq!(process.status(), None);
}

#[tokio::test]
async fn one_that_does_not_stop_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = shell(
        "trap '' TERM; echo '{}' >$0; while :; do sleep 0.05; done",
        folder.path(),
    );
    spec.stop_within = Duration::from_millis(200);
    let mut process = Process::start(spec).await.unwrap();
    assert_eq!(process.terminate().await.signal(), Some(9));
}

#[tokio::test]
async fn one_that_ends_at_its_start_shows_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let started = Process::start(shell("echo no database >&2; exit 3", folder.path())).await;
    let error = started.unwrap_err();
    assert!(matches!(&error, SpawnError::Ended { status, .. } if status.code() == Some(3)));
    assert!(error.to_string().contains("no database"), "{error}");
}

#[tokio::test]
async fn one_that_is_never_ready_is_not_waited_for_and_does_not_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = shell(
        "echo $$ >$0.pid; while :; do sleep 0.05; done",
        folder.path(),
    );
    spec.ready_within = Duration::from_millis(300);
    let error = Process::start(spec).await.unwrap_err();
    assert!(matches!(error, SpawnError::NotReady { .. }));
    let pid = std::fs::read_to_string(folder.path().join("program.ready.json.pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists());
}

#[tokio::test]
async fn a_command_gets_its_input_and_gives_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let echoed = shell("cat", folder.path())
        .output(b"{\"a\":1}")
        .await
        .unwrap();
    assert_eq!(echoed, b"{\"a\":1}");
    let failed = shell("echo broken >&2; exit 4", folder.path())
        .output(b"")
        .await
        .unwrap_err();
    assert!(failed.to_string().contains("broken"), "{failed}");
}
