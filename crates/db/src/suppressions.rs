//! Addresses that must not be written to.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::Channel;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// Whether an address of a payer must not be written to.
pub async fn holds(
    conn: &mut Conn,
    tenant: Tenant,
    channel: Channel,
    address: &str,
) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        suppressed: bool,
    }
    let row: Row = sql("SELECT EXISTS (SELECT 1 FROM suppressions
           WHERE organization_id = $1 AND channel = $2 AND address = $3) AS suppressed")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(channel.as_str())
    .bind::<Text, _>(address)
    .get_result(conn)
    .await?;
    Ok(row.suppressed)
}

/// Stops writing to an address.
pub async fn add(
    conn: &mut Conn,
    tenant: Tenant,
    channel: Channel,
    address: &str,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    sql(
        "INSERT INTO suppressions (organization_id, channel, address, reason, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(channel.as_str())
    .bind::<Text, _>(address)
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(at)
    .execute(conn)
    .await?;
    Ok(())
}
