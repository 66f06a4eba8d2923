//! Organizations.

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{Organization, OrganizationId};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// Makes the organization of that slug, or finds it; true if it is new.
pub async fn ensure(tx: &mut Tx, name: &str, slug: &str) -> Result<(Tenant, bool), DbError> {
    #[derive(QueryableByName)]
    struct Made {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Bool)]
        made: bool,
    }
    let id = tx.new_id::<Organization>();
    let now = tx.now();
    let row: Made = sql(
        "INSERT INTO organizations (id, name, slug, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (slug) DO UPDATE SET name = EXCLUDED.name
         RETURNING id, (xmax = 0) AS made",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(name)
    .bind::<Text, _>(slug)
    .bind::<Timestamptz, _>(now)
    .get_result(tx.conn())
    .await?;
    Ok((Tenant::of(OrganizationId::from_uuid(row.id)), row.made))
}

/// What the organization calls itself to payers.
pub async fn name(conn: &mut Conn, tenant: Tenant) -> Result<String, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let row: Row = sql("SELECT name FROM organizations WHERE id = $1")
        .bind::<SqlUuid, _>(tenant.uuid())
        .get_result(conn)
        .await?;
    Ok(row.name)
}
