//! Whether a payer may be written to.
//!
//! The rule itself is the function `why_unreachable` in Postgres, so that the
//! planner, the asking for a message and the statement that marks a hand-over
//! all go by the same one.

use diesel::QueryableByName;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::consent::{Bar, PayerAddress};

use crate::sql::sql;
use crate::{Conn, DbError, Tenant};

/// What keeps each of these from being written to, in their order; `None` where
/// nothing does. One statement, however many.
pub async fn bars(
    mut conn: &Conn,
    tenant: Tenant,
    contacts: &[PayerAddress],
) -> Result<Vec<Option<Bar>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Text>)]
        barred: Option<String>,
    }
    let channels: Vec<&str> = contacts.iter().map(|it| it.channel().as_str()).collect();
    let addresses: Vec<&str> = contacts.iter().map(PayerAddress::expose).collect();
    let rows = sql(
        "SELECT why_unreachable($1, wanted.channel, wanted.address) AS barred
         FROM unnest($2, $3) WITH ORDINALITY AS wanted (channel, address, place)
         ORDER BY wanted.place",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<Text>, _>(channels)
    .bind::<Array<Text>, _>(addresses)
    .load::<Row>(&mut conn)
    .await?;
    rows.into_iter().map(|row| read(row.barred)).collect()
}

/// Reads what `why_unreachable` answered.
pub(crate) fn read(barred: Option<String>) -> Result<Option<Bar>, DbError> {
    barred
        .map(|text| text.parse())
        .transpose()
        .map_err(|fault| DbError::corrupt("why an address is unreachable", fault))
}
