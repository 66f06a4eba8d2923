//! Opening what is sealed in a connection's row: PSP credentials and webhook secrets.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use db::connections::StoredConnection;
use db::{Db, DbError, Tenant};
use domain::Provider;
use domain::id::ConnectionId;
use psp::{Credentials, Endpoints, Http, Psp};
use seal::Keyring;
use secrecy::{ExposeSecret, SecretBox, SecretString};

/// Connections whose opened webhook secrets are kept; above it all are opened anew.
const KEPT: usize = 4_096;

/// Why a connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The row could not be read.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The sealed value does not open: a wrong or missing master key.
    #[error("the connection's secrets do not open")]
    Sealed(#[from] seal::OpenError),
    /// What was sealed is not what it should be.
    #[error("the connection's secrets do not read")]
    Unreadable(#[from] serde_json::Error),
}

/// What verifies a connection's webhooks.
#[derive(Clone)]
pub struct WebhookKeys {
    /// The connection.
    pub connection: ConnectionId,
    /// Whose it is, once one of the secrets has verified a webhook.
    pub tenant: Tenant,
    /// Which PSP sends them.
    pub provider: Provider,
    /// The secrets in force; several while one is being replaced.
    pub secrets: Vec<SecretString>,
    opened_at: DateTime<Utc>,
}

/// Opens secrets. Webhook secrets are kept opened for a short while, so that a
/// busy connection's webhooks cost neither a query nor a decryption each.
pub struct Vault {
    keyring: Keyring,
    http: Http,
    endpoints: Endpoints,
    keep_for: TimeDelta,
    kept: Mutex<HashMap<ConnectionId, WebhookKeys>>,
}

impl Vault {
    /// A vault that opens with `keyring`, keeping webhook secrets for `keep_for`,
    /// and reaches PSPs over `http` at `endpoints`.
    pub fn new(keyring: Keyring, http: Http, endpoints: Endpoints, keep_for: TimeDelta) -> Self {
        Self {
            keyring,
            http,
            endpoints,
            keep_for,
            kept: Mutex::default(),
        }
    }

    /// The PSP that a connection leads to.
    pub fn psp(&self, connection: &StoredConnection) -> Result<Psp, VaultError> {
        let context = db::connections::seal_context(connection.tenant, connection.id);
        let json = self
            .keyring
            .open(&connection.credentials_sealed, &context)?;
        let credentials = Credentials::from_json(&json)?;
        Ok(Psp::new(self.http.clone(), &self.endpoints, credentials))
    }

    /// The keys of the connection that a webhook's path names.
    pub async fn webhook_keys(
        &self,
        db: &Db,
        provider: Provider,
        id: ConnectionId,
        now: DateTime<Utc>,
    ) -> Result<Option<WebhookKeys>, VaultError> {
        if let Some(keys) = self.fresh(id, now) {
            return Ok((keys.provider == provider).then_some(keys));
        }
        let mut conn = db.read().await?;
        let Some(stored) = db::connections::for_webhook(&mut conn, provider, id).await? else {
            return Ok(None);
        };
        let keys = self.open_webhook_secrets(&stored, now)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(id, keys.clone());
        Ok(Some(keys))
    }

    /// The keys of every connection to the account that a webhook claims to be of.
    pub async fn webhook_keys_of_account(
        &self,
        db: &Db,
        provider: Provider,
        account: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<WebhookKeys>, VaultError> {
        let mut conn = db.read().await?;
        let stored = db::connections::by_account(&mut conn, provider, account).await?;
        stored
            .iter()
            .map(|stored| self.open_webhook_secrets(stored, now))
            .collect()
    }

    /// Forgets a connection's kept secrets, so that replaced ones are found at
    /// once. Those opened within the last second stay: forged webhooks must not
    /// be able to make every one of them a query.
    pub fn doubt(&self, id: ConnectionId, now: DateTime<Utc>) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let old = kept
            .get(&id)
            .is_some_and(|keys| now - keys.opened_at > TimeDelta::seconds(1));
        if old {
            kept.remove(&id);
        }
        old
    }

    fn fresh(&self, id: ConnectionId, now: DateTime<Utc>) -> Option<WebhookKeys> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&id)
            .filter(|keys| now - keys.opened_at < self.keep_for)
            .cloned()
    }

    fn open_webhook_secrets(
        &self,
        stored: &StoredConnection,
        now: DateTime<Utc>,
    ) -> Result<WebhookKeys, VaultError> {
        let context = db::connections::seal_context(stored.tenant, stored.id);
        let json = self
            .keyring
            .open(&stored.webhook_secrets_sealed, &context)?;
        Ok(WebhookKeys {
            connection: stored.id,
            tenant: stored.tenant,
            provider: stored.provider,
            secrets: serde_json::from_slice(json.expose_secret())?,
            opened_at: now,
        })
    }
}

/// Webhook secrets as they are sealed: a JSON list of texts.
pub fn webhook_secrets_json(
    secrets: &[SecretString],
) -> Result<SecretBox<Vec<u8>>, serde_json::Error> {
    let texts: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    serde_json::to_vec(&texts).map(|json| SecretBox::new(Box::new(json)))
}
