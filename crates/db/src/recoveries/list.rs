//! Recoveries as they are listed: in an order that holds while new ones come in.
//!
//! Each order has an index that it is read from, starting right after the last row
//! of the page before, so that the millionth row costs what the first page does.
//! `next_action` is read from the attempts that are scheduled, of which an open
//! recovery has one at most.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::classification::{Category, Hardness};
use domain::id::{RecoveryId, TransactionId};
use domain::state::Provider;
use domain::transaction_ref::TransactionRef;
use domain::{Currency, RecoveryState};

use super::{RecoveryRow, StoredRecovery};
use crate::sql::{Conditions, Statement, after_epoch};
use crate::{Conn, DbError, Tenant};

/// In which order, and after which row of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Those opened last first.
    Newest(Option<RecoveryId>),
    /// Those opened first first.
    Oldest(Option<RecoveryId>),
    /// Those of the largest amount first, of one currency.
    Amount(Currency, Option<(i64, RecoveryId)>),
    /// Those with a step planned, the soonest first.
    NextAction(Option<(DateTime<Utc>, RecoveryId)>),
    /// By the merchant's name for what is owed, byte by byte; of one name those
    /// opened last first.
    Reference(Option<(TransactionRef, RecoveryId)>),
}

/// Which recoveries are wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// In which order.
    pub order: Order,
    /// This one alone.
    pub id: Option<RecoveryId>,
    /// Of this transaction alone.
    pub transaction: Option<TransactionId>,
    /// Where they stand.
    pub state: Option<RecoveryState>,
    /// Why the payment failed.
    pub category: Option<Category>,
    /// Whether the same means may do later.
    pub hardness: Option<Hardness>,
    /// What is owed in.
    pub currency: Option<Currency>,
    /// Least that is owed, in minor units.
    pub least: Option<i64>,
    /// Most that is owed, in minor units.
    pub most: Option<i64>,
    /// At which PSP it was tried.
    pub provider: Option<Provider>,
    /// The merchant's name for what is owed.
    pub reference: Option<TransactionRef>,
    /// How the merchant's name for what is owed begins.
    pub reference_starts: Option<String>,
    /// The payer's email address, in either case.
    pub email: Option<String>,
    /// Opened at that time or later.
    pub from: Option<DateTime<Utc>>,
    /// Opened before that time.
    pub to: Option<DateTime<Utc>>,
    /// With a step that is due before that time.
    pub due_before: Option<DateTime<Utc>>,
    /// At most so many.
    pub limit: i64,
}

impl Wanted {
    /// All of them, in this order.
    pub const fn all(order: Order, limit: i64) -> Self {
        Self {
            order,
            id: None,
            transaction: None,
            state: None,
            category: None,
            hardness: None,
            currency: None,
            least: None,
            most: None,
            provider: None,
            reference: None,
            reference_starts: None,
            email: None,
            from: None,
            to: None,
            due_before: None,
            limit,
        }
    }
}

/// A recovery with what is shown of it beside its own row.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The recovery.
    pub recovery: StoredRecovery,
    /// The merchant's name for what is owed.
    pub reference: TransactionRef,
    /// At which PSP it was tried.
    pub provider: Option<Provider>,
    /// When its next step is due, if one is planned.
    pub next_action_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct ListedRow {
    #[diesel(embed)]
    recovery: RecoveryRow,
    #[diesel(sql_type = Text)]
    transaction_ref: String,
    #[diesel(sql_type = Nullable<Text>)]
    provider: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_action_at: Option<DateTime<Utc>>,
}

impl TryFrom<ListedRow> for Listed {
    type Error = DbError;
    fn try_from(row: ListedRow) -> Result<Self, DbError> {
        let provider = row.provider.map(|text| text.parse()).transpose();
        Ok(Self {
            recovery: row.recovery.try_into()?,
            reference: TransactionRef::parse(&row.transaction_ref)
                .map_err(|fault| DbError::corrupt("transactions.transaction_ref", fault))?,
            provider: provider
                .map_err(|fault| DbError::corrupt("psp_connections.provider", fault))?,
            next_action_at: row.next_action_at,
        })
    }
}

macro_rules! beside {
    () => {
        "JOIN transactions t ON t.id = r.transaction_id AND t.organization_id = r.organization_id
         LEFT JOIN LATERAL (
           SELECT c.provider FROM psp_connections c
           WHERE c.id = t.connection_id AND c.organization_id = t.organization_id) AS psp ON true"
    };
}

macro_rules! by_recovery {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            ", t.transaction_ref, psp.provider, next.due_at AS next_action_at FROM recoveries r ",
            beside!(),
            " LEFT JOIN LATERAL (
               SELECT min(a.due_at) AS due_at FROM attempts a
               WHERE a.organization_id = r.organization_id AND a.recovery_id = r.id
                 AND a.state = 'scheduled') AS next ON true
              WHERE r.organization_id = $1"
        )
    };
}

const BY_ATTEMPT: &str = concat!(
    "SELECT ",
    columns!(),
    ", t.transaction_ref, psp.provider, a.due_at AS next_action_at
     FROM attempts a
     JOIN recoveries r ON r.id = a.recovery_id AND r.organization_id = a.organization_id ",
    beside!(),
    " WHERE a.organization_id = $1 AND a.state = 'scheduled'"
);

/// The organization's recoveries that are wanted, in one statement.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<Listed>, DbError> {
    statement("", tenant, wanted)
        .load::<ListedRow>(conn)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

/// How Postgres went about [`list`], for tests.
pub async fn explain(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<String>, DbError> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
        line: String,
    }
    let lines: Vec<Line> = statement(
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ",
        tenant,
        wanted,
    )
    .load(conn)
    .await?;
    Ok(lines.into_iter().map(|line| line.line).collect())
}

/// One recovery, as it is listed.
pub async fn listed(
    conn: &mut Conn,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<Option<Listed>, DbError> {
    let rows: Vec<ListedRow> = crate::sql::sql(concat!(by_recovery!(), " AND r.id = $2"))
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .load(conn)
        .await?;
    rows.into_iter().next().map(TryInto::try_into).transpose()
}

fn statement<'a>(before: &'static str, tenant: Tenant, wanted: &'a Wanted) -> Statement<'a> {
    let start = match wanted.order {
        Order::NextAction(_) => BY_ATTEMPT,
        _ => by_recovery!(),
    };
    let conditions = Conditions::after(before).then::<SqlUuid, _>(start, tenant.uuid());
    let conditions = filtered(conditions, wanted);
    let limit = wanted.limit;
    let conditions = match &wanted.order {
        Order::Newest(after) => conditions
            .and::<SqlUuid, _>("r.id < {}", after.map(domain::Id::uuid))
            .then::<BigInt, _>("ORDER BY r.id DESC LIMIT {}", limit),
        Order::Oldest(after) => conditions
            .and::<SqlUuid, _>("r.id > {}", after.map(domain::Id::uuid))
            .then::<BigInt, _>("ORDER BY r.id LIMIT {}", limit),
        Order::Amount(currency, after) => {
            let conditions = conditions.and::<Text, _>("r.currency = {}", Some(currency.code()));
            let conditions = match after {
                None => conditions,
                Some((amount, id)) => conditions
                    .then::<BigInt, _>("AND (r.amount_minor, r.id) < ({}", amount)
                    .then::<SqlUuid, _>(", {})", id.uuid()),
            };
            conditions.then::<BigInt, _>("ORDER BY r.amount_minor DESC, r.id DESC LIMIT {}", limit)
        }
        Order::NextAction(after) => {
            let conditions = match after {
                None => conditions,
                // The first condition is the index's, the second tells apart what
                // is due at one time.
                Some((due_at, id)) => conditions
                    .then::<Timestamptz, _>(
                        "AND a.due_at >= {} AND (a.due_at, a.recovery_id) > ({}",
                        due_at,
                    )
                    .then::<SqlUuid, _>(", {})", id.uuid()),
            };
            conditions.then::<BigInt, _>("ORDER BY a.due_at, a.recovery_id LIMIT {}", limit)
        }
        Order::Reference(after) => {
            let conditions = match after {
                None => conditions,
                // Again the first condition is the index's.
                Some((reference, id)) => conditions
                    .then::<Text, _>("AND t.transaction_ref ~>=~ {}", reference.as_str())
                    .then::<Text, _>("AND (t.transaction_ref ~>~ {}", reference.as_str())
                    .then::<SqlUuid, _>("OR r.id < {})", id.uuid()),
            };
            conditions.then::<BigInt, _>(
                "ORDER BY t.transaction_ref USING ~<~, r.id DESC LIMIT {}",
                limit,
            )
        }
    };
    conditions.statement()
}

fn filtered<'a>(conditions: Conditions<'a>, wanted: &'a Wanted) -> Conditions<'a> {
    let starts = wanted.reference_starts.as_deref().map(beginning_with);
    // Ids hold their time to the millisecond: by them a span of time is found.
    let until = wanted
        .to
        .map(|to| after_epoch(to) + TimeDelta::milliseconds(1));
    let reference = wanted.reference.as_ref().map(TransactionRef::as_str);
    conditions
        .and::<SqlUuid, _>("r.id = {}", wanted.id.map(domain::Id::uuid))
        .and::<SqlUuid, _>(
            "r.transaction_id = {}",
            wanted.transaction.map(domain::Id::uuid),
        )
        .and::<Text, _>("r.state = {}", wanted.state.map(RecoveryState::as_str))
        .and::<Text, _>("r.category = {}", wanted.category.map(Category::as_str))
        .and::<Text, _>("r.hardness = {}", wanted.hardness.map(Hardness::as_str))
        .and::<Text, _>("r.currency = {}", wanted.currency.map(Currency::code))
        .and::<BigInt, _>("r.amount_minor >= {}", wanted.least)
        .and::<BigInt, _>("r.amount_minor <= {}", wanted.most)
        .and::<Text, _>("psp.provider = {}", wanted.provider.map(Provider::as_str))
        .and::<Text, _>("t.transaction_ref = {}", reference)
        .and::<Text, _>("t.transaction_ref LIKE {}", starts)
        // An array, so that the payer's few transactions are found first, whatever
        // the planner thinks of how many they are: else it may walk through all
        // recoveries, newest first, until it has a page of them.
        .and::<Text, _>(
            "r.transaction_id = ANY (ARRAY(
               SELECT paid.id FROM transactions paid
               WHERE paid.organization_id = $1 AND paid.payer_email IS NOT NULL
                 AND lower(paid.payer_email) = lower({})))",
            wanted.email.as_deref(),
        )
        .and::<Timestamptz, _>(
            "r.id >= uuid7_floor({}) AND r.opened_at >= {}",
            wanted.from.map(after_epoch),
        )
        .and::<Timestamptz, _>("r.id < uuid7_floor({})", until)
        .and::<Timestamptz, _>("r.opened_at < {}", wanted.to)
        .and::<Timestamptz, _>(
            "r.id IN (SELECT due.recovery_id FROM attempts due
                      WHERE due.organization_id = $1 AND due.state = 'scheduled'
                        AND due.due_at < {})",
            wanted.due_before,
        )
}

/// A pattern for what begins with `text`.
fn beginning_with(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for char in text.chars() {
        if matches!(char, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern.push('%');
    pattern
}
