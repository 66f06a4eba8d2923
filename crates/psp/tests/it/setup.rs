//! Clients that talk to a scripted server, and requests to make with them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{AttemptId, CheckoutId, OrganizationId, RecoveryId};
use domain::{Currency, Money};
use psp::{
    ChargeRequest, CheckoutRequest, Credentials, Endpoints, Http, HttpSettings, PaymentRef, Psp,
    RazorpayCredentials, SavedMeans, StripeCredentials,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use url::Url;

use crate::server::Server;

/// A fixed moment.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

pub(crate) fn euros(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap()).unwrap()
}

pub(crate) fn settings() -> HttpSettings {
    HttpSettings {
        total_timeout: Duration::from_secs(10),
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(40),
        ..HttpSettings::default()
    }
}

pub(crate) fn http(settings: HttpSettings) -> Http {
    // A second installation is refused, which is as good.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Http::new(settings, StdRng::seed_from_u64(1)).unwrap()
}

fn endpoints(base: &Url) -> Endpoints {
    Endpoints {
        stripe: base.join("/stripe").unwrap(),
        razorpay: base.join("/razorpay").unwrap(),
    }
}

pub(crate) fn stripe_at(base: &Url, settings: HttpSettings) -> Psp {
    account_at(&http(settings), base, "sk_test_1")
}

/// One of several accounts that one process has, over one client.
pub(crate) fn stripe_over(http: &Http, server: &Server, key: &str) -> Psp {
    account_at(http, &server.url, key)
}

fn account_at(http: &Http, base: &Url, key: &str) -> Psp {
    let credentials = StripeCredentials {
        secret_key: key.into(),
    };
    Psp::new(
        http.clone(),
        &endpoints(base),
        Credentials::Stripe(credentials),
    )
}

pub(crate) fn stripe(server: &Server) -> Psp {
    stripe_at(&server.url, settings())
}

pub(crate) fn razorpay(server: &Server) -> Psp {
    let credentials = RazorpayCredentials {
        key_id: "rzp_test_1".into(),
        key_secret: "hush".into(),
    };
    Psp::new(
        http(settings()),
        &endpoints(&server.url),
        Credentials::Razorpay(credentials),
    )
}

/// A charge on the merchant's own `payment`, or on a new one.
pub(crate) fn charge_of(payment: Option<&str>) -> ChargeRequest {
    let mut rng = StdRng::seed_from_u64(2);
    ChargeRequest {
        attempt: AttemptId::new(noon(), &mut rng),
        recovery: RecoveryId::new(noon(), &mut rng),
        organization: OrganizationId::new(noon(), &mut rng),
        transaction_ref: "invoice-2026-17".into(),
        amount: euros(4_200),
        payment_ref: payment.map(PaymentRef::stripe),
        saved_means: SavedMeans {
            customer: Some("cus_1".into()),
            payment_method: "pm_1".into(),
        },
    }
}

/// A checkout born at [`noon`] that should end `after` it.
pub(crate) fn checkout_until(after: TimeDelta) -> CheckoutRequest {
    let mut rng = StdRng::seed_from_u64(3);
    CheckoutRequest {
        checkout: CheckoutId::new(noon(), &mut rng),
        recovery: RecoveryId::new(noon(), &mut rng),
        transaction_ref: "invoice-2026-17".into(),
        amount: euros(4_200),
        description: "Annual plan".into(),
        payer_email: Some("payer@example.com".into()),
        payer_phone: Some("+4915200000000".into()),
        success_url: Url::parse("https://pay.example.com/done?a=1&b=2").unwrap(),
        cancel_url: Url::parse("https://pay.example.com/back").unwrap(),
        expires_at: noon() + after,
        method_hint: Some(psp::PaymentMethodKind::Upi),
    }
}
