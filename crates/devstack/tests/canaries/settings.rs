//! A setting that does not read is named, and its value is not told.

use devstack::Binaries;

use crate::planted::MADE_UP;

/// What stops the start, for each secret there is: text around what must not be told.
const MALFORMED: [(&str, &str); 13] = [
    ("DATABASE_URL", "postgres://u:{}@host:port/x"),
    ("DATABASE_URL", "{}"),
    ("REDIS_URL", "redis://u:{}@host:port"),
    ("REDIS_URL", "http://{}"),
    ("TINKO__MASTER_KEY", "k1:{}"),
    ("TINKO__LINK_KEY", "{}"),
    ("TINKO__ACCESS_TOKEN_KEYS", "k1:{}"),
    ("TINKO__OPERATOR_TOKEN", "{}"),
    ("SENTRY_DSN", "https://{}@"),
    ("SMTP_URL", "smtp://u:{}@h:port"),
    ("SMTP_URL", "imap://u:{}@h"),
    ("ANALYTICS_SINK_URL", "amqp://u:{}@h:port"),
    ("ANALYTICS_SINK_URL", "http://u:{}@h"),
];

/// What each service needs beside the one that is wrong.
const GOOD: [(&str, &str); 10] = [
    ("DATABASE_URL", "postgres://tinko@127.0.0.1:9/tinko"),
    ("REDIS_URL", "redis://127.0.0.1:9/0"),
    ("TINKO__ADMIN_LISTEN", "127.0.0.1:0"),
    ("TINKO__LISTEN", "127.0.0.1:0"),
    ("TINKO__PUBLIC_BASE_URL", "https://pay.example.com"),
    (
        "TINKO__MASTER_KEY",
        "k1:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
    ),
    (
        "TINKO__LINK_KEY",
        "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
    ),
    ("SMTP_URL", "smtp://127.0.0.1:9"),
    ("TINKO__MAIL_FROM", "Tinko <recovery@tinko.example>"),
    ("LOG_LEVEL", "trace"),
];

/// Settings of one service alone, which others refuse by their name.
const NOT_FOR: [(&str, &str); 8] = [
    ("TINKO__LISTEN", "retry-worker notifier"),
    ("TINKO__PUBLIC_BASE_URL", "retry-worker"),
    ("TINKO__MAIL_FROM", "api retry-worker"),
    ("SMTP_URL", "api retry-worker"),
    ("ANALYTICS_SINK_URL", "api retry-worker"),
    ("TINKO__ACCESS_TOKEN_KEYS", "retry-worker notifier"),
    ("TINKO__OPERATOR_TOKEN", "retry-worker notifier"),
    ("TINKO__LINK_KEY", ""),
];

#[test]
#[ignore = "slow: ./scripts/test --all"]
fn a_secret_that_does_not_read_stops_the_start_and_is_not_told() {
    let binaries = Binaries::find().unwrap();
    let programs = [
        ("api", &binaries.api),
        ("retry-worker", &binaries.retry_worker),
        ("notifier", &binaries.notifier),
    ];
    for (service, program) in programs {
        let is_for = |name: &str| {
            let others = NOT_FOR.iter().find(|(setting, _)| *setting == name);
            others.is_none_or(|(_, others)| !others.split(' ').any(|other| other == service))
        };
        for (name, form) in MALFORMED.iter().filter(|(name, _)| is_for(name)) {
            for command in ["--check", "--print-settings"] {
                let mut process = std::process::Command::new(program);
                process.arg(command).env_clear();
                process.envs(GOOD.iter().filter(|(name, _)| is_for(name)).copied());
                let output = process
                    .env(name, form.replace("{}", MADE_UP))
                    .output()
                    .unwrap();
                let said = [output.stdout, output.stderr].concat();
                let said = String::from_utf8_lossy(&said).into_owned();
                assert!(
                    !said.contains(MADE_UP),
                    "{service} {command} {name}={form}: {said}"
                );
                assert!(
                    !output.status.success() || command == "--print-settings",
                    "{service} starts with {name}={form}: {said}"
                );
            }
        }
    }
}
