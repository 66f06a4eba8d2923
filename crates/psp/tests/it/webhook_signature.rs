//! Which webhooks are genuine.

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use psp::webhook::{STRIPE_TOLERANCE_SECONDS, SignatureError, verify_razorpay, verify_stripe};
use secrecy::SecretString;
use sha2::Sha256;

use crate::setup::noon;

const BODY: &[u8] = br#"{"id":"evt_1"}"#;

fn tag(secret: &str, signed: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed);
    hex::encode(mac.finalize().into_bytes())
}

fn stripe_tag(secret: &str, at: i64, body: &[u8]) -> String {
    tag(secret, &[format!("{at}.").as_bytes(), body].concat())
}

/// A header signed `ago` seconds ago.
fn signed(secret: &str, ago: i64) -> String {
    let at = noon().timestamp() - ago;
    format!("t={at},v1={}", stripe_tag(secret, at, BODY))
}

fn check(header: &str, secrets: &[&str]) -> Result<(), SignatureError> {
    check_body(header, BODY, secrets)
}

fn check_body(header: &str, body: &[u8], secrets: &[&str]) -> Result<(), SignatureError> {
    let secrets: Vec<SecretString> = secrets.iter().map(|text| (*text).into()).collect();
    let tolerance = TimeDelta::seconds(STRIPE_TOLERANCE_SECONDS);
    verify_stripe(header, body, &secrets, noon(), tolerance)
}

#[test]
fn a_genuine_webhook_passes() {
    assert_eq!(check(&signed("whsec_a", 0), &["whsec_a"]), Ok(()));
    assert_eq!(check(&signed("whsec_a", 300), &["whsec_a"]), Ok(()));
}

#[test]
fn a_known_signature_of_stripes_scheme_is_made_the_same() {
    // HMAC-SHA256 of "1700000000.{}" under "whsec_test", by another implementation.
    assert_eq!(
        stripe_tag("whsec_test", 1_700_000_000, b"{}"),
        "35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
    );
}

#[test]
fn a_wrong_secret_or_body_does_not_pass() {
    let header = signed("whsec_a", 0);
    assert_eq!(check(&header, &["whsec_b"]), Err(SignatureError::Wrong));
    assert_eq!(check(&header, &[]), Err(SignatureError::Wrong));
    let changed = check_body(&header, br#"{"id":"evt_2"}"#, &["whsec_a"]);
    assert_eq!(changed, Err(SignatureError::Wrong));
}

#[test]
fn the_time_is_part_of_what_is_signed() {
    let at = noon().timestamp();
    let tag = stripe_tag("whsec_a", at - 3_600, BODY);
    let moved = format!("t={at},v1={tag}");
    assert_eq!(check(&moved, &["whsec_a"]), Err(SignatureError::Wrong));
}

#[test]
fn a_replay_and_a_signature_from_the_future_do_not_pass() {
    for seconds in [301, -301, 86_400] {
        let stale = SignatureError::Stale { seconds };
        assert_eq!(check(&signed("whsec_a", seconds), &["whsec_a"]), Err(stale));
    }
}

#[test]
fn while_secrets_are_rotated_either_passes() {
    for secret in ["old", "new"] {
        assert_eq!(check(&signed(secret, 0), &["new", "old"]), Ok(()));
    }
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let at = noon().timestamp();
    let (good, bad) = (stripe_tag("a", at, BODY), stripe_tag("z", at, BODY));
    let header = format!("t={at},v1={bad},v1={good},v0=00");
    assert_eq!(check(&header, &["a"]), Ok(()));
    let only_old_scheme = format!("t={at},v0={good}");
    assert!(matches!(
        check(&only_old_scheme, &["a"]),
        Err(SignatureError::Malformed(_))
    ));
}

#[test]
fn a_header_that_is_none_is_told() {
    assert_eq!(check("", &["a"]), Err(SignatureError::Missing));
    for header in ["hello", "t=1", "v1=00", "t=soon,v1=00", "t=1,v1=xyz", ","] {
        let result = check(header, &["a"]);
        assert!(
            matches!(result, Err(SignatureError::Malformed(_))),
            "{header}: {result:?}"
        );
    }
}

#[test]
fn razorpays_signature_is_of_the_raw_body() {
    let secrets = [SecretString::from("new"), SecretString::from("old")];
    for secret in ["new", "old"] {
        assert_eq!(verify_razorpay(&tag(secret, BODY), BODY, &secrets), Ok(()));
    }
    let verify = |header: &str| verify_razorpay(header, BODY, &secrets);
    assert_eq!(verify(&tag("other", BODY)), Err(SignatureError::Wrong));
    assert_eq!(verify(&tag("new", b"{}")), Err(SignatureError::Wrong));
    assert_eq!(verify(" "), Err(SignatureError::Missing));
    assert!(matches!(verify("zz"), Err(SignatureError::Malformed(_))));
    assert_eq!(verify("00"), Err(SignatureError::Wrong));
}

proptest! {
    #[test]
    fn no_header_passes_by_chance(header in ".{0,80}", razorpays in "[0-9a-f]{0,80}") {
        prop_assert!(check(&header, &["a"]).is_err());
        prop_assert!(verify_razorpay(&razorpays, BODY, &["a".into()]).is_err());
    }
}
