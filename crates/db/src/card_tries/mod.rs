//! The tries on each card, whoever made them, and the budget that rules leave it.
//!
//! ```text
//! reserve   ours, before it is sent      open
//! settle    its outcome is known         open -> declined | approved
//! release   surely nothing was sent      open -> gone
//! record    somebody else's, or one of ours that a PSP reports     declined | approved
//! ```
//!
//! An open try counts as if it were declined, so that what is under way is never
//! handed out twice. A reservation lives and ends in the transactions that move
//! its attempt: `attempts::settle` settles, keeps or releases it. One that was in
//! doubt may have reached the network: it is never released, and counts as
//! declined unless it is known to have gone through.
//!
//! Reservations on one card are made one after the other, under the lock of its
//! row in `cards`, which is taken after those of transaction and recovery. Cards
//! of other organizations, and other cards, are not waited for.

mod at_once;
mod card;
mod many;
mod others;
mod ours;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::AttemptId;
use domain::limits::{CardTry, LOOK_BACK, TryOutcome};

pub use at_once::{record_all, record_first};
pub use card::{Card, learn};
pub use many::{Tries, of_many};
pub use others::{Reported, record};
pub(crate) use ours::follow;
pub use ours::{OurTry, is_reserved, keep, release, reserve, settle};

use crate::sql::sql;
use crate::transactions::money;
use crate::{Conn, DbError, Tenant};

/// Most tries of one card that are looked at, the newest ones. No rule lets a
/// card be declined as often within its window.
const MOST: i64 = 1_000;
/// How long before its charge an attempt, whose id a try of ours has, may have
/// been planned: what lets old partitions be left aside.
const PLANNED_AHEAD: TimeDelta = TimeDelta::days(180);

/// The network's codes of a decline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDecline {
    /// When the declined try was made.
    pub at: DateTime<Utc>,
    /// The network's decline code, if it was told.
    pub decline_code: Option<String>,
    /// The network's advice code, if it was told.
    pub advice_code: Option<String>,
}

/// What is known of the tries on a card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The tries of the last [`LOOK_BACK`], the oldest first; at most a thousand.
    pub tries: Vec<CardTry>,
    /// The newest one that was declined.
    pub last_decline: Option<LastDecline>,
}

/// The tries on a card within [`LOOK_BACK`] before `now`, without waiting for
/// reservations that are just being made.
pub async fn recent(
    conn: &Conn,
    tenant: Tenant,
    card: &Card,
    now: DateTime<Utc>,
) -> Result<Known, DbError> {
    let (known, _) = read(conn, tenant, card, now, None).await?;
    Ok(known)
}

/// The same, and whether the attempt's own try is among them.
async fn read(
    mut conn: &Conn,
    tenant: Tenant,
    card: &Card,
    now: DateTime<Utc>,
    attempt: Option<AttemptId>,
) -> Result<(Known, bool), DbError> {
    let rows = sql(
        "SELECT coalesce(id = $7, false) AS is_own, at, tried_by, outcome, amount_minor, currency, decline_code, advice_code
         FROM card_tries
         WHERE organization_id = $1 AND at > $4 AND id >= uuid7_floor($5)
           AND card_key = coalesce((SELECT same_as FROM cards
                                    WHERE organization_id = $1 AND card_key = $2), $3, $2)
         ORDER BY at DESC LIMIT $6",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<Text>, _>(card.means())
    .bind::<Nullable<Text>, _>(card.number())
    .bind::<Timestamptz, _>(now - LOOK_BACK)
    .bind::<Timestamptz, _>(now - LOOK_BACK - PLANNED_AHEAD)
    .bind::<BigInt, _>(MOST)
    .bind::<Nullable<SqlUuid>, _>(attempt.map(domain::Id::uuid))
    .load::<TryRow>(&mut conn)
    .await?;
    let own = rows.iter().any(|row| row.is_own);
    Ok((known(rows)?, own))
}

#[derive(QueryableByName)]
struct TryRow {
    #[diesel(sql_type = Bool)]
    is_own: bool,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    tried_by: String,
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Nullable<Text>)]
    decline_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    advice_code: Option<String>,
}

/// A try, read from its columns.
fn card_try(
    at: DateTime<Utc>,
    by: &str,
    outcome: &str,
    (minor, currency): (i64, &str),
) -> Result<CardTry, DbError> {
    Ok(CardTry {
        at,
        by: by
            .parse()
            .map_err(|fault| DbError::corrupt("card_tries.tried_by", fault))?,
        outcome: outcome
            .parse()
            .map_err(|fault| DbError::corrupt("card_tries.outcome", fault))?,
        amount: money(minor, currency)?,
    })
}

fn known(rows: Vec<TryRow>) -> Result<Known, DbError> {
    let mut known = Known::default();
    for row in rows {
        let amount = (row.amount_minor, row.currency.as_str());
        let tried = card_try(row.at, &row.tried_by, &row.outcome, amount)?;
        known.tries.push(tried);
        if tried.outcome == TryOutcome::Declined && known.last_decline.is_none() {
            known.last_decline = Some(LastDecline {
                at: row.at,
                decline_code: row.decline_code,
                advice_code: row.advice_code,
            });
        }
    }
    known.tries.reverse();
    Ok(known)
}
