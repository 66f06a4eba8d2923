//! `tinkoctl dead-letters`: what a consumer gave up, listed, shown, replayed, discarded.

use anyhow::{Context as _, ensure};
use backbone::dead_letters::Shown;
use clap::{Args, Subcommand};
use contracts::Stream;
use db::Db;
use db::dead_letters::{Choice, Mend, Mender};
use domain::id::{OrganizationId, OutboxId};
use serde::Serialize;

use crate::print::Print;
use crate::remedy::{self, Remedy};

/// Most letters that one command takes: one transaction holds them all.
const MOST: i64 = 1_000;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists them, oldest first.
    List {
        #[command(flatten)]
        which: Which,
        /// Of this organization alone.
        #[arg(long)]
        organization: Option<OrganizationId>,
        /// Only those after this one: the last of the list before.
        #[arg(long, value_name = "ID")]
        after: Option<OutboxId>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=MOST))]
        limit: i64,
    },
    /// Shows one with why it was given up and what it asks for.
    Show {
        /// Which one.
        id: OutboxId,
    },
    /// Makes one owed again, or those of a stream, oldest first: the sweeper publishes them.
    Replay {
        /// Which one; else --stream.
        #[arg(required_unless_present = "stream", conflicts_with_all = ["stream", "reason"])]
        id: Option<OutboxId>,
        #[command(flatten)]
        which: Which,
        /// At most so many of a stream.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=MOST))]
        limit: i64,
        #[command(flatten)]
        remedy: Remedy,
    },
    /// Drops one for good: its effect will never be.
    Discard {
        /// Which one.
        id: OutboxId,
        #[command(flatten)]
        remedy: Remedy,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Of this stream: failures, notifications:email, notifications:sms, notifications:whatsapp,
    /// mails:users or events.
    #[arg(long, value_parser = Stream::parse)]
    stream: Option<Stream>,
    /// Given up for exactly this reason.
    #[arg(long)]
    reason: Option<String>,
}

/// What was done with which.
#[derive(Serialize)]
struct Done {
    action: &'static str,
    ids: Vec<OutboxId>,
}

#[derive(Serialize)]
struct Listed {
    data: Vec<Shown>,
}

pub(crate) async fn run(command: Command, db: &Db, print: Print) -> anyhow::Result<()> {
    match command {
        Command::List {
            which,
            organization,
            after,
            limit,
        } => {
            let choice = Choice {
                stream: which.stream,
                reason: which.reason,
                organization,
                after,
                limit,
                id: None,
            };
            list(db, &choice, print).await
        }
        Command::Show { id } => show(db, id, print).await,
        Command::Replay {
            id,
            which,
            limit,
            remedy,
        } => {
            let choice = id.map_or_else(
                || Choice {
                    stream: which.stream,
                    reason: which.reason.clone(),
                    limit,
                    ..Choice::default()
                },
                Choice::one,
            );
            mend(db, Mend::Replay, &choice, &remedy, print).await
        }
        Command::Discard { id, remedy } => {
            mend(db, Mend::Discard, &Choice::one(id), &remedy, print).await
        }
    }
}

async fn list(db: &Db, choice: &Choice, print: Print) -> anyhow::Result<()> {
    let mut conn = db.read().await?;
    let found = db::dead_letters::list(&mut conn, choice).await?;
    let data = found.into_iter().map(Shown::from).collect();
    let listed = Listed { data };
    print.answer(&listed, || {
        let line = |letter: &Shown| {
            format!(
                "{}  {}  {}  {}  {}",
                letter.id,
                letter.dead_at.format("%F %T"),
                letter.stream,
                letter.organization_id,
                letter.reason
            )
        };
        let mut lines: Vec<String> = listed.data.iter().map(line).collect();
        lines.push(format!("{} dead letters", listed.data.len()));
        lines.join("\n")
    })
}

async fn show(db: &Db, id: OutboxId, print: Print) -> anyhow::Result<()> {
    let mut conn = db.read().await?;
    let found = db::dead_letters::list(&mut conn, &Choice::one(id)).await?;
    let letter = found.into_iter().next().with_context(|| not_there(id))?;
    let letter = Shown::from(letter);
    // For people as well: its payload has a shape of its own.
    let text = serde_json::to_string_pretty(&letter)?;
    print.answer(&letter, || text)
}

async fn mend(
    db: &Db,
    mend: Mend,
    choice: &Choice,
    remedy: &Remedy,
    print: Print,
) -> anyhow::Result<()> {
    let by = remedy.by()?;
    let mender = Mender {
        by: &by,
        why: remedy.why()?,
    };
    let mut tx = db.begin(remedy::cause()).await?;
    let ids = db::dead_letters::mend(&mut tx, choice, mend, mender).await?;
    tx.commit().await?;
    if let Some(id) = choice.id {
        ensure!(ids.contains(&id), not_there(id));
    }
    let action = match mend {
        Mend::Replay => "replayed",
        Mend::Discard => "discarded",
    };
    let done = Done { action, ids };
    print.answer(&done, || {
        let mut lines: Vec<String> = done.ids.iter().map(|id| format!("{action} {id}")).collect();
        lines.push(format!("{} {action}", done.ids.len()));
        lines.join("\n")
    })
}

fn not_there(id: OutboxId) -> String {
    format!("there is no dead letter {id}, or not any more")
}
