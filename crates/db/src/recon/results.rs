//! What was found, where the two did not say the same.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{ReconResult, ReconResultId, ReconRunId, RecoveryId, TransactionId};
use domain::reconciliation::{Change, Difference, Verdict};
use domain::state::Provider;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Held;
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// What was found of one recovery.
pub struct NewResult<'a> {
    /// The recovery.
    pub recovery: RecoveryId,
    /// What it wins back.
    pub transaction: TransactionId,
    /// Not ok: what is ok is only counted.
    pub verdict: Verdict,
    /// How they differ.
    pub differences: &'a [Difference],
    /// What was changed because of it.
    pub change: Change,
    /// In words that a merchant understands.
    pub why: &'a str,
    /// The payment that was looked at.
    pub payment: Option<(Provider, &'a str)>,
}

/// A result as stored.
#[derive(Debug, Clone)]
pub struct StoredResult {
    /// Its id; results sort by it, in the order in which they were found.
    pub id: ReconResultId,
    /// The recovery.
    pub recovery: RecoveryId,
    /// What it wins back.
    pub transaction: TransactionId,
    /// Mismatch or unknown.
    pub verdict: Verdict,
    /// A list of `kind`, `ours`, `theirs`.
    pub differences: Value,
    /// What was changed because of it.
    pub change: Change,
    /// In words.
    pub why: String,
    /// At which PSP.
    pub provider: Option<String>,
    /// The payment that was looked at.
    pub payment_ref: Option<String>,
    /// When.
    pub found_at: DateTime<Utc>,
}

/// Keeps a result, in the transaction that passes its recovery.
pub async fn note(tx: &mut Tx, held: &Held, result: &NewResult<'_>) -> Result<(), DbError> {
    let id = tx.new_id::<ReconResult>();
    let now = tx.now();
    sql(
        "INSERT INTO recon_results (id, organization_id, run_id, recovery_id, transaction_id, verdict,
                                    differences, change, why, provider, payment_ref, found_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(held.tenant.uuid())
    .bind::<SqlUuid, _>(held.run.uuid())
    .bind::<SqlUuid, _>(result.recovery.uuid())
    .bind::<SqlUuid, _>(result.transaction.uuid())
    .bind::<Text, _>(result.verdict.as_str())
    .bind::<Jsonb, _>(json!(result.differences))
    .bind::<Text, _>(result.change.as_str())
    .bind::<Text, _>(result.why)
    .bind::<Nullable<Text>, _>(result.payment.map(|(provider, _)| provider.as_str()))
    .bind::<Nullable<Text>, _>(result.payment.map(|(_, reference)| reference))
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A run's results in the order in which they were found, after `after`.
pub async fn results(
    conn: &mut Conn,
    tenant: Tenant,
    run: ReconRunId,
    after: Option<ReconResultId>,
    limit: i64,
) -> Result<Vec<StoredResult>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        recovery_id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        transaction_id: Uuid,
        #[diesel(sql_type = Text)]
        verdict: String,
        #[diesel(sql_type = Jsonb)]
        differences: Value,
        #[diesel(sql_type = Text)]
        change: String,
        #[diesel(sql_type = Text)]
        why: String,
        #[diesel(sql_type = Nullable<Text>)]
        provider: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        payment_ref: Option<String>,
        #[diesel(sql_type = Timestamptz)]
        found_at: DateTime<Utc>,
    }
    let rows = sql(
        "SELECT id, recovery_id, transaction_id, verdict, differences, change, why,
                provider, payment_ref, found_at
         FROM recon_results
         WHERE organization_id = $1 AND run_id = $2 AND ($3 IS NULL OR id > $3)
         ORDER BY id LIMIT $4",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(run.uuid())
    .bind::<Nullable<SqlUuid>, _>(after.map(domain::Id::uuid))
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StoredResult {
                id: ReconResultId::from_uuid(row.id),
                recovery: RecoveryId::from_uuid(row.recovery_id),
                transaction: TransactionId::from_uuid(row.transaction_id),
                verdict: row
                    .verdict
                    .parse()
                    .map_err(|fault| DbError::corrupt("recon_results.verdict", fault))?,
                differences: row.differences,
                change: row
                    .change
                    .parse()
                    .map_err(|fault| DbError::corrupt("recon_results.change", fault))?,
                why: row.why,
                provider: row.provider,
                payment_ref: row.payment_ref,
                found_at: row.found_at,
            })
        })
        .collect()
}
