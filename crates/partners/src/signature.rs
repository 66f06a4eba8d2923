//! Signing keys, and the signatures of Standard Webhooks 1.0.0.
//!
//! What is signed is `{webhook-id}.{webhook-timestamp}.{body}`. A signature is
//! `v1,` and an HMAC-SHA256 in base64, or `v1a,` and an Ed25519 signature in
//! base64; several stand in one header with spaces between, while a key is being
//! replaced. Keys are written `whsec_`, `whsk_` and `whpk_` with base64 after.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{OrganizationId, WebhookEndpointId};
use domain::partner::SignatureKind;
use hmac::{Hmac, KeyInit, Mac};
use rand::CryptoRng;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use seal::Keyring;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;

/// What a key is known by.
const HMAC_PREFIX: &str = "whsec_";
const PRIVATE_PREFIX: &str = "whsk_";
const PUBLIC_PREFIX: &str = "whpk_";

/// Bytes in a secret that is made here; the specification wants 24 to 64.
const SECRET_BYTES: usize = 32;
const SECRET_LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// How far from now the specification's own libraries let a timestamp be.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Why a text is no signing key, or a sealed one does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Neither `whsec_` nor `whsk_` with base64 of the right length.
    #[error("a signing key is whsec_ or whsk_ and base64 of 24 to 64, or 32, bytes")]
    Malformed,
    /// The sealed key does not open: a wrong or missing master key.
    #[error("the endpoint's signing key does not open")]
    Sealed(#[from] seal::OpenError),
}

/// Why a webhook is not taken as genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// It was signed too long ago, or in the future.
    #[error("it was signed more than five minutes away from now")]
    Stale,
    /// No signature is this key's.
    #[error("no signature in it is this key's")]
    Wrong,
}

/// What an endpoint's webhooks are signed with. Does not print.
pub enum SigningKey {
    /// A secret that both sides have.
    Hmac(SecretBox<Vec<u8>>),
    /// A key that stays here.
    Ed25519(Box<Ed25519Key>),
}

/// An Ed25519 key pair, with the seed that it is made from.
pub struct Ed25519Key {
    seed: SecretBox<[u8; 32]>,
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// A new key.
    pub fn generate(kind: SignatureKind, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = [0_u8; SECRET_BYTES];
        rng.fill_bytes(&mut bytes);
        match kind {
            SignatureKind::Ed25519 => match Self::ed25519(bytes) {
                Some(key) => key,
                // No seed is refused; were one, another is drawn.
                None => Self::generate(kind, rng),
            },
            SignatureKind::Hmac => Self::Hmac(SecretBox::new(Box::new(bytes.to_vec()))),
        }
    }

    /// Reads `whsec_…` or `whsk_…`.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        if let Some(encoded) = text.strip_prefix(HMAC_PREFIX) {
            let bytes = STANDARD.decode(encoded).map_err(|_| KeyFault::Malformed)?;
            if !SECRET_LENGTHS.contains(&bytes.len()) {
                return Err(KeyFault::Malformed);
            }
            return Ok(Self::Hmac(SecretBox::new(Box::new(bytes))));
        }
        let encoded = text.strip_prefix(PRIVATE_PREFIX);
        let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        let seed = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        seed.and_then(Self::ed25519).ok_or(KeyFault::Malformed)
    }

    fn ed25519(seed: [u8; 32]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
        let seed = SecretBox::new(Box::new(seed));
        Some(Self::Ed25519(Box::new(Ed25519Key { seed, pair })))
    }

    /// How it signs.
    pub const fn kind(&self) -> SignatureKind {
        match self {
            Self::Hmac(_) => SignatureKind::Hmac,
            Self::Ed25519(_) => SignatureKind::Ed25519,
        }
    }

    /// Its whole text: `whsec_…`, `whsk_…`.
    pub fn text(&self) -> SecretString {
        let text = match self {
            Self::Hmac(secret) => {
                format!("{HMAC_PREFIX}{}", STANDARD.encode(secret.expose_secret()))
            }
            Self::Ed25519(key) => {
                format!(
                    "{PRIVATE_PREFIX}{}",
                    STANDARD.encode(key.seed.expose_secret())
                )
            }
        };
        text.into()
    }

    /// What verifies its signatures and is no secret: `whpk_…`. None for HMAC.
    pub fn public(&self) -> Option<String> {
        match self {
            Self::Hmac(_) => None,
            Self::Ed25519(key) => {
                let public = STANDARD.encode(key.pair.public_key());
                Some(format!("{PUBLIC_PREFIX}{public}"))
            }
        }
    }

    /// The signature of one webhook, `v1,…` or `v1a,…`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        match self {
            Self::Hmac(secret) => {
                let mac = mac(secret.expose_secret(), id, timestamp, body).finalize();
                format!("v1,{}", STANDARD.encode(mac.into_bytes()))
            }
            Self::Ed25519(key) => {
                let signature = key.pair.sign(&signed(id, timestamp, body));
                format!("v1a,{}", STANDARD.encode(signature))
            }
        }
    }

    /// Judges a webhook as its receiver does: a signature in `header` is this
    /// key's, and was made lately.
    pub fn verify(
        &self,
        (id, timestamp, header): (&str, i64, &str),
        body: &[u8],
        now: DateTime<Utc>,
    ) -> Result<(), Forged> {
        let genuine = header
            .split(' ')
            .any(|one| match (self, one.split_once(',')) {
                (Self::Hmac(secret), Some(("v1", tag))) => STANDARD.decode(tag).is_ok_and(|tag| {
                    let mac = mac(secret.expose_secret(), id, timestamp, body);
                    mac.verify_slice(&tag).is_ok()
                }),
                (Self::Ed25519(key), Some(("v1a", tag))) => STANDARD.decode(tag).is_ok_and(|tag| {
                    let public = UnparsedPublicKey::new(&ED25519, key.pair.public_key().as_ref());
                    public.verify(&signed(id, timestamp, body), &tag).is_ok()
                }),
                _ => false,
            });
        if !genuine {
            return Err(Forged::Wrong);
        }
        let away = now.timestamp().saturating_sub(timestamp).saturating_abs();
        if away > TOLERANCE.num_seconds() {
            return Err(Forged::Stale);
        }
        Ok(())
    }

    /// Sealed for its endpoint's row: it opens in no other.
    pub fn seal(
        &self,
        keyring: &Keyring,
        endpoint: (OrganizationId, WebhookEndpointId),
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, seal::SealError> {
        let text = self.text();
        keyring.seal(text.expose_secret().as_bytes(), &context(endpoint), rng)
    }

    /// Opens what [`SigningKey::seal`] made for the same endpoint.
    pub fn open(
        keyring: &Keyring,
        endpoint: (OrganizationId, WebhookEndpointId),
        sealed: &[u8],
    ) -> Result<Self, KeyFault> {
        let opened = keyring.open(sealed, &context(endpoint))?;
        let text = std::str::from_utf8(opened.expose_secret());
        Self::parse(text.map_err(|_| KeyFault::Malformed)?)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kind())
    }
}

fn context((organization, endpoint): (OrganizationId, WebhookEndpointId)) -> Vec<u8> {
    let (organization, endpoint) = (organization.uuid(), endpoint.uuid());
    [organization.as_bytes().as_slice(), endpoint.as_bytes()].concat()
}

fn signed(id: &str, timestamp: i64, body: &[u8]) -> Vec<u8> {
    [
        id.as_bytes(),
        b".",
        timestamp.to_string().as_bytes(),
        b".",
        body,
    ]
    .concat()
}

fn mac(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).expect("a key");
    mac.chain_update(signed(id, timestamp, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    // The vectors that Standard Webhooks publishes: `libraries/go/webhook_symmetric_test.go`
    // and `webhook_asymmetric_test.go` of standard-webhooks/standard-webhooks; the first is in
    // the tests of its every library.
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const PRIVATE: &str = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";
    const SIGNATURE_A: &str = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(AT, 0).unwrap()
    }

    #[test]
    fn the_published_vector_for_hmac_is_signed() {
        let key = SigningKey::parse(SECRET).unwrap();
        assert_eq!(key.sign(ID, AT, BODY), SIGNATURE);
    }

    #[test]
    fn the_published_vector_for_ed25519_is_signed() {
        let key = SigningKey::parse(PRIVATE).unwrap();
        assert_eq!(key.sign(ID, AT, BODY), SIGNATURE_A);
        assert!(key.public().unwrap().starts_with("whpk_"));
    }

    #[test]
    fn the_published_cases_of_verifying_go_as_published() {
        let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        for (text, right, scheme) in [(SECRET, SIGNATURE, "v1"), (PRIVATE, SIGNATURE_A, "v1a")] {
            let key = SigningKey::parse(text).unwrap();
            let judge = |header: &str, now| key.verify((ID, AT, header), BODY, now);
            assert_eq!(judge(right, now()), Ok(()));
            let several = format!("{wrong} v2,{} {right} {wrong}", &wrong[3..]);
            assert_eq!(judge(&several, now()), Ok(()));
            for header in [
                format!("{scheme},{}", &wrong[3..]),
                format!("{scheme},"),
                String::new(),
                right.replace(scheme, "v3"),
            ] {
                assert_eq!(judge(&header, now()), Err(Forged::Wrong), "{header}");
            }
            let tolerated = [now() - TOLERANCE, now() + TOLERANCE];
            assert!(tolerated.iter().all(|now| judge(right, *now).is_ok()));
            let second = TimeDelta::seconds(1);
            for now in [now() - TOLERANCE - second, now() + TOLERANCE + second] {
                assert_eq!(judge(right, now), Err(Forged::Stale));
            }
            let other = key.verify((ID, AT + 1, right), BODY, now());
            assert_eq!(other, Err(Forged::Wrong));
        }
    }

    #[test]
    fn a_key_survives_its_text_and_does_not_print() {
        for kind in SignatureKind::ALL {
            let key = SigningKey::generate(*kind, &mut StdRng::seed_from_u64(7));
            let again = SigningKey::parse(key.text().expose_secret()).unwrap();
            assert_eq!(again.sign(ID, AT, BODY), key.sign(ID, AT, BODY));
            assert_eq!(format!("{key:?}"), format!("SigningKey({kind})"));
        }
    }

    #[test]
    fn a_sealed_key_opens_for_its_endpoint_alone() {
        let keyring = format!("k1:{}", STANDARD.encode([3; 32]));
        let keyring = Keyring::parse(&keyring.into()).unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        let key = SigningKey::generate(SignatureKind::Ed25519, &mut rng);
        let organization = OrganizationId::new(now(), &mut rng);
        let endpoint = WebhookEndpointId::new(now(), &mut rng);
        let sealed = key.seal(&keyring, (organization, endpoint), &mut rng);
        let sealed = sealed.unwrap();
        let opened = SigningKey::open(&keyring, (organization, endpoint), &sealed);
        assert_eq!(opened.unwrap().public(), key.public());
        let other = WebhookEndpointId::new(now(), &mut rng);
        let moved = SigningKey::open(&keyring, (organization, other), &sealed);
        assert!(matches!(moved, Err(KeyFault::Sealed(_))));
    }

    #[test]
    fn texts_that_are_no_keys_are_refused() {
        for text in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsk_c2hvcnQ=",
            "whpk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert!(SigningKey::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_body_or_id_is_noticed(
            body in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..200, ed in any::<bool>(),
        ) {
            let key = SigningKey::parse(if ed { PRIVATE } else { SECRET }).unwrap();
            let signature = key.sign(ID, AT, &body);
            prop_assert_eq!(key.verify((ID, AT, &signature), &body, now()), Ok(()));
            let mut changed = body.clone();
            match changed.get_mut(at) {
                Some(byte) => *byte ^= 1,
                None => changed.push(b'x'),
            }
            prop_assert!(key.verify((ID, AT, &signature), &changed, now()).is_err());
            prop_assert!(key.verify(("msg_other", AT, &signature), &body, now()).is_err());
        }
    }
}
