//! Dead letters: outbox rows that a consumer gave up, for operators to look at and
//! mend. The truth is here; what lies in Redis is a copy for looking.
//!
//! [`mend`] makes rows owed again, and the sweeper publishes them, or drops them for good.
//! It takes each row once, however many ask at once, and notes who did it in the
//! organization's audit log, in the same transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use contracts::{Envelope, Stream};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::id::{OrganizationId, OutboxId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sql::Conditions;
use crate::{Conn, DbError, Tenant, Tx, audit};

/// An outbox row that was given up.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Of its outbox row.
    pub id: OutboxId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The stream that it belongs on, as stored.
    pub stream: String,
    /// When its cause committed.
    pub created_at: DateTime<Utc>,
    /// When it was given up.
    pub dead_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// What it says, or the sentence that tells why it does not read.
    pub envelope: Result<Envelope, String>,
}

/// Which dead letters are meant, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// This one.
    pub id: Option<OutboxId>,
    /// Of this stream alone.
    pub stream: Option<Stream>,
    /// Given up for exactly this reason alone.
    pub reason: Option<String>,
    /// Of this organization alone.
    pub organization: Option<OrganizationId>,
    /// Born after this one.
    pub after: Option<OutboxId>,
    /// At most so many.
    pub limit: i64,
}

impl Choice {
    /// One alone.
    pub fn one(id: OutboxId) -> Self {
        Self {
            id: Some(id),
            limit: 1,
            ..Self::default()
        }
    }

    /// `text` has to end inside a condition on `outbox`.
    fn after(&self, text: &'static str) -> Conditions<'_> {
        Conditions::after(text)
            .and::<SqlUuid, _>("id = {}", self.id.map(OutboxId::uuid))
            .and::<Text, _>("stream = {}", self.stream.map(Stream::as_str))
            .and::<Text, _>("dead_reason = {}", self.reason.as_deref())
            .and::<SqlUuid, _>(
                "organization_id = {}",
                self.organization.map(OrganizationId::uuid),
            )
            .and::<SqlUuid, _>("id > {}", self.after.map(OutboxId::uuid))
    }
}

/// What is done with a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// It is owed again, as if it had never been published.
    Replay,
    /// It is dropped for good: its effect will never be.
    Discard,
}

impl Mend {
    /// Follows the statement that chooses the letters.
    const fn statement(self) -> &'static str {
        match self {
            Self::Replay => {
                "UPDATE outbox AS o SET dead_at = NULL, dead_reason = NULL, published_at = NULL
                 FROM chosen WHERE o.id = chosen.id
                 RETURNING o.id, o.organization_id, o.stream"
            }
            Self::Discard => {
                "DELETE FROM outbox AS o USING chosen WHERE o.id = chosen.id
                 RETURNING o.id, o.organization_id, o.stream"
            }
        }
    }

    /// As the audit log names it.
    const fn audited(self) -> &'static str {
        match self {
            Self::Replay => "dead_letter.replayed",
            Self::Discard => "dead_letter.discarded",
        }
    }
}

/// Who mends, and why: for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct Mender<'a> {
    /// The operator's name for themselves.
    pub by: &'a str,
    /// Their reason.
    pub why: &'a str,
}

/// The letters that are meant.
pub async fn list(conn: &mut Conn, choice: &Choice) -> Result<Vec<DeadLetter>, DbError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        organization_id: Uuid,
        #[diesel(sql_type = Text)]
        stream: String,
        #[diesel(sql_type = Binary)]
        envelope: Vec<u8>,
        #[diesel(sql_type = Timestamptz)]
        created_at: DateTime<Utc>,
        #[diesel(sql_type = Timestamptz)]
        dead_at: DateTime<Utc>,
        #[diesel(sql_type = Text)]
        dead_reason: String,
    }
    let rows: Vec<Row> = choice
        .after(
            "SELECT id, organization_id, stream, envelope, created_at, dead_at,
                    coalesce(dead_reason, '') AS dead_reason
             FROM outbox WHERE dead_at IS NOT NULL",
        )
        .then::<BigInt, _>("ORDER BY id LIMIT {}", choice.limit)
        .statement()
        .load(conn)
        .await?;
    let letter = |row: Row| DeadLetter {
        id: OutboxId::from_uuid(row.id),
        organization: OrganizationId::from_uuid(row.organization_id),
        envelope: read(&row.stream, &row.envelope),
        stream: row.stream,
        created_at: row.created_at,
        dead_at: row.dead_at,
        reason: row.dead_reason,
    };
    Ok(rows.into_iter().map(letter).collect())
}

/// A newer version's stream or envelope may be why it is dead.
fn read(stream: &str, envelope: &[u8]) -> Result<Envelope, String> {
    let stream = Stream::parse(stream).map_err(|fault| fault.to_string())?;
    Envelope::decode(envelope, stream).map_err(|fault| fault.to_string())
}

/// Mends those that are meant; answers those that this call took.
pub async fn mend(
    tx: &mut Tx,
    choice: &Choice,
    mend: Mend,
    mender: Mender<'_>,
) -> Result<Vec<OutboxId>, DbError> {
    // One that is named is waited for: a relay that marks it as published at this very
    // moment does not make it one that isn't there. Of many, whoever is busy is left.
    let lock = match choice.id {
        Some(_) => "ORDER BY id LIMIT {} FOR UPDATE)",
        None => "ORDER BY id LIMIT {} FOR UPDATE SKIP LOCKED)",
    };
    let taken = choice
        .after(
            "WITH chosen AS MATERIALIZED (
               SELECT id FROM outbox WHERE dead_at IS NOT NULL",
        )
        .then::<BigInt, _>(lock, choice.limit)
        .end(mend.statement())
        .statement()
        .load(tx.conn())
        .await?;
    note(tx, taken, mend.audited(), mender).await
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    organization_id: Uuid,
    #[diesel(sql_type = Text)]
    stream: String,
}

/// The reason of its death is left out: it may quote anything.
async fn note(
    tx: &mut Tx,
    mut taken: Vec<Taken>,
    action: &str,
    mender: Mender<'_>,
) -> Result<Vec<OutboxId>, DbError> {
    taken.sort_by_key(|row| row.id);
    let mut changes: BTreeMap<Uuid, Vec<(String, Value)>> = BTreeMap::new();
    for row in &taken {
        let object = OutboxId::from_uuid(row.id).to_string();
        let detail = json!({ "stream": row.stream, "why": mender.why });
        let organization = changes.entry(row.organization_id).or_default();
        organization.push((object, detail));
    }
    let actor = format!("operator:{}", mender.by);
    for (organization, changes) in changes {
        let tenant = Tenant::of(OrganizationId::from_uuid(organization));
        audit::note_all(tx, tenant, &actor, action, &changes).await?;
    }
    Ok(taken
        .into_iter()
        .map(|row| OutboxId::from_uuid(row.id))
        .collect())
}
