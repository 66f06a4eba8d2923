//! The ceiling: the rows that the api wrote, copied into a second database of the same server.

use std::time::Instant;

use anyhow::Context as _;

use crate::database::Database;
use crate::ground::Ground;
use crate::rate::Rate;

const DATABASE: &str = "ceiling";
/// What the rows refer to; copied before the clock starts.
const REFERRED_TO: [&str; 3] = ["organizations", "psp_connections", "retry_policies"];
/// What a reported failure writes, in an order in which each refers to those before it.
const WRITTEN: [&str; 6] = [
    "transactions",
    "failure_keys",
    "recoveries",
    "failure_events",
    "timeline",
    "outbox",
];

/// How many events a second `COPY` writes, in one transaction.
pub(super) async fn measure(ground: &mut Ground, events: u64) -> anyhow::Result<Rate> {
    let server = ground
        .stack
        .postgres()
        .context("the stack has no Postgres")?;
    server.ensure_database(DATABASE).await?;
    let url = server.url(DATABASE);
    db::migrate(&url.as_str().into()).await?;
    let copy = Database::connect(&url).await?;
    let files = Files::in_the_servers_folder(&copy).await?;
    for table in REFERRED_TO.iter().chain(&WRITTEN) {
        ground.database.run(&files.out_of(table)).await?;
    }
    for table in REFERRED_TO {
        copy.run(&files.back_into(table)).await?;
    }
    copy.checkpoint().await?;
    let all: Vec<String> = WRITTEN.iter().map(|table| files.back_into(table)).collect();
    let all = format!("BEGIN; {}; COMMIT", all.join("; "));
    let begun = Instant::now();
    copy.run(&all).await?;
    Ok(Rate::of(events, begun.elapsed()))
}

/// A file for each table, where the server may write.
struct Files(String);

impl Files {
    async fn in_the_servers_folder(database: &Database) -> anyhow::Result<Self> {
        let folder = database.texts("SHOW data_directory").await?;
        Ok(Self(
            folder.first().context("the server has no folder")?.clone(),
        ))
    }

    fn out_of(&self, table: &str) -> String {
        let folder = &self.0;
        format!("COPY (SELECT * FROM {table}) TO '{folder}/bench-{table}' (FORMAT binary)")
    }

    fn back_into(&self, table: &str) -> String {
        let folder = &self.0;
        format!("COPY {table} FROM '{folder}/bench-{table}' (FORMAT binary)")
    }
}
