//! Which card a try is on, and its lock.

use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::ConnectionId;

use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// Longest id of a PSP that is kept in a key, in characters.
const LONGEST: usize = 300;

/// A card or mandate, by what is known of it: the number as the PSP knows it, the
/// means that was made of it, or both. PSPs number these for each account of
/// theirs, so a card of one connection is not that of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    means: Option<String>,
    number: Option<String>,
}

impl Card {
    /// The card of a fingerprint, or of a payment method's id where the PSP tells
    /// no fingerprint. None if neither is known. What no connection names was
    /// reported by the merchant's own systems.
    pub fn of(
        connection: Option<ConnectionId>,
        fingerprint: Option<&str>,
        payment_method: Option<&str>,
    ) -> Option<Self> {
        let account = connection.map_or_else(|| "api".to_owned(), |id| id.to_string());
        let key = |space: &str, id: &str| {
            let fits = (1..=LONGEST).contains(&id.chars().count());
            fits.then(|| format!("{account}:{space}:{id}"))
        };
        let card = Self {
            means: payment_method.and_then(|id| key("pm", id)),
            number: fingerprint.and_then(|id| key("fp", id)),
        };
        (card.means.is_some() || card.number.is_some()).then_some(card)
    }

    pub(super) fn means(&self) -> Option<&str> {
        self.means.as_deref()
    }

    pub(super) fn number(&self) -> Option<&str> {
        self.number.as_deref()
    }
}

/// Notes that a means is the card of a number, where both are known: its tries are
/// the card's from then on.
pub async fn learn(tx: &mut Tx, tenant: Tenant, card: &Card) -> Result<(), DbError> {
    lock(tx, tenant, card).await.map(|_| ())
}

/// Locks a card until the transaction ends; answers the key of its tries. A means
/// is always locked before the number that it stands for, and only until that is
/// known: nobody waits in a circle.
pub(super) async fn lock(tx: &mut Tx, tenant: Tenant, card: &Card) -> Result<String, DbError> {
    let (Some(means), number) = (card.means(), card.number()) else {
        let number = card.number().unwrap_or_default();
        take(tx, tenant, number).await?;
        return Ok(number.to_owned());
    };
    let mut same = number_of(tx, tenant, means).await?;
    if same.is_none() {
        same = take(tx, tenant, means).await?;
    }
    match (same, number) {
        (Some(known), _) => {
            take(tx, tenant, &known).await?;
            Ok(known)
        }
        (None, Some(number)) => {
            take(tx, tenant, number).await?;
            become_one(tx, tenant, means, number).await?;
            Ok(number.to_owned())
        }
        (None, None) => Ok(means.to_owned()),
    }
}

#[derive(QueryableByName)]
struct Same {
    #[diesel(sql_type = Nullable<Text>)]
    same_as: Option<String>,
}

async fn number_of(tx: &mut Tx, tenant: Tenant, means: &str) -> Result<Option<String>, DbError> {
    let row: Option<Same> =
        sql("SELECT same_as FROM cards WHERE organization_id = $1 AND card_key = $2")
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<Text, _>(means)
            .get_result(tx.conn())
            .await
            .optional()?;
    Ok(row.and_then(|row| row.same_as))
}

/// Locks the row of a key, made if need be; answers the number that it stands for.
pub(super) async fn take(
    tx: &mut Tx,
    tenant: Tenant,
    key: &str,
) -> Result<Option<String>, DbError> {
    if let Some(row) = locked(tx, tenant, key).await? {
        return Ok(row.same_as);
    }
    let now = tx.now();
    sql(
        "INSERT INTO cards (organization_id, card_key, created_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(key)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(locked(tx, tenant, key).await?.and_then(|row| row.same_as))
}

async fn locked(tx: &mut Tx, tenant: Tenant, key: &str) -> Result<Option<Same>, DbError> {
    Ok(
        sql("SELECT same_as FROM cards WHERE organization_id = $1 AND card_key = $2 FOR UPDATE")
            .bind::<SqlUuid, _>(tenant.uuid())
            .bind::<Text, _>(key)
            .get_result(tx.conn())
            .await
            .optional()?,
    )
}

/// What was tried on the means was tried on the number. Both are locked.
async fn become_one(tx: &mut Tx, tenant: Tenant, means: &str, number: &str) -> Result<(), DbError> {
    sql("UPDATE cards SET same_as = $3 WHERE organization_id = $1 AND card_key = $2")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<Text, _>(means)
        .bind::<Text, _>(number)
        .execute(tx.conn())
        .await?;
    sql("UPDATE card_tries SET card_key = $3 WHERE organization_id = $1 AND card_key = $2")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<Text, _>(means)
        .bind::<Text, _>(number)
        .execute(tx.conn())
        .await?;
    Ok(())
}
