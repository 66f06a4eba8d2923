//! A payer's visits to a PSP's hosted checkout: one live at a time for a recovery.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::id::{Checkout, CheckoutId, ConnectionId, OrganizationId, RecoveryId, RecoveryLinkId};
use domain::state::{CheckoutState, Provider};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A checkout as stored.
#[derive(Debug, Clone)]
pub struct StoredCheckout {
    /// Its id, and the idempotency key of its making.
    pub id: CheckoutId,
    /// What it pays for.
    pub recovery: RecoveryId,
    /// The link that the payer came by.
    pub link: RecoveryLinkId,
    /// Through which PSP account.
    pub connection: ConnectionId,
    /// At which PSP.
    pub provider: Provider,
    /// Where it stands.
    pub state: CheckoutState,
    /// Its id at the PSP, once it is known.
    pub reference: Option<String>,
    /// Where the payer pays, once it is known.
    pub url: Option<String>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

macro_rules! columns {
    () => {
        "c.id, c.recovery_id, c.link_id, c.connection_id, c.provider, c.state, c.reference, c.url,
         c.expires_at"
    };
}

#[derive(QueryableByName)]
struct CheckoutRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    recovery_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    link_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    connection_id: Uuid,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    reference: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    url: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    expires_at: DateTime<Utc>,
}

impl TryFrom<CheckoutRow> for StoredCheckout {
    type Error = DbError;
    fn try_from(row: CheckoutRow) -> Result<Self, DbError> {
        Ok(Self {
            id: CheckoutId::from_uuid(row.id),
            recovery: RecoveryId::from_uuid(row.recovery_id),
            link: RecoveryLinkId::from_uuid(row.link_id),
            connection: ConnectionId::from_uuid(row.connection_id),
            provider: row
                .provider
                .parse()
                .map_err(|fault| DbError::corrupt("checkouts.provider", fault))?,
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("checkouts.state", fault))?,
            reference: row.reference,
            url: row.url,
            expires_at: row.expires_at,
        })
    }
}

/// Begins a checkout, or answers the live one. The caller holds the recovery's
/// row lock and has seen that no charge is under way.
pub async fn begin(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    link: RecoveryLinkId,
    connection: ConnectionId,
    provider: Provider,
    expires_at: DateTime<Utc>,
) -> Result<StoredCheckout, DbError> {
    let now = tx.now();
    sql("UPDATE checkouts SET state = 'expired', updated_at = $3
         WHERE organization_id = $1 AND recovery_id = $2 AND state IN ('creating', 'open')
           AND expires_at <= $3")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<Timestamptz, _>(now)
    .execute(tx.conn())
    .await?;
    if let Some(live) = self::live(tx.conn(), tenant, recovery).await? {
        return Ok(live);
    }
    let id = tx.new_id::<Checkout>();
    sql(concat!(
        "INSERT INTO checkouts AS c (id, organization_id, recovery_id, link_id, connection_id,
                                     provider, state, expires_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'creating', $7, $8, $8) RETURNING ",
        columns!()
    ))
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .bind::<SqlUuid, _>(link.uuid())
    .bind::<SqlUuid, _>(connection.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Timestamptz, _>(expires_at)
    .bind::<Timestamptz, _>(now)
    .get_result::<CheckoutRow>(tx.conn())
    .await?
    .try_into()
}

/// The recovery's live checkout.
pub async fn live(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: RecoveryId,
) -> Result<Option<StoredCheckout>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM checkouts c WHERE c.organization_id = $1 AND c.recovery_id = $2
            AND c.state IN ('creating', 'open')"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(recovery.uuid())
    .get_result::<CheckoutRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// The checkout with this id at the PSP.
pub async fn by_reference(
    conn: &mut Conn,
    tenant: Tenant,
    provider: Provider,
    reference: &str,
) -> Result<Option<StoredCheckout>, DbError> {
    sql(concat!(
        "SELECT ",
        columns!(),
        " FROM checkouts c WHERE c.organization_id = $1 AND c.provider = $2 AND c.reference = $3"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Text, _>(provider.as_str())
    .bind::<Text, _>(reference)
    .get_result::<CheckoutRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}

/// Records where the payer pays. False if the checkout moved on meanwhile.
pub async fn mark_open(
    conn: &mut Conn,
    tenant: Tenant,
    id: CheckoutId,
    reference: &str,
    url: &str,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let moved = sql(
        "UPDATE checkouts SET state = 'open', reference = $3, url = $4, expires_at = $5, updated_at = $6
         WHERE organization_id = $1 AND id = $2 AND state IN ('creating', 'open')",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(reference)
    .bind::<Text, _>(url)
    .bind::<Timestamptz, _>(expires_at)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(moved == 1)
}

/// Ends a checkout: `paid`, `expired` or `closed`.
pub async fn end(
    conn: &mut Conn,
    tenant: Tenant,
    id: CheckoutId,
    state: CheckoutState,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let moved = sql("UPDATE checkouts SET state = $3, updated_at = $4
         WHERE organization_id = $1 AND id = $2 AND state IN ('creating', 'open')")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Text, _>(state.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(moved == 1)
}

/// Checkouts that are over here and may still be open at the PSP, locked; other
/// housekeepers pass them over.
pub async fn left_open_at_psp(
    tx: &mut Tx,
    limit: i64,
) -> Result<Vec<(Tenant, StoredCheckout)>, DbError> {
    #[derive(QueryableByName)]
    struct Owned {
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
        #[diesel(embed)]
        checkout: CheckoutRow,
    }
    sql(concat!(
        "SELECT c.organization_id, ",
        columns!(),
        " FROM checkouts c
          WHERE c.state = 'closed' AND c.reference IS NOT NULL AND c.gone_at_psp IS NULL
          ORDER BY c.updated_at LIMIT $1 FOR UPDATE SKIP LOCKED"
    ))
    .bind::<BigInt, _>(limit)
    .load::<Owned>(tx.conn())
    .await?
    .into_iter()
    .map(|row| {
        let tenant = Tenant::of(OrganizationId::from_uuid(row.organization_id));
        Ok((tenant, row.checkout.try_into()?))
    })
    .collect()
}

/// Notes that nobody can pay there any more, by the PSP's own word.
pub async fn mark_gone(
    conn: &mut Conn,
    tenant: Tenant,
    id: CheckoutId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sql("UPDATE checkouts SET gone_at_psp = $3 WHERE organization_id = $1 AND id = $2")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .await?;
    Ok(())
}
