//! What sealing promises.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use seal::{Keyring, KeyringError, MAX_PLAINTEXT, OpenError, SealError};
use secrecy::{ExposeSecret, SecretString};

const CONTEXT: &[u8] = b"org_1/con_1";

fn key(byte: u8) -> String {
    STANDARD.encode([byte; 32])
}

fn keyring(text: &str) -> Keyring {
    Keyring::parse(&SecretString::from(text)).unwrap()
}

fn fault(text: &str) -> KeyringError {
    Keyring::parse(&SecretString::from(text)).unwrap_err()
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

proptest! {
    #[test]
    fn what_was_sealed_opens_in_its_context_alone(
        secret in prop::collection::vec(any::<u8>(), 0..200),
        context in prop::collection::vec(any::<u8>(), 0..50),
        other in prop::collection::vec(any::<u8>(), 0..50),
        seed: u64,
    ) {
        let keyring = keyring(&key(1));
        let sealed = keyring.seal(&secret, &context, &mut StdRng::seed_from_u64(seed)).unwrap();
        let opened = keyring.open(&sealed, &context).unwrap();
        prop_assert_eq!(opened.expose_secret(), &secret);
        if other != context {
            prop_assert_eq!(keyring.open(&sealed, &other).unwrap_err(), OpenError::Refused);
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        prop_assert!(keyring(&key(1)).open(&bytes, CONTEXT).is_err());
    }
}

#[test]
fn a_change_of_any_bit_is_noticed() {
    let keyring = keyring(&key(1));
    let sealed = keyring.seal(b"sk_live_1", CONTEXT, &mut rng()).unwrap();
    for at in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[at / 8] ^= 1 << (at % 8);
        assert!(keyring.open(&changed, CONTEXT).is_err(), "bit {at}");
    }
    for length in 0..sealed.len() {
        assert!(keyring.open(&sealed[..length], CONTEXT).is_err());
    }
}

#[test]
fn the_same_secret_never_looks_the_same_twice() {
    let (keyring, mut rng) = (keyring(&key(1)), rng());
    let first = keyring.seal(b"whsec_1", CONTEXT, &mut rng).unwrap();
    let second = keyring.seal(b"whsec_1", CONTEXT, &mut rng).unwrap();
    assert_ne!(first, second);
    assert!(!first.windows(7).any(|window| window == b"whsec_1"));
}

#[test]
fn a_rotated_key_still_opens_and_the_new_one_seals() {
    let before = keyring(&format!("k1:{}", key(1)));
    let during = keyring(&format!("k2:{},k1:{}", key(2), key(1)));
    let after = keyring(&format!("k2:{}", key(2)));
    let old = before.seal(b"secret", CONTEXT, &mut rng()).unwrap();
    assert!(during.is_outdated(&old) && !before.is_outdated(&old));

    let plain = during.open(&old, CONTEXT).unwrap();
    let new = during
        .seal(plain.expose_secret(), CONTEXT, &mut rng())
        .unwrap();
    assert!(!during.is_outdated(&new));
    assert_eq!(
        after.open(&new, CONTEXT).unwrap().expose_secret(),
        b"secret"
    );
    let gone = OpenError::UnknownKey { id: "k1".into() };
    assert_eq!(after.open(&old, CONTEXT).unwrap_err(), gone);
}

#[test]
fn a_key_under_anothers_id_does_not_open() {
    let sealed = keyring(&key(1)).seal(b"x", CONTEXT, &mut rng()).unwrap();
    let other = keyring(&key(2));
    assert_eq!(
        other.open(&sealed, CONTEXT).unwrap_err(),
        OpenError::Refused
    );
}

#[test]
fn a_document_is_not_sealed() {
    let long = vec![0; MAX_PLAINTEXT + 1];
    let refused = keyring(&key(1)).seal(&long, CONTEXT, &mut rng());
    assert_eq!(refused.unwrap_err(), SealError::TooLong);
}

#[test]
fn settings_that_hold_no_key_are_told_by_place_and_not_by_text() {
    assert_eq!(fault(" , "), KeyringError::Empty);
    assert_eq!(fault("hush"), KeyringError::Malformed { place: 1 });
    let short = STANDARD.encode([1; 31]);
    assert_eq!(fault(&short), KeyringError::Malformed { place: 1 });
    let two = format!("k1:{},hush hush:{}", key(1), key(2));
    assert_eq!(fault(&two), KeyringError::BadId { place: 2 });
    let twice = format!("{},{}", key(1), key(2));
    assert_eq!(fault(&twice), KeyringError::Repeated { place: 2 });
    assert!(!fault("hush").to_string().contains("hush"));
}

#[test]
fn keys_are_never_printed() {
    let printed = format!("{:?}", keyring(&format!("k2:{},k1:{}", key(2), key(1))));
    assert_eq!(printed, r#"Keyring { sealing: "k2", older: ["k1"], .. }"#);
}
