//! The tries of many cards at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::TransactionId;
use domain::limits::{CardTry, LOOK_BACK};
use uuid::Uuid;

use super::{Card, PLANNED_AHEAD, card_try};
use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// Most tries that are read at once.
const MOST: i64 = 100_000;

/// A card's key, and its tries, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Tries {
    /// What is the same for every means that is this card.
    pub card: String,
    tries: Vec<CardTry>,
}

impl Tries {
    /// Those that had been made by `at`.
    pub fn until(&self, at: DateTime<Utc>) -> Vec<CardTry> {
        let made = |tried: &&CardTry| tried.at <= at;
        self.tries.iter().filter(made).copied().collect()
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    owner: Uuid,
    #[diesel(sql_type = Text)]
    card: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    tried_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    outcome: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    amount_minor: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    currency: Option<String>,
}

/// The tries on the cards of these transactions, from [`LOOK_BACK`] before
/// `since` on. One statement, however many.
pub async fn of_many(
    conn: &mut Conn,
    tenant: Tenant,
    cards: &[(TransactionId, Card)],
    since: DateTime<Utc>,
) -> Result<HashMap<TransactionId, Tries>, DbError> {
    let owners: Vec<Uuid> = cards.iter().map(|(owner, _)| owner.uuid()).collect();
    let means: Vec<Option<&str>> = cards.iter().map(|(_, card)| card.means()).collect();
    let numbers: Vec<Option<&str>> = cards.iter().map(|(_, card)| card.number()).collect();
    let rows: Vec<Row> = sql(
        "SELECT wanted.owner, wanted.card, t.at, t.tried_by, t.outcome, t.amount_minor, t.currency
         FROM (SELECT w.owner, coalesce(c.same_as, w.number, w.means) AS card
               FROM unnest($2, $3, $4) AS w (owner, means, number)
               LEFT JOIN cards c ON c.organization_id = $1 AND c.card_key = w.means) AS wanted
         LEFT JOIN card_tries t ON t.organization_id = $1 AND t.card_key = wanted.card
                               AND t.at > $5 AND t.id >= uuid7_floor($6)
         ORDER BY wanted.owner, t.at LIMIT $7",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<SqlUuid>, _>(owners)
    .bind::<Array<Nullable<Text>>, _>(means)
    .bind::<Array<Nullable<Text>>, _>(numbers)
    .bind::<Timestamptz, _>(since - LOOK_BACK)
    .bind::<Timestamptz, _>(since - LOOK_BACK - PLANNED_AHEAD)
    .bind::<BigInt, _>(MOST)
    .load(conn)
    .await?;
    let mut found: HashMap<TransactionId, Tries> = HashMap::new();
    for row in rows {
        let owner = TransactionId::from_uuid(row.owner);
        let tried = tried(&row)?;
        let known = found.entry(owner).or_default();
        known.card = row.card;
        known.tries.extend(tried);
    }
    Ok(found)
}

fn tried(row: &Row) -> Result<Option<CardTry>, DbError> {
    let (Some(at), Some(by), Some(outcome), Some(minor), Some(currency)) = (
        row.at,
        &row.tried_by,
        &row.outcome,
        row.amount_minor,
        &row.currency,
    ) else {
        return Ok(None);
    };
    card_try(at, by, outcome, (minor, currency.as_str())).map(Some)
}
