//! What happened to a recovery: who, when, why, under which trace.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use contracts::Message;
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{NotificationId, RecoveryId, TimelineEntry, TimelineEntryId};
use serde_json::Value;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Cause, Conn, DbError, Tenant, Trace, Tx};

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

/// Adds an entry in this transaction, which writes all of its entries as it commits.
pub fn add(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    kind: &str,
    why: &str,
    detail: Value,
) {
    let trace = tx.cause().trace();
    add_under(
        tx,
        tenant,
        &trace,
        NewEntry::of(recovery, kind, why, detail),
    );
}

/// Adds an entry, and tells partners and analytics of it by an event of the
/// same kind whose data is `detail`.
pub fn announce(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    kind: &str,
    why: &str,
    detail: Value,
) {
    let trace = tx.cause().trace();
    announce_under(
        tx,
        tenant,
        &trace,
        NewEntry::of(recovery, kind, why, detail),
    );
}

/// An entry that waits for its transaction to commit.
pub(crate) struct Waiting {
    id: Uuid,
    tenant: Tenant,
    new: NewEntry,
    trace_id: Option<String>,
}

/// Writes what a transaction has added.
pub(crate) async fn insert(
    mut conn: &Conn,
    cause: &Cause,
    entries: &[Waiting],
) -> Result<(), DbError> {
    if entries.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = entries.iter().map(|it| it.id).collect();
    let organizations: Vec<Uuid> = entries.iter().map(|it| it.tenant.uuid()).collect();
    let recoveries: Vec<Uuid> = entries.iter().map(|it| it.new.recovery.uuid()).collect();
    let kinds: Vec<&str> = entries.iter().map(|it| &*it.new.kind).collect();
    let whys: Vec<&str> = entries.iter().map(|it| it.new.why.as_str()).collect();
    let details: Vec<&Value> = entries.iter().map(|it| &it.new.detail).collect();
    let traces: Vec<Option<&str>> = entries.iter().map(|it| it.trace_id.as_deref()).collect();
    sql("INSERT INTO timeline (id, organization_id, recovery_id, at, kind, actor, why, detail, trace_id)
         SELECT n.id, n.organization_id, n.recovery_id, $1, n.kind, $2, n.why, n.detail, n.trace_id
         FROM unnest($3, $4, $5, $6, $7, $8, $9)
           AS n (id, organization_id, recovery_id, kind, why, detail, trace_id)")
    .bind::<Timestamptz, _>(cause.at)
    .bind::<Text, _>(cause.actor.as_str())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Array<SqlUuid>, _>(recoveries)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(whys)
    .bind::<Array<Jsonb>, _>(details)
    .bind::<Array<Nullable<Text>>, _>(traces)
    .execute(&mut conn)
    .await?;
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
    pub kind: Cow<'static, str>,
    /// Why, in words that a merchant understands.
    pub why: String,
    /// Particulars.
    pub detail: Value,
}

impl NewEntry {
    fn of(recovery: RecoveryId, kind: &str, why: &str, detail: Value) -> Self {
        Self {
            recovery,
            kind: kind.to_owned().into(),
            why: why.to_owned(),
            detail,
        }
    }
}

/// Adds an entry, as [`add`] does, under a trace of its own.
pub fn add_under(tx: &mut Tx, tenant: Tenant, trace: &Trace, new: NewEntry) {
    let id = tx.new_id::<TimelineEntry>().uuid();
    let trace_id = trace.id().map(str::to_owned);
    tx.entries.push(Waiting {
        id,
        tenant,
        new,
        trace_id,
    });
}

/// Adds an entry and tells of it, as [`announce`] does, under a trace of its own.
pub fn announce_under(tx: &mut Tx, tenant: Tenant, trace: &Trace, new: NewEntry) {
    let (kind, data) = (new.kind.clone().into_owned(), new.detail.to_string());
    let recovery = new.recovery;
    add_under(tx, tenant, trace, new);
    let message = Message::RecoveryEvent {
        event_id: tx.new_id::<TimelineEntry>().uuid(),
        kind,
        recovery,
        data,
        occurred_at: tx.now(),
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
