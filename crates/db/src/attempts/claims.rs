//! Claiming what is due, and what is in doubt or was left.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::open_charge::claims;
use super::{AttemptRow, StoredAttempt, attempt_columns};
use crate::sql::sql;
use crate::{Conn, DbError};

/// Organizations that operators have paused. Asked once a claim, as a list of its own:
/// joined, it could come after the rows of those are locked.
macro_rules! held_organizations {
    () => {
        "SELECT h.organization_id FROM holds h
         WHERE h.ended_at IS NULL AND h.channel IS NULL AND h.organization_id IS NOT NULL"
    };
}
pub(super) use held_organizations;

/// Whether they have paused all.
macro_rules! held_altogether {
    () => {
        "SELECT FROM holds h
         WHERE h.ended_at IS NULL AND h.channel IS NULL AND h.organization_id IS NULL"
    };
}
pub(super) use held_altogether;

/// The organization of the attempt `$a`, as the index `attempts_in_turn` has it.
///
/// That index is the only one with this expression, and with this way to say `scheduled`,
/// so whatever the statistics say at the time, no other can be read instead: not that of
/// an organization's attempts in a state, which holds all that waits for later, nor that
/// of all its attempts, nor that of what is due at any organization.
macro_rules! in_turn {
    ($a:literal) => {
        concat!(
            "nullif(",
            $a,
            ".organization_id, '00000000-0000-0000-0000-000000000000')"
        )
    };
}

/// The rows of the recursive `turn`: each organization that has something scheduled, by one
/// probe of the index; `$from` narrows the first.
macro_rules! organizations_in_turn {
    ($from:literal) => {
        concat!(
            "(SELECT ",
            in_turn!("f"),
            " FROM attempts f WHERE (f.state = 'scheduled') IS TRUE AND ",
            in_turn!("f"),
            " > ",
            $from,
            " ORDER BY ",
            in_turn!("f"),
            " LIMIT 1)
             UNION ALL
             SELECT (SELECT ",
            in_turn!("n"),
            " FROM attempts n
                     WHERE (n.state = 'scheduled') IS TRUE AND ",
            in_turn!("n"),
            " > turn.organization_id
                     ORDER BY ",
            in_turn!("n"),
            " LIMIT 1)
             FROM turn WHERE turn.organization_id IS NOT NULL"
        )
    };
}

/// What whoever claims has under way, and so what it may not claim.
#[derive(Debug, Clone, Copy, Default)]
pub struct UnderWay<'a> {
    /// Organizations of which attempts are under way.
    pub organizations: &'a [Uuid],
    /// How many of each.
    pub counts: &'a [i64],
    /// Most that one organization may have under way; none for any number.
    pub most: Option<i64>,
    /// Providers for whose charges there is no room: organizations with accounts
    /// there alone are passed over.
    pub crowded: &'a [&'static str],
}

impl UnderWay<'_> {
    fn most(&self) -> i64 {
        self.most.unwrap_or(i64::MAX)
    }

    /// Organizations that have their share.
    fn full(&self) -> Vec<Uuid> {
        let each = self.organizations.iter().zip(self.counts);
        each.filter(|(_, count)| **count >= self.most())
            .map(|(organization, _)| *organization)
            .collect()
    }
}

/// How a claim is made.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Who claims.
    pub worker: Uuid,
    /// The time.
    pub now: DateTime<Utc>,
    /// Until when the lease is believed.
    pub lease_until: DateTime<Utc>,
    /// Organizations after this one are served first; the nil UUID starts over.
    pub after: Uuid,
    /// Most attempts of one organization.
    pub per_organization: i64,
    /// Most attempts in all.
    pub limit: i64,
    /// What is under way.
    pub under_way: UnderWay<'a>,
}

/// Claims due attempts, organizations in turn, so that one's backlog does not
/// hide another's ten. Walks the distinct organizations by index, one probe each.
/// Of one that has its share under way, or is held ([`crate::holds`]), nothing is
/// claimed: it stays due as it is.
///
/// Two things are written so that only the right index will do, whatever the
/// statistics say at the time: an organization's due rows (see `in_turn`), and the rows
/// to claim as an array of ids (a join may read all that is scheduled instead). What
/// would only let Postgres guess differently for one value and for another is hidden
/// from it by a SELECT: the plan is the same for all, and with it at hand it isn't made
/// anew each time, for every month, which takes longer than the claim.
pub async fn claim_due(conn: &mut Conn, claim: &Claim<'_>) -> Result<Vec<StoredAttempt>, DbError> {
    sql(concat!(
        "WITH RECURSIVE turn (organization_id) AS (",
        organizations_in_turn!("$4"),
        "), due AS (
           SELECT d.id FROM turn CROSS JOIN LATERAL (
             SELECT s.id FROM attempts s
             WHERE (s.state = 'scheduled') IS TRUE AND ",
        in_turn!("s"),
        " = turn.organization_id AND s.due_at <= $2
             ORDER BY s.due_at
             LIMIT least($5, greatest($7 - coalesce((
               SELECT h.count FROM unnest($8, $9) AS h (organization_id, count)
               WHERE h.organization_id = turn.organization_id), 0), 0))
             FOR UPDATE SKIP LOCKED) AS d
           WHERE turn.organization_id IS NOT NULL
             AND turn.organization_id <> ALL (ARRAY (",
        held_organizations!(),
        "))
             AND NOT EXISTS (",
        held_altogether!(),
        ")
             AND (cardinality((SELECT $10)) = 0
               OR NOT EXISTS (SELECT FROM psp_connections c
                 WHERE c.organization_id = turn.organization_id
                   AND c.provider = ANY ((SELECT $10)::text[]))
               OR EXISTS (SELECT FROM psp_connections c
                 WHERE c.organization_id = turn.organization_id
                   AND c.provider <> ALL ((SELECT $10)::text[])))
           LIMIT (SELECT $6)
         )
         UPDATE attempts a
         SET state = 'claimed', claimed_by = $1, lease_until = $3, claims = a.claims + 1,
             updated_at = $2
         WHERE a.id = ANY (ARRAY (SELECT id FROM due))
         RETURNING ",
        attempt_columns!()
    ))
    .bind::<SqlUuid, _>(claim.worker)
    .bind::<Timestamptz, _>(claim.now)
    .bind::<Timestamptz, _>(claim.lease_until)
    .bind::<SqlUuid, _>(claim.after)
    .bind::<BigInt, _>(claim.per_organization)
    .bind::<BigInt, _>(claim.limit)
    .bind::<BigInt, _>(claim.under_way.most())
    .bind::<Array<SqlUuid>, _>(claim.under_way.organizations)
    .bind::<Array<BigInt>, _>(claim.under_way.counts)
    .bind::<Array<Text>, _>(claim.under_way.crowded)
    .load::<AttemptRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Claims what a dead worker left and what is in doubt and wants another look: the
/// longest overdue first, and of no organization more than its share.
pub async fn claim_unsettled(
    conn: &mut Conn,
    worker: Uuid,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: i64,
    under_way: UnderWay<'_>,
) -> Result<Vec<StoredAttempt>, DbError> {
    sql(concat!(
        "WITH overdue AS (
           SELECT id, organization_id, lease_until FROM attempts
           WHERE state IN ('claimed', 'in_doubt') AND lease_until <= $2
             AND organization_id <> ALL ($5)
           ORDER BY lease_until LIMIT 2 * $4 FOR UPDATE SKIP LOCKED
         ), in_turn AS (
           SELECT o.id, o.lease_until, coalesce(h.count, 0) + row_number() OVER (
             PARTITION BY o.organization_id ORDER BY o.lease_until) AS nth
           FROM overdue o
           LEFT JOIN unnest($7, $8) AS h (organization_id, count) USING (organization_id)
         ), stuck AS (
           SELECT id FROM in_turn WHERE nth <= $6 ORDER BY lease_until LIMIT $4
         )
         UPDATE attempts a
         SET state = CASE a.kind WHEN 'charge' THEN 'in_doubt' ELSE 'claimed' END,
             claimed_by = $1, lease_until = $3, updated_at = $2
         WHERE a.id = ANY (ARRAY (SELECT id FROM stuck))
         RETURNING ",
        attempt_columns!()
    ))
    .bind::<SqlUuid, _>(worker)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(lease_until)
    .bind::<BigInt, _>(limit)
    .bind::<Array<SqlUuid>, _>(under_way.full())
    .bind::<BigInt, _>(under_way.most())
    .bind::<Array<SqlUuid>, _>(under_way.organizations)
    .bind::<Array<BigInt>, _>(under_way.counts)
    .load::<AttemptRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

/// Ends a worker's lease of an attempt at `until`: it is claimed again then. Nothing
/// changes if it was settled or another has it.
pub async fn let_go(
    conn: &mut Conn,
    attempt: &StoredAttempt,
    worker: Uuid,
    until: DateTime<Utc>,
) -> Result<(), DbError> {
    sql("UPDATE attempts SET lease_until = least(lease_until, $4)
         WHERE organization_id = $1 AND id = $2 AND claimed_by = $3 AND claims = $5 AND state = $6
           AND state IN ('claimed', 'in_doubt')")
    .bind::<SqlUuid, _>(attempt.tenant.uuid())
    .bind::<SqlUuid, _>(attempt.id.uuid())
    .bind::<SqlUuid, _>(worker)
    .bind::<Timestamptz, _>(until)
    .bind::<Integer, _>(claims(attempt))
    .bind::<Text, _>(attempt.state.as_str())
    .execute(conn)
    .await?;
    Ok(())
}

/// When the next attempt is due, of whichever organization that is not held. While none
/// is, the first of an index is all that is read; else the first of each organization.
pub async fn next_due(conn: &mut Conn) -> Result<Option<DateTime<Utc>>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        due_at: Option<DateTime<Utc>>,
    }
    let row: Row = sql(concat!(
        "SELECT CASE
           WHEN NOT EXISTS (
             SELECT FROM holds h WHERE h.ended_at IS NULL AND h.channel IS NULL)
             THEN (SELECT min(due_at) FROM attempts WHERE state = 'scheduled')
           WHEN NOT EXISTS (",
        held_altogether!(),
        ") THEN (
             WITH RECURSIVE turn (organization_id) AS (",
        organizations_in_turn!("'00000000-0000-0000-0000-000000000000'"),
        ")
             SELECT min(first.due_at) FROM turn CROSS JOIN LATERAL (
               SELECT s.due_at FROM attempts s
               WHERE (s.state = 'scheduled') IS TRUE AND ",
        in_turn!("s"),
        " = turn.organization_id
               ORDER BY s.due_at LIMIT 1) AS first
             WHERE turn.organization_id IS NOT NULL AND turn.organization_id <> ALL (ARRAY (",
        held_organizations!(),
        ")))
         END AS due_at"
    ))
    .get_result(conn)
    .await?;
    Ok(row.due_at)
}
