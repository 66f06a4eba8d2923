//! Addresses that must not be written to, each for one or several reasons.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::Channel;
use domain::consent::{PayerAddress, SuppressionReason};
use domain::id::{ContactChange, OrganizationId, Suppression, SuppressionId};
use uuid::Uuid;

use crate::contacts::{self, Wanted};
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A suppression as stored.
#[derive(Debug, Clone)]
pub struct StoredSuppression {
    /// Its id.
    pub id: SuppressionId,
    /// Whose address.
    pub address: PayerAddress,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct SuppressionRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl TryFrom<SuppressionRow> for StoredSuppression {
    type Error = DbError;
    fn try_from(row: SuppressionRow) -> Result<Self, DbError> {
        Ok(Self {
            id: SuppressionId::from_uuid(row.id),
            address: contacts::address("suppressions.address", &row.channel, &row.address)?,
            reason: row
                .reason
                .parse()
                .map_err(|fault| DbError::corrupt("suppressions.reason", fault))?,
            created_at: row.created_at,
        })
    }
}

/// Stops writing to an address, with who did so in the book of changes. False if
/// it was suppressed for that reason before.
pub async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    address: &PayerAddress,
    reason: SuppressionReason,
    evidence: Option<&str>,
) -> Result<bool, DbError> {
    let news = add_for(tx, &[tenant], address, reason, evidence).await?;
    Ok(!news.is_empty())
}

/// [`add`] for several organizations at once; answers those for whom it is news.
pub(crate) async fn add_for(
    tx: &mut Tx,
    tenants: &[Tenant],
    address: &PayerAddress,
    reason: SuppressionReason,
    evidence: Option<&str>,
) -> Result<Vec<Tenant>, DbError> {
    #[derive(QueryableByName)]
    struct News {
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
    }
    let (mut ids, mut changes) = (Vec::new(), Vec::new());
    for _ in tenants {
        ids.push(tx.new_id::<Suppression>().uuid());
        changes.push(tx.new_id::<ContactChange>().uuid());
    }
    let organizations: Vec<Uuid> = tenants.iter().map(|tenant| tenant.uuid()).collect();
    let cause = tx.cause().clone();
    let news = sql("WITH new AS (
           SELECT * FROM unnest($1, $2, $3) AS n (id, change_id, organization_id)
         ), made AS (
           INSERT INTO suppressions (id, organization_id, channel, address, reason, created_at)
           SELECT id, organization_id, $4, $5, $6, $10 FROM new
           ON CONFLICT DO NOTHING RETURNING organization_id)
         INSERT INTO contact_changes (id, organization_id, channel, address, change, reason,
                                      evidence, actor, trace_id, at)
         SELECT new.change_id, new.organization_id, $4, $5, 'suppressed', $6, $7, $8, $9, $10
         FROM new JOIN made USING (organization_id)
         RETURNING organization_id")
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(changes)
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Text, _>(address.channel().as_str())
    .bind::<Text, _>(address.key())
    .bind::<Text, _>(reason.as_str())
    .bind::<Nullable<Text>, _>(evidence)
    .bind::<Text, _>(cause.actor.as_str())
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .bind::<Timestamptz, _>(cause.at)
    .load::<News>(tx.conn())
    .await?;
    let tenant = |news: News| Tenant::of(OrganizationId::from_uuid(news.organization_id));
    Ok(news.into_iter().map(tenant).collect())
}

/// The suppression of an address for a reason.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    address: &PayerAddress,
    reason: SuppressionReason,
) -> Result<Option<StoredSuppression>, DbError> {
    let wanted = Wanted {
        channel: Some(address.channel()),
        address: Some(address.key()),
        before: None,
        // One for each reason, at most.
        limit: i64::try_from(SuppressionReason::ALL.len()).unwrap_or(i64::MAX),
    };
    let found = list(conn, tenant, &wanted).await?;
    Ok(found.into_iter().find(|found| found.reason == reason))
}

/// The suppressions of an organization, newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<StoredSuppression>, DbError> {
    sql(
        "SELECT id, channel, address, reason, created_at FROM suppressions
         WHERE organization_id = $1 AND ($2 IS NULL OR channel = $2)
           AND ($3 IS NULL OR address = $3) AND ($4 IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<Text>, _>(wanted.channel.map(Channel::as_str))
    .bind::<Nullable<Text>, _>(wanted.address.as_deref())
    .bind::<Nullable<SqlUuid>, _>(wanted.before)
    .bind::<BigInt, _>(wanted.limit)
    .load::<SuppressionRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Lifts one suppression, with who did so in the book of changes. False if there
/// is none of that id.
pub async fn lift(tx: &mut Tx, tenant: Tenant, id: SuppressionId) -> Result<bool, DbError> {
    let change = tx.new_id::<ContactChange>();
    let cause = tx.cause().clone();
    let lifted = sql("WITH gone AS (
           DELETE FROM suppressions WHERE organization_id = $1 AND id = $2
           RETURNING channel, address, reason)
         INSERT INTO contact_changes (id, organization_id, channel, address, change, reason,
                                      actor, trace_id, at)
         SELECT $3, $1, channel, address, 'lifted', reason, $4, $5, $6 FROM gone")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(change.uuid())
    .bind::<Text, _>(cause.actor.as_str())
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .bind::<Timestamptz, _>(cause.at)
    .execute(tx.conn())
    .await?;
    Ok(lifted == 1)
}
