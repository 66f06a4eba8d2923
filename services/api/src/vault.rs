//! Opening what is sealed in a connection's row: PSP credentials and webhook secrets.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use connections::{ConnectionTrouble, Opener};
use db::connections::StoredConnection;
use db::{Db, DbError, Tenant};
use domain::Provider;
use domain::id::ConnectionId;
use psp::Psp;
use secrecy::SecretString;

/// Connections whose opened webhook secrets are kept; above it all are opened anew.
const KEPT: usize = 4_096;

/// Why a connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The row could not be read.
    #[error(transparent)]
    Db(#[from] DbError),
    /// What is sealed in it is of no use.
    #[error(transparent)]
    Connection(#[from] ConnectionTrouble),
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
    /// Whether its merchant ended it, so that nothing new is begun over it.
    pub ended: bool,
    opened_at: DateTime<Utc>,
    /// When a secret among them that was replaced verifies no more.
    until: Option<DateTime<Utc>>,
}

/// Opens secrets. Webhook secrets are kept opened for a short while, so that a
/// busy connection's webhooks cost neither a query nor a decryption each.
pub struct Vault {
    opener: Opener,
    keep_for: TimeDelta,
    kept: Mutex<HashMap<ConnectionId, WebhookKeys>>,
}

impl Vault {
    /// A vault that opens with `opener`, keeping webhook secrets for `keep_for`.
    pub fn new(opener: Opener, keep_for: TimeDelta) -> Self {
        Self {
            opener,
            keep_for,
            kept: Mutex::default(),
        }
    }

    /// The PSP that a connection leads to.
    pub fn psp(&self, connection: &StoredConnection) -> Result<Psp, VaultError> {
        Ok(self.opener.open(connection)?)
    }

    /// Seals, and leads to PSPs by credentials that are not kept yet.
    pub const fn opener(&self) -> &Opener {
        &self.opener
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

    /// Forgets a connection's kept secrets: they were replaced here just now.
    /// Other processes find out when a webhook does not verify with what they
    /// kept, see [`Vault::doubt`], and after a while in any case.
    pub fn forget(&self, id: ConnectionId) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.remove(&id);
    }

    fn fresh(&self, id: ConnectionId, now: DateTime<Utc>) -> Option<WebhookKeys> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&id)
            .filter(|keys| now - keys.opened_at < self.keep_for)
            .filter(|keys| keys.until.is_none_or(|until| now < until))
            .cloned()
    }

    fn open_webhook_secrets(
        &self,
        stored: &StoredConnection,
        now: DateTime<Utc>,
    ) -> Result<WebhookKeys, VaultError> {
        let older = stored.older_webhook_secrets.as_ref();
        Ok(WebhookKeys {
            connection: stored.id,
            tenant: stored.tenant,
            provider: stored.provider,
            secrets: self.opener.webhook_secrets(stored, now)?,
            ended: stored.ended,
            opened_at: now,
            until: older.map(|(_, until)| *until).filter(|until| *until > now),
        })
    }
}
