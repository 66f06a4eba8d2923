//! What can go wrong between us and Redis.

use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What can go wrong between us and Redis.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// The address is no address.
    #[error(
        "REDIS_URL is not an address of the form redis://[user:password@]host:port/db, or rediss:// for TLS: {source}"
    )]
    BadUrl {
        /// What the client says of it.
        source: RedisError,
    },
    /// The file of the authority does not read.
    #[error("TINKO__REDIS_CA_FILE={path} is not usable: {fault}")]
    BadCa {
        /// Its path.
        path: String,
        /// Why not.
        fault: String,
    },
    /// Redis does not prove to be who it is to be.
    #[error(
        "Redis is not trusted: {source}; TINKO__REDIS_CA_FILE names the certificate of the authority that vouches for it"
    )]
    Untrusted {
        /// What is wrong with its certificate.
        source: RedisError,
    },
    /// No connection in time.
    #[error("Redis gave no connection within {waited:?}: is it up, and is REDIS_URL right?")]
    Unreachable {
        /// How long it was waited for.
        waited: Duration,
    },
    /// A command failed.
    #[error("Redis could not {action}: {source}")]
    Command {
        /// What was wanted, as a verb phrase.
        action: &'static str,
        /// What Redis or the connection said.
        source: RedisError,
    },
    /// There is no such dead letter, or no longer.
    #[error("stream {stream} has no dead letter {id}: it was replayed, discarded or pushed out")]
    NoSuchDeadLetter {
        /// The stream looked at.
        stream: &'static str,
        /// The id looked for.
        id: String,
    },
    /// Text that is no dead letter's id.
    #[error("{text:?} is not a dead letter's id, such as 0/1750000000123-0")]
    BadDeadLetterId {
        /// The text.
        text: String,
    },
}

impl StreamsError {
    /// Whether the stream or its group is not there (never made, or flushed).
    pub(crate) fn is_no_group(&self) -> bool {
        matches!(self, Self::Command { source, .. } if is_no_group(source))
    }
}

/// Whether Redis says that the stream or its group is not there: at the command,
/// or to a reader that it unblocks since the key is gone.
pub(crate) fn is_no_group(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOGROUP" | "UNBLOCKED"))
}

/// Whether Redis' certificate was refused: of rustls' error the client keeps the words.
pub(crate) fn is_distrust(error: &RedisError) -> bool {
    error.to_string().contains("invalid peer certificate")
}

/// Whether the connection should not be used again: it is broken, or it leads to
/// a server that is no longer the master, which only a new look-up of the name heals.
pub(crate) fn ends_connection(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown | ServerErrorKind::Moved
        ),
        ErrorKind::Extension => false,
        _ => true,
    }
}
