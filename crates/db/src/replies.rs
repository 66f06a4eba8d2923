//! Payers' replies that are commands: STOP and START.
//!
//! All organizations write from one number, so a reply names none. A STOP holds
//! for each that has written to the payer on that channel; where none is known to
//! have, for everyone who writes from there.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::consent::{PayerAddress, SuppressionReason};
use domain::id::{ContactChange, OrganizationId, RecoveryId};
use uuid::Uuid;

use crate::sql::sql;
use crate::{DbError, Tenant, Tx, suppressions};

/// An organization that has written to a payer, and what about last.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    /// The organization.
    pub tenant: Tenant,
    /// What its newest message to the payer is about.
    pub recovery: RecoveryId,
}

/// Whether the reply is obeyed now, and not for a second time.
pub async fn obey_once(tx: &mut Tx, provider: &str, message_id: &str) -> Result<bool, DbError> {
    let now = tx.now();
    let first = sql(
        "INSERT INTO obeyed_replies (provider, message_id, received_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(provider)
    .bind::<Text, _>(message_id)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(first == 1)
}

/// The organizations that have written to this number, as far as messages are kept.
async fn writers(tx: &mut Tx, address: &PayerAddress) -> Result<Vec<Writer>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        recovery_id: Uuid,
    }
    // The channels are named so that the index of numbers will do.
    let rows = sql(
        "SELECT DISTINCT ON (organization_id) organization_id, recovery_id
         FROM notifications
         WHERE address = $1 AND channel = $2 AND channel IN ('sms', 'whatsapp')
           AND state NOT IN ('queued', 'withdrawn')
         ORDER BY organization_id, id DESC",
    )
    .bind::<Text, _>(address.expose())
    .bind::<Text, _>(address.channel().as_str())
    .load::<Row>(tx.conn())
    .await?;
    let writer = |row: Row| Writer {
        tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
        recovery: RecoveryId::from_uuid(row.recovery_id),
    };
    Ok(rows.into_iter().map(writer).collect())
}

/// The payer wants no more messages. Answers the writers for whom that is news.
pub async fn stop(
    tx: &mut Tx,
    address: &PayerAddress,
    evidence: &str,
) -> Result<Vec<Writer>, DbError> {
    let writers = writers(tx, address).await?;
    if writers.is_empty() {
        let now = tx.now();
        sql(
            "INSERT INTO shared_suppressions (channel, address, reason, created_at)
             VALUES ($1, $2, 'opted_out', $3) ON CONFLICT DO NOTHING",
        )
        .bind::<Text, _>(address.channel().as_str())
        .bind::<Text, _>(address.key())
        .bind::<Timestamptz, _>(now)
        .execute(tx.conn())
        .await?;
        return Ok(writers);
    }
    let tenants: Vec<Tenant> = writers.iter().map(|writer| writer.tenant).collect();
    let reason = SuppressionReason::OptedOut;
    let news = suppressions::add_for(tx, &tenants, address, reason, Some(evidence)).await?;
    Ok(writers
        .into_iter()
        .filter(|writer| news.contains(&writer.tenant))
        .collect())
}

/// The payer wants messages again: lifts what STOP has suppressed, and nothing
/// else. Answers the writers for whom that is news.
pub async fn start(
    tx: &mut Tx,
    address: &PayerAddress,
    evidence: &str,
) -> Result<Vec<Writer>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
    }
    sql("DELETE FROM shared_suppressions WHERE channel = $1 AND address = $2")
        .bind::<Text, _>(address.channel().as_str())
        .bind::<Text, _>(address.key())
        .execute(tx.conn())
        .await?;
    // Their reason is named so that the index of what can be lifted will do.
    let lifted = sql("DELETE FROM suppressions
         WHERE channel = $1 AND address = $2 AND reason = 'opted_out'
         RETURNING organization_id")
    .bind::<Text, _>(address.channel().as_str())
    .bind::<Text, _>(address.key())
    .load::<Row>(tx.conn())
    .await?;
    if lifted.is_empty() {
        return Ok(Vec::new());
    }
    let lifted: Vec<Uuid> = lifted.into_iter().map(|row| row.organization_id).collect();
    note_lifted(tx, &lifted, address, evidence).await?;
    let writers = writers(tx, address).await?;
    Ok(writers
        .into_iter()
        .filter(|writer| lifted.contains(&writer.tenant.uuid()))
        .collect())
}

async fn note_lifted(
    tx: &mut Tx,
    organizations: &[Uuid],
    address: &PayerAddress,
    evidence: &str,
) -> Result<(), DbError> {
    let changes: Vec<Uuid> = organizations
        .iter()
        .map(|_| tx.new_id::<ContactChange>().uuid())
        .collect();
    let cause = tx.cause().clone();
    sql(
        "INSERT INTO contact_changes (id, organization_id, channel, address, change, reason,
                                      evidence, actor, trace_id, at)
         SELECT id, organization_id, $3, $4, 'lifted', 'opted_out', $5, $6, $7, $8
         FROM unnest($1, $2) AS lifted (id, organization_id)",
    )
    .bind::<Array<SqlUuid>, _>(changes)
    .bind::<Array<SqlUuid>, _>(organizations.to_vec())
    .bind::<Text, _>(address.channel().as_str())
    .bind::<Text, _>(address.key())
    .bind::<Text, _>(evidence)
    .bind::<Text, _>(cause.actor.as_str())
    .bind::<diesel::sql_types::Nullable<Text>, _>(cause.trace_id())
    .bind::<Timestamptz, _>(cause.at)
    .execute(tx.conn())
    .await?;
    Ok(())
}
