//! Registered webhook endpoints.

use serde::Serialize;

use super::delivery::Delivery;
use super::signing::Signer;
use super::{Event, Provider};

/// One address that an account's events go to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Endpoint {
    pub(crate) provider: Provider,
    pub(crate) account: String,
    pub(crate) url: String,
    /// Stripe may have several while they are rotated; the others use the first.
    #[serde(skip)]
    pub(crate) secrets: Vec<String>,
    pub(crate) enabled: bool,
    /// Events carry the top-level `account`, as on Stripe Connect.
    pub(crate) connect_account: bool,
    /// Event types; `*` is all.
    pub(crate) events: Vec<String>,
}

impl Endpoint {
    pub(crate) fn signer(&self) -> Signer {
        let first = self.secrets.first().cloned().unwrap_or_default();
        match self.provider {
            Provider::Stripe => Signer::Stripe {
                secrets: self.secrets.clone(),
                connect_account: self.connect_account.then(|| self.account.clone()),
            },
            Provider::Razorpay => Signer::Razorpay { secret: first },
            Provider::Twilio => Signer::Twilio { auth_token: first },
            Provider::Whatsapp => Signer::Meta { app_secret: first },
            Provider::Mail => Signer::Bearer { secret: first },
        }
    }

    fn wants(&self, event: &Event) -> bool {
        self.enabled
            && self.provider == event.provider
            && self.account == event.account
            && (self
                .events
                .iter()
                .any(|kind| kind == "*" || *kind == event.kind))
    }
}

#[derive(Default)]
pub(crate) struct Endpoints(Vec<Endpoint>);

impl Endpoints {
    pub(crate) fn put(&mut self, endpoint: Endpoint) -> Endpoint {
        self.0.retain(|old| {
            (old.provider, &old.account, &old.url)
                != (endpoint.provider, &endpoint.account, &endpoint.url)
        });
        self.0.push(endpoint.clone());
        endpoint
    }

    pub(crate) fn wanting(&self, event: &Event) -> Vec<Endpoint> {
        self.0
            .iter()
            .filter(|endpoint| endpoint.wants(event))
            .cloned()
            .collect()
    }

    /// Stripe signs a retry with the endpoint's secrets of that moment; Razorpay documents that an
    /// older event keeps the old secret.
    pub(crate) fn current_signer(&self, delivery: &Delivery) -> Signer {
        let current = self.0.iter().find(|endpoint| {
            endpoint.provider == Provider::Stripe
                && endpoint.account == delivery.event.account
                && endpoint.url == delivery.url
        });
        current.map_or_else(|| delivery.signer.clone(), Endpoint::signer)
    }
}
