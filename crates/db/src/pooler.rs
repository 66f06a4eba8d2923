//! What stands between this process and Postgres, and whether it is safe.
//!
//! Statements are prepared by name over the protocol and bound in a later round trip
//! (decision 0005). A pooler in transaction mode may have given the session's
//! connection to another client by then: the name is unknown there, or, worse, is
//! another client's statement. A pooler that cares (PgBouncer 1.21 or newer with
//! `max_prepared_statements` above 0) gives each text a name of its own and prepares it
//! again wherever it is wanted.
//! <https://www.pgbouncer.org/config.html#max_prepared_statements>
//!
//! It is asked for nothing that wants rights at the pooler, and nothing is left to
//! luck: see [`probe`].

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel_async::{AnsiTransactionManager, RunQueryDsl, TransactionManager};
use secrecy::SecretString;
use uuid::Uuid;

use crate::connect::{ConnectError, connect};
use crate::{Conn, DbError};

/// How many further connections are held at once to see whether one of them is given
/// the first one's.
const HOLDERS: usize = 3;
/// How long it may take: a pooler with no connection free makes its clients wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// What stands between this process and Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Nothing, or what keeps a connection for each session.
    Direct,
    /// A pooler that shares connections and keeps each client's prepared statements.
    SafePooler,
    /// A pooler that shares connections and mixes up prepared statements.
    UnsafePooler,
}

/// Closed until what stands between this process and Postgres is known, and for good
/// where that is not safe. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    route: OnceLock<Route>,
    /// Why the route is not known.
    trouble: Mutex<String>,
}

impl Gate {
    /// One that never was closed, for tools that are pointed at Postgres by hand.
    pub fn open() -> Self {
        let gate = Self::default();
        gate.found(Route::Direct);
        gate
    }

    /// Notes the answer; the first one holds.
    pub fn found(&self, route: Route) {
        // A pooler is not exchanged under a running process.
        let _ = self.0.route.set(route);
    }

    /// Notes why there is no answer yet.
    pub fn not_found(&self, error: &DbError) {
        let mut trouble = self
            .0
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *trouble = match error {
            DbError::Unavailable(trouble) => trouble.clone(),
            error => error.to_string(),
        };
    }

    /// Whether one may pass.
    pub(crate) fn pass(&self) -> Result<(), DbError> {
        match self.0.route.get() {
            Some(Route::Direct | Route::SafePooler) => Ok(()),
            Some(Route::UnsafePooler) => Err(DbError::UnsafePooler),
            None => {
                let trouble = self
                    .0
                    .trouble
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                Err(DbError::Unavailable(trouble.clone()))
            }
        }
    }
}

/// What one transaction saw of its own connection.
#[derive(QueryableByName)]
struct Look {
    /// Of the Postgres process that answered.
    #[diesel(sql_type = Integer)]
    backend: i32,
    /// The name under which Postgres knows this very statement.
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    /// Statements that are prepared there besides.
    #[diesel(sql_type = BigInt)]
    others: i64,
}

/// Why a look showed nothing.
enum Blind {
    /// Prepared statements were mixed up while looking: that is the answer.
    MixedUp,
    /// Postgres could not be asked.
    Away(DbError),
}

/// Finds out what stands between this process and Postgres.
///
/// 1. A statement looks itself up among those of the connection that it runs on. A
///    name that this process did not give it was given by a pooler that looks after
///    prepared statements.
/// 2. Else, further connections each begin a transaction and keep it open, and after
///    each the first one looks again. One that is given the first one's Postgres
///    process, or the first one given another, or a new client that finds statements
///    prepared: connections are shared, by a pooler that does not look after them. A
///    pooler that gives out first what came back last gives the holder the first one's;
///    one that gives it out last gives the first one another.
///
/// Fails where Postgres cannot be asked: nothing is known then.
pub async fn probe(database_url: &SecretString) -> Result<Route, DbError> {
    match tokio::time::timeout(PATIENCE, look_around(database_url)).await {
        Ok(Ok(route)) => Ok(route),
        Ok(Err(Blind::MixedUp)) => Ok(Route::UnsafePooler),
        Ok(Err(Blind::Away(error))) => Err(error),
        Err(_) => Err(DbError::Unavailable(format!(
            "what stands before it gave no connection within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

async fn look_around(database_url: &SecretString) -> Result<Route, Blind> {
    let mut first = open(database_url).await?;
    let seen = look(&mut first).await?;
    end(&mut first).await?;
    if !seen.name.as_deref().is_none_or(is_our_name) {
        return Ok(Route::SafePooler);
    }
    // Held until the answer is known.
    let mut holders = Vec::with_capacity(HOLDERS);
    for _ in 0..HOLDERS {
        let mut holder = open(database_url).await?;
        let held = look(&mut holder).await?;
        if held.backend == seen.backend || held.others > 0 {
            return Err(Blind::MixedUp);
        }
        holders.push(holder);
        let again = look(&mut first).await?;
        end(&mut first).await?;
        if again.backend != seen.backend {
            return Err(Blind::MixedUp);
        }
    }
    Ok(Route::Direct)
}

async fn open(database_url: &SecretString) -> Result<Conn, Blind> {
    connect(database_url).await.map_err(|error| match error {
        ConnectError::Setup(error) => Blind::from(error),
        ConnectError::Failed(error) => Blind::Away(error),
    })
}

/// Begins a transaction and looks; it stays open.
async fn look(conn: &mut Conn) -> Result<Look, Blind> {
    AnsiTransactionManager::begin_transaction(&mut *conn).await?;
    // A text that nobody prepared before: an old name would tell of old times.
    let text = format!(
        "SELECT pg_backend_pid() AS backend,
           (SELECT max(name) FROM pg_prepared_statements WHERE statement = current_query()) AS name,
           (SELECT count(*) FROM pg_prepared_statements WHERE statement <> current_query()) AS others
         /* {} */",
        Uuid::from_u128(rand::random())
    );
    Ok(diesel::sql_query(text).get_result(conn).await?)
}

async fn end(conn: &mut Conn) -> Result<(), Blind> {
    AnsiTransactionManager::rollback_transaction(&mut *conn).await?;
    Ok(())
}

/// The driver counts: `s0`, `s1`, …
fn is_our_name(name: &str) -> bool {
    name.strip_prefix('s')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

impl From<diesel::result::Error> for Blind {
    /// Postgres knows no statement of the name, or knows one already: SQLSTATE 26000
    /// and 42P05, of which diesel keeps only the words.
    fn from(error: diesel::result::Error) -> Self {
        match &error {
            diesel::result::Error::DatabaseError(_, info)
                if info.message().contains("prepared statement") =>
            {
                Self::MixedUp
            }
            _ => Self::Away(error.into()),
        }
    }
}
