//! Attempts: scheduled, claimed under a lease, settled. States as in `domain::state`.
//!
//! A claim is one statement: rows of organizations taken in turn, skipping what
//! other workers hold. A worker that dies leaves a lease that runs out; its
//! message attempts go back to `scheduled` (nothing was done: their effect is
//! one transaction), its charges become in doubt and are looked up.

mod claims;
mod list;
mod new;
mod open_charge;
mod waiting;

pub use claims::{Claim, UnderWay, claim_due, claim_unsettled, let_go, next_due};
pub use new::{Take, Taken, schedule, take};
pub use open_charge::{Reserved, Sent, charge_under_way, mark_sent, open_charge, sent};
pub use waiting::{Waiting, waiting};

pub use list::{Stats, Wanted, count_due, list, stats};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::classification::{Category, Classification, Hardness};
use domain::id::{AttemptId, OrganizationId, RecoveryId};
use domain::schedule::Step;
use domain::{AttemptKind, AttemptState, Channel};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx, card_tries};

/// An attempt as stored.
#[derive(Debug, Clone)]
pub struct StoredAttempt {
    /// Its id, and the idempotency key of its charge.
    pub id: AttemptId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it is a step of.
    pub recovery: RecoveryId,
    /// Which step, from 1.
    pub number: u32,
    /// What it does.
    pub kind: AttemptKind,
    /// Where it stands.
    pub state: AttemptState,
    /// On which channels it writes.
    pub channels: Vec<Channel>,
    /// Why it was planned so, in words.
    pub why: String,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// When it last moved.
    pub updated_at: DateTime<Utc>,
    /// How often it was claimed.
    pub claims: u32,
    /// The charge at the PSP.
    pub charge_ref: Option<String>,
    /// Why a charge was declined.
    pub category: Option<Category>,
    /// Whether the same means may do later.
    pub hardness: Option<Hardness>,
    /// The PSP's code for the outcome.
    pub outcome_code: Option<String>,
    /// The outcome in words.
    pub outcome: Option<String>,
    /// The trace that planned it.
    pub traceparent: Option<String>,
    /// Its vendor part.
    pub tracestate: Option<String>,
}

/// The columns of [`AttemptRow`], named one by one: `*` would break prepared
/// statements of running replicas when a migration adds a column.
macro_rules! attempt_columns {
    () => {
        "a.id, a.organization_id, a.recovery_id, a.number, a.kind, a.state, a.channels, a.why,
         a.due_at, a.created_at, a.updated_at, a.claims, a.charge_ref, a.category, a.hardness,
         a.outcome_code, a.outcome, a.traceparent, a.tracestate"
    };
}
use attempt_columns;

#[derive(QueryableByName)]
struct AttemptRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    recovery_id: Uuid,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Array<Text>)]
    channels: Vec<String>,
    #[diesel(sql_type = Text)]
    why: String,
    #[diesel(sql_type = Timestamptz)]
    due_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    claims: i32,
    #[diesel(sql_type = Nullable<Text>)]
    charge_ref: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    category: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    hardness: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    outcome_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    outcome: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    traceparent: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    tracestate: Option<String>,
}

fn read<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T, DbError>
where
    T::Err: ToString,
{
    text.parse()
        .map_err(|fault: T::Err| DbError::corrupt(what, fault))
}

impl TryFrom<AttemptRow> for StoredAttempt {
    type Error = DbError;
    fn try_from(row: AttemptRow) -> Result<Self, DbError> {
        Ok(Self {
            id: AttemptId::from_uuid(row.id),
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            recovery: RecoveryId::from_uuid(row.recovery_id),
            number: u32::try_from(row.number)
                .map_err(|fault| DbError::corrupt("attempts.number", fault))?,
            kind: read("attempts.kind", &row.kind)?,
            state: read("attempts.state", &row.state)?,
            channels: row
                .channels
                .iter()
                .map(|channel| read("attempts.channels", channel))
                .collect::<Result<_, _>>()?,
            why: row.why,
            due_at: row.due_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            claims: u32::try_from(row.claims).unwrap_or(0),
            charge_ref: row.charge_ref,
            category: row
                .category
                .map(|text| read("attempts.category", &text))
                .transpose()?,
            hardness: row
                .hardness
                .map(|text| read("attempts.hardness", &text))
                .transpose()?,
            outcome_code: row.outcome_code,
            outcome: row.outcome,
            traceparent: row.traceparent,
            tracestate: row.tracestate,
        })
    }
}

/// Locks an attempt that waits, until this transaction ends: workers pass it over.
/// False if it no longer waits.
pub async fn hold(tx: &mut Tx, tenant: Tenant, id: AttemptId) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        #[expect(dead_code, reason = "that there is a row is what is asked for")]
        id: Uuid,
    }
    let held: Option<Row> = sql("SELECT id FROM attempts
         WHERE organization_id = $1 AND id = $2 AND state = 'scheduled' FOR UPDATE")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(tx.conn())
    .await
    .optional()?;
    Ok(held.is_some())
}

/// Moves an attempt that waits to another time, and its message to what is open
/// then. False if it no longer waits.
pub async fn reschedule(
    tx: &mut Tx,
    tenant: Tenant,
    id: AttemptId,
    step: &Step,
) -> Result<bool, DbError> {
    let now = tx.now();
    let channels: Vec<&str> = step.channels.iter().map(|it| it.as_str()).collect();
    let moved = sql(
        "UPDATE attempts SET due_at = $3, channels = $4, why = $5, updated_at = $6
         WHERE organization_id = $1 AND id = $2 AND state = 'scheduled'",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(step.due_at)
    .bind::<Array<Text>, _>(channels)
    .bind::<Text, _>(step.why.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Lets what was put off until `until` because its recovery rested be done now;
/// answers how many.
pub async fn resume(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    until: DateTime<Utc>,
) -> Result<usize, DbError> {
    let now = tx.now();
    Ok(sql("UPDATE attempts SET due_at = $4, updated_at = $4
         WHERE organization_id = $1 AND recovery_id = $2 AND state = 'scheduled' AND due_at = $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Timestamptz, _>(until)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?)
}

/// What became of an attempt.
#[derive(Debug, Clone, Default)]
pub struct Outcome<'a> {
    /// The charge at the PSP.
    pub charge_ref: Option<&'a str>,
    /// What a decline means.
    pub classification: Option<&'a Classification>,
    /// The PSP's code.
    pub code: Option<&'a str>,
    /// The network's decline code.
    pub network_decline_code: Option<&'a str>,
    /// The network's advice code.
    pub network_advice_code: Option<&'a str>,
    /// Whether a charge that counts as declined surely never reached the network.
    pub never_sent: bool,
    /// In words.
    pub words: Option<&'a str>,
}

/// Moves an attempt that `worker` holds to `next`. False if it is no longer held by
/// that claim: the lease ran out, and it was settled, taken over or claimed anew,
/// be it by the same worker. A final state, and being handed back, close the
/// recovery's open charge; its try on the card follows, see [`card_tries`].
pub async fn settle(
    tx: &mut Tx,
    attempt: &StoredAttempt,
    worker: Uuid,
    next: AttemptState,
    due_or_lease: Option<DateTime<Utc>>,
    outcome: &Outcome<'_>,
) -> Result<bool, DbError> {
    let now = tx.now();
    let moved = sql("UPDATE attempts
         SET state = $4,
             due_at = CASE WHEN $4 = 'scheduled' THEN coalesce($5, due_at) ELSE due_at END,
             lease_until = CASE WHEN $4 = 'in_doubt' THEN $5 END,
             claimed_by = NULL,
             charge_ref = coalesce($6, charge_ref), category = coalesce($7, category),
             hardness = coalesce($8, hardness), outcome_code = coalesce($9, outcome_code),
             outcome = coalesce($10, outcome), updated_at = $11
         WHERE organization_id = $1 AND id = $2 AND claimed_by = $3 AND claims = $12 AND state = $13
           AND state IN ('claimed', 'in_doubt')")
    .bind::<SqlUuid, _>(attempt.tenant.uuid())
    .bind::<SqlUuid, _>(attempt.id.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Text, _>(next.as_str())
    .bind::<Nullable<Timestamptz>, _>(due_or_lease)
    .bind::<Nullable<Text>, _>(outcome.charge_ref)
    .bind::<Nullable<Text>, _>(outcome.classification.map(|c| c.category.as_str()))
    .bind::<Nullable<Text>, _>(outcome.classification.map(|c| c.hardness.as_str()))
    .bind::<Nullable<Text>, _>(outcome.code)
    .bind::<Nullable<Text>, _>(outcome.words)
    .bind::<Timestamptz, _>(now)
    .bind::<Integer, _>(open_charge::claims(attempt))
    .bind::<Text, _>(attempt.state.as_str())
    .execute(tx.conn())
    .await?;
    if moved == 1 && attempt.kind == AttemptKind::Charge {
        card_tries::follow(tx, attempt, next, outcome).await?;
    }
    if moved == 1 && attempt.kind == AttemptKind::Charge && next != AttemptState::InDoubt {
        sql("DELETE FROM open_charges WHERE organization_id = $1 AND attempt_id = $2")
            .bind::<SqlUuid, _>(attempt.tenant.uuid())
            .bind::<SqlUuid, _>(attempt.id.uuid())
            .execute(tx.conn())
            .await?;
    }
    Ok(moved == 1)
}

/// Cancels what waits for a recovery that ended, or whose reason changed;
/// answers how many. What is claimed is left to its worker, which looks again
/// before it acts.
pub async fn cancel_scheduled(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    kind: Option<AttemptKind>,
    reason: &str,
) -> Result<usize, DbError> {
    let now = tx.now();
    Ok(sql(
        "UPDATE attempts SET state = 'cancelled', outcome = $4, updated_at = $5
         WHERE organization_id = $1 AND recovery_id = $2 AND state = 'scheduled'
           AND ($3 IS NULL OR kind = $3)",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Nullable<Text>, _>(kind.map(AttemptKind::as_str))
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?)
}

/// The attempts of a recovery, in order; at most 200.
///
/// They are looked for by the recovery alone, and whose they are is looked at in what is
/// found. A partition that is new has no statistics, and Postgres then takes an
/// index by organization to be as good, and reads through all of its attempts.
pub async fn of_recovery(
    mut conn: &Conn,
    tenant: Tenant,
    recovery: RecoveryId,
) -> Result<Vec<StoredAttempt>, DbError> {
    sql(concat!(
        "SELECT ",
        attempt_columns!(),
        " FROM attempts a WHERE a.recovery_id = $2 AND (a.organization_id = $1) IS TRUE
          ORDER BY a.number, a.id LIMIT 200"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .load::<AttemptRow>(&mut conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The organization's attempt of that id.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: AttemptId,
) -> Result<Option<StoredAttempt>, DbError> {
    sql(concat!(
        "SELECT ",
        attempt_columns!(),
        " FROM attempts a WHERE a.organization_id = $1 AND a.id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<AttemptRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}
