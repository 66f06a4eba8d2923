//! Codes of failures that no table of Tinko knows, so that somebody adds them.
//!
//! One row each time one is met, never counted up in place: reports that come
//! in side by side would wait for the row that they share.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::classification::{FailureSource, HeardSignals, Signal, Signals};
use domain::id::UnknownCode;
use domain::payer::without_payer;

use crate::sql::sql;
use crate::{Conn, DbError, Tenant, Tx};

/// Longest code that is kept, in characters: longer ones are sentences.
const LONGEST_CODE: usize = 64;
/// Longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 200;
/// Most notes of an organization that one answer looks at, the newest: a
/// question costs no more than this, whatever came in.
const LOOKED_AT: i64 = 50_000;
/// Most groups in an answer, those met most often.
const MOST: i64 = 200;

/// How often one unknown code was met.
#[derive(Debug, Clone)]
pub struct MetCode {
    /// Who said it.
    pub source: FailureSource,
    /// As what it was said.
    pub signal: Signal,
    /// The code in lower case, without what it said of a payer.
    pub code: String,
    /// The newest message that came with it, likewise.
    pub message: Option<String>,
    /// How often.
    pub count: i64,
    /// When first, within the days asked for.
    pub first_seen: DateTime<Utc>,
    /// When last.
    pub last_seen: DateTime<Utc>,
}

/// Notes the codes among `said` that no table knew when they were `heard`, by
/// one statement; nothing if there are none. What they or the message say of
/// the payer is taken out before it is kept.
pub async fn note(
    tx: &mut Tx,
    tenant: Tenant,
    said: &Signals<'_>,
    heard: &HeardSignals,
) -> Result<(), DbError> {
    note_all(tx, tenant, &[(*said, heard)]).await
}

/// Notes the unknown codes of many reports, still by one statement.
pub async fn note_all(
    tx: &mut Tx,
    tenant: Tenant,
    reports: &[(Signals<'_>, &HeardSignals)],
) -> Result<(), DbError> {
    let (mut ids, mut sources, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let (mut signals, mut codes) = (Vec::new(), Vec::new());
    for (said, heard) in reports {
        let message = said.message.map(without_payer);
        let message = message.map(|message| cut(&message, LONGEST_MESSAGE));
        for signal in heard.unrecognized() {
            let Some(code) = said.said(signal) else {
                continue;
            };
            ids.push(tx.new_id::<UnknownCode>().uuid());
            sources.push(said.source.as_str());
            signals.push(signal.as_str());
            codes.push(kept_code(code));
            messages.push(message.clone());
        }
    }
    if codes.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    sql(
        "INSERT INTO unknown_codes (id, organization_id, source, signal, code, message, seen_at)
         SELECT id, $1, source, signal, code, message, $2
         FROM unnest($3, $4, $5, $6, $7) AS met (id, source, signal, code, message)",
    )
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Text>, _>(sources)
    .bind::<Array<Text>, _>(signals)
    .bind::<Array<Text>, _>(codes)
    .bind::<Array<Nullable<Text>>, _>(messages)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Codes are found in either case, so one in capitals is no other code. Codes
/// may be all digits; an address among them is taken out.
fn kept_code(code: &str) -> String {
    let code = if code.contains('@') || code.contains(char::is_whitespace) {
        without_payer(code)
    } else {
        code.to_owned()
    };
    cut(&code.trim().to_lowercase(), LONGEST_CODE)
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

/// The codes that an organization met in the last `days`, those met most often
/// first.
pub async fn met(
    conn: &mut Conn,
    tenant: Tenant,
    days: u16,
    now: DateTime<Utc>,
) -> Result<Vec<MetCode>, DbError> {
    let since = now - TimeDelta::days(i64::from(days));
    sql("SELECT source, signal, code, count(*) AS met,
                min(seen_at) AS first_seen, max(seen_at) AS last_seen,
                (array_agg(message ORDER BY id DESC) FILTER (WHERE message IS NOT NULL))[1] AS message
         FROM (SELECT id, source, signal, code, message, seen_at
               FROM unknown_codes
               WHERE organization_id = $1 AND id >= uuid7_floor($2)
               ORDER BY id DESC LIMIT $3) AS newest
         GROUP BY source, signal, code
         ORDER BY met DESC, last_seen DESC, code LIMIT $4")
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(LOOKED_AT)
    .bind::<BigInt, _>(MOST)
    .load::<MetRow>(conn)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

#[derive(QueryableByName)]
struct MetRow {
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    signal: String,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Nullable<Text>)]
    message: Option<String>,
    #[diesel(sql_type = BigInt)]
    met: i64,
    #[diesel(sql_type = Timestamptz)]
    first_seen: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_seen: DateTime<Utc>,
}

impl TryFrom<MetRow> for MetCode {
    type Error = DbError;
    fn try_from(row: MetRow) -> Result<Self, DbError> {
        Ok(Self {
            source: row
                .source
                .parse()
                .map_err(|fault| DbError::corrupt("unknown_codes.source", fault))?,
            signal: row
                .signal
                .parse()
                .map_err(|fault| DbError::corrupt("unknown_codes.signal", fault))?,
            code: row.code,
            message: row.message,
            count: row.met,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
        })
    }
}
