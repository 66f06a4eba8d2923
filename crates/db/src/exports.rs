//! Recoveries as an organization takes them with it: in batches, each found by the
//! last row of the one before.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::RecoveryId;
use uuid::Uuid;

use crate::sql::{CLOCK_SKEW, sql};
use crate::{Conn, DbError, Tenant};

/// A recovery, without anything about its payer.
#[derive(Debug, Clone, QueryableByName)]
pub struct ExportedRecovery {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    /// The merchant's own reference.
    #[diesel(sql_type = Text)]
    pub transaction_ref: String,
    /// Where it stands.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// ISO 4217.
    #[diesel(sql_type = Text)]
    pub currency: String,
    /// What is owed, in minor units.
    #[diesel(sql_type = BigInt)]
    pub amount_minor: i64,
    /// What came in, in minor units.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub recovered_minor: Option<i64>,
    /// By which way.
    #[diesel(sql_type = Nullable<Text>)]
    pub recovered_by: Option<String>,
    /// Why the payment failed, by the newest report.
    #[diesel(sql_type = Text)]
    pub category: String,
    /// Whether the same means may do later.
    #[diesel(sql_type = Text)]
    pub hardness: String,
    /// The experiment's key.
    #[diesel(sql_type = Nullable<Text>)]
    pub experiment: Option<String>,
    /// Its variant.
    #[diesel(sql_type = Nullable<Text>)]
    pub variant: Option<String>,
    /// Whether it is watched only.
    #[diesel(sql_type = Bool)]
    pub hold_out: bool,
    /// When it opened.
    #[diesel(sql_type = Timestamptz)]
    pub opened_at: DateTime<Utc>,
    /// When it ended.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub closed_at: Option<DateTime<Utc>>,
    /// Why, in words.
    #[diesel(sql_type = Nullable<Text>)]
    pub end_reason: Option<String>,
}

impl ExportedRecovery {
    /// Its id.
    pub const fn id(&self) -> RecoveryId {
        RecoveryId::from_uuid(self.id)
    }
}

/// Recoveries that opened from `from` and before `to`, oldest first, after that one.
pub async fn recoveries(
    conn: &mut Conn,
    tenant: Tenant,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    after: Option<RecoveryId>,
    limit: i64,
) -> Result<Vec<ExportedRecovery>, DbError> {
    Ok(sql(
        "SELECT r.id, t.transaction_ref, r.state, r.currency, r.amount_minor, r.recovered_minor,
                r.recovered_by, r.category, r.hardness, r.experiment, r.variant, r.hold_out,
                r.opened_at, r.closed_at, r.end_reason
         FROM recoveries r
         JOIN transactions t ON t.organization_id = r.organization_id AND t.id = r.transaction_id
         WHERE r.organization_id = $1 AND r.opened_at >= $2 AND r.opened_at < $3
           AND r.id > coalesce($4, uuid7_floor($5)) AND r.id < uuid7_floor($6)
         ORDER BY r.id LIMIT $7",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Nullable<SqlUuid>, _>(after.map(domain::Id::uuid))
    .bind::<Timestamptz, _>(from - CLOCK_SKEW)
    .bind::<Timestamptz, _>(to + CLOCK_SKEW)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?)
}
