use std::{net::SocketAddr, path::PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::*;

/// A struct nested two deep, with a field of every kind that settings have.
#[derive(Debug, Deserialize)]
struct Service {
    #[serde(flatten)]
    common: Common,
    #[serde(flatten)]
    worker: Worker,
    claim_batch: u16,
    database_url: SecretString,
}

#[derive(Debug, Deserialize)]
struct Worker {
    lanes: Vec<String>,
    ports: Vec<u16>,
    drift: i32,
    share: f32,
    dry_run: bool,
    peer: SocketAddr,
    site: Option<Url>,
    pin: SecretString,
    mode: Mode,
    limit: Option<u32>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Slow,
    VeryFast,
}

const MINE: &[Setting] = &[
    Setting::with_default("TINKO__CLAIM_BATCH", "claim_batch", "100", "Rows a claim."),
    Setting::required("DATABASE_URL", "database_url", "Where Postgres is.").secret(),
    Setting::with_default("TINKO__LANES", "lanes", "", "Lanes."),
    Setting::with_default("TINKO__PORTS", "ports", "1,2", "Ports."),
    Setting::with_default("TINKO__DRIFT", "drift", "-3", "Drift in seconds."),
    Setting::with_default("TINKO__SHARE", "share", "1", "Share."),
    Setting::with_default("TINKO__DRY_RUN", "dry_run", "0", "Whether to do nothing."),
    Setting::with_default("TINKO__PEER", "peer", "127.0.0.1:1", "Peer."),
    Setting::optional("TINKO__SITE", "site", "Site."),
    Setting::with_default(
        "TINKO__PIN",
        "pin",
        "0123",
        "A secret that looks like a number.",
    )
    .secret(),
    Setting::with_default("TINKO__MODE", "mode", "slow", "Mode."),
    Setting::optional("TINKO__LIMIT", "limit", "Limit."),
];

const TABLES: [&[Setting]; 2] = [COMMON, MINE];

const DATABASE: (&str, &str) = (
    "DATABASE_URL",
    "postgres://tinko:hunter2@db/tinko?key=hunter3",
);

fn env(variables: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    variables.iter().map(owned).collect::<Vec<_>>().into_iter()
}

/// Loads with a database given, beside the given variables.
fn with(variables: &[(&str, &str)]) -> Result<Service, SettingsError> {
    load_from(&TABLES, env(&[&[DATABASE], variables].concat()), None)
}

fn refused(variables: &[(&str, &str)]) -> String {
    with(variables).unwrap_err().to_string()
}

/// A settings file with this text; the folder goes when it is dropped.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tinko.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn defaults_fit_fields_of_every_kind_through_nested_structs() {
    let service = with(&[]).unwrap();
    assert_eq!(service.claim_batch, 100);
    assert_eq!(service.common.environment, Environment::Development);
    assert_eq!(service.common.log_level, "info");
    assert_eq!(service.common.log_format, LogFormat::Json);
    assert_eq!(service.common.admin_listen, "0.0.0.0:9090".parse().unwrap());
    assert!((service.common.trace_sample_ratio.get() - 1.0).abs() < f64::EPSILON);
    assert!(service.common.sentry_traces_sample_rate.is_zero());
    assert!(service.common.sentry_dsn.is_none() && service.common.otlp_endpoint.is_none());
    assert_eq!(service.common.shutdown_grace().as_secs(), 25);
    let worker = service.worker;
    assert!(worker.lanes.is_empty() && !worker.dry_run);
    assert_eq!((worker.ports, worker.drift), (vec![1, 2], -3));
    assert_eq!(
        (worker.site, worker.limit, worker.mode),
        (None, None, Mode::Slow)
    );
    assert_eq!(worker.pin.expose_secret(), "0123");
    assert!((worker.share - 1.0).abs() < f32::EPSILON);
}

#[test]
fn texts_of_the_environment_fit_fields_of_every_kind_through_nested_structs() {
    let service = with(&[
        ("TINKO__LANES", "fast, slow,"),
        ("TINKO__PORTS", "8080"),
        ("TINKO__SHARE", "0.25"),
        ("TINKO__DRY_RUN", "True"),
        ("TINKO__PEER", "[::1]:9"),
        ("TINKO__SITE", "https://tinko.example/a"),
        ("TINKO__PIN", "12345"),
        ("TINKO__MODE", "very_fast"),
        ("TINKO__LIMIT", "7"),
        ("TINKO__CLAIM_BATCH", "5"),
        ("TINKO__READY_FILE", "/run/ready"),
        ("ENVIRONMENT", "production"),
        ("SENTRY_DSN", "https://key@sentry.example/1"),
        ("TINKO__SHUTDOWN_GRACE_SECONDS", "3"),
    ])
    .unwrap();
    assert_eq!(service.worker.lanes, ["fast", "slow"]);
    assert_eq!(service.worker.ports, [8080]);
    assert!(service.worker.dry_run && service.worker.share < 0.3);
    assert_eq!(service.worker.peer, "[::1]:9".parse().unwrap());
    assert_eq!(service.worker.site.unwrap().path(), "/a");
    assert_eq!(service.worker.pin.expose_secret(), "12345");
    assert_eq!(
        (service.worker.mode, service.worker.limit),
        (Mode::VeryFast, Some(7))
    );
    assert_eq!(service.claim_batch, 5);
    assert_eq!(service.database_url.expose_secret(), DATABASE.1);
    assert_eq!(service.common.ready_file, Some("/run/ready".into()));
    assert_eq!(service.common.environment, Environment::Production);
    assert!(service.common.sentry_dsn.is_some());
    assert_eq!(service.common.shutdown_grace_seconds, 3);
}

#[test]
fn the_file_overrides_defaults_and_the_environment_overrides_the_file() {
    let (_folder, path) = file(
        "claim_batch = 7\ndrift = 9\nlanes = [\"a\", \"b\"]\nports = [3]\ndry_run = true\nshare = 0.5\n",
    );
    let variables = env(&[DATABASE, ("TINKO__DRIFT", "11")]);
    let service: Service = load_from(&TABLES, variables, Some(&path)).unwrap();
    assert_eq!((service.claim_batch, service.worker.drift), (7, 11));
    assert_eq!(
        (service.worker.lanes.len(), service.worker.ports),
        (2, vec![3])
    );
    assert!(service.worker.dry_run && service.worker.share < 0.6);
}

#[test]
fn an_empty_variable_counts_as_absent() {
    assert_eq!(
        with(&[("TINKO__LIMIT", ""), ("TINKO__CLAIM_BATCH", "")])
            .unwrap()
            .claim_batch,
        100
    );
    let error = load_from::<Service>(&TABLES, env(&[("DATABASE_URL", "")]), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "DATABASE_URL is required and missing (`database_url` in the file): Where Postgres is."
    );
}

#[test]
fn everything_unknown_and_missing_is_named_at_once() {
    let (_folder, path) = file("claim_bach = 1\n[database]\nurl = \"x\"\n");
    let variables = env(&[
        ("TINKO__LANE", "x"),
        ("TINKO_LANES", "other program's"),
        ("HOME", "/"),
    ]);
    let error = load_from::<Service>(&TABLES, variables, Some(&path)).unwrap_err();
    let file = path.display();
    assert_eq!(
        error.to_string().lines().collect::<Vec<_>>(),
        [
            "TINKO__LANE is not a setting; --print-settings lists them all",
            &format!("`claim_bach` in {file} is not a setting; --print-settings lists them all"),
            &format!("`database` in {file} is not a setting; --print-settings lists them all"),
            "DATABASE_URL is required and missing (`database_url` in the file): Where Postgres is.",
        ]
    );
    assert_eq!(error.faults().len(), 4);
}

#[test]
fn a_tool_passes_over_other_programs_settings_and_misses_its_own() {
    const TOOL: &[Setting] = &[Setting::required(
        "DATABASE_URL",
        "database_url",
        "Where it is.",
    )];
    #[derive(Debug, Deserialize)]
    struct Tool {
        database_url: SecretString,
    }
    let (_folder, path) = file("claim_batch = 1\ndatabase_url = \"x\"\n");
    let variables = || env(&[("TINKO__LANES", "fast")]);
    let tool: Tool = load_among_from(&[TOOL], variables(), Some(&path)).unwrap();
    assert_eq!(tool.database_url.expose_secret(), "x");
    let error = load_among_from::<Tool>(&[TOOL], variables(), None).unwrap_err();
    assert!(
        error.to_string().starts_with("DATABASE_URL is required"),
        "{error}"
    );
    assert_eq!(error.faults().len(), 1);
}

/// Values that do not fit, and how the sentence about each goes on.
const UNFIT: &[(&str, &str, &str)] = &[
    (
        "TINKO__CLAIM_BATCH",
        "many",
        "it must be a whole number from 0 to 65535",
    ),
    (
        "TINKO__CLAIM_BATCH",
        "70000",
        "it must be a whole number from 0 to 65535",
    ),
    (
        "TINKO__CLAIM_BATCH",
        "-1",
        "it must be a whole number from 0 to 65535",
    ),
    ("TINKO__DRIFT", "1.5", "it must be a whole number"),
    ("TINKO__SHARE", "half", "it must be a number"),
    ("TINKO__DRY_RUN", "perhaps", "it must be true or false"),
    (
        "TINKO__PORTS",
        "80,http",
        "it must be a comma-separated list",
    ),
    ("TINKO__PEER", "localhost", "invalid socket address syntax"),
    (
        "TINKO__SITE",
        "tinko.example",
        "relative URL without a base",
    ),
    ("TINKO__MODE", "fast", "it must be one of slow, very_fast"),
    (
        "ENVIRONMENT",
        "prod",
        "it must be one of development, staging, production",
    ),
    ("LOG_LEVEL", "api=loud", "error parsing level filter"),
    (
        "TINKO__ADMIN_LISTEN",
        "9090",
        "it must be an address with a port",
    ),
    (
        "TINKO__TRACE_SAMPLE_RATIO",
        "1.5",
        "it must be a number from 0 to 1",
    ),
    (
        "SENTRY_TRACES_SAMPLE_RATE",
        "-1",
        "it must be a number from 0 to 1",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "ftp://c:1",
        "it must be a URL of an OTLP collector",
    ),
    (
        "TINKO__SHUTDOWN_GRACE_SECONDS",
        "5s",
        "it must be a whole number, 0 or more",
    ),
];

#[test]
fn a_value_that_does_not_fit_is_named_with_what_would() {
    for (name, value, why) in UNFIT {
        let sentence = refused(&[(*name, *value)]);
        let beginning = format!("{name} is `{value}` (environment), which can't be used: {why}");
        // A URL is shown in its normal form, with a slash at its end.
        let sentence = sentence.replace("ftp://c:1/", "ftp://c:1");
        assert!(
            sentence.starts_with(&beginning),
            "{sentence}\nis not\n{beginning}"
        );
    }
}

#[test]
fn the_file_is_named_where_it_is_the_culprit() {
    let (_folder, path) = file("claim_batch = \"x\"");
    let error = load_from::<Service>(&TABLES, env(&[DATABASE]), Some(&path)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("(file {})", path.display())),
        "{error}"
    );
    let absent = path.with_extension("absent");
    let error = load_from::<Service>(&TABLES, env(&[DATABASE]), Some(&absent)).unwrap_err();
    let beginning = format!("the settings file {} can't be read: ", absent.display());
    assert!(error.to_string().starts_with(&beginning), "{error}");
}

#[test]
fn a_malformed_file_is_named_with_the_place_and_without_the_text_there() {
    let (_folder, path) = file("claim_batch = 1\ndatabase_url = \"postgres://hunter2\n");
    let error = load_from::<Service>(&TABLES, env(&[]), Some(&path)).unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains(path.to_str().unwrap()), "{sentence}");
    assert!(sentence.contains("line 2"), "{sentence}");
    assert!(!sentence.contains("hunter2"), "{sentence}");
}

#[derive(Debug, Deserialize)]
struct Keyed {
    #[expect(dead_code, reason = "read by the derived Debug only")]
    key: std::net::IpAddr,
}

const KEY: &[Setting] = &[Setting::required("KEY", "key", "A key.").secret()];

#[test]
fn no_error_and_no_debug_text_holds_a_secret() {
    let service = with(&[("TINKO__PIN", "hunter4")]).unwrap();
    let debug = format!("{service:?}");
    assert!(!debug.contains("hunter"), "{debug}");

    let sentence = refused(&[("SENTRY_DSN", "hunter5")]);
    assert_eq!(
        sentence,
        "SENTRY_DSN is [hidden] (environment), which can't be used: it must be a Sentry DSN, `https://key@host/project`"
    );
    let error = load_from::<Keyed>(&[KEY], env(&[("KEY", "hunter6")]), None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "KEY is [hidden] (environment), which can't be used: its text does not have the right form"
    );
}

#[test]
fn printed_settings_say_where_each_came_from_and_hide_secrets() {
    let (_folder, path) = file("drift = 9\n");
    let variables = env(&[
        DATABASE,
        ("TINKO__PIN", "hunter4"),
        ("SENTRY_DSN", "https://hunter5@sentry.example/1"),
        ("TINKO__SITE", "https://user:hunter6@tinko.example/a"),
        ("TINKO__LANES", "a,b"),
    ]);
    let page = render_from(&TABLES, variables, Some(&path)).unwrap();
    for line in [
        "DATABASE_URL = `postgres://tinko:hidden@db/tinko?hidden`  # environment",
        "TINKO__PIN = [hidden]  # environment",
        "SENTRY_DSN = [hidden]  # environment",
        "TINKO__SITE = `https://user:hidden@tinko.example/a`  # environment",
        "TINKO__LANES = `a,b`  # environment",
        "TINKO__CLAIM_BATCH = `100`  # default",
        "TINKO__LIMIT =  # not set",
        &format!("TINKO__DRIFT = `9`  # file {}", path.display()),
    ] {
        assert!(
            page.lines().any(|other| other == line),
            "{line} is not in\n{page}"
        );
    }
    assert!(!page.contains("hunter"), "{page}");
    assert_eq!(page.lines().count(), COMMON.len() + MINE.len());
}

#[test]
fn tables_that_do_not_fit_the_struct_or_each_other_are_the_programs_fault() {
    let error = load_from::<Service>(&[COMMON], env(&[]), None).unwrap_err();
    let sentence = error.to_string();
    assert!(
        sentence.starts_with("the program's own settings tables are wrong: no table declares `"),
        "{sentence}"
    );
    let error = load_from::<Common>(&[COMMON, COMMON], env(&[]), None).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("ENVIRONMENT or its key is declared twice"),
        "{error}"
    );
}

#[test]
fn the_documentation_table_has_a_row_for_each_setting() {
    let page = table(&TABLES);
    assert_eq!(page.lines().count(), 2 + COMMON.len() + MINE.len());
    assert!(page.contains(
        "| `DATABASE_URL` | `database_url` | **required** | Where Postgres is. Secret. |"
    ));
    assert!(page.contains("| `TINKO__LANES` | `lanes` | empty | Lanes. |"));
    assert!(page.contains("| `TINKO__LIMIT` | `limit` | not set | Limit. |"));
}
