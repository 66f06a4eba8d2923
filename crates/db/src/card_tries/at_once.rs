//! Many reported tries at once: a few statements, however many.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{ReportedTry, TransactionId};
use domain::limits::{LOOK_BACK, TriedBy, TryOutcome};
use uuid::Uuid;

use super::others::SAME_TRY;
use super::{Card, PLANNED_AHEAD, Reported, record};
use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// Records tries that no charge is named of, as [`record`] does one after the other.
/// Cards that a PSP's means stands for are taken one by one: which number is
/// theirs may only be learned on the way.
pub async fn record_all(
    tx: &mut Tx,
    tenant: Tenant,
    tries: &[(Card, Reported<'_>)],
) -> Result<(), DbError> {
    let mut plain = Vec::new();
    for (card, tried) in tries {
        match (card.means(), card.number()) {
            (None, Some(number)) if tried.charge.is_none() => {
                if tried.at > tx.now() - LOOK_BACK {
                    plain.push((number, *tried));
                }
            }
            _ => {
                record(tx, tenant, card, tried).await?;
            }
        }
    }
    if plain.is_empty() {
        return Ok(());
    }
    lock(tx, tenant, &plain).await?;
    let known = known(tx, tenant, &plain).await?;
    let news = news(&plain, &known);
    add(tx, tenant, &news).await
}

/// Records tries, each of a transaction that is made in this one and the only one of
/// it, with a charge that no report named before: nothing can know them, so nobody
/// looks. Which number a means stands for is learned as [`record`] learns it.
pub async fn record_first(
    tx: &mut Tx,
    tenant: Tenant,
    tries: &[(Card, Reported<'_>)],
) -> Result<(), DbError> {
    let counted = tx.now() - LOOK_BACK;
    let tries: Vec<_> = tries.iter().filter(|(_, it)| it.at > counted).collect();
    let keys = keys(tx, tenant, tries.iter().map(|(card, _)| card)).await?;
    let mut news = Vec::with_capacity(tries.len());
    for (card, tried) in tries {
        let key = match card.means() {
            Some(means) => keys.get(means).map(String::as_str),
            None => card.number(),
        };
        match key {
            Some(key) => news.push((key, *tried)),
            // Its number is being learned, here or by somebody else.
            None => {
                record(tx, tenant, card, tried).await?;
            }
        }
    }
    if news.is_empty() {
        return Ok(());
    }
    lock(tx, tenant, &news).await?;
    add(tx, tenant, &news).await
}

/// The key of the tries of each of these cards' means: its number where that is known.
/// Left out are means that have a row and no number: what was tried on them may have to
/// become a number's.
async fn keys(
    tx: &mut Tx,
    tenant: Tenant,
    cards: impl Iterator<Item = &Card>,
) -> Result<HashMap<String, String>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        means: String,
        #[diesel(sql_type = Text)]
        key: String,
    }
    let mut pairs: Vec<(&str, Option<&str>)> = cards
        .filter_map(|card| Some((card.means()?, card.number())))
        .collect();
    // One order for all; of a means that comes twice, the one that tells its number.
    pairs.sort_unstable_by(|one, other| one.0.cmp(other.0).then(other.1.cmp(&one.1)));
    pairs.dedup_by_key(|(means, _)| *means);
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    let (means, numbers): (Vec<&str>, Vec<Option<&str>>) = pairs.into_iter().unzip();
    let now = tx.now();
    // A row that somebody commits just now is in neither part.
    let rows: Vec<Row> = sql(
        "WITH made AS (
           INSERT INTO cards (organization_id, card_key, same_as, created_at)
           SELECT $1, n.means, n.number, $2 FROM unnest($3, $4) AS n (means, number)
           ON CONFLICT DO NOTHING RETURNING card_key, same_as)
         SELECT card_key AS means, coalesce(same_as, card_key) AS key FROM made
         UNION ALL
         SELECT c.card_key, c.same_as FROM unnest($3) AS n (means)
         CROSS JOIN LATERAL (
           SELECT card_key, same_as FROM cards
           WHERE organization_id = $1 AND card_key = n.means AND same_as IS NOT NULL LIMIT 1) AS c",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(means)
    .bind::<Array<Nullable<Text>>, _>(numbers)
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.means, row.key)).collect())
}

/// Makes and locks the rows of the cards, in order.
async fn lock(tx: &mut Tx, tenant: Tenant, tries: &[(&str, Reported<'_>)]) -> Result<(), DbError> {
    let mut keys: Vec<&str> = tries.iter().map(|(key, _)| *key).collect();
    keys.sort_unstable();
    keys.dedup();
    let now = tx.now();
    sql("INSERT INTO cards (organization_id, card_key, created_at)
         SELECT $1, key, $2 FROM unnest($3) AS key ON CONFLICT DO NOTHING")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(keys.clone())
    .execute(tx.conn())
    .await?;
    sql(
        "SELECT 1 FROM cards WHERE organization_id = $1 AND card_key = ANY ($2)
         ORDER BY card_key FOR UPDATE",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<Text>, _>(keys)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Places of the tries that were recorded before; those are told so.
async fn known(
    tx: &mut Tx,
    tenant: Tenant,
    tries: &[(&str, Reported<'_>)],
) -> Result<Vec<i32>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        place: i32,
    }
    let now = tx.now();
    let places: Vec<i32> = (0..).take(tries.len()).collect();
    let keys: Vec<&str> = tries.iter().map(|(key, _)| *key).collect();
    let transactions: Vec<Uuid> = tries.iter().map(|(_, it)| it.transaction.uuid()).collect();
    let outcomes: Vec<&str> = tries.iter().map(|(_, it)| it.outcome.as_str()).collect();
    let times: Vec<DateTime<Utc>> = tries.iter().map(|(_, it)| it.at).collect();
    let same = i32::try_from(SAME_TRY.num_seconds()).unwrap_or(i32::MAX);
    let rows: Vec<Row> = sql("WITH told AS (
           SELECT n.*, c.id AS try_id
           FROM unnest($3, $4, $5, $6, $7) AS n (place, card_key, transaction_id, outcome, at)
           JOIN card_tries c ON c.organization_id = $1 AND c.card_key = n.card_key
             AND c.transaction_id = n.transaction_id AND c.outcome = n.outcome
             AND c.at BETWEEN n.at - make_interval(secs => $8) AND n.at + make_interval(secs => $8)
             AND c.at > $9 AND c.id >= uuid7_floor($10)
         ), touched AS (
           UPDATE card_tries c SET updated_at = $2
           WHERE c.organization_id = $1 AND c.id = ANY (SELECT try_id FROM told)
             AND c.id >= uuid7_floor($10))
         SELECT DISTINCT place FROM told")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Integer>, _>(places)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<SqlUuid>, _>(transactions)
    .bind::<Array<Text>, _>(outcomes)
    .bind::<Array<Timestamptz>, _>(times)
    .bind::<Integer, _>(same)
    .bind::<Timestamptz, _>(now - LOOK_BACK)
    .bind::<Timestamptz, _>(now - LOOK_BACK - PLANNED_AHEAD)
    .load(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| row.place).collect())
}

/// Those that are neither known nor reported a little earlier among these.
fn news<'a>(tries: &[(&'a str, Reported<'a>)], known: &[i32]) -> Vec<(&'a str, Reported<'a>)> {
    type Same<'a> = (&'a str, TransactionId, TryOutcome);
    let mut told: HashMap<Same<'_>, Vec<DateTime<Utc>>> = HashMap::new();
    let mut news = Vec::new();
    for (place, (key, tried)) in (0_i32..).zip(tries) {
        let of_one = told
            .entry((*key, tried.transaction, tried.outcome))
            .or_default();
        let near = |at: &DateTime<Utc>| (tried.at - *at).abs() <= SAME_TRY;
        if known.contains(&place) || of_one.iter().any(near) {
            continue;
        }
        of_one.push(tried.at);
        news.push((*key, *tried));
    }
    news
}

async fn add(tx: &mut Tx, tenant: Tenant, new: &[(&str, Reported<'_>)]) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let ids: Vec<Uuid> = new
        .iter()
        .map(|_| tx.new_id::<ReportedTry>().uuid())
        .collect();
    let all = || new.iter().map(|(_, tried)| tried);
    let keys: Vec<&str> = new.iter().map(|(key, _)| *key).collect();
    let transactions: Vec<Uuid> = all().map(|it| it.transaction.uuid()).collect();
    // The future is some clock's error.
    let times: Vec<DateTime<Utc>> = all().map(|it| it.at.min(now)).collect();
    let by: Vec<&str> = all().map(|it| TriedBy::as_str(it.by)).collect();
    let outcomes: Vec<&str> = all().map(|it| it.outcome.as_str()).collect();
    let amounts: Vec<i64> = all().map(|it| it.amount.minor()).collect();
    let currencies: Vec<&str> = all().map(|it| it.amount.currency().code()).collect();
    let charges: Vec<Option<&str>> = all().map(|it| it.charge).collect();
    let declines: Vec<Option<&str>> = all().map(|it| it.decline_code).collect();
    let advice: Vec<Option<&str>> = all().map(|it| it.advice_code).collect();
    sql("INSERT INTO card_tries (
           id, organization_id, card_key, transaction_id, at, tried_by, outcome, amount_minor,
           currency, charge_ref, decline_code, advice_code, updated_at)
         SELECT n.id, $1, n.card_key, n.transaction_id, n.at, n.tried_by, n.outcome, n.amount,
                n.currency, n.charge, n.decline_code, n.advice_code, $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
              AS n (id, card_key, transaction_id, at, tried_by, outcome, amount, currency, charge,
                    decline_code, advice_code)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<SqlUuid>, _>(transactions)
    .bind::<Array<Timestamptz>, _>(times)
    .bind::<Array<Text>, _>(by)
    .bind::<Array<Text>, _>(outcomes)
    .bind::<Array<BigInt>, _>(amounts)
    .bind::<Array<Text>, _>(currencies)
    .bind::<Array<Nullable<Text>>, _>(charges)
    .bind::<Array<Nullable<Text>>, _>(declines)
    .bind::<Array<Nullable<Text>>, _>(advice)
    .execute(tx.conn())
    .await?;
    Ok(())
}
