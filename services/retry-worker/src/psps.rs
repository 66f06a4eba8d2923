//! The PSPs, by connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use db::connections::StoredConnection;
use domain::id::ConnectionId;
use psp::{Credentials, Endpoints, Http, HttpSettings, Psp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use seal::Keyring;

use crate::settings::Settings;

/// Connections whose opened credentials are kept; above it they are opened anew.
const KEPT: usize = 4_096;

/// Opens a connection's credentials and talks to its PSP.
#[derive(Clone)]
pub struct Psps {
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

/// Why a connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionTrouble {
    /// The sealed credentials do not open: a wrong or missing master key.
    #[error("the connection's credentials do not open")]
    Sealed(#[from] seal::OpenError),
    /// What was sealed is not what it should be.
    #[error("the connection's credentials do not read")]
    Credentials(#[from] serde_json::Error),
}

impl Psps {
    /// By the settings.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let http = Http::new(
            HttpSettings {
                total_timeout: Duration::from_millis(settings.psp_timeout_ms),
                ..HttpSettings::default()
            },
            StdRng::from_rng(&mut rand::rng()),
        )?;
        Ok(Self {
            keyring: Arc::new(Keyring::parse(&settings.master_key)?),
            http,
            endpoints: Endpoints {
                stripe: settings.stripe_base_url.clone(),
                razorpay: settings.razorpay_base_url.clone(),
            },
            opened: Arc::default(),
        })
    }

    /// The PSP of a connection. Rotated credentials are noticed by their sealed form.
    pub fn open(&self, connection: &StoredConnection) -> Result<Psp, ConnectionTrouble> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = opened.get(&connection.id)
            && kept.sealed == connection.credentials_sealed
        {
            return Ok(kept.psp.clone());
        }
        let context = db::connections::seal_context(connection.tenant, connection.id);
        let json = self
            .keyring
            .open(&connection.credentials_sealed, &context)?;
        let psp = Psp::new(
            self.http.clone(),
            &self.endpoints,
            Credentials::from_json(&json)?,
        );
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
}
