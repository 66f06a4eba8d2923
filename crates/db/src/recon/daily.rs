//! Which organization's time of the day has come, and what is forgotten.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::OrganizationId;
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// For so long after its time of the day an organization's first daily comparison
/// may begin. Later ones are made up for whenever their time was missed; a first
/// one waits for its time to come again, so that an installation that is switched
/// on does not begin with everybody at once.
const FIRST_MAY_BE_LATE: TimeDelta = TimeDelta::hours(1);

/// Organizations with a PSP connection whose time of the day has passed without
/// their daily comparison, with that time. An organization's time follows from its
/// id, so that they are spread over the day.
pub async fn due_daily(
    conn: &mut Conn,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Tenant, DateTime<Utc>)>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
        #[diesel(sql_type = Timestamptz)]
        slot: DateTime<Utc>,
    }
    let rows = sql("WITH timed AS (
           SELECT o.id AS organization_id,
                  date_trunc('day', $1, 'UTC')
                    + make_interval(secs => ('x' || left(md5(o.id::text), 7))::bit(28)::integer % 86400)
                    AS today
           FROM organizations o WHERE o.state = 'active'),
         latest AS (
           SELECT organization_id,
                  CASE WHEN today <= $1 THEN today ELSE today - interval '24 hours' END AS slot
           FROM timed)
         SELECT l.organization_id, l.slot FROM latest l
         WHERE EXISTS (SELECT 1 FROM psp_connections c
                       WHERE c.organization_id = l.organization_id AND c.disabled_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM recon_runs r
                           WHERE r.organization_id = l.organization_id
                             AND (r.state = 'running' OR r.slot >= l.slot))
           AND (l.slot >= $2 OR EXISTS (SELECT 1 FROM recon_runs r
                           WHERE r.organization_id = l.organization_id AND r.slot < l.slot))
         ORDER BY l.slot LIMIT $3")
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - FIRST_MAY_BE_LATE)
    .bind::<BigInt, _>(limit)
    .load::<Row>(conn)
    .await?;
    let owned = |row: Row| {
        let tenant = Tenant::of(OrganizationId::from_uuid(row.organization_id));
        (tenant, row.slot)
    };
    Ok(rows.into_iter().map(owned).collect())
}

/// Forgets results found and runs begun before `before`, at most `limit` of each;
/// answers how many rows went.
pub async fn forget(conn: &mut Conn, before: DateTime<Utc>, limit: i64) -> Result<usize, DbError> {
    let results = sql("DELETE FROM recon_results WHERE id = ANY (ARRAY (
           SELECT id FROM recon_results WHERE found_at < $1 ORDER BY found_at LIMIT $2))")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?;
    let runs = sql("DELETE FROM recon_runs WHERE id = ANY (ARRAY (
           SELECT r.id FROM recon_runs r
           WHERE r.began_at < $1 AND r.state = 'finished'
             AND NOT EXISTS (SELECT 1 FROM recon_results s WHERE s.run_id = r.id)
           ORDER BY r.began_at LIMIT $2))")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?;
    Ok(results + runs)
}
