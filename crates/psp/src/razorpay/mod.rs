//! Razorpay: payment links, and where payments and orders stand.
//!
//! Razorpay has no idempotency header; a payment link's `reference_id`, which
//! it keeps unique for an account, takes its place.

mod checkout;
mod refunds;
mod status;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use domain::Provider;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::account::Account;
use crate::endpoints::path;
use crate::http::Answer;
use crate::pace::Pace;
use crate::{Http, PspError, RazorpayCredentials};

fn account(http: &Http) -> Arc<Account> {
    let limits = &http.settings().rate_limits;
    let pace = Pace::new(limits.razorpay, limits.at_once);
    Arc::new(Account::new(
        Provider::Razorpay,
        pace,
        http.settings().breakers,
    ))
}

/// Razorpay with one merchant's key pair.
#[derive(Debug, Clone)]
pub struct Razorpay {
    http: Http,
    base: Url,
    account: Arc<Account>,
    credentials: RazorpayCredentials,
}

impl Razorpay {
    pub(crate) fn new(http: Http, base: Url, credentials: RazorpayCredentials) -> Self {
        let account = account(&http);
        Self {
            http,
            base,
            account,
            credentials,
        }
    }

    /// Until the account may be asked again; none if it may be now.
    pub(crate) fn pause(&self) -> Option<Duration> {
        let company = self.http.company(Provider::Razorpay).circuit.pause();
        company.max(self.account.circuit.pause())
    }

    /// The same account as if nothing had been heard of it, for one who asks whether
    /// its credentials hold now.
    pub(crate) fn afresh(&self) -> Self {
        let account = account(&self.http);
        Self {
            account,
            ..self.clone()
        }
    }

    pub(crate) async fn verify_credentials(&self) -> Result<(), PspError> {
        // A reference that no link has: the answer is an empty list.
        let none = [("reference_id", "credentials-check")];
        let _: wire::Links = self
            .fetch("verify", &["v1", "payment_links"], &none)
            .await?;
        Ok(())
    }

    /// A GET whose only good answer is a `T`.
    async fn fetch<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, PspError> {
        let request = self.http.client().get(self.url(segments)?).query(query);
        let answer = self
            .http
            .ask(
                &self.account,
                Provider::Razorpay,
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

    /// A POST; refusals are the caller's to interpret.
    async fn post<B: Serialize>(
        &self,
        operation: &'static str,
        segments: &[&str],
        body: &B,
    ) -> Result<Answer, PspError> {
        let request = self.http.client().post(self.url(segments)?).json(body);
        self.http
            .ask(
                &self.account,
                Provider::Razorpay,
                operation,
                self.signed(request),
            )
            .await
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(
            &self.credentials.key_id,
            Some(self.credentials.key_secret.expose_secret()),
        )
    }

    fn url(&self, segments: &[&str]) -> Result<Url, PspError> {
        path(&self.base, segments).ok_or_else(|| PspError::bad_reference(&segments.join("/")))
    }
}
