//! Plays the PSPs' webhooks: bodies in their shapes, signed as they sign.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::stage::{Answer, Shop, Stage};

fn hmac(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

/// `Stripe-Signature` of `body`, signed at `at`.
pub(crate) fn stripe_signature(secret: &str, body: &[u8], at: DateTime<Utc>) -> String {
    let seconds = at.timestamp().to_string();
    let tag = hmac(secret, &[seconds.as_bytes(), b".", body]);
    format!("t={seconds},v1={tag}")
}

/// `X-Razorpay-Signature` of `body`.
pub(crate) fn razorpay_signature(secret: &str, body: &[u8]) -> String {
    hmac(secret, &[body])
}

/// A Stripe event around `object`.
pub(crate) fn stripe_event(id: &str, kind: &str, object: &Value) -> Value {
    json!({
        "id": id,
        "object": "event",
        "type": kind,
        "created": 1_790_000_000,
        "livemode": false,
        "data": { "object": object },
    })
}

/// `payment_intent.payment_failed` of the intent `payment`, by its charge `charge`.
pub(crate) fn stripe_failed(id: &str, payment: &str, charge: &str, code: &str) -> Value {
    let object = json!({
        "id": payment,
        "object": "payment_intent",
        "amount": 4_900,
        "currency": "eur",
        "customer": "cus_1",
        "latest_charge": charge,
        "metadata": { "transaction_ref": format!("order of {payment}") },
        "payment_method_types": ["card"],
        "last_payment_error": {
            "charge": charge,
            "code": "card_declined",
            "decline_code": code,
            "message": "Your card was declined.",
            "payment_method": {
                "id": "pm_1",
                "type": "card",
                "customer": "cus_1",
                "card": { "brand": "visa", "country": "DE" },
                "billing_details": { "email": "Lena@Example.com", "name": "Lena" },
            },
        },
    });
    stripe_event(id, "payment_intent.payment_failed", &object)
}

/// `payment_intent.succeeded`.
pub(crate) fn stripe_paid(id: &str, payment: &str) -> Value {
    let object = json!({
        "id": payment,
        "object": "payment_intent",
        "amount": 4_900,
        "amount_received": 4_900,
        "currency": "eur",
        "latest_charge": format!("ch_paid_{payment}"),
        "metadata": {},
    });
    stripe_event(id, "payment_intent.succeeded", &object)
}

/// Razorpay's `payment.failed` of `payment`, tried for `order`.
pub(crate) fn razorpay_failed(payment: &str, order: &str) -> Value {
    razorpay_payment("payment.failed", payment, order, "failed")
}

/// Razorpay's `payment.captured`.
pub(crate) fn razorpay_captured(payment: &str, order: &str) -> Value {
    razorpay_payment("payment.captured", payment, order, "captured")
}

fn razorpay_payment(event: &str, payment: &str, order: &str, status: &str) -> Value {
    json!({
        "entity": "event",
        "account_id": "acc_shop",
        "event": event,
        "created_at": 1_790_000_000,
        "payload": { "payment": { "entity": {
            "id": payment,
            "order_id": order,
            "amount": 50_000,
            "currency": "INR",
            "status": status,
            "method": "upi",
            "email": "asha@example.com",
            "contact": "+919812341234",
            "notes": { "transaction_ref": "booking-9" },
            "error_code": "BAD_REQUEST_ERROR",
            "error_reason": "payment_timed_out",
            "error_description": "Payment was not completed on time.",
            "error_source": "customer",
            "error_step": "payment_authentication",
        } } },
    })
}

impl Stage {
    /// Delivers a Stripe event as Stripe does, to the connection's own path.
    pub(crate) async fn stripe(&self, slug: &str, shop: &Shop, event: &Value) -> Answer {
        let body = event.to_string().into_bytes();
        let signed = stripe_signature(&format!("whsec_{slug}"), &body, self.now());
        let path = format!("/v1/webhooks/stripe/{}", shop.stripe);
        self.deliver(&path, &[("stripe-signature", &signed)], body)
            .await
    }

    /// Delivers a Razorpay event as Razorpay does, to the path that all share.
    pub(crate) async fn razorpay(&self, slug: &str, id: &str, event: &Value) -> Answer {
        let body = event.to_string().into_bytes();
        let signed = razorpay_signature(&format!("rzpsec_{slug}"), &body);
        let headers = [
            ("x-razorpay-signature", signed.as_str()),
            ("x-razorpay-event-id", id),
        ];
        self.deliver("/v1/webhooks/razorpay", &headers, body).await
    }

    pub(crate) async fn deliver(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = self.request(Method::POST, path).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request).await
    }

    /// When a signature is too old, by the clock of the stage.
    pub(crate) fn long_ago(&self) -> DateTime<Utc> {
        self.now() - TimeDelta::seconds(301)
    }
}
