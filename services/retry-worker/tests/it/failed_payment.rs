//! A merchant's failed payment, at the PSP and in rows, as a webhook records it.

use backbone::Backbone;
use chrono::TimeDelta;
use contracts::Message;
use db::connections::{NewConnection, seal_context};
use db::failures::NewFailure;
use db::recoveries::{Assigned, NewRecovery};
use db::transactions::Report;
use db::{Tenant, Tx};
use domain::classification::{Classification, FailureSource, Signals, classify};
use domain::id::{ConnectionId, RecoveryId, RetryPolicyId, TransactionId};
use domain::transaction_ref::TransactionRef;
use domain::{Currency, Money, Provider, RetryPolicy};
use psp::{Credentials, StripeCredentials};
use rand::SeedableRng;
use rand::rngs::StdRng;
use seal::Keyring;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::stage::{KEY, KEY_BYTES, Stage};

/// An organization with a policy and an account at the PSP.
pub(crate) struct Shop {
    pub(crate) tenant: Tenant,
    pub(crate) connection: ConnectionId,
    pub(crate) policy: RetryPolicyId,
}

/// A payment that failed, at the PSP.
#[derive(Clone)]
pub(crate) struct Payment {
    pub(crate) intent: String,
    pub(crate) method: String,
    customer: String,
    pub(crate) charge: String,
    decline: String,
}

/// The policy's document: these steps, no jitter, phones at any hour.
pub(crate) fn policy(steps: &Value) -> Value {
    json!({
        "name": "Quick", "max_retries": 8, "jitter_percent": 0, "steps": steps,
        "enabled_channels": ["email", "sms", "whatsapp"],
        "quiet_hours": { "enabled": false },
        "stop_after_seconds": 600, "link_ttl_seconds": 300,
        "immediate_message_when_payer_present": false,
    })
}

/// So many charges, each as soon as the one before it has failed.
pub(crate) fn charges(count: usize) -> Value {
    policy(&vec![json!({ "delay_seconds": 0, "action": "charge" }); count].into())
}

/// Words over which channels to write, at once.
pub(crate) fn message(channels: &[&str]) -> Value {
    policy(&json!([{ "delay_seconds": 0, "action": "message", "channels": channels }]))
}

impl Stage {
    pub(crate) async fn shop(&self, policy: &Value) -> Shop {
        self.shop_named("shop", policy).await
    }

    pub(crate) async fn shop_named(&self, slug: &str, policy: &Value) -> Shop {
        let mut tx = self.tx().await;
        let (tenant, _) = db::organizations::ensure(&mut tx, slug, slug)
            .await
            .unwrap();
        let connection = connect(&mut tx, tenant).await;
        let policy = db::policies::activate(&mut tx, tenant, "Quick", policy)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Shop {
            tenant,
            connection,
            policy: policy.id,
        }
    }

    /// A declined payment of 12.34 USD whose card then ends in `outcomes`.
    pub(crate) async fn fail_payment(&self, decline: &str, outcomes: &[&str]) -> Payment {
        let asked = json!({
            "key": KEY, "amount": 1234, "currency": "usd", "decline_code": decline,
            "customer_email": "payer@example.com", "customer_phone": "+447400123456",
            "outcomes_after": outcomes,
        });
        self.failed_at_the_psp("stripe/fail_payment", &asked, decline)
            .await
            .0
    }

    /// The same as a subscription's invoice; and its id.
    pub(crate) async fn fail_invoice(&self, decline: &str, outcomes: &[&str]) -> (Payment, String) {
        let asked = json!({
            "key": KEY, "amount": 1234, "currency": "usd", "decline_code": decline,
            "customer_email": "payer@example.com", "outcomes_after": outcomes,
        });
        let (payment, made) = self
            .failed_at_the_psp("stripe/fail_invoice", &asked, decline)
            .await;
        (payment, made["invoice"].as_str().unwrap().to_owned())
    }

    async fn failed_at_the_psp(
        &self,
        control: &str,
        asked: &Value,
        decline: &str,
    ) -> (Payment, Value) {
        let made = self.control(control, asked).await;
        let field = |name: &str| made[name].as_str().unwrap().to_owned();
        let payment = Payment {
            intent: field("payment_intent"),
            method: field("payment_method"),
            customer: field("customer"),
            charge: field("charge"),
            decline: decline.to_owned(),
        };
        (payment, made)
    }

    /// Records the failure, which is published; the recovery is open from now on.
    pub(crate) async fn record(&self, shop: &Shop, payment: &Payment) -> RecoveryId {
        record(&self.api, self.tx().await, shop, payment).await
    }

    /// A failed payment that is recorded.
    pub(crate) async fn failed(
        &self,
        shop: &Shop,
        decline: &str,
        outcomes: &[&str],
    ) -> (Payment, RecoveryId) {
        let payment = self.fail_payment(decline, outcomes).await;
        let recovery = self.record(shop, &payment).await;
        (payment, recovery)
    }
}

/// As the api does it with a webhook: everything in one transaction.
pub(crate) async fn record(
    api: &Backbone,
    mut tx: Tx,
    shop: &Shop,
    payment: &Payment,
) -> RecoveryId {
    let tx_ = &mut tx;
    let tenant = shop.tenant;
    let classification = classification(payment);
    let reference = TransactionRef::parse(&payment.intent).unwrap();
    let transaction =
        db::transactions::upsert(tx_, tenant, &reference, amount(), &report(shop, payment))
            .await
            .unwrap();
    let new = NewRecovery {
        transaction: transaction.id,
        amount: amount(),
        category: classification.category,
        hardness: classification.hardness,
        policy: Some(shop.policy),
        assigned: assigned(tx_, shop, transaction.id).await,
        closes_at: api.clock.now() + TimeDelta::minutes(10),
    };
    let recovery = db::recoveries::open(tx_, tenant, &new).await.unwrap();
    let claimed = db::failures::claim_key(tx_, tenant, "stripe", &payment.charge).await;
    let failure = claimed.unwrap().expect("a payment is recorded once");
    let told = NewFailure {
        source: "stripe".to_owned(),
        gateway: None,
        reason: payment.decline.clone(),
        code: Some(payment.decline.clone()),
        advice_code: None,
        network_decline_code: None,
        network_advice_code: None,
        message: None,
        metadata: json!({}),
        occurred_at: tx_.now(),
    };
    db::failures::add(
        tx_,
        tenant,
        failure,
        transaction.id,
        recovery,
        &told,
        &classification,
    )
    .await
    .unwrap();
    tx.emit(tenant, Message::FailureRecorded { recovery, failure });
    tx.commit().await.unwrap();
    recovery
}

/// The arm of the policy's experiment, as the api deals it.
async fn assigned(tx: &mut Tx, shop: &Shop, transaction: TransactionId) -> Assigned {
    let stored = db::policies::find(tx.conn(), shop.tenant, shop.policy).await;
    let document = stored.unwrap().expect("the shop has a policy").document;
    // A policy that cannot be followed plans nothing, which some tests want.
    let Ok(policy) = RetryPolicy::from_json(&document) else {
        return Assigned::default();
    };
    Assigned::dealt(&policy, transaction)
}

pub(crate) fn amount() -> Money {
    Money::new(1234, Currency::parse("USD").unwrap()).unwrap()
}

fn classification(payment: &Payment) -> Classification {
    classify(&Signals {
        code: Some(&payment.decline),
        ..Signals::new(FailureSource::Stripe)
    })
}

fn report(shop: &Shop, payment: &Payment) -> Report {
    Report {
        connection: Some(shop.connection),
        payment_ref: Some(payment.intent.clone()),
        saved_customer: Some(payment.customer.clone()),
        saved_payment_method: Some(payment.method.clone()),
        payment_kind: Some("card".to_owned()),
        network: Some("visa".to_owned()),
        payer_email: Some("payer@example.com".to_owned()),
        // Of a country whose law sets no hours for messages.
        payer_phone: Some("+447400123456".to_owned()),
        ..Report::default()
    }
}

async fn connect(tx: &mut Tx, tenant: Tenant) -> ConnectionId {
    let (stripe, account) = (Provider::Stripe, "acct_shop");
    let id = db::connections::id_for(tx, tenant, stripe, account)
        .await
        .unwrap();
    let credentials = Credentials::Stripe(StripeCredentials {
        secret_key: KEY.into(),
    });
    let json = credentials.to_json().unwrap();
    let keyring = Keyring::parse(&format!("k1:{KEY_BYTES}").into()).unwrap();
    let mut rng = StdRng::seed_from_u64(1);
    let sealed = keyring
        .seal(json.expose_secret(), &seal_context(tenant, id), &mut rng)
        .unwrap();
    let new = NewConnection {
        id,
        provider: stripe,
        account_id: account,
        credentials_sealed: &sealed,
        webhook_secrets_sealed: b"none",
        name: None,
        mode: None,
        hint: None,
        check: domain::state::ConnectionCheck::Unverified,
    };
    db::connections::put(tx, tenant, &new).await.unwrap();
    id
}
