//! `api migrate`: the schema, and the partitions of the coming months.

use anyhow::Context;
use backbone::Backbone;
use runtime::clock::SystemClock;

use crate::settings::Settings;

/// Months of partitions made ahead; the worker keeps them made from then on.
const MONTHS_AHEAD: i32 = 2;

/// Migrates, and prints what was done. Safe to run from several places at once.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let ran = db::migrate(&settings.backbone.database_url)
        .await
        .context("the schema could not be brought up to date")?;
    let clock = SystemClock::shared();
    let (backbone, _relay) =
        Backbone::connect(crate::SERVICE, &settings.backbone, clock.clone()).await?;
    let mut conn = backbone.db.read().await?;
    let made = db::ensure_partitions(&mut conn, clock.now(), MONTHS_AHEAD).await?;
    #[expect(clippy::print_stdout, reason = "the command's answer")]
    for (what, names) in [("migration", ran), ("partition", made)] {
        for name in names {
            println!("{what} {name}");
        }
    }
    Ok(())
}
