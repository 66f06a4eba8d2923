//! The audit log: every change by whom, in the transaction of the change.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{AuditEntry, AuditEntryId};
use serde_json::Value;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// One row of the audit log.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    /// Its id; entries sort by it.
    pub id: AuditEntryId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: a user's or a key's id.
    pub actor: String,
    /// What was done, such as `api_key.made`.
    pub action: String,
    /// The id of what it was done to.
    pub object: Option<String>,
    /// What else is worth knowing; never a secret, never a payer's address.
    pub detail: Value,
    /// The trace under which it was done.
    pub trace_id: Option<String>,
}

/// Notes a change. `detail` must hold no secret and no payer's address.
pub async fn note(
    tx: &mut Tx,
    tenant: Tenant,
    actor: &str,
    action: &str,
    object: Option<&str>,
    detail: &Value,
) -> Result<AuditEntryId, DbError> {
    let id = tx.new_id::<AuditEntry>();
    let cause = tx.cause().clone();
    sql(
        "INSERT INTO audit_log (id, organization_id, at, actor, action, object, detail, trace_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(cause.at)
    .bind::<Text, _>(actor)
    .bind::<Text, _>(action)
    .bind::<Nullable<Text>, _>(object)
    .bind::<Jsonb, _>(detail)
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// Notes changes of one kind, as [`note`] does one: the id of what was changed,
/// and what else is worth knowing.
pub async fn note_all(
    tx: &mut Tx,
    tenant: Tenant,
    actor: &str,
    action: &str,
    changes: &[(String, Value)],
) -> Result<(), DbError> {
    if changes.is_empty() {
        return Ok(());
    }
    let cause = tx.cause().clone();
    let ids: Vec<Uuid> = changes
        .iter()
        .map(|_| tx.new_id::<AuditEntry>().uuid())
        .collect();
    let objects: Vec<&str> = changes.iter().map(|(object, _)| object.as_str()).collect();
    let details: Vec<&Value> = changes.iter().map(|(_, detail)| detail).collect();
    sql(
        "INSERT INTO audit_log (id, organization_id, at, actor, action, object, detail, trace_id)
         SELECT n.id, $1, $2, $3, $4, n.object, n.detail, $5
         FROM unnest($6, $7, $8) AS n (id, object, detail)",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(cause.at)
    .bind::<Text, _>(actor)
    .bind::<Text, _>(action)
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(objects)
    .bind::<Array<Jsonb>, _>(details)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Which entries are wanted, newest first.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// By this one alone.
    pub actor: Option<String>,
    /// Of this action alone.
    pub action: Option<String>,
    /// Done to this one alone.
    pub object: Option<String>,
    /// Older than this entry.
    pub before: Option<AuditEntryId>,
    /// At most so many.
    pub limit: i64,
}

/// The organization's entries, newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<StoredEntry>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Timestamptz)]
        at: DateTime<Utc>,
        #[diesel(sql_type = Text)]
        actor: String,
        #[diesel(sql_type = Text)]
        action: String,
        #[diesel(sql_type = Nullable<Text>)]
        object: Option<String>,
        #[diesel(sql_type = Jsonb)]
        detail: Value,
        #[diesel(sql_type = Nullable<Text>)]
        trace_id: Option<String>,
    }
    let rows: Vec<Row> = sql(
        "SELECT id, at, actor, action, object, detail, trace_id FROM audit_log
         WHERE organization_id = $1 AND ($2 IS NULL OR actor = $2)
           AND ($3 IS NULL OR action = $3) AND ($4 IS NULL OR object = $4)
           AND ($5 IS NULL OR id < $5)
         ORDER BY id DESC LIMIT $6",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<Text>, _>(wanted.actor.as_deref())
    .bind::<Nullable<Text>, _>(wanted.action.as_deref())
    .bind::<Nullable<Text>, _>(wanted.object.as_deref())
    .bind::<Nullable<SqlUuid>, _>(wanted.before.map(AuditEntryId::uuid))
    .bind::<BigInt, _>(wanted.limit)
    .load(conn)
    .await?;
    let entry = |row: Row| StoredEntry {
        id: AuditEntryId::from_uuid(row.id),
        at: row.at,
        actor: row.actor,
        action: row.action,
        object: row.object,
        detail: row.detail,
        trace_id: row.trace_id,
    };
    Ok(rows.into_iter().map(entry).collect())
}
