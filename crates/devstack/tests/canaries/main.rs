//! Secrets and payers' data are where they belong and nowhere else.
//!
//! Everything runs as processes, with an unmistakable value for every secret and every personal
//! datum ([`planted`]), logs as talkative as they can be set, and everything traced and reported.
//! Good ways and bad ones are gone ([`ways`]); then all that operators and strangers get to see is
//! searched: log lines, spans, Sentry's envelopes, metrics, problems, printed settings, command
//! lines.
//!
//! Slow: `./scripts/test --all`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod ear;
mod installation;
mod planted;
mod settings;
mod visitor;
mod ways;

use std::time::Duration;

use installation::Installation;
use ways::Ways;

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn no_secret_and_no_payers_data_is_told_to_whoever_reads_logs_traces_reports_or_problems() {
    let mut installation = Installation::start().await;
    let mut ways = Ways::new(&installation);
    ways.people().await;
    ways.merchants_secrets().await;
    ways.payers_and_their_links().await;
    ways.strangers().await;
    ways.providers_in_trouble().await;
    ways.broken_stream_entries(&installation).await;
    ways.servers_away(&mut installation).await;
    let told = ways.told;

    installation.settle(Duration::from_secs(3)).await;
    let mut places = installation.places().await;
    places.extend(
        told.visitor
            .refusals
            .iter()
            .enumerate()
            .map(|(index, text)| (format!("problem {index}"), text.clone())),
    );
    places.extend(installation.commands().await);
    installation.stop(&mut places).await;

    let mut found = Vec::new();
    let mut bytes = 0;
    for (place, text) in &places {
        bytes += text.len();
        for line in text.lines() {
            let line = installation::without_time(line);
            for canary in told.planted.found_in(&line) {
                let shown: String = line.chars().take(600).collect();
                found.push(format!("{} in {place}: {shown}", canary.what));
            }
        }
    }
    assert!(
        bytes > 100_000,
        "{bytes} bytes are too few to have been looked through"
    );
    for wanted in [
        "api.log",
        "notifier.log",
        "retry-worker.log",
        "spans",
        "Sentry",
    ] {
        let any = places
            .iter()
            .any(|(place, text)| place == wanted && !text.is_empty());
        assert!(any, "nothing came from {wanted}");
    }
    found.sort();
    found.dedup();
    let count = found.len();
    assert!(
        found.is_empty(),
        "{count} finds:\n{}",
        found[..count.min(40)].join("\n")
    );
}
