//! Writing a year of an organization, by Postgres itself, with the sums that the product's own
//! consumers would have made of it; those are compared with the rows.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use domain::analytics::speed;
use tokio::task::JoinSet;

use crate::database::Database;
use crate::ground::{Ground, Settings};

const SEED: &str = include_str!("seed.sql");
/// Days over which the rows are spread.
pub(super) const DAYS: i64 = 365;
/// Organizations beside the one that is measured.
const OTHERS: u64 = 20;
/// Transactions of all of them together, for each twenty of the one that is measured.
const TWENTIETH: u64 = 20;
/// Statements that write at the same time.
const WRITERS: usize = 2;

/// What the rows are about.
pub(super) struct Seeded {
    /// The organization that is measured, as Postgres writes its id.
    pub(super) organization: String,
    /// How long it all took.
    pub(super) took: Duration,
}

/// Writes all rows and sums, and has Postgres look at what it has got.
pub(super) async fn seed(
    ground: &Ground,
    settings: &Settings,
    transactions: u64,
) -> anyhow::Result<Seeded> {
    let begun = Instant::now();
    let database = &ground.database;
    database.fill().await?;
    let organization = first(
        database,
        "SELECT id::text FROM organizations ORDER BY id LIMIT 1",
    )
    .await?;
    for part in parts(database, settings, &organization, transactions).await? {
        part.write(&ground.stack.postgres_url).await?;
        database.run(&format!("DROP TABLE {}", part.plan)).await?;
    }
    check_sums(database, &organization).await?;
    database.run("VACUUM (ANALYZE, PARALLEL 2)").await?;
    database.filled().await?;
    Ok(Seeded {
        organization,
        took: begun.elapsed(),
    })
}

/// What is written of the organization that is measured, and of the others.
async fn parts(
    database: &Database,
    settings: &Settings,
    organization: &str,
    transactions: u64,
) -> anyhow::Result<[Part; 2]> {
    let connection = "SELECT id::text FROM psp_connections ORDER BY provider DESC LIMIT 1";
    let connection = first(database, connection).await?;
    let endpoint = first(database, &endpoint(organization)).await?;
    let others = database.texts(&others()).await?;
    let now = format!("'{}'::timestamptz", settings.now.to_rfc3339());
    let its = Part {
        plan: "bench_plan",
        word: "ORDER",
        organization: format!("'{organization}'"),
        connection: format!("'{connection}'::uuid"),
        endpoint: format!("'{endpoint}'::uuid"),
        salt: 0,
        last: transactions,
        now: now.clone(),
        is_summed: true,
    };
    let many = others.len();
    let theirs = Part {
        plan: "bench_plan_others",
        word: "OTHER",
        organization: format!("(ARRAY['{}'])[1 + n % {many}]", others.join("','")),
        connection: "NULL::uuid".to_owned(),
        endpoint: "NULL::uuid".to_owned(),
        salt: 1 << 40,
        last: (transactions / TWENTIETH).max(OTHERS),
        now,
        is_summed: false,
    };
    Ok([its, theirs])
}

async fn first(database: &Database, query: &str) -> anyhow::Result<String> {
    let found = database.texts(query).await?.into_iter().next();
    found.with_context(|| format!("nothing was found: {query}"))
}

/// An endpoint that hears of everything; switched off, since nothing is sent here.
fn endpoint(organization: &str) -> String {
    format!(
        "INSERT INTO webhook_endpoints (id, organization_id, url, event_types, signature, key_sealed, enabled,
           created_at, updated_at)
         VALUES (gen_random_uuid(), '{organization}', 'https://partner.example/hooks', '{{*}}', 'hmac', '\\x00',
           false, now(), now())
         RETURNING id::text"
    )
}

fn others() -> String {
    format!(
        "INSERT INTO organizations (id, name, slug, created_at)
         SELECT gen_random_uuid(), 'Other ' || n, 'other-' || n, now() FROM generate_series(1, {OTHERS}) AS n
         RETURNING id::text"
    )
}

/// Rows that are written together.
struct Part {
    plan: &'static str,
    word: &'static str,
    organization: String,
    connection: String,
    endpoint: String,
    salt: u64,
    last: u64,
    now: String,
    /// Whether its sums are written too.
    is_summed: bool,
}

impl Part {
    /// Tables at the same time; then the sums, each of which is made of the one before.
    async fn write(&self, url: &str) -> anyhow::Result<()> {
        let sections = SEED.split("\n\n-- ").skip(1);
        let (tables, in_turn): (Vec<&str>, Vec<&str>) =
            sections.partition(|section| section.starts_with("table"));
        let mut in_turn = in_turn.into_iter().map(|section| self.fill(section));
        let plan = in_turn.next().context("the seed has no plan")?;
        let one = filler(url).await?;
        one.run(&plan).await?;
        let mut tables = tables.into_iter().map(|section| self.fill(section));
        let mut writing = JoinSet::new();
        loop {
            while writing.len() < WRITERS
                && let Some(statement) = tables.next()
            {
                let url = url.to_owned();
                writing.spawn(async move { filler(&url).await?.run(&statement).await });
            }
            let Some(written) = writing.join_next().await else {
                break;
            };
            written??;
        }
        if self.is_summed {
            for statement in in_turn {
                one.run(&statement).await?;
            }
        }
        Ok(())
    }

    /// A section of the seed without its title, with what is in braces put in.
    fn fill(&self, section: &str) -> String {
        let statement = section.split_once('\n').map_or("", |(_, rest)| rest);
        // The newest thirtieth of a year: what is older is over.
        let open_from = self.last - self.last * 30 / DAYS.unsigned_abs();
        let speeds = speed::bounds().map(|bound| bound.to_string()).join(",");
        statement
            .replace("{speeds}", &speeds)
            .replace("{plan}", self.plan)
            .replace("{word}", self.word)
            .replace("{organization}", &self.organization)
            .replace("{connection}", &self.connection)
            .replace("{endpoint}", &self.endpoint)
            .replace("{salt}", &self.salt.to_string())
            .replace("{first}", "1")
            .replace("{last}", &self.last.to_string())
            .replace("{open_from}", &open_from.to_string())
            .replace("{now}", &self.now)
    }
}

/// A connection for rows that are right by themselves: nothing is looked up for them, and nobody
/// waits for the disk.
async fn filler(url: &str) -> anyhow::Result<Database> {
    let database = Database::connect(url).await?;
    database
        .run("SET session_replication_role = replica; SET synchronous_commit = off; SET jit = off")
        .await?;
    Ok(database)
}

/// The sums must be those of the rows: all recoveries opened, and all the money.
async fn check_sums(database: &Database, organization: &str) -> anyhow::Result<()> {
    for (summed, rows) in [
        ("sum(number) FILTER (WHERE measure = 'opened')", "count(*)"),
        (
            "sum(minor) FILTER (WHERE measure = 'recovered')",
            "sum(recovered_minor)",
        ),
    ] {
        let of = |what: &str, from: &str| {
            format!("SELECT ({what})::bigint FROM {from} AND organization_id = '{organization}'")
        };
        let rows = database.number(&of(rows, "recoveries WHERE true")).await?;
        for table in [
            "rollups WHERE dimension = 'all' AND span_minutes = 15",
            "rollups WHERE dimension = 'all' AND span_minutes = 1440",
            "rollups_longer WHERE dimension = 'all' AND span_minutes = 92160",
        ] {
            let summed = database.number(&of(summed, table)).await?;
            ensure!(
                summed == rows,
                "{table} sums up to {summed}, the rows to {rows}"
            );
        }
    }
    Ok(())
}
