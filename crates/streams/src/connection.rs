//! The pool for short commands, and the connection of its own for blocking reads.

use std::path::Path;
use std::time::Duration;

use bb8::{ErrorSink, ManageConnection, Pool, PooledConnection, RunError};
use bb8_redis::RedisConnectionManager;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _,
    Pipeline, RedisError, TlsCertificates,
};
use secrecy::ExposeSecret;

use crate::error::{ends_connection, is_distrust};
use crate::keys::Keys;
use crate::{StreamsConfig, StreamsError};

/// How a certificate begins in PEM (RFC 7468).
const BEGINNING: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Tinko's streams in one Redis. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Streams {
    pool: Pool<Connector>,
    pub(crate) client: Client,
    patience: Duration,
    pub(crate) dead_letters_kept: usize,
    pub(crate) keys: Keys,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams")
            .field("keys", &self.keys)
            .field("pool", &self.pool.state())
            .finish_non_exhaustive()
    }
}

impl Streams {
    /// Checks the address and readies the pool. Connects when first used, so
    /// that a service starts while Redis is away; [`Streams::ping`] tells.
    ///
    /// Fails only on an address that is none.
    pub async fn connect(config: StreamsConfig) -> Result<Self, StreamsError> {
        let bad_url = |source| StreamsError::BadUrl { source };
        let url = config.redis_url.expose_secret();
        // All that is sent is small enough to be held back until more comes (Nagle).
        let server = url.into_connection_info().map_err(bad_url)?;
        let tcp = server.tcp_settings().clone().set_nodelay(true);
        let server = server.set_tcp_settings(tcp);
        let client = match &config.ca_file {
            None => Client::open(server).map_err(bad_url)?,
            Some(path) => {
                let authority = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(read_authority(path)?),
                };
                Client::build_with_tls(server, authority).map_err(bad_url)?
            }
        };
        let reached = client.get_connection_info().clone();
        let inner = RedisConnectionManager::new(reached).map_err(bad_url)?;
        let connector = Connector {
            inner,
            patience: config.patience,
        };
        let pool = Pool::builder()
            .max_size(config.pool_size.max(1))
            .connection_timeout(config.patience)
            .error_sink(Box::new(LogConnectErrors))
            .build(connector)
            .await
            .map_err(bad_url)?;
        Ok(Self {
            pool,
            client,
            patience: config.patience,
            dead_letters_kept: config.dead_letters_kept,
            keys: Keys::new(config.prefix, config.shards),
        })
    }

    /// Fails where Redis answers with a certificate that is not to be trusted: waiting
    /// does not mend that. One that is away, or is reached without TLS, is not asked.
    pub async fn trusted(&self) -> Result<(), StreamsError> {
        let address = self.client.get_connection_info().addr();
        if !matches!(address, ConnectionAddr::TcpTls { .. }) {
            return Ok(());
        }
        match self.blocking(Duration::ZERO).await {
            Err(source) if is_distrust(&source) => Err(StreamsError::Untrusted { source }),
            _ => Ok(()),
        }
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), StreamsError> {
        self.command("answer a PING", &redis::cmd("PING")).await
    }

    /// Runs one command.
    pub(crate) async fn command<T: FromRedisValue>(
        &self,
        action: &'static str,
        command: &Cmd,
    ) -> Result<T, StreamsError> {
        let mut link = self.link().await?;
        let answer = command.query_async(&mut link.connection).await;
        link.judge(action, answer)
    }

    /// Runs a pipeline; any command of it that fails fails it whole.
    pub(crate) async fn pipeline<T: FromRedisValue>(
        &self,
        action: &'static str,
        pipeline: &Pipeline,
    ) -> Result<T, StreamsError> {
        let mut link = self.link().await?;
        let answer = pipeline.query_async(&mut link.connection).await;
        link.judge(action, answer)
    }

    /// Runs a script.
    pub(crate) async fn script<T: FromRedisValue>(
        &self,
        action: &'static str,
        script: &redis::ScriptInvocation<'_>,
    ) -> Result<T, StreamsError> {
        let mut link = self.link().await?;
        let answer = script.invoke_async(&mut link.connection).await;
        link.judge(action, answer)
    }

    /// A new connection on which a command may block for `block`.
    pub(crate) async fn blocking(
        &self,
        block: Duration,
    ) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience))
            .set_response_timeout(Some(block.saturating_add(self.patience)));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    async fn link(&self) -> Result<PooledConnection<'_, Connector>, StreamsError> {
        self.pool.get().await.map_err(|error| match error {
            RunError::User(source) => StreamsError::Command {
                action: "accept a connection",
                source,
            },
            RunError::TimedOut => StreamsError::Unreachable {
                waited: self.patience,
            },
        })
    }
}

/// The certificate of an authority, in PEM.
fn read_authority(path: &Path) -> Result<Vec<u8>, StreamsError> {
    let unusable = |fault: String| StreamsError::BadCa {
        path: path.display().to_string(),
        fault,
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    if !pem.windows(BEGINNING.len()).any(|it| it == BEGINNING) {
        return Err(unusable("it holds no certificate in PEM".to_owned()));
    }
    Ok(pem)
}

/// Makes the pool's connections. Over the plain manager it sets the time-out and
/// tells which connections must not go back into the pool.
#[derive(Debug)]
struct Connector {
    inner: RedisConnectionManager,
    patience: Duration,
}

/// One pooled connection.
struct Link {
    connection: MultiplexedConnection,
    broken: bool,
}

impl Link {
    fn judge<T>(
        &mut self,
        action: &'static str,
        answer: Result<T, RedisError>,
    ) -> Result<T, StreamsError> {
        answer.map_err(|source| {
            self.broken |= ends_connection(&source);
            StreamsError::Command { action, source }
        })
    }
}

impl ManageConnection for Connector {
    type Connection = Link;
    type Error = RedisError;

    async fn connect(&self) -> Result<Link, RedisError> {
        let mut connection = self.inner.connect().await?;
        connection.set_response_timeout(self.patience);
        Ok(Link {
            connection,
            broken: false,
        })
    }

    async fn is_valid(&self, link: &mut Link) -> Result<(), RedisError> {
        self.inner.is_valid(&mut link.connection).await
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.broken
    }
}

/// The pool's time-out says only that none came in time; this says why.
#[derive(Debug, Clone, Copy)]
struct LogConnectErrors;

impl ErrorSink<RedisError> for LogConnectErrors {
    fn sink(&self, error: RedisError) {
        tracing::debug!(%error, "no connection to Redis yet");
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<RedisError>> {
        Box::new(*self)
    }
}
