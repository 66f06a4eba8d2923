//! A sandbox of its own for each test, and short ways to talk to it.

use reqwest::{Response, StatusCode};
use sandbox::{Sandbox, Settings};
use serde_json::{Value, json};

pub(crate) const KEY: &str = "sk_test_shop";
pub(crate) const RAZORPAY: (&str, &str) = ("rzp_test_shop", "rzp_secret");

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: reqwest::Client,
}

/// An answer read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) async fn stage() -> Stage {
    let sandbox = Sandbox::start(Settings {
        http: "127.0.0.1:0".parse().unwrap(),
        smtp: "127.0.0.1:0".parse().unwrap(),
        public_url: None,
        seed: 1,
    })
    .await
    .unwrap();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let stage = Stage { sandbox, client };
    stage
        .control(
            "stripe/accounts",
            &json!({ "key": KEY, "account_id": "acct_shop" }),
        )
        .await;
    let (key_id, key_secret) = RAZORPAY;
    let account = json!({ "key_id": key_id, "key_secret": key_secret, "account_id": "acc_shop" });
    stage.control("razorpay/accounts", &account).await;
    stage
}

impl Stage {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.sandbox.http())
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(self.url(path)).send().await.unwrap()).await
    }

    /// A call to the control API that must be accepted.
    pub(crate) async fn control(&self, what: &str, body: &Value) -> Value {
        let url = self.url(&format!("/_control/{what}"));
        let response = self.client.post(url).json(body).send().await.unwrap();
        let answer = Answer::of(response).await;
        assert!(answer.status.is_success(), "{what}: {}", answer.text);
        answer.json()
    }

    pub(crate) async fn put(&self, what: &str, body: &Value) {
        let url = self.url(&format!("/_control/{what}"));
        let response = self.client.put(url).json(body).send().await.unwrap();
        assert!(response.status().is_success());
    }

    pub(crate) fn stripe_request(
        &self,
        path: &str,
        key: Option<&str>,
        form: &[(&str, &str)],
    ) -> reqwest::RequestBuilder {
        let url = self.url(&format!("/stripe/v1/{path}"));
        let request = self.client.post(url).basic_auth(KEY, Some("")).form(form);
        match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        }
    }

    pub(crate) async fn stripe(
        &self,
        path: &str,
        key: Option<&str>,
        form: &[(&str, &str)],
    ) -> Answer {
        Answer::of(self.stripe_request(path, key, form).send().await.unwrap()).await
    }

    pub(crate) async fn stripe_get(&self, path: &str) -> Answer {
        let url = self.url(&format!("/stripe/v1/{path}"));
        Answer::of(self.client.get(url).bearer_auth(KEY).send().await.unwrap()).await
    }

    pub(crate) async fn razorpay(&self, path: &str, body: &Value) -> Answer {
        let url = self.url(&format!("/razorpay/v1/{path}"));
        let request = self
            .client
            .post(url)
            .basic_auth(RAZORPAY.0, Some(RAZORPAY.1));
        Answer::of(request.json(body).send().await.unwrap()).await
    }

    pub(crate) async fn razorpay_get(&self, path: &str) -> Answer {
        let url = self.url(&format!("/razorpay/v1/{path}"));
        let request = self
            .client
            .get(url)
            .basic_auth(RAZORPAY.0, Some(RAZORPAY.1));
        Answer::of(request.send().await.unwrap()).await
    }

    /// The ledger's entries for a query.
    pub(crate) async fn ledger(&self, query: &str) -> Vec<Value> {
        let answer = self.get(&format!("/_control/ledger?{query}")).await;
        answer.json().as_array().unwrap().clone()
    }

    /// A declined payment of 12.34 USD whose card then ends in `outcomes`.
    pub(crate) async fn failed_payment(&self, outcomes: &[&str]) -> Failed {
        let made = self
            .control(
                "stripe/fail_payment",
                &json!({
                    "key": KEY, "amount": 1234, "currency": "usd",
                    "decline_code": "insufficient_funds",
                    "customer_email": "payer@example.com", "customer_phone": "+14155550100",
                    "metadata": { "transaction_ref": "order-7" }, "outcomes_after": outcomes,
                }),
            )
            .await;
        let field = |name: &str| made[name].as_str().unwrap().to_owned();
        Failed {
            intent: field("payment_intent"),
            method: field("payment_method"),
            charge: field("charge"),
            event: field("event_id"),
        }
    }

    /// Charges the failed payment's card again, off session.
    pub(crate) async fn retry(&self, failed: &Failed, key: &str) -> Answer {
        let path = format!("payment_intents/{}/confirm", failed.intent);
        let form = [
            ("payment_method", failed.method.as_str()),
            ("off_session", "true"),
        ];
        self.stripe(&path, Some(key), &form).await
    }
}

pub(crate) struct Failed {
    pub(crate) intent: String,
    pub(crate) method: String,
    pub(crate) charge: String,
    pub(crate) event: String,
}
