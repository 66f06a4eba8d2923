//! Comparisons of an organization's recoveries with what its PSPs say.
//!
//! ```text
//! begin ──> running ──claim──> walk a page ──pass, one recovery each──> hand back
//!              ^                                                            │
//!              └──────────── another's turn, then this one's again <────────┘
//!                                   nothing left to walk: finished
//! ```
//!
//! At most one runs for an organization. It is claimed under a lease as attempts
//! are, and remembers the last recovery that it passed: a verdict, what follows
//! from it and the move to the next one commit together, under a guard that names
//! both the claimer and the place. A worker that dies between two lines leaves a
//! run that another one goes on with, at the recovery that was not settled.

mod daily;
mod results;
mod walk;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{OrganizationId, ReconRun, ReconRunId, RecoveryId};
use domain::reconciliation::{AskedBy, Change, RunState, Verdict};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

pub use daily::{due_daily, forget};
pub use results::{NewResult, StoredResult, note, results};
pub use walk::{Member, MemberCheckout, Walked, member, walk};

/// A comparison as stored.
#[derive(Debug, Clone)]
pub struct StoredRun {
    /// Its id.
    pub id: ReconRunId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Where it stands.
    pub state: RunState,
    /// Who wanted it.
    pub asked_by: AskedBy,
    /// For how many days back ended recoveries are compared.
    pub days: u16,
    /// The last recovery that was passed.
    pub reached: Option<RecoveryId>,
    /// Recoveries compared.
    pub checked: u64,
    /// Of these: both said the same.
    pub ok: u64,
    /// They differed.
    pub mismatches: u64,
    /// The PSP did not tell.
    pub unknown: u64,
    /// Recoveries that became recovered.
    pub recovered: u64,
    /// Recoveries that became cancelled.
    pub cancelled: u64,
    /// When it was asked for.
    pub began_at: DateTime<Utc>,
    /// When the last recovery was passed.
    pub ended_at: Option<DateTime<Utc>>,
}

macro_rules! columns {
    () => {
        "r.id, r.organization_id, r.state, r.asked_by, r.days, r.reached, r.checked, r.ok,
         r.mismatches, r.unknown, r.recovered, r.cancelled, r.began_at, r.ended_at"
    };
}

#[derive(QueryableByName)]
struct RunRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    asked_by: String,
    #[diesel(sql_type = Integer)]
    days: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    reached: Option<Uuid>,
    #[diesel(sql_type = BigInt)]
    checked: i64,
    #[diesel(sql_type = BigInt)]
    ok: i64,
    #[diesel(sql_type = BigInt)]
    mismatches: i64,
    #[diesel(sql_type = BigInt)]
    unknown: i64,
    #[diesel(sql_type = BigInt)]
    recovered: i64,
    #[diesel(sql_type = BigInt)]
    cancelled: i64,
    #[diesel(sql_type = Timestamptz)]
    began_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<RunRow> for StoredRun {
    type Error = DbError;
    fn try_from(row: RunRow) -> Result<Self, DbError> {
        let count = |count: i64| {
            u64::try_from(count).map_err(|fault| DbError::corrupt("recon_runs counts", fault))
        };
        Ok(Self {
            id: ReconRunId::from_uuid(row.id),
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("recon_runs.state", fault))?,
            asked_by: row
                .asked_by
                .parse()
                .map_err(|fault| DbError::corrupt("recon_runs.asked_by", fault))?,
            days: u16::try_from(row.days)
                .map_err(|fault| DbError::corrupt("recon_runs.days", fault))?,
            reached: row.reached.map(RecoveryId::from_uuid),
            checked: count(row.checked)?,
            ok: count(row.ok)?,
            mismatches: count(row.mismatches)?,
            unknown: count(row.unknown)?,
            recovered: count(row.recovered)?,
            cancelled: count(row.cancelled)?,
            began_at: row.began_at,
            ended_at: row.ended_at,
        })
    }
}

/// Begins a comparison that goes `days` back (1 to 365), by the merchant's wish or,
/// with a `slot`, for the organization's time of that day. None if one is running,
/// or that slot had one.
pub async fn begin(
    tx: &mut Tx,
    tenant: Tenant,
    days: u16,
    slot: Option<DateTime<Utc>>,
) -> Result<Option<ReconRunId>, DbError> {
    let id = tx.new_id::<ReconRun>();
    let now = tx.now();
    let asked_by = slot.map_or(AskedBy::Merchant, |_| AskedBy::Schedule);
    let made = sql(
        "INSERT INTO recon_runs (id, organization_id, state, asked_by, slot, days, turn_at, began_at)
         VALUES ($1, $2, 'running', $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(asked_by.as_str())
    .bind::<Nullable<Timestamptz>, _>(slot)
    .bind::<Integer, _>(i32::from(days))
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok((made == 1).then_some(id))
}

/// The organization's comparison that is running.
pub async fn running(conn: &mut Conn, tenant: Tenant) -> Result<Option<StoredRun>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recon_runs r WHERE r.organization_id = $1 AND r.state = 'running'"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .get_result::<RunRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The organization's comparison of that id.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: ReconRunId,
) -> Result<Option<StoredRun>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recon_runs r WHERE r.organization_id = $1 AND r.id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<RunRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The organization's comparisons, newest first, older than `before`.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    before: Option<ReconRunId>,
    limit: i64,
) -> Result<Vec<StoredRun>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recon_runs r WHERE r.organization_id = $1 AND ($2 IS NULL OR r.id < $2)
          ORDER BY r.id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<SqlUuid>, _>(before.map(domain::Id::uuid))
    .bind::<BigInt, _>(limit)
    .load::<RunRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Claims comparisons that nobody works on, those first that waited longest for
/// their turn, so that one with much to do does not keep the others waiting.
pub async fn claim(
    conn: &mut Conn,
    worker: Uuid,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StoredRun>, DbError> {
    sql(concat!(
        "UPDATE recon_runs r
         SET claimed_by = $1, lease_until = $3, claims = r.claims + 1
         WHERE r.id = ANY (ARRAY (
           SELECT w.id FROM recon_runs w
           WHERE w.state = 'running' AND (w.lease_until IS NULL OR w.lease_until <= $2)
           ORDER BY w.turn_at LIMIT $4 FOR UPDATE SKIP LOCKED))
         RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(worker)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(lease_until)
    .bind::<BigInt, _>(limit)
    .load::<RunRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Who holds a run, and where: the guard of everything that moves it.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    /// The run.
    pub run: ReconRunId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Who claimed it.
    pub worker: Uuid,
    /// The last recovery that was passed.
    pub reached: Option<RecoveryId>,
}

/// Passes a recovery with its verdict, and holds the run until `lease_until`.
/// False, and nothing changes, if the run is not held there any more: then
/// whatever else this transaction did must not commit.
pub async fn pass(
    tx: &mut Tx,
    held: &Held,
    recovery: RecoveryId,
    (verdict, change): (Verdict, Change),
    lease_until: DateTime<Utc>,
) -> Result<bool, DbError> {
    let one_if = |is: bool| i64::from(is);
    let moved = sql("UPDATE recon_runs
         SET reached = $5, lease_until = $6, checked = checked + 1, ok = ok + $7,
             mismatches = mismatches + $8, unknown = unknown + $9, recovered = recovered + $10,
             cancelled = cancelled + $11
         WHERE organization_id = $1 AND id = $2 AND state = 'running' AND claimed_by = $3
           AND reached IS NOT DISTINCT FROM $4")
    .bind::<SqlUuid, _>(held.tenant.uuid())
    .bind::<SqlUuid, _>(held.run.uuid())
    .bind::<SqlUuid, _>(held.worker)
    .bind::<Nullable<SqlUuid>, _>(held.reached.map(domain::Id::uuid))
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Timestamptz, _>(lease_until)
    .bind::<BigInt, _>(one_if(verdict == Verdict::Ok))
    .bind::<BigInt, _>(one_if(verdict == Verdict::Mismatch))
    .bind::<BigInt, _>(one_if(verdict == Verdict::Unknown))
    .bind::<BigInt, _>(one_if(change == Change::Recovered))
    .bind::<BigInt, _>(one_if(change == Change::Cancelled))
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Gives a run back, for its next turn: `walked_to` is the last recovery of the
/// page, whether it was to be compared or not.
pub async fn hand_back(
    conn: &mut Conn,
    held: &Held,
    walked_to: Option<RecoveryId>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let moved = sql("UPDATE recon_runs
         SET claimed_by = NULL, lease_until = NULL, turn_at = $5, reached = coalesce($6, reached)
         WHERE organization_id = $1 AND id = $2 AND state = 'running' AND claimed_by = $3
           AND reached IS NOT DISTINCT FROM $4")
    .bind::<SqlUuid, _>(held.tenant.uuid())
    .bind::<SqlUuid, _>(held.run.uuid())
    .bind::<SqlUuid, _>(held.worker)
    .bind::<Nullable<SqlUuid>, _>(held.reached.map(domain::Id::uuid))
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<SqlUuid>, _>(walked_to.map(domain::Id::uuid))
    .execute(conn)
    .await?;
    Ok(moved == 1)
}

/// Ends a run: nothing is left to walk.
pub async fn finish(conn: &mut Conn, held: &Held, now: DateTime<Utc>) -> Result<bool, DbError> {
    let moved = sql("UPDATE recon_runs
         SET state = 'finished', ended_at = $5, claimed_by = NULL, lease_until = NULL
         WHERE organization_id = $1 AND id = $2 AND state = 'running' AND claimed_by = $3
           AND reached IS NOT DISTINCT FROM $4")
    .bind::<SqlUuid, _>(held.tenant.uuid())
    .bind::<SqlUuid, _>(held.run.uuid())
    .bind::<SqlUuid, _>(held.worker)
    .bind::<Nullable<SqlUuid>, _>(held.reached.map(domain::Id::uuid))
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(moved == 1)
}
