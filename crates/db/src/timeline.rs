//! What happened to a recovery: who, when, why, under which trace.

use chrono::{DateTime, Utc};
use contracts::Message;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{NotificationId, RecoveryId, TimelineEntry, TimelineEntryId};
use serde_json::Value;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Trace, Tx};

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: TimelineEntryId,
    /// When; entries sort by it, and those of one transaction by their ids.
    pub at: DateTime<Utc>,
    /// What, as a dotted word: `attempt.scheduled`, `recovery.recovered`.
    pub kind: String,
    /// Who: `api`, `retry-worker`, `notifier`, `payer`, `stripe`.
    pub actor: String,
    /// Why, in words that a merchant understands.
    pub why: String,
    /// Particulars.
    pub detail: Value,
    /// The trace under which it happened.
    pub trace_id: Option<String>,
}

/// Adds an entry in this transaction.
pub async fn add(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    kind: &str,
    why: &str,
    detail: Value,
) -> Result<(), DbError> {
    let id = tx.new_id::<TimelineEntry>();
    let cause = tx.cause().clone();
    sql("INSERT INTO timeline (id, organization_id, recovery_id, at, kind, actor, why, detail, trace_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Timestamptz, _>(cause.at)
    .bind::<Text, _>(kind)
    .bind::<Text, _>(cause.actor.as_str())
    .bind::<Text, _>(why)
    .bind::<Jsonb, _>(detail)
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds an entry, and tells partners and analytics of it by an event of the
/// same kind whose data is `detail`.
pub async fn announce(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    kind: &str,
    why: &str,
    detail: Value,
) -> Result<(), DbError> {
    let data = detail.to_string();
    add(tx, tenant, recovery, kind, why, detail).await?;
    let event_id = tx.new_id::<TimelineEntry>().uuid();
    let occurred_at = tx.now();
    let kind = kind.to_owned();
    tx.emit(
        tenant,
        Message::RecoveryEvent {
            event_id,
            kind,
            recovery,
            data,
            occurred_at,
        },
    );
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    why: String,
    #[diesel(sql_type = Jsonb)]
    detail: Value,
    #[diesel(sql_type = Nullable<Text>)]
    trace_id: Option<String>,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            id: TimelineEntryId::from_uuid(row.id),
            at: row.at,
            kind: row.kind,
            actor: row.actor,
            why: row.why,
            detail: row.detail,
            trace_id: row.trace_id,
        }
    }
}

/// An entry to add with others.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Of which recovery.
    pub recovery: RecoveryId,
    /// What happened, as a dotted word.
    pub kind: &'static str,
    /// Why, in words that a merchant understands.
    pub why: String,
    /// Particulars.
    pub detail: Value,
}

/// Adds entries in one statement, as [`add`] does one.
pub async fn add_all(
    tx: &mut Tx,
    tenant: Tenant,
    new: &[(NewEntry, &Trace)],
) -> Result<(), DbError> {
    if new.is_empty() {
        return Ok(());
    }
    let cause = tx.cause().clone();
    let all = || new.iter().map(|(entry, _)| entry);
    let ids: Vec<Uuid> = new
        .iter()
        .map(|_| tx.new_id::<TimelineEntry>().uuid())
        .collect();
    let recoveries: Vec<Uuid> = all().map(|it| it.recovery.uuid()).collect();
    let kinds: Vec<&str> = all().map(|it| it.kind).collect();
    let whys: Vec<&str> = all().map(|it| it.why.as_str()).collect();
    let details: Vec<&Value> = all().map(|it| &it.detail).collect();
    let traces: Vec<Option<&str>> = new.iter().map(|(_, trace)| trace.id()).collect();
    sql("INSERT INTO timeline (id, organization_id, recovery_id, at, kind, actor, why, detail, trace_id)
         SELECT n.id, $1, n.recovery_id, $2, n.kind, $3, n.why, n.detail, n.trace_id
         FROM unnest($4, $5, $6, $7, $8, $9) AS n (id, recovery_id, kind, why, detail, trace_id)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(cause.at)
    .bind::<Text, _>(cause.actor.as_str())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(recoveries)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(whys)
    .bind::<Array<Jsonb>, _>(details)
    .bind::<Array<Nullable<Text>>, _>(traces)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Tells partners and analytics of an entry that [`add_all`] adds.
pub fn tell(tx: &mut Tx, tenant: Tenant, (new, trace): (&NewEntry, &Trace)) {
    let event_id = tx.new_id::<TimelineEntry>().uuid();
    let occurred_at = tx.now();
    let message = Message::RecoveryEvent {
        event_id,
        kind: new.kind.to_owned(),
        recovery: new.recovery,
        data: new.detail.to_string(),
        occurred_at,
    };
    tx.emit_under(trace, tenant, message);
}

/// The first `limit` entries of a recovery, oldest first.
pub async fn of_recovery(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: RecoveryId,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows = sql(
        "SELECT id, at, kind, actor, why, detail, trace_id FROM timeline
         WHERE organization_id = $1 AND recovery_id = $2 ORDER BY at, id LIMIT $3",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The first `limit` entries of a recovery that are about one message, oldest first.
pub async fn of_notification(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: RecoveryId,
    notification: NotificationId,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows = sql(
        "SELECT id, at, kind, actor, why, detail, trace_id FROM timeline
         WHERE organization_id = $1 AND recovery_id = $2 AND detail ->> 'notification_id' = $3
         ORDER BY at, id LIMIT $4",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Text, _>(notification.to_string())
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
