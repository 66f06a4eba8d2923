//! A PSP's webhook: the signature over its raw bytes, and what it says.

use chrono::{DateTime, TimeDelta};
use domain::Provider;
use psp::webhook::{self, STRIPE_TOLERANCE_SECONDS, verify_razorpay, verify_stripe};
use secrecy::SecretString;

/// A line with a signature header, then the body.
pub(crate) fn run(data: &[u8]) {
    let (header, body) = crate::line(data);
    let secrets = [SecretString::from("whsec_that_no_input_was_signed_with")];
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let tolerance = TimeDelta::seconds(STRIPE_TOLERANCE_SECONDS);
    let by_stripe = verify_stripe(header, body, &secrets, now, tolerance);
    assert!(by_stripe.is_err(), "a made-up signature of Stripe's holds");
    let by_razorpay = verify_razorpay(header, body, &secrets);
    assert!(
        by_razorpay.is_err(),
        "a made-up signature of Razorpay's holds"
    );
    for provider in [Provider::Stripe, Provider::Razorpay] {
        let _unverified = webhook::account_hint(provider, body);
        let read = || webhook::parse(provider, Some(header), body);
        let Ok(incoming) = read() else { continue };
        assert_eq!(
            read().ok().as_ref(),
            Some(&incoming),
            "read twice, it differs"
        );
        assert!(
            serde_json::to_vec(&incoming).is_ok(),
            "what was read cannot be kept"
        );
    }
}
