//! Recoveries: opened, joined, planned, ended. States as in `domain::state`.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::classification::{Category, Hardness};
use domain::experiment::{self, Assignment, VariantName};
use domain::id::{OrganizationId, Recovery, RecoveryId, RetryPolicyId, TransactionId};
use domain::{Money, RecoveryState, RetryPolicy};
use uuid::Uuid;

use crate::sql::sql;
use crate::transactions::money;
use crate::{Conn, DbError, Tenant, Tx};

/// A recovery as stored.
#[derive(Debug, Clone)]
pub struct StoredRecovery {
    /// Its id.
    pub id: RecoveryId,
    /// Whose it is.
    pub tenant: Tenant,
    /// What it wins back.
    pub transaction: TransactionId,
    /// Where it stands.
    pub state: RecoveryState,
    /// What is owed.
    pub amount: Money,
    /// Why the payment failed, by the newest report.
    pub category: Category,
    /// Whether the same means may do later.
    pub hardness: Hardness,
    /// The policy that it opened with.
    pub policy: Option<RetryPolicyId>,
    /// The arm of the policy's experiment that it was assigned to.
    pub assigned: Assigned,
    /// The number of the last step planned.
    pub planned_steps: u32,
    /// Whether no step is left to plan.
    pub plan_done: bool,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When the payer's time to pay is over.
    pub closes_at: DateTime<Utc>,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
    /// Why it ended, in words.
    pub end_reason: Option<String>,
    /// What was won back.
    pub recovered: Option<Money>,
    /// How: `charge`, `link` or `elsewhere`.
    pub recovered_by: Option<String>,
    /// The trace of the report that opened it.
    pub traceparent: Option<String>,
    /// Since when the merchant lets it rest.
    pub paused_at: Option<DateTime<Utc>>,
}

/// Which arm of its policy's experiment a recovery was assigned to when it opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assigned {
    /// The experiment's key; none while the policy has no experiment.
    pub experiment: Option<String>,
    /// The arm.
    pub arm: Assignment,
}

impl Assigned {
    /// The arm that a policy deals a transaction.
    pub fn dealt(policy: &RetryPolicy, transaction: TransactionId) -> Self {
        let experiment = policy.document().experiment.as_ref();
        Self {
            experiment: experiment.map(|experiment| experiment.key.clone()),
            arm: experiment::assign(policy, transaction),
        }
    }

    /// The name of the variant, if the arm is one.
    pub fn variant(&self) -> Option<&str> {
        self.arm.variant.as_ref().map(VariantName::as_str)
    }
}

/// By which way the money arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveredBy {
    /// Our off-session charge.
    Charge,
    /// The payer, through a recovery link.
    Link,
    /// Another way: the PSP's own retry, the merchant's dashboard.
    Elsewhere,
}

impl RecoveredBy {
    /// Its word in Postgres and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Link => "link",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// Named one by one: `*` would break prepared statements of running replicas
/// when a migration adds a column.
macro_rules! columns {
    () => {
        "r.id, r.organization_id, r.transaction_id, r.state, r.amount_minor, r.currency, r.category,
         r.hardness, r.policy_id, r.planned_steps, r.plan_done, r.opened_at, r.closes_at, r.closed_at,
         r.end_reason, r.recovered_minor, r.recovered_by, r.traceparent, r.experiment, r.variant,
         r.hold_out, r.paused_at"
    };
}

// Below the columns, which they read too.
pub mod at_once;
mod list;

pub use list::{Listed, Order, Wanted, explain, list, listed};

#[derive(QueryableByName)]
struct RecoveryRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    transaction_id: Uuid,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Text)]
    hardness: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    policy_id: Option<Uuid>,
    #[diesel(sql_type = Integer)]
    planned_steps: i32,
    #[diesel(sql_type = Bool)]
    plan_done: bool,
    #[diesel(sql_type = Timestamptz)]
    opened_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    closes_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    closed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    end_reason: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    recovered_minor: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    recovered_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    traceparent: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    experiment: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    variant: Option<String>,
    #[diesel(sql_type = Bool)]
    hold_out: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paused_at: Option<DateTime<Utc>>,
}

impl TryFrom<RecoveryRow> for StoredRecovery {
    type Error = DbError;
    fn try_from(row: RecoveryRow) -> Result<Self, DbError> {
        let recovered = row
            .recovered_minor
            .map(|minor| money(minor, &row.currency))
            .transpose()?;
        Ok(Self {
            id: RecoveryId::from_uuid(row.id),
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            transaction: TransactionId::from_uuid(row.transaction_id),
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("recoveries.state", fault))?,
            amount: money(row.amount_minor, &row.currency)?,
            category: row
                .category
                .parse()
                .map_err(|fault| DbError::corrupt("recoveries.category", fault))?,
            hardness: row
                .hardness
                .parse()
                .map_err(|fault| DbError::corrupt("recoveries.hardness", fault))?,
            policy: row.policy_id.map(RetryPolicyId::from_uuid),
            assigned: Assigned {
                experiment: row.experiment,
                arm: Assignment {
                    variant: row
                        .variant
                        .map(VariantName::try_from)
                        .transpose()
                        .map_err(|fault| DbError::corrupt("recoveries.variant", fault))?,
                    hold_out: row.hold_out,
                },
            },
            planned_steps: u32::try_from(row.planned_steps)
                .map_err(|fault| DbError::corrupt("recoveries.planned_steps", fault))?,
            plan_done: row.plan_done,
            opened_at: row.opened_at,
            closes_at: row.closes_at,
            closed_at: row.closed_at,
            end_reason: row.end_reason,
            recovered,
            recovered_by: row.recovered_by,
            traceparent: row.traceparent,
            paused_at: row.paused_at,
        })
    }
}

/// What a recovery is opened with.
pub struct NewRecovery {
    /// What it wins back.
    pub transaction: TransactionId,
    /// What is owed.
    pub amount: Money,
    /// Why the payment failed.
    pub category: Category,
    /// Whether the same means may do later.
    pub hardness: Hardness,
    /// The policy it keeps.
    pub policy: Option<RetryPolicyId>,
    /// The arm of the policy's experiment that it keeps.
    pub assigned: Assigned,
    /// When its time is over.
    pub closes_at: DateTime<Utc>,
}

/// Opens a recovery. The caller holds the transaction's row lock and has seen
/// that none is open; a partial unique index refuses a second one all the same.
pub async fn open(tx: &mut Tx, tenant: Tenant, new: &NewRecovery) -> Result<RecoveryId, DbError> {
    let id = tx.new_id::<Recovery>();
    let cause = tx.cause().clone();
    sql("INSERT INTO recoveries (
           id, organization_id, transaction_id, state, amount_minor, currency, category, hardness,
           policy_id, opened_at, closes_at, traceparent, updated_at, experiment, variant, hold_out)
         VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, $10, $11, $9, $12, $13, $14)")
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(new.transaction.uuid())
    .bind::<BigInt, _>(new.amount.minor())
    .bind::<Text, _>(new.amount.currency().code())
    .bind::<Text, _>(new.category.as_str())
    .bind::<Text, _>(new.hardness.as_str())
    .bind::<Nullable<SqlUuid>, _>(new.policy.map(domain::Id::uuid))
    .bind::<Timestamptz, _>(cause.at)
    .bind::<Timestamptz, _>(new.closes_at)
    .bind::<Nullable<Text>, _>(cause.traceparent)
    .bind::<Nullable<Text>, _>(new.assigned.experiment.as_deref())
    .bind::<Nullable<Text>, _>(new.assigned.variant())
    .bind::<Bool, _>(new.assigned.arm.hold_out)
    .execute(tx.conn())
    .await?;
    Ok(id)
}

/// The newest recovery of a transaction, its row locked until this transaction ends.
pub async fn newest_of_transaction(
    tx: &mut Tx,
    tenant: Tenant,
    transaction: TransactionId,
) -> Result<Option<StoredRecovery>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recoveries r WHERE organization_id = $1 AND transaction_id = $2
         ORDER BY id DESC LIMIT 1 FOR UPDATE"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(transaction.uuid())
    .get_result::<RecoveryRow>(tx.conn())
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// A recovery, its row locked until this transaction ends. Whatever may end or
/// charge a recovery takes this lock first, so that it sees one truth.
pub async fn lock(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<Option<StoredRecovery>, DbError> {
    lock_on(tx.conn(), tenant, id).await
}

/// As [`lock`], on the connection of a transaction, for whoever asks for something else
/// together with it.
pub async fn lock_on(
    mut conn: &Conn,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<Option<StoredRecovery>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recoveries r WHERE organization_id = $1 AND id = $2 FOR UPDATE"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<RecoveryRow>(&mut conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// A recovery, as it is now.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<Option<StoredRecovery>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recoveries r WHERE organization_id = $1 AND id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<RecoveryRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The organization's recoveries that opened since then, newest first.
pub async fn opened_since(
    conn: &mut Conn,
    tenant: Tenant,
    since: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<StoredRecovery>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recoveries r
         WHERE organization_id = $1 AND id >= uuid7_floor($2) AND opened_at >= $2
         ORDER BY id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(limit)
    .load::<RecoveryRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The recoveries of a transaction, oldest first; at most 50.
pub async fn of_transaction(
    conn: &mut Conn,
    tenant: Tenant,
    transaction: TransactionId,
) -> Result<Vec<StoredRecovery>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recoveries r WHERE organization_id = $1 AND transaction_id = $2
         ORDER BY id LIMIT 50"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(transaction.uuid())
    .load::<RecoveryRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Notes a newer reason on an open recovery.
pub async fn reclassify(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryId,
    category: Category,
    hardness: Hardness,
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "UPDATE recoveries SET category = $3, hardness = $4, updated_at = $5
         WHERE organization_id = $1 AND id = $2 AND state = 'open'",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(category.as_str())
    .bind::<Text, _>(hardness.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How far a recovery's plan has got.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// The number of the last step planned until now.
    pub(crate) from: i32,
    /// The number of the last step planned from now on.
    pub(crate) to: i32,
    /// Until when the payer may pay, if no step is left to plan.
    pub(crate) closes_at: Option<DateTime<Utc>>,
}

/// Notes how far its plan has got. False, and nothing changes, if it is not where that
/// begins, or the recovery is not open.
pub(crate) async fn progress(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryId,
    progress: Progress,
) -> Result<bool, DbError> {
    let now = tx.now();
    let moved = sql("UPDATE recoveries
         SET planned_steps = $4, plan_done = $5::timestamptz IS NOT NULL,
             closes_at = coalesce($5, closes_at), updated_at = $6
         WHERE organization_id = $1 AND id = $2 AND state = 'open' AND planned_steps = $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Integer, _>(progress.from)
    .bind::<Integer, _>(progress.to)
    .bind::<Nullable<Timestamptz>, _>(progress.closes_at)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Notes that no step is left: the payer may pay until `closes_at`.
pub async fn finish_plan(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryId,
    closes_at: DateTime<Utc>,
) -> Result<(), DbError> {
    let now = tx.now();
    sql(
        "UPDATE recoveries SET plan_done = true, closes_at = $3, updated_at = $4
         WHERE organization_id = $1 AND id = $2 AND state = 'open'",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(closes_at)
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a recovery without money. False if it was not open.
pub async fn end(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryId,
    state: RecoveryState,
    reason: &str,
) -> Result<bool, DbError> {
    debug_assert!(RecoveryState::Open.can_become(state) && state != RecoveryState::Recovered);
    let now = tx.now();
    let changed = sql(
        "UPDATE recoveries SET state = $3, closed_at = $4, end_reason = $5, updated_at = $4
         WHERE organization_id = $1 AND id = $2 AND state = 'open'",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(state.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(reason)
    .execute(tx.conn())
    .await?;
    Ok(changed == 1)
}

/// Records that the money arrived. False if that was recorded before. A
/// recovery that was given up takes a late payment too.
pub async fn recover(
    tx: &mut Tx,
    tenant: Tenant,
    id: RecoveryId,
    amount: Money,
    by: RecoveredBy,
    reason: &str,
) -> Result<bool, DbError> {
    let now = tx.now();
    let changed = sql("UPDATE recoveries
         SET state = 'recovered', closed_at = $3, end_reason = $4, recovered_minor = $5,
             recovered_by = $6, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND state <> 'recovered' AND currency = $7")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(reason)
    .bind::<BigInt, _>(amount.minor())
    .bind::<Text, _>(by.as_str())
    .bind::<Text, _>(amount.currency().code())
    .execute(tx.conn())
    .await?;
    Ok(changed == 1)
}

/// Open recoveries whose time is over, and that neither a charge nor a payment is
/// under way for, locked; other housekeepers pass them over.
pub async fn due_to_close(tx: &mut Tx, limit: i64) -> Result<Vec<StoredRecovery>, DbError> {
    let now = tx.now();
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM recoveries r
         WHERE r.state = 'open' AND r.closes_at <= $1
           AND NOT EXISTS (SELECT 1 FROM open_charges c WHERE c.recovery_id = r.id)
           AND NOT EXISTS (
             SELECT 1 FROM payments_underway u
             WHERE u.organization_id = r.organization_id AND u.transaction_id = r.transaction_id
               AND u.standing = 'underway' AND u.until > $1)
         ORDER BY r.closes_at LIMIT $2 FOR UPDATE OF r SKIP LOCKED"
    ))
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit)
    .load::<RecoveryRow>(tx.conn())
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}
