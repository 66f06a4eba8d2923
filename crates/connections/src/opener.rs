//! Sealing and opening.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use db::Tenant;
use db::connections::{StoredConnection, seal_context};
use domain::id::ConnectionId;
use psp::{Credentials, Endpoints, Http, Psp};
use rand::CryptoRng;
use seal::Keyring;
use secrecy::{ExposeSecret, SecretBox, SecretString};

/// Connections whose opened credentials are kept; above it they are opened anew.
const KEPT: usize = 4_096;

/// Why a connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionTrouble {
    /// What is sealed does not open: a wrong or missing master key.
    #[error("the connection's secrets do not open")]
    Sealed(#[from] seal::OpenError),
    /// What was sealed is not what it should be.
    #[error("the connection's secrets do not read")]
    Unreadable(#[from] serde_json::Error),
}

/// Why a connection's secrets could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealTrouble {
    /// They are too long to be secrets.
    #[error("the connection's secrets cannot be sealed")]
    Seal(#[from] seal::SealError),
    /// They could not be written down.
    #[error("the connection's secrets cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

/// A connection's secrets, sealed, as its row keeps them.
pub struct Sealed {
    /// The credentials.
    pub credentials: Vec<u8>,
    /// The webhook secrets.
    pub webhook_secrets: Vec<u8>,
}

/// Opens a connection's secrets and leads to its PSP. Cheap to clone; clones
/// share what is opened.
#[derive(Clone)]
pub struct Opener {
    keyring: Arc<Keyring>,
    http: Http,
    endpoints: Endpoints,
    opened: Arc<Mutex<HashMap<ConnectionId, Opened>>>,
}

/// A PSP, and the sealed credentials that it was opened from.
struct Opened {
    sealed: Vec<u8>,
    psp: Psp,
}

impl Opener {
    /// Opens with `keyring`, and reaches PSPs over `http` at `endpoints`.
    pub fn new(keyring: Keyring, http: Http, endpoints: Endpoints) -> Self {
        Self {
            keyring: Arc::new(keyring),
            http,
            endpoints,
            opened: Arc::default(),
        }
    }

    /// The PSP that a connection leads to. Rotated credentials are noticed by
    /// their sealed form.
    pub fn open(&self, connection: &StoredConnection) -> Result<Psp, ConnectionTrouble> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = opened.get(&connection.id)
            && kept.sealed == connection.credentials_sealed
        {
            return Ok(kept.psp.clone());
        }
        let context = seal_context(connection.tenant, connection.id);
        let json = self
            .keyring
            .open(&connection.credentials_sealed, &context)?;
        let credentials = Credentials::from_json(&json)?;
        let psp = Psp::new(self.http.clone(), &self.endpoints, credentials);
        if opened.len() >= KEPT {
            opened.clear();
        }
        let kept = Opened {
            sealed: connection.credentials_sealed.clone(),
            psp: psp.clone(),
        };
        opened.insert(connection.id, kept);
        Ok(psp)
    }

    /// The PSP that credentials lead to which are not kept yet.
    pub fn psp(&self, credentials: Credentials) -> Psp {
        Psp::new(self.http.clone(), &self.endpoints, credentials)
    }

    /// What verifies a connection's webhooks at `now`; several while one is being
    /// replaced.
    pub fn webhook_secrets(
        &self,
        connection: &StoredConnection,
        now: DateTime<Utc>,
    ) -> Result<Vec<SecretString>, ConnectionTrouble> {
        let context = seal_context(connection.tenant, connection.id);
        let open = |sealed: &[u8]| -> Result<Vec<SecretString>, ConnectionTrouble> {
            let json = self.keyring.open(sealed, &context)?;
            Ok(serde_json::from_slice(json.expose_secret())?)
        };
        let mut secrets = open(&connection.webhook_secrets_sealed)?;
        if let Some((older, until)) = &connection.older_webhook_secrets
            && *until > now
        {
            secrets.extend(open(older)?);
        }
        Ok(secrets)
    }

    /// Seals credentials for a connection.
    pub fn seal_credentials(
        &self,
        (tenant, id): (Tenant, ConnectionId),
        credentials: &Credentials,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealTrouble> {
        let json = credentials.to_json()?;
        let context = seal_context(tenant, id);
        Ok(self.keyring.seal(json.expose_secret(), &context, rng)?)
    }

    /// Seals webhook secrets for a connection.
    pub fn seal_webhook_secrets(
        &self,
        (tenant, id): (Tenant, ConnectionId),
        secrets: &[SecretString],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SealTrouble> {
        let json = webhook_secrets_json(secrets)?;
        let context = seal_context(tenant, id);
        Ok(self.keyring.seal(json.expose_secret(), &context, rng)?)
    }
}

impl Sealed {
    /// Seals what a connection of that id is to keep.
    pub fn new(
        keyring: &Keyring,
        (tenant, id): (Tenant, ConnectionId),
        credentials: &Credentials,
        webhook_secrets: &[SecretString],
        rng: &mut impl CryptoRng,
    ) -> Result<Self, SealTrouble> {
        let context = seal_context(tenant, id);
        let credentials = credentials.to_json()?;
        let texts = webhook_secrets_json(webhook_secrets)?;
        Ok(Self {
            credentials: keyring.seal(credentials.expose_secret(), &context, rng)?,
            webhook_secrets: keyring.seal(texts.expose_secret(), &context, rng)?,
        })
    }
}

/// Webhook secrets as they are sealed: a JSON list of texts.
fn webhook_secrets_json(secrets: &[SecretString]) -> Result<SecretBox<Vec<u8>>, serde_json::Error> {
    let texts: Vec<&str> = secrets.iter().map(ExposeSecret::expose_secret).collect();
    serde_json::to_vec(&texts).map(|json| SecretBox::new(Box::new(json)))
}
