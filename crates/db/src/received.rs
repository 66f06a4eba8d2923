//! Payments that came in for a transaction: whether one more is another one.
//!
//! PSPs tell of one payment in several events, each with some of its ids (an
//! intent, its charge, its invoice, the checkout), so a payment is the set of
//! them all.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::TransactionId;
use domain::state::Provider;

use crate::sql::sql;
use crate::{DbError, Tenant, Tx};

/// What a payment is to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The first that is heard of.
    First,
    /// Heard of before.
    Known,
    /// Another than the one that came before: money came twice.
    Another,
}

/// Records that the payment with these ids came in for `transaction`. The caller
/// holds the recovery's row lock, so that two reports see one another.
pub async fn record(
    tx: &mut Tx,
    tenant: Tenant,
    provider: Provider,
    transaction: TransactionId,
    ids: &[&str],
) -> Result<Received, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        object_id: String,
    }
    let known: Vec<Row> = sql("SELECT object_id FROM received_payments
         WHERE organization_id = $1 AND transaction_id = $2")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(transaction.uuid())
    .load(tx.conn())
    .await?;
    let known: Vec<&str> = known.iter().map(|row| row.object_id.as_str()).collect();
    let received = judge(&known, ids);
    let now = tx.now();
    sql(
        "INSERT INTO received_payments (organization_id, provider, object_id, transaction_id, received_at)
         SELECT $1, $2, object_id, $4, $5 FROM unnest($3) AS object_id
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Array<Text>, _>(ids)
    .bind::<SqlUuid, _>(transaction.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(received)
}

fn judge(known: &[&str], ids: &[&str]) -> Received {
    if known.is_empty() {
        return Received::First;
    }
    if ids.iter().any(|id| known.contains(id)) {
        return Received::Known;
    }
    // An invoice and an intent may be one payment told of by two events that
    // share no id: only what has a like to be compared with is another.
    let kind = |id: &str| id.split_once('_').map_or("", |(kind, _)| kind).to_owned();
    let comparable = |id: &&&str| {
        let own = kind(id);
        !own.is_empty() && known.iter().any(|known| kind(known) == own)
    };
    let elsewhere = ids.iter().any(|id| id.starts_with("pay_"))
        != known.iter().any(|id| id.starts_with("pay_"));
    if elsewhere || ids.iter().find(comparable).is_some() {
        Received::Another
    } else {
        Received::Known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_payment_told_of_by_many_ids_is_one() {
        for (known, ids, received) in [
            (&[][..], &["pi_1", "ch_1"][..], Received::First),
            (&["pi_1", "ch_1"], &["ch_1", "in_1"], Received::Known),
            (&["in_1"], &["pi_1", "ch_1"], Received::Known),
            (&["in_1", "ch_1"], &["pi_1", "ch_2"], Received::Another),
            (&["pi_1"], &["pi_2", "cs_1"], Received::Another),
            (&["pay_1"], &["pay_2"], Received::Another),
            (&["pi_1"], &["pay_2"], Received::Another),
        ] {
            assert_eq!(judge(known, ids), received, "{known:?} {ids:?}");
        }
    }
}
