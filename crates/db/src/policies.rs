//! Retry policies: a change is a new version, and a recovery keeps the one it opened with.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::experiment::VariantName;
use domain::id::{RetryPolicy, RetryPolicyId, TransactionId};
use domain::policy::{PolicyError, RetryPolicy as Policy};
use serde_json::Value;
use uuid::Uuid;

use crate::recoveries::Assigned;
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx, organizations};

/// One version of a retry policy, its document as stored.
#[derive(Debug, Clone)]
pub struct StoredPolicy {
    /// Its id.
    pub id: RetryPolicyId,
    /// Counts up within the organization.
    pub version: i32,
    /// The policy, as `domain::policy` writes and reads it.
    pub document: Value,
    /// Whether recoveries that open now keep it.
    pub is_active: bool,
    /// When this version was made.
    pub created_at: DateTime<Utc>,
}

impl StoredPolicy {
    /// The policy, as it stands. A stored document was checked when it was
    /// stored: one that no longer reads is a fault of ours.
    pub fn read(&self) -> Result<Policy, DbError> {
        Policy::from_json(&self.document).map_err(corrupt)
    }

    /// The arm that a transaction falls into, and the policy as that arm has it.
    pub fn deal(&self, transaction: TransactionId) -> Result<(Assigned, Policy), DbError> {
        let policy = self.read()?;
        let assigned = Assigned::dealt(&policy, transaction);
        let followed = policy.of_variant(assigned.arm.variant.as_ref());
        Ok((assigned, followed.map_err(corrupt)?))
    }

    /// The policy, as a variant of its experiment has it.
    pub fn of_variant(&self, name: Option<&VariantName>) -> Result<Policy, DbError> {
        self.read()?.of_variant(name).map_err(corrupt)
    }
}

fn corrupt(fault: PolicyError) -> DbError {
    DbError::corrupt("retry_policies.document", fault)
}

macro_rules! columns {
    () => {
        "id, version, document, is_active, created_at"
    };
}

#[derive(QueryableByName)]
struct PolicyRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Jsonb)]
    document: Value,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

impl From<PolicyRow> for StoredPolicy {
    fn from(row: PolicyRow) -> Self {
        Self {
            id: RetryPolicyId::from_uuid(row.id),
            version: row.version,
            document: row.document,
            is_active: row.is_active,
            created_at: row.created_at,
        }
    }
}

/// Makes a new version of the organization's policy, and makes it the active one.
pub async fn activate(
    tx: &mut Tx,
    tenant: Tenant,
    name: &str,
    document: &Value,
) -> Result<StoredPolicy, DbError> {
    let id = tx.new_id::<RetryPolicy>();
    let now = tx.now();
    organizations::lock(tx, tenant).await?;
    sql("UPDATE retry_policies SET is_active = false WHERE organization_id = $1 AND is_active")
        .bind::<SqlUuid, _>(tenant.uuid())
        .execute(tx.conn())
        .await?;
    let made: PolicyRow = sql(concat!(
        "INSERT INTO retry_policies (id, organization_id, version, name, document, is_active, created_at)
         SELECT $2, $1, coalesce(max(version), 0) + 1, $3, $4, true, $5
         FROM retry_policies WHERE organization_id = $1
         RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(name)
    .bind::<Jsonb, _>(document)
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await?;
    Ok(made.into())
}

/// The organization's active policy.
pub async fn active(conn: &mut Conn, tenant: Tenant) -> Result<Option<StoredPolicy>, DbError> {
    let row: Option<PolicyRow> = sql(concat!(
        "SELECT ",
        columns!(),
        " FROM retry_policies WHERE organization_id = $1 AND is_active"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(Into::into))
}

/// The newest version whose experiment has that key.
pub async fn with_experiment(
    conn: &mut Conn,
    tenant: Tenant,
    key: &str,
) -> Result<Option<StoredPolicy>, DbError> {
    let row: Option<PolicyRow> = sql(concat!(
        "SELECT ",
        columns!(),
        " FROM retry_policies
         WHERE organization_id = $1 AND document -> 'experiment' ->> 'key' = $2
         ORDER BY version DESC LIMIT 1"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(key)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(Into::into))
}

/// One version, such as the one that a recovery keeps.
pub async fn find(
    mut conn: &Conn,
    tenant: Tenant,
    id: RetryPolicyId,
) -> Result<Option<StoredPolicy>, DbError> {
    let row: Option<PolicyRow> = sql(concat!(
        "SELECT ",
        columns!(),
        " FROM retry_policies WHERE organization_id = $1 AND id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(&mut conn)
    .await
    .optional()?;
    Ok(row.map(Into::into))
}

/// The organization's versions, newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    limit: i64,
) -> Result<Vec<StoredPolicy>, DbError> {
    let rows: Vec<PolicyRow> = sql(concat!(
        "SELECT ",
        columns!(),
        " FROM retry_policies
         WHERE organization_id = $1 ORDER BY version DESC LIMIT $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Takes a version out of use: recoveries that open from now on follow the
/// default policy until another is made. Those that are open keep it. False if
/// there is no such version.
pub async fn retire(tx: &mut Tx, tenant: Tenant, id: RetryPolicyId) -> Result<bool, DbError> {
    let changed = sql("UPDATE retry_policies SET is_active = false
         WHERE organization_id = $1 AND id = $2")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .execute(tx.conn())
    .await?;
    Ok(changed == 1)
}
