//! Whose turn it is: events are counted while no rebuild of their organization's days is
//! under way. Those who count hold off a rebuild, and not each other.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::OrganizationId;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// Waits for a rebuild of the organization's days, and holds one off until this
/// transaction ends.
pub async fn wait_for_turn(conn: &mut Conn, tenant: Tenant) -> Result<(), DbError> {
    sql("SELECT pg_advisory_xact_lock_shared(hashtext('tinko.rollups'), hashtext($1::text))")
        .bind::<SqlUuid, _>(tenant.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// Of which of these organizations no rebuild is under way; one of them is held off until
/// this transaction ends.
pub async fn turns(
    conn: &mut Conn,
    organizations: &[OrganizationId],
) -> Result<Vec<OrganizationId>, DbError> {
    #[derive(QueryableByName)]
    struct Turn {
        #[diesel(sql_type = Bool)]
        is_free: bool,
    }
    let ids: Vec<Uuid> = organizations.iter().map(|it| it.uuid()).collect();
    let turns: Vec<Turn> = sql(
        "SELECT pg_try_advisory_xact_lock_shared(hashtext('tinko.rollups'), hashtext(o.id::text)) AS is_free
         FROM unnest($1) WITH ORDINALITY AS o (id, number) ORDER BY o.number",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)
    .await?;
    let free = organizations.iter().zip(turns);
    Ok(free
        .filter(|(_, turn)| turn.is_free)
        .map(|(organization, _)| *organization)
        .collect())
}
