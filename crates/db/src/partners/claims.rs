//! Claiming what is due.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl;
use domain::id::{
    OrganizationId, PartnerEventId, WebhookDeliveryId, WebhookEndpointId, WebhookTry,
};
use domain::partner::{DeliveryCause, MOST_FAILURES};
use uuid::Uuid;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// What to claim.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who claims.
    pub worker: Uuid,
    /// The time.
    pub now: DateTime<Utc>,
    /// Until when the lease is believed.
    pub lease_until: DateTime<Utc>,
    /// Most deliveries in all.
    pub limit: i64,
    /// Most under way to one endpoint, those of other processes counted.
    pub per_endpoint: i64,
    /// Most under way of one organization, those of other processes counted.
    pub per_organization: i64,
}

/// A delivery to send now.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its id.
    pub id: WebhookDeliveryId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Where to.
    pub endpoint: WebhookEndpointId,
    /// Its event, whose id is the `webhook-id`.
    pub event: PartnerEventId,
    /// Why it is made.
    pub cause: DeliveryCause,
    /// Which try this is, from 1.
    pub tries: u32,
    /// The endpoint's address.
    pub url: String,
    /// The endpoint's key, sealed.
    pub key_sealed: Vec<u8>,
    /// The key before it, sealed, where it signs still.
    pub old_key_sealed: Option<Vec<u8>>,
    /// The bytes to send.
    pub payload: String,
}

#[derive(QueryableByName)]
struct ClaimedRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    endpoint_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Integer)]
    tries: i32,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Binary)]
    key_sealed: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    old_key_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = Text)]
    payload: String,
}

impl TryFrom<ClaimedRow> for Claimed {
    type Error = DbError;
    fn try_from(row: ClaimedRow) -> Result<Self, DbError> {
        Ok(Self {
            id: WebhookDeliveryId::from_uuid(row.id),
            tenant: Tenant::of(OrganizationId::from_uuid(row.organization_id)),
            endpoint: WebhookEndpointId::from_uuid(row.endpoint_id),
            event: PartnerEventId::from_uuid(row.event_id),
            cause: row
                .cause
                .parse()
                .map_err(|fault| DbError::corrupt("partner_deliveries.cause", fault))?,
            tries: u32::try_from(row.tries).unwrap_or(1),
            url: row.url,
            key_sealed: row.key_sealed,
            old_key_sealed: row.old_key_sealed,
            payload: row.payload,
        })
    }
}

const CLAIM: &str = "WITH RECURSIVE turn (organization_id, endpoint_id) AS (
    (SELECT organization_id, endpoint_id FROM partner_deliveries
     WHERE state = 'pending' ORDER BY organization_id, endpoint_id LIMIT 1)
    UNION ALL
    SELECT n.organization_id, n.endpoint_id FROM turn CROSS JOIN LATERAL (
      SELECT d.organization_id, d.endpoint_id FROM partner_deliveries d
      WHERE d.state = 'pending'
        AND (d.organization_id, d.endpoint_id) > (turn.organization_id, turn.endpoint_id)
      ORDER BY d.organization_id, d.endpoint_id LIMIT 1) AS n
), room AS (
    SELECT e.organization_id, e.id AS endpoint_id,
           CASE WHEN e.failures >= $7 THEN 1 ELSE $5 END
           - (SELECT count(*) FROM partner_deliveries s
              WHERE s.state = 'sending' AND s.organization_id = e.organization_id
                AND s.endpoint_id = e.id) AS places,
           $6 - (SELECT count(*) FROM partner_deliveries s
                 WHERE s.state = 'sending'
                   AND s.organization_id = e.organization_id) AS places_of_all
    FROM turn JOIN webhook_endpoints e
      ON e.organization_id = turn.organization_id AND e.id = turn.endpoint_id
    WHERE e.enabled AND (e.paused_until IS NULL OR e.paused_until <= $2)
), due AS (
    SELECT d.id, d.due_at, room.organization_id, room.endpoint_id, room.places_of_all
    FROM room CROSS JOIN LATERAL (
      SELECT p.id, p.due_at FROM partner_deliveries p
      WHERE p.state = 'pending' AND p.organization_id = room.organization_id
        AND p.endpoint_id = room.endpoint_id AND p.due_at <= $2
      ORDER BY p.due_at LIMIT greatest(room.places, 0)
      FOR UPDATE SKIP LOCKED) AS d
), in_turn AS (
    SELECT id, due_at, organization_id, places_of_all,
           row_number() OVER (PARTITION BY endpoint_id ORDER BY due_at) AS nth
    FROM due
), shared AS (
    SELECT id, due_at, nth, places_of_all,
           row_number() OVER (PARTITION BY organization_id ORDER BY nth, due_at) AS nth_of_all
    FROM in_turn
), chosen AS (
    SELECT id FROM shared WHERE nth_of_all <= places_of_all
    ORDER BY nth_of_all, due_at LIMIT $4
), claimed AS (
    UPDATE partner_deliveries p
    SET state = 'sending', claimed_by = $1, lease_until = $3, tries = p.tries + 1,
        updated_at = $2
    WHERE p.id = ANY (ARRAY (SELECT id FROM chosen)) AND p.state = 'pending'
    RETURNING p.id, p.organization_id, p.endpoint_id, p.event_id, p.cause, p.tries
)
SELECT c.id, c.organization_id, c.endpoint_id, c.event_id, c.cause, c.tries, e.url,
         e.key_sealed, CASE WHEN e.old_key_until > $2 THEN e.old_key_sealed END AS old_key_sealed,
         v.payload
FROM claimed c
JOIN webhook_endpoints e ON e.id = c.endpoint_id AND e.organization_id = c.organization_id
JOIN partner_events v ON v.id = c.event_id AND v.organization_id = c.organization_id
ORDER BY c.id";

/// Claims due deliveries: the first of every endpoint before the second of any, so
/// that one's backlog does not hide another's. An endpoint whose breaker has tripped
/// gets one at a time, and none while it is paused.
///
/// The walk meets each endpoint for which something waits once, by index; its cost
/// does not grow with what waits for one of them, nor with what was ever sent.
/// Replicas that claim in the same instant may go past a limit by what each claimed.
pub async fn claim(conn: &mut Conn, claim: &Claim) -> Result<Vec<Claimed>, DbError> {
    sql(CLAIM)
        .bind::<SqlUuid, _>(claim.worker)
        .bind::<Timestamptz, _>(claim.now)
        .bind::<Timestamptz, _>(claim.lease_until)
        .bind::<BigInt, _>(claim.limit)
        .bind::<BigInt, _>(claim.per_endpoint)
        .bind::<BigInt, _>(claim.per_organization)
        .bind::<BigInt, _>(i64::from(MOST_FAILURES))
        .load::<ClaimedRow>(conn)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

/// Puts back what processes left that ended while they sent it, with a note in each
/// one's log: it is sent again at once. Answers how many.
pub async fn take_back(tx: &mut Tx, limit: i64) -> Result<usize, DbError> {
    #[derive(QueryableByName)]
    struct Left {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
        #[diesel(sql_type = Integer)]
        tries: i32,
        #[diesel(sql_type = Timestamptz)]
        sent_at: DateTime<Utc>,
    }
    const WORDS: &str = "the process that sent it ended before its answer was recorded";
    let now = tx.now();
    let left: Vec<Left> = sql("WITH left_over AS (
           SELECT id, updated_at AS sent_at FROM partner_deliveries
           WHERE state = 'sending' AND lease_until <= $1
           ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED)
         UPDATE partner_deliveries d
         SET state = 'pending', due_at = $1, claimed_by = NULL, lease_until = NULL,
             last_status = NULL, last_error = $3, updated_at = $1
         FROM left_over WHERE d.id = left_over.id AND d.state = 'sending'
         RETURNING d.id, d.organization_id, d.tries, left_over.sent_at")
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit)
    .bind::<Text, _>(WORDS)
    .load(tx.conn())
    .await?;
    if left.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = left
        .iter()
        .map(|_| tx.new_id::<WebhookTry>().uuid())
        .collect();
    let organizations: Vec<Uuid> = left.iter().map(|it| it.organization_id).collect();
    let deliveries: Vec<Uuid> = left.iter().map(|it| it.id).collect();
    let numbers: Vec<i32> = left.iter().map(|it| it.tries).collect();
    let times: Vec<DateTime<Utc>> = left.iter().map(|it| it.sent_at).collect();
    sql(
        "INSERT INTO partner_tries (id, organization_id, delivery_id, number, at, error)
         SELECT n.id, n.organization_id, n.delivery_id, n.number, n.at, $6
         FROM unnest($1, $2, $3, $4, $5) AS n (id, organization_id, delivery_id, number, at)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(organizations)
    .bind::<Array<SqlUuid>, _>(deliveries)
    .bind::<Array<Integer>, _>(numbers)
    .bind::<Array<Timestamptz>, _>(times)
    .bind::<Text, _>(WORDS)
    .execute(tx.conn())
    .await?;
    Ok(left.len())
}

/// When the next delivery is due, of whichever organization, and may be sent.
pub async fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        due_at: Option<DateTime<Utc>>,
    }
    let row: Row =
        sql("SELECT min(due_at) AS due_at FROM partner_deliveries WHERE state = 'pending'")
            .get_result(conn)
            .await?;
    Ok(row.due_at)
}

/// How it stands, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Deliveries that are due, up to 10,000; those for paused endpoints included.
    pub due: i64,
    /// For how long the oldest of them has been due.
    pub oldest: TimeDelta,
    /// Endpoints whose breaker has tripped.
    pub tripped: i64,
}

/// Counts what waits. Bounded: above 10,000 it stops counting.
pub async fn waiting(conn: &mut Conn, now: DateTime<Utc>) -> Result<Waiting, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        due: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        oldest: Option<DateTime<Utc>>,
        #[diesel(sql_type = BigInt)]
        tripped: i64,
    }
    let row: Row = sql("SELECT
           (SELECT count(*) FROM (SELECT 1 FROM partner_deliveries
              WHERE state = 'pending' AND due_at <= $1 LIMIT 10000) AS counted) AS due,
           (SELECT min(due_at) FROM partner_deliveries
              WHERE state = 'pending' AND due_at <= $1) AS oldest,
           (SELECT count(*) FROM webhook_endpoints
              WHERE enabled AND deleted_at IS NULL AND failures >= $2) AS tripped")
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(i64::from(MOST_FAILURES))
    .get_result(conn)
    .await?;
    Ok(Waiting {
        due: row.due,
        oldest: row.oldest.map_or(TimeDelta::zero(), |at| now - at),
        tripped: row.tripped,
    })
}
