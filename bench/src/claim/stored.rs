//! Attempts that are stored, and those that are due.

use std::ops::Range;

use anyhow::ensure;

use crate::ground::Ground;

/// Organizations that have attempts.
const ORGANIZATIONS: u32 = 50;
/// Rows of one statement.
const AT_ONCE: u64 = 500_000;

/// The id of the organization of number `n`, which nobody has to know of here.
const ORGANIZATION: &str =
    "('00000000-0000-7000-8000-' || lpad(to_hex(1 + n % $organizations), 12, '0'))::uuid";

fn organization() -> String {
    ORGANIZATION.replace("$organizations", &ORGANIZATIONS.to_string())
}

/// Adds attempts that were made over the last year: two in three were messages, and one waits for a
/// day to come for each fifty that are over.
pub(super) async fn add(ground: &Ground, numbers: Range<u64>) -> anyhow::Result<()> {
    let database = &ground.database;
    database.fill().await?;
    let mut first = numbers.start;
    while first < numbers.end {
        let last = numbers.end.min(first + AT_ONCE);
        database.run(&insert(first, last)).await?;
        first = last;
    }
    database.run("VACUUM (ANALYZE) attempts").await?;
    database.filled().await
}

fn insert(first: u64, last: u64) -> String {
    let organization = organization();
    format!(
        "INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, channels, why, due_at,
           charge_ref, outcome_code, created_at, updated_at)
         SELECT (left(uuid7_floor(at)::text, 14) || '7101-8000-' || lpad(to_hex(n), 12, '0'))::uuid, {organization},
           (left(uuid7_floor(at)::text, 14) || '7002-8000-' || lpad(to_hex(n / 2), 12, '0'))::uuid, 1 + n % 2,
           CASE WHEN n % 3 = 0 THEN 'charge' ELSE 'message' END,
           CASE WHEN n % 50 = 0 THEN 'scheduled' WHEN n % 3 = 0 THEN 'declined' ELSE 'succeeded' END,
           CASE WHEN n % 3 = 0 THEN '{{}}' ELSE '{{email}}'::text[] END,
           'Payment declined, not enough money in the account: charge again in three days (step 2 of 4)',
           CASE WHEN n % 50 = 0 THEN now() + make_interval(secs => 86400 + n % 2000000) ELSE at END,
           CASE WHEN n % 3 = 0 THEN 'ch_' || to_hex(n) END, CASE WHEN n % 3 = 0 THEN 'insufficient_funds' END, at, at
         FROM (SELECT n, now() - make_interval(secs => 60 + (n * 7919) % 31000000) AS at
               FROM generate_series({first}::bigint, {last}::bigint - 1) AS n) AS made"
    )
}

/// Adds `count` messages that are due now. They are stored attempts from then on: a few more.
pub(super) async fn make_due(ground: &Ground, count: u64) -> anyhow::Result<()> {
    let organization = organization();
    let insert = format!(
        "INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, channels, why, due_at,
           created_at, updated_at)
         SELECT (left(uuid7_floor(now())::text, 14) || '7102-8' || substr(md5(random()::text || n), 1, 3) || '-' ||
                 lpad(to_hex(n), 12, '0'))::uuid, {organization}, gen_random_uuid(), 1, 'message', 'scheduled',
           '{{email}}', 'Payment declined: write to the payer by email now (step 1 of 4)',
           now() - make_interval(secs => 1 + n % 60), now(), now()
         FROM generate_series(1::bigint, {count}::bigint) AS n"
    );
    ground.database.run(&insert).await?;
    ground.database.checkpoint().await
}

/// Nothing that was due is left in another state.
pub(super) async fn are_settled(ground: &Ground) -> anyhow::Result<()> {
    let left = "SELECT count(*) FROM attempts WHERE state IN ('claimed', 'in_doubt')
                  OR state = 'scheduled' AND due_at <= now()";
    let left = ground.database.number(left).await?;
    ensure!(
        left == 0,
        "{left} attempts were due or claimed and not settled"
    );
    Ok(())
}
