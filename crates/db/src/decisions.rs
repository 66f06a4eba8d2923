//! What was decided about a recovery, each decision with all that it was made from.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use domain::id::{AttemptId, Decision, DecisionId, RecoveryId, RetryPolicyId};
use serde_json::Value;
use uuid::Uuid;

use crate::recoveries::StoredRecovery;
use crate::sql::{CLOCK_SKEW, sql};
use crate::{Conn, DbError, Tenant, Tx};

/// A decision to keep.
#[derive(Debug, Clone)]
pub struct NewDecision {
    /// The step that follows from it, if one does.
    pub attempt: Option<AttemptId>,
    /// `act`, `wait` or `give_up`.
    pub outcome: &'static str,
    /// The policy that was followed, with its version; none for the default one.
    pub policy: Option<(RetryPolicyId, i32)>,
    /// The variant of the policy's experiment that was followed.
    pub variant: Option<String>,
    /// The edition of the networks' and the law's rules that bound it.
    pub rule_pack: &'static str,
    /// Why, in words that a merchant understands.
    pub words: String,
    /// All that the decision was made from, and what it was, as
    /// `domain::schedule::DecisionRecord` writes it.
    pub record: Value,
}

/// A decision as it was kept.
#[derive(Debug, Clone)]
pub struct StoredDecision {
    /// Its id; decisions sort by it.
    pub id: DecisionId,
    /// The step that followed from it.
    pub attempt: Option<AttemptId>,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// `act`, `wait` or `give_up`.
    pub outcome: String,
    /// The policy that was followed.
    pub policy: Option<RetryPolicyId>,
    /// Its version.
    pub policy_version: Option<i32>,
    /// The variant that was followed.
    pub variant: Option<String>,
    /// The edition of the rules.
    pub rule_pack: String,
    /// Why, in words.
    pub words: String,
    /// The whole record.
    pub record: Value,
    /// The trace under which it was made.
    pub trace_id: Option<String>,
}

/// Keeps a decision in this transaction, the one that carries it out and writes all of
/// its decisions as it commits.
pub fn add(tx: &mut Tx, tenant: Tenant, recovery: RecoveryId, new: NewDecision) -> DecisionId {
    let id = tx.new_id::<Decision>();
    let trace_id = tx.cause().trace_id().map(str::to_owned);
    tx.decisions.push(Waiting {
        id,
        tenant,
        recovery,
        new,
        trace_id,
    });
    id
}

/// A decision that waits for its transaction to commit.
pub(crate) struct Waiting {
    id: DecisionId,
    tenant: Tenant,
    recovery: RecoveryId,
    new: NewDecision,
    trace_id: Option<String>,
}

/// Writes what a transaction has decided.
pub(crate) async fn insert(
    mut conn: &Conn,
    now: DateTime<Utc>,
    decisions: &[Waiting],
) -> Result<(), DbError> {
    if decisions.is_empty() {
        return Ok(());
    }
    let all = || decisions.iter().map(|it| &it.new);
    let ids: Vec<Uuid> = decisions.iter().map(|it| it.id.uuid()).collect();
    let organizations: Vec<Uuid> = decisions.iter().map(|it| it.tenant.uuid()).collect();
    let recoveries: Vec<Uuid> = decisions.iter().map(|it| it.recovery.uuid()).collect();
    let attempts: Vec<Option<Uuid>> = all().map(|it| it.attempt.map(domain::Id::uuid)).collect();
    let outcomes: Vec<&str> = all().map(|it| it.outcome).collect();
    let policies: Vec<Option<Uuid>> = all().map(|it| it.policy.map(|(id, _)| id.uuid())).collect();
    let versions: Vec<Option<i32>> = all()
        .map(|it| it.policy.map(|(_, version)| version))
        .collect();
    let variants: Vec<Option<&str>> = all().map(|it| it.variant.as_deref()).collect();
    let rule_packs: Vec<&str> = all().map(|it| it.rule_pack).collect();
    let words: Vec<&str> = all().map(|it| it.words.as_str()).collect();
    let records: Vec<&Value> = all().map(|it| &it.record).collect();
    let traces: Vec<Option<&str>> = decisions.iter().map(|it| it.trace_id.as_deref()).collect();
    sql(
        "INSERT INTO decisions (id, organization_id, recovery_id, attempt_id, at, outcome, policy_id,
                                policy_version, variant, rule_pack, words, record, trace_id)
         SELECT n.id, n.organization_id, n.recovery_id, n.attempt_id, $1, n.outcome, n.policy_id,
                n.policy_version, n.variant, n.rule_pack, n.words, n.record, n.trace_id
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           AS n (id, organization_id, recovery_id, attempt_id, outcome, policy_id,
                 policy_version, variant, rule_pack, words, record, trace_id)",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Array<SqlUuid>, _>(recoveries)
    .bind::<Array<Nullable<SqlUuid>>, _>(attempts)
    .bind::<Array<Text>, _>(outcomes)
    .bind::<Array<Nullable<SqlUuid>>, _>(policies)
    .bind::<Array<Nullable<Integer>>, _>(versions)
    .bind::<Array<Nullable<Text>>, _>(variants)
    .bind::<Array<Text>, _>(rule_packs)
    .bind::<Array<Text>, _>(words)
    .bind::<Array<Jsonb>, _>(records)
    .bind::<Array<Nullable<Text>>, _>(traces)
    .execute(&mut conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    attempt_id: Option<Uuid>,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    policy_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    policy_version: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    variant: Option<String>,
    #[diesel(sql_type = Text)]
    rule_pack: String,
    #[diesel(sql_type = Text)]
    words: String,
    #[diesel(sql_type = Jsonb)]
    record: Value,
    #[diesel(sql_type = Nullable<Text>)]
    trace_id: Option<String>,
}

impl From<Row> for StoredDecision {
    fn from(row: Row) -> Self {
        Self {
            id: DecisionId::from_uuid(row.id),
            attempt: row.attempt_id.map(AttemptId::from_uuid),
            at: row.at,
            outcome: row.outcome,
            policy: row.policy_id.map(RetryPolicyId::from_uuid),
            policy_version: row.policy_version,
            variant: row.variant,
            rule_pack: row.rule_pack,
            words: row.words,
            record: row.record,
            trace_id: row.trace_id,
        }
    }
}

/// The first `limit` decisions about a recovery, oldest first.
pub async fn of_recovery(
    conn: &mut Conn,
    recovery: &StoredRecovery,
    limit: i64,
) -> Result<Vec<StoredDecision>, DbError> {
    // Ids hold their time: the months before the recovery opened are not looked at.
    let since = recovery.opened_at - CLOCK_SKEW;
    let rows: Vec<Row> = sql(
        "SELECT id, attempt_id, at, outcome, policy_id, policy_version, variant, rule_pack, words,
                record, trace_id
         FROM decisions
         WHERE organization_id = $1 AND recovery_id = $2 AND id >= uuid7_floor($3)
         ORDER BY id LIMIT $4",
    )
    .bind::<SqlUuid, _>(recovery.tenant.uuid())
    .bind::<SqlUuid, _>(recovery.id.uuid())
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
