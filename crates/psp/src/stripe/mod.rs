//! Stripe: `PaymentIntents` confirmed off-session, Checkout Sessions.
//!
//! Every request pins [`STRIPE_VERSION`]; every POST carries an idempotency
//! key. Webhooks come in the version that the merchant's endpoint has, which
//! is why [`crate::webhook`] reads older shapes too.

pub(crate) mod amount;
mod charge;
mod checkout;
mod form;
mod invoice;
mod refunds;
mod sighting;
mod status;
pub(crate) mod wire;

use std::sync::Arc;
use std::time::Duration;

use domain::Provider;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use url::Url;

use self::form::Form;
use crate::account::Account;
use crate::endpoints::path;
use crate::http::Answer;
use crate::pace::Pace;
use crate::{Http, PspError, StripeCredentials};

/// The API version that requests are made in, from Stripe's changelog: Clover
/// of 30 September 2025.
pub const STRIPE_VERSION: &str = "2025-09-30.clover";

/// The account that a key is of.
fn account(http: &Http, credentials: &StripeCredentials) -> Arc<Account> {
    let limits = &http.settings().rate_limits;
    let per_second = limits.of_stripe(credentials.secret_key.expose_secret());
    let pace = Pace::new(per_second, limits.at_once);
    Arc::new(Account::new(
        Provider::Stripe,
        pace,
        http.settings().breakers,
    ))
}

/// Stripe with one merchant's key.
#[derive(Debug, Clone)]
pub struct Stripe {
    http: Http,
    base: Url,
    account: Arc<Account>,
    credentials: StripeCredentials,
}

impl Stripe {
    pub(crate) fn new(http: Http, base: Url, credentials: StripeCredentials) -> Self {
        let account = account(&http, &credentials);
        Self {
            http,
            base,
            account,
            credentials,
        }
    }

    /// Until the account may be asked again; none if it may be now.
    pub(crate) fn pause(&self) -> Option<Duration> {
        let company = self.http.company(Provider::Stripe).circuit.pause();
        company.max(self.account.circuit.pause())
    }

    /// The same account as if nothing had been heard of it, for one who asks whether
    /// its credentials hold now.
    pub(crate) fn afresh(&self) -> Self {
        let account = account(&self.http, &self.credentials);
        Self {
            account,
            ..self.clone()
        }
    }

    pub(crate) async fn verify_credentials(&self) -> Result<(), PspError> {
        let newest = [("limit", "1".to_owned())];
        let _: serde_json::Value = self
            .fetch("verify", &["v1", "payment_intents"], &newest)
            .await?;
        Ok(())
    }

    /// A GET whose only good answer is a `T`.
    async fn fetch<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        segments: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, PspError> {
        let request = self.http.client().get(self.url(segments)?).query(query);
        let answer = self
            .http
            .ask(
                &self.account,
                Provider::Stripe,
                operation,
                self.signed(request),
            )
            .await?;
        if answer.status.is_success() {
            answer.read()
        } else {
            Err(answer.refusal())
        }
    }

    /// A POST under an idempotency key; refusals are the caller's to interpret.
    async fn post(
        &self,
        operation: &'static str,
        segments: &[&str],
        form: &Form,
        idempotency_key: &str,
    ) -> Result<Answer, PspError> {
        let request = self
            .http
            .client()
            .post(self.url(segments)?)
            .header("Idempotency-Key", idempotency_key)
            .form(form.fields());
        self.http
            .ask(
                &self.account,
                Provider::Stripe,
                operation,
                self.signed(request),
            )
            .await
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .bearer_auth(self.credentials.secret_key.expose_secret())
            .header("Stripe-Version", STRIPE_VERSION)
    }

    fn url(&self, segments: &[&str]) -> Result<Url, PspError> {
        path(&self.base, segments).ok_or_else(|| PspError::bad_reference(&segments.join("/")))
    }
}
