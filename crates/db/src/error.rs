//! What can go wrong between us and Postgres.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Trouble with Postgres, told apart by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection became free in time: shed load and try again.
    #[error("no Postgres connection became free within the acquire time-out")]
    Exhausted,
    /// Postgres cannot be reached or broke off: nothing is known to have changed.
    #[error("Postgres is not available: {0}")]
    Unavailable(String),
    /// What stands before Postgres would run other clients' statements for ours.
    #[error(
        "DATABASE_URL leads through a pooler in transaction mode that mixes up prepared statements: \
         it must be PgBouncer 1.21 or newer with max_prepared_statements above 0 (200 will do)"
    )]
    UnsafePooler,
    /// `DATABASE_URL` asks for what cannot be given, or names a file that does not read.
    #[error("DATABASE_URL is not usable: {0}")]
    Address(String),
    /// Postgres does not prove to be who `sslmode` asks for, or speaks no TLS.
    #[error(
        "Postgres is not trusted: {0}; DATABASE_URL's sslmode says what is asked of it, its sslrootcert names \
         the certificate of the authority that vouches for it"
    )]
    Untrusted(String),
    /// The lock of a migration would be somebody else's through that pooler.
    #[error(
        "DATABASE_URL leads through a pooler in transaction mode, through which migrations are not safe: \
         the lock that keeps two of them apart lives in a session. Give `api migrate` a DATABASE_URL that \
         leads to Postgres itself (in the chart: another key of the Secret, named by migrations.databaseUrlKey)"
    )]
    MigrationThroughPooler,
    /// A unique key or check refused the row.
    #[error("Postgres refused the row by {constraint}: {message}")]
    Refused {
        /// The constraint's name, empty when Postgres named none.
        constraint: String,
        /// Postgres' sentence.
        message: String,
    },
    /// Two transactions met; running it again may succeed.
    #[error("the transaction met another one: {0}")]
    Contention(String),
    /// What is stored does not read as what it should be.
    #[error("stored {what} does not read: {fault}")]
    Corrupt {
        /// Which column or row.
        what: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// A statement that ought to work did not.
    #[error("a statement failed")]
    Statement(#[source] DieselError),
    /// The schema could not be brought up to date.
    #[error("migrations failed: {0}")]
    Migration(String),
}

impl DbError {
    /// Whether the same call may succeed later without anyone mending anything.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Exhausted | Self::Unavailable(_) | Self::Contention(_)
        )
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it stands in `map_err`, which gives the error away"
    )]
    pub(crate) fn corrupt(what: &'static str, fault: impl ToString) -> Self {
        Self::Corrupt {
            what,
            fault: fault.to_string(),
        }
    }
}

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(kind, info) => {
                let message = info.message().to_owned();
                match kind {
                    DatabaseErrorKind::UniqueViolation
                    | DatabaseErrorKind::CheckViolation
                    | DatabaseErrorKind::ForeignKeyViolation
                    | DatabaseErrorKind::NotNullViolation => Self::Refused {
                        constraint: info.constraint_name().unwrap_or_default().to_owned(),
                        message,
                    },
                    DatabaseErrorKind::SerializationFailure => Self::Contention(message),
                    DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand => Self::Unavailable(message),
                    _ if message.contains("deadlock detected") => Self::Contention(message),
                    // Postgres shutting down or starting up says so in words only.
                    _ if message.contains("terminating connection")
                        || message.contains("the database system is")
                        || message.contains("connection closed") =>
                    {
                        Self::Unavailable(message)
                    }
                    kind => Self::Statement(DieselError::DatabaseError(kind, info)),
                }
            }
            DieselError::BrokenTransactionManager => {
                Self::Unavailable("the connection broke inside a transaction".to_owned())
            }
            error => Self::Statement(error),
        }
    }
}

impl From<bb8::RunError<diesel_async::pooled_connection::PoolError>> for DbError {
    fn from(error: bb8::RunError<diesel_async::pooled_connection::PoolError>) -> Self {
        match error {
            bb8::RunError::TimedOut => Self::Exhausted,
            bb8::RunError::User(error) => Self::Unavailable(error.to_string()),
        }
    }
}
