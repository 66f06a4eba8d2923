//! The program itself.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

#[test]
fn it_says_where_it_listens_and_ends_well_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let mut program = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["--http", "127.0.0.1:0", "--ready-file"])
        .arg(&ready)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !ready.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it is not ready");
        std::thread::sleep(Duration::from_millis(10));
    }
    let addresses: Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
    for listener in ["http", "smtp"] {
        std::net::TcpStream::connect(addresses[listener].as_str().unwrap()).unwrap();
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(program.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let ended = program.wait().unwrap();
    assert!(ended.success(), "{ended}");
    let said = std::io::read_to_string(program.stdout.take().unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap(), addresses);
}
