//! What payers have said to being written to.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::Channel;
use domain::consent::{ConsentState, PayerAddress};
use domain::id::{Consent, ConsentId, ContactChange};
use uuid::Uuid;

use crate::contacts::{self, Wanted};
use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// A consent, or its withdrawal, as it is reported.
#[derive(Debug, Clone)]
pub struct NewConsent<'a> {
    /// Whose.
    pub address: &'a PayerAddress,
    /// What was said.
    pub state: ConsentState,
    /// Where it was said.
    pub source: &'a str,
    /// What shows it.
    pub evidence: Option<&'a str>,
    /// When it was said.
    pub at: DateTime<Utc>,
}

/// A consent as stored.
#[derive(Debug, Clone)]
pub struct StoredConsent {
    /// Its id.
    pub id: ConsentId,
    /// Whose.
    pub address: PayerAddress,
    /// What was said last.
    pub state: ConsentState,
    /// Where it was said.
    pub source: String,
    /// What shows it.
    pub evidence: Option<String>,
    /// When it was said.
    pub at: DateTime<Utc>,
    /// When it was last changed here.
    pub updated_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct ConsentRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    channel: String,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Nullable<Text>)]
    evidence: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl TryFrom<ConsentRow> for StoredConsent {
    type Error = DbError;
    fn try_from(row: ConsentRow) -> Result<Self, DbError> {
        Ok(Self {
            id: ConsentId::from_uuid(row.id),
            address: contacts::address("consents.address", &row.channel, &row.address)?,
            state: row
                .state
                .parse()
                .map_err(|fault| DbError::corrupt("consents.state", fault))?,
            source: row.source,
            evidence: row.evidence,
            at: row.at,
            updated_at: row.updated_at,
        })
    }
}

/// Records what a payer said, with who reported it in the book of changes. False,
/// and nothing changes, if that is known or something newer is.
pub async fn put(tx: &mut Tx, tenant: Tenant, new: &NewConsent<'_>) -> Result<bool, DbError> {
    let (id, change) = (tx.new_id::<Consent>(), tx.new_id::<ContactChange>());
    let cause = tx.cause().clone();
    let moved = sql("WITH moved AS (
           INSERT INTO consents AS c (id, organization_id, channel, address, state, source,
                                      evidence, at, updated_at)
           VALUES ($2, $1, $4, $5, $6, $7, $8, $9, $12)
           ON CONFLICT (organization_id, channel, address) DO UPDATE SET
             state = EXCLUDED.state, source = EXCLUDED.source, evidence = EXCLUDED.evidence,
             at = EXCLUDED.at, updated_at = EXCLUDED.updated_at
           WHERE c.at <= EXCLUDED.at AND (c.state, c.source, c.evidence)
                 IS DISTINCT FROM (EXCLUDED.state, EXCLUDED.source, EXCLUDED.evidence)
           RETURNING 1)
         INSERT INTO contact_changes (id, organization_id, channel, address, change, reason,
                                      evidence, actor, trace_id, at)
         SELECT $3, $1, $4, $5, $6, $7, $8, $10, $11, $12 FROM moved")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<SqlUuid, _>(change.uuid())
    .bind::<Text, _>(new.address.channel().as_str())
    .bind::<Text, _>(new.address.key())
    .bind::<Text, _>(new.state.as_str())
    .bind::<Text, _>(new.source)
    .bind::<Nullable<Text>, _>(new.evidence)
    .bind::<Timestamptz, _>(new.at)
    .bind::<Text, _>(cause.actor.as_str())
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .bind::<Timestamptz, _>(cause.at)
    .execute(tx.conn())
    .await?;
    Ok(moved == 1)
}

/// Takes a report's word for consents that nothing is known of yet; answers how
/// many. It overrules nothing: a report may repeat what a checkout once
/// collected, long after the payer took it back.
pub async fn grant_unless_known(
    tx: &mut Tx,
    tenant: Tenant,
    contacts: &[PayerAddress],
    source: &str,
) -> Result<usize, DbError> {
    if contacts.is_empty() {
        return Ok(0);
    }
    let mut ids = Vec::with_capacity(contacts.len());
    let mut changes = Vec::with_capacity(contacts.len());
    for _ in contacts {
        ids.push(tx.new_id::<Consent>().uuid());
        changes.push(tx.new_id::<ContactChange>().uuid());
    }
    let channels: Vec<&str> = contacts.iter().map(|it| it.channel().as_str()).collect();
    let addresses: Vec<String> = contacts.iter().map(PayerAddress::key).collect();
    let cause = tx.cause().clone();
    Ok(sql("WITH new AS (
           SELECT * FROM unnest($2, $3, $4, $5) AS n (id, change_id, channel, address)
         ), made AS (
           INSERT INTO consents (id, organization_id, channel, address, state, source, at,
                                 updated_at)
           SELECT id, $1, channel, address, 'granted', $6, $9, $9 FROM new
           ON CONFLICT (organization_id, channel, address) DO NOTHING
           RETURNING channel, address)
         INSERT INTO contact_changes (id, organization_id, channel, address, change, reason,
                                      actor, trace_id, at)
         SELECT new.change_id, $1, new.channel, new.address, 'granted', $6, $7, $8, $9
         FROM new JOIN made USING (channel, address)")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(changes)
    .bind::<Array<Text>, _>(channels)
    .bind::<Array<Text>, _>(addresses)
    .bind::<Text, _>(source)
    .bind::<Text, _>(cause.actor.as_str())
    .bind::<Nullable<Text>, _>(cause.trace_id())
    .bind::<Timestamptz, _>(cause.at)
    .execute(tx.conn())
    .await?)
}

/// The consent of one contact.
pub async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    address: &PayerAddress,
) -> Result<Option<StoredConsent>, DbError> {
    let wanted = Wanted {
        channel: Some(address.channel()),
        address: Some(address.key()),
        before: None,
        limit: 1,
    };
    Ok(list(conn, tenant, &wanted).await?.pop())
}

/// The consents of an organization, newest first.
pub async fn list(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
) -> Result<Vec<StoredConsent>, DbError> {
    sql(
        "SELECT id, channel, address, state, source, evidence, at, updated_at FROM consents
         WHERE organization_id = $1 AND ($2 IS NULL OR channel = $2)
           AND ($3 IS NULL OR address = $3) AND ($4 IS NULL OR id < $4)
         ORDER BY id DESC LIMIT $5",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Nullable<Text>, _>(wanted.channel.map(Channel::as_str))
    .bind::<Nullable<Text>, _>(wanted.address.as_deref())
    .bind::<Nullable<SqlUuid>, _>(wanted.before)
    .bind::<BigInt, _>(wanted.limit)
    .load::<ConsentRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// The channels on which the organization's payers must have opted in.
pub async fn opt_in_channels(conn: &mut Conn, tenant: Tenant) -> Result<Vec<Channel>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Array<Text>)]
        opt_in_channels: Vec<String>,
    }
    let row: Row = sql("SELECT opt_in_channels FROM organizations WHERE id = $1")
        .bind::<SqlUuid, _>(tenant.uuid())
        .get_result(conn)
        .await?;
    row.opt_in_channels
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|fault| DbError::corrupt("organizations.opt_in_channels", fault))
        })
        .collect()
}

/// Says on which channels payers must have opted in. It holds for messages that
/// are not yet handed over.
pub async fn require_opt_in(
    tx: &mut Tx,
    tenant: Tenant,
    channels: &[Channel],
) -> Result<(), DbError> {
    let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
    sql("UPDATE organizations SET opt_in_channels = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(tenant.uuid())
        .bind::<Array<Text>, _>(channels)
        .execute(tx.conn())
        .await?;
    Ok(())
}
