//! Passwords: Argon2id, in threads of their own, a few at a time.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::EmailAddress;
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// KiB of memory, passes over it, lanes: OWASP's Password Storage Cheat Sheet,
/// "Argon2id", the setting of 19 MiB.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Bytes of salt (RFC 9106, section 3.1: 16 are recommended for passwords).
const SALT: usize = 16;

/// Characters at least: the older contract's, and NIST SP 800-63B's minimum.
const SHORTEST: usize = 8;
/// Bytes at most; more is someone who keeps us busy. NIST asks that 64
/// characters be taken.
const LONGEST: usize = 512;

/// What a password is held against when there is no account: nobody's, and as
/// much work as a real one.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What everybody tries first; NIST SP 800-63B, section 3.1.1.2, asks for such a
/// list. From the lists of leaked passwords that are published every year, those
/// of eight characters and more.
const COMMONEST: &[&str] = &[
    "00000000",
    "11111111",
    "12121212",
    "12341234",
    "12345678",
    "123123123",
    "1234567890",
    "123456789",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "87654321",
    "88888888",
    "987654321",
    "aa123456",
    "aa12345678",
    "abc12345",
    "abcd1234",
    "admin123",
    "admin1234",
    "asdfghjkl",
    "baseball",
    "changeme",
    "computer",
    "football",
    "iloveyou",
    "india123",
    "india@123",
    "letmein1",
    "p@ssw0rd",
    "pass@123",
    "passw0rd",
    "password",
    "password1",
    "password12",
    "password123",
    "princess",
    "q1w2e3r4",
    "qwer1234",
    "qwerty12",
    "qwerty123",
    "qwertyui",
    "qwertyuiop",
    "sunshine",
    "superman",
    "trustno1",
    "welcome1",
    "welcome123",
    "whatever",
    "zxcvbnm123",
];

/// Hashes passwords and compares them.
pub struct Passwords {
    /// Each hash fills a processor and 19 MiB: no more at a time than there are processors.
    places: Arc<Semaphore>,
}

impl Passwords {
    /// With room for `at_a_time`.
    pub fn new(at_a_time: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_a_time.max(1))),
        }
    }

    /// What is stored of a password, as a PHC string.
    pub async fn hash(
        &self,
        password: SecretString,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<SecretString, Problem> {
        let mut salt = [0_u8; SALT];
        rng.fill_bytes(&mut salt);
        self.work(move || {
            let hashed = argon2id()
                .and_then(|argon2| {
                    let bytes = password.expose_secret().as_bytes();
                    argon2.hash_password_with_salt(bytes, &salt)
                })
                .map(|hash| SecretString::from(hash.to_string()));
            hashed.map_err(|error| {
                tracing::error!(%error, "a password could not be hashed");
                Problem::internal()
            })
        })
        .await?
    }

    /// Whether the password is the one of `hash`. Without a hash it is not, and
    /// takes as long.
    pub async fn matches(
        &self,
        password: SecretString,
        hash: Option<SecretString>,
    ) -> Result<bool, Problem> {
        self.work(move || {
            let stored = hash.as_ref().map_or(NOBODYS, ExposeSecret::expose_secret);
            let bytes = password.expose_secret().as_bytes();
            let same = Argon2::default().verify_password(bytes, stored).is_ok();
            same && hash.is_some()
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| Problem::internal())?;
        let done = tokio::task::spawn_blocking(move || {
            // Given back when the work is done, not when the request is given up.
            let _place = place;
            work()
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "work on a password ended early");
            Problem::internal()
        })
    }
}

fn argon2id() -> argon2::password_hash::Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// What is wrong with a password that someone chose, if anything is.
pub fn fault(password: &SecretString, email: &EmailAddress, names: &[&str]) -> Option<String> {
    let text = password.expose_secret();
    if text.chars().count() < SHORTEST {
        return Some(format!("must have at least {SHORTEST} characters"));
    }
    if text.len() > LONGEST {
        return Some(format!("must have at most {LONGEST} bytes"));
    }
    let lower = text.to_lowercase();
    let address = email.expose().to_lowercase();
    let local = address.split('@').next().unwrap_or_default();
    let own = [address.as_str(), local].into_iter();
    let mut own = own.chain(names.iter().copied()).map(str::to_lowercase);
    if own.any(|own| own == lower) {
        return Some("must not be the name or the address".to_owned());
    }
    let first = lower.chars().next();
    let repeated = lower.chars().all(|char| Some(char) == first);
    (repeated || COMMONEST.contains(&lower.as_str()))
        .then(|| "is among the first that anybody tries".to_owned())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone() {
        let passwords = Passwords::new(2);
        let mut rng = StdRng::seed_from_u64(1);
        let secret = || SecretString::from("correct horse");
        let first = passwords.hash(secret(), &mut rng).await.unwrap();
        let second = passwords.hash(secret(), &mut rng).await.unwrap();
        let text = first.expose_secret();
        assert!(
            text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{text}"
        );
        assert_ne!(text, second.expose_secret());
        let matches = |password: &str, hash: &SecretString| {
            passwords.matches(password.to_owned().into(), Some(hash.clone()))
        };
        assert!(matches("correct horse", &first).await.unwrap());
        assert!(matches("correct horse", &second).await.unwrap());
        assert!(!matches("correct horsf", &first).await.unwrap());
        assert!(!matches("", &first).await.unwrap());
    }

    #[tokio::test]
    async fn nobodys_password_is_as_much_work_and_never_right() {
        let real = argon2::PasswordHash::new(NOBODYS).unwrap();
        let params = Params::try_from(&real).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        assert_eq!(params.output_len(), Some(Params::DEFAULT_OUTPUT_LEN));
        let passwords = Passwords::new(1);
        assert!(!passwords.matches("anything".into(), None).await.unwrap());
    }

    #[test]
    fn what_anybody_would_try_is_refused() {
        let email = EmailAddress::parse("asha.rao@example.com").unwrap();
        let fault = |text: &str| fault(&text.to_owned().into(), &email, &["Chai & Sons"]);
        for text in [
            "short",
            "PASSWORD",
            "password123",
            "zzzzzzzzzz",
            "Asha.Rao",
            "asha.rao@example.com",
            "chai & sons",
            &"a1".repeat(300),
        ] {
            assert!(fault(text).is_some(), "{text}");
        }
        for text in ["correct horse", "eight ch", "पासवर्ड लंबा"] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn the_list_of_the_commonest_is_in_the_form_that_is_compared() {
        for text in COMMONEST {
            assert!(
                text.len() >= SHORTEST && *text == text.to_lowercase(),
                "{text}"
            );
        }
    }
}
