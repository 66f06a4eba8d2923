//! `api rebuild-rollups`: counts days of an organization anew for analytics, from
//! the rows of what happened. Safe while events flow: each day is a transaction of
//! its own, for which the organization's events wait a moment.

use anyhow::{Context, ensure};
use backbone::Backbone;
use chrono::NaiveDate;
use clap::{Arg, ArgMatches, Command, value_parser};
use runtime::clock::SystemClock;

use crate::settings::Settings;

pub(super) const NAME: &str = "rebuild-rollups";

/// Which days of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    slug: String,
    from: NaiveDate,
    to: NaiveDate,
}

pub(super) fn command() -> Command {
    let day = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("DAY")
            .required(true)
            .value_parser(value_parser!(NaiveDate))
            .help(help)
    };
    Command::new(NAME)
        .about("Count an organization's days anew for analytics, and exit")
        .arg(
            Arg::new("organization")
                .long("organization")
                .value_name("SLUG")
                .required(true)
                .help("The organization's slug"),
        )
        .arg(day("from", "The first UTC day, as 2026-11-01"))
        .arg(day("to", "The last UTC day"))
}

impl Wanted {
    /// By slug, from a day to a day.
    pub const fn new(slug: String, from: NaiveDate, to: NaiveDate) -> Self {
        Self { slug, from, to }
    }

    pub(super) fn of(arguments: &ArgMatches) -> Self {
        let day = |name: &str| arguments.get_one(name).copied().unwrap_or_default();
        let slug = arguments.get_one::<String>("organization");
        Self::new(slug.cloned().unwrap_or_default(), day("from"), day("to"))
    }
}

/// Counts the days one after the other, and prints each when it is done.
pub async fn run(settings: &Settings, wanted: &Wanted) -> anyhow::Result<()> {
    let (from, to) = (wanted.from, wanted.to);
    ensure!(from <= to, "--from must not be after --to");
    let clock = SystemClock::shared();
    let (backbone, _relay) = Backbone::connect(crate::SERVICE, &settings.backbone, clock).await?;
    let mut conn = backbone.db.read().await?;
    let tenant = db::organizations::by_slug(&mut conn, &wanted.slug)
        .await?
        .with_context(|| format!("there is no organization {}", wanted.slug))?;
    drop(conn);
    let days = from.iter_days().take_while(|day| *day <= to);
    for day in days {
        let mut tx = backbone.db.begin(backbone.cause()).await?;
        db::rollups::rebuild(&mut tx, tenant, day).await?;
        tx.commit().await?;
        #[expect(clippy::print_stdout, reason = "the command's answer")]
        {
            println!("counted {day}");
        }
    }
    Ok(())
}
