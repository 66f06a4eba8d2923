//! `tinkoctl follow`: what became of one payment, from whatever somebody was told of it.
//!
//! It looks across organizations, since whoever has the installation's settings may. A
//! payer's address is looked up and never printed: not found, found or in an error.

mod story;
mod text;

use std::io::Read as _;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use db::Db;
use db::lookup::{self, Found, Sought};
use domain::id::{OrganizationId, RecoveryId, TransactionId};
use domain::{EmailAddress, TransactionRef};
use serde::Serialize;

use self::story::TracesUrl;
use crate::print::Print;

/// Most matches that are listed.
const MOST: i64 = 20;

#[derive(Debug, Args)]
pub(crate) struct Command {
    /// A recovery's or a transaction's id, the merchant's reference, or the payer's email
    /// address; `-` reads it from standard input, so that no shell keeps it.
    what: String,
    /// Of this organization alone.
    #[arg(long)]
    organization: Option<OrganizationId>,
    /// Where your traces are shown, with `{trace_id}` for the trace's id.
    #[arg(long, env = "TINKOCTL_TRACES_URL", value_name = "URL", value_parser = TracesUrl::parse)]
    traces_url: Option<TracesUrl>,
}

/// What was found where it is not one recovery.
#[derive(Serialize)]
struct Matches {
    matches: Vec<Match>,
}

#[derive(Serialize)]
struct Match {
    organization_id: OrganizationId,
    organization: String,
    transaction_id: TransactionId,
    transaction_ref: String,
    recovery_id: Option<RecoveryId>,
    state: &'static str,
    opened_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl From<Found> for Match {
    fn from(found: Found) -> Self {
        Self {
            organization_id: found.tenant.organization(),
            organization: found.organization,
            transaction_id: found.transaction,
            transaction_ref: found.transaction_ref,
            recovery_id: found.recovery.map(|it| it.id),
            state: found.recovery.map_or("watched", |it| it.state.as_str()),
            opened_at: found.recovery.map(|it| it.opened_at),
        }
    }
}

pub(crate) async fn run(command: Command, db: &Db, print: Print) -> anyhow::Result<()> {
    let what = if command.what == "-" {
        read_standard_input()?
    } else {
        command.what
    };
    let mut conn = db.read().await?;
    let mut found = Vec::new();
    for sought in meanings(&what) {
        found = lookup::find(&mut conn, &sought, command.organization, MOST).await?;
        if !found.is_empty() {
            break;
        }
    }
    ensure!(
        !found.is_empty(),
        "nothing is known by that id, reference or address"
    );
    if let [one] = &found[..]
        && let Some(recovery) = one.recovery
    {
        let traces_url = command.traces_url.as_ref();
        let story = story::of(&mut conn, one, recovery.id, traces_url).await?;
        let story = story.context("the recovery is gone")?;
        return print.answer(&story, || text::story(&story));
    }
    let matches = Matches {
        matches: found.into_iter().map(Match::from).collect(),
    };
    print.answer(&matches, || text::matches(&matches.matches))?;
    if matches.matches.len() == 1 {
        bail!("no failure of this transaction was reported: there is no recovery to follow");
    }
    bail!(
        "several match, the newest first (at most {MOST}): follow one by its id, or narrow with --organization"
    )
}

fn read_standard_input() -> anyhow::Result<String> {
    /// More than any reference or address has.
    const LONGEST: u64 = 1_024;
    let mut text = String::new();
    std::io::stdin().take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// What the text may mean, the likeliest first. A merchant's reference can look like
/// anything: like a bare UUID, or an address.
fn meanings(what: &str) -> Vec<Sought> {
    let what = what.trim();
    [
        what.parse().ok().map(Sought::Recovery),
        what.parse().ok().map(Sought::Transaction),
        EmailAddress::parse(what).ok().map(Sought::Email),
        TransactionRef::parse(what).ok().map(Sought::Reference),
    ]
    .into_iter()
    .flatten()
    .collect()
}
