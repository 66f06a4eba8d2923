//! One-time codes and link tokens for merchants' people.
//!
//! Both are derived from their row's id, as payers' link tokens are
//! ([`crate::token`]): the mail that carries one can be written again after a
//! crash, and nothing that lets anybody in is kept. A token is found by its
//! SHA-256; a code of six digits is not kept in any form, since every hash of a
//! million codes is tried in a moment: it is derived again and compared.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::UserCodeId;
use crate::state::named;
use crate::token::LinkKey;

/// Digits of a code.
const DIGITS: usize = 6;
/// Codes of so many digits.
const CODES: u64 = 1_000_000;
/// Bytes of a token before base64: 192 bits, past guessing.
const TOKEN_BYTES: usize = 24;
/// Sets codes and tokens apart from whatever else the key derives.
const CODE_CONTEXT: &[u8] = b"tinko-user-code-v1";
const TOKEN_CONTEXT: &[u8] = b"tinko-user-token-v1";

named! {
    /// What a code or a link lets its holder do.
    CodePurpose, "code purpose" {
        /// Log in, by a code.
        Login = "login",
        /// Become one of an organization's people, by a link.
        Invitation = "invitation",
        /// Choose another password, by a link.
        PasswordReset = "password_reset",
    }
}

impl CodePurpose {
    /// How long it holds. NIST SP 800-63B, section 3.1.3.2, allows ten minutes for
    /// a code; a link for a forgotten password is wanted at once, an invitation
    /// may wait for a working day.
    pub const fn life(self) -> Duration {
        match self {
            Self::Login => Duration::from_mins(10),
            Self::PasswordReset => Duration::from_hours(1),
            Self::Invitation => Duration::from_hours(7 * 24),
        }
    }

    /// How often a code may be tried: with a million of them, five tries find it
    /// once in 200,000 mails. A token is not tried, it is found or not.
    pub const fn tries(self) -> u16 {
        5
    }

    /// Whether it is a link with a token, and not a code to be typed.
    pub const fn is_link(self) -> bool {
        !matches!(self, Self::Login)
    }
}

/// Six digits that log someone in once. It never prints; see [`OneTimeCode::expose`].
#[derive(Clone)]
pub struct OneTimeCode(String);

/// Text that cannot be a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the {DIGITS} digits of the mail")]
pub struct InvalidCode;

impl OneTimeCode {
    /// The code of this row: the same for the same key and id, on every call.
    pub fn derive(key: &LinkKey, id: UserCodeId) -> Self {
        let mac = key.mac(CODE_CONTEXT, id.uuid());
        // 2^64 is so much more than a million that every code is as likely as another.
        let first = mac
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let number = first % CODES;
        Self(format!("{number:0DIGITS$}"))
    }

    /// Reads a code as someone types it, blanks and dashes between.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        if text.len() > 4 * DIGITS {
            return Err(InvalidCode);
        }
        let digits: String = text
            .chars()
            .filter(|char| !char.is_whitespace() && *char != '-')
            .collect();
        let is_code = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then_some(Self(digits)).ok_or(InvalidCode)
    }

    /// Whether both are the same, after as much time either way.
    pub fn is(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// The digits, for the mail and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(hidden)")
    }
}

/// What stands in the link of an invitation or of a forgotten password. It never
/// prints; see [`UserToken::expose`].
#[derive(Clone)]
pub struct UserToken(String);

impl UserToken {
    /// The token of this row: the same for the same key and id, on every call.
    pub fn derive(key: &LinkKey, id: UserCodeId) -> Self {
        let full = key.mac(TOKEN_CONTEXT, id.uuid());
        Self(URL_SAFE_NO_PAD.encode(&full[..TOKEN_BYTES]))
    }

    /// The token itself, for the link's address and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What Postgres keeps, and finds the row by.
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for UserToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserToken(hidden)")
    }
}

/// The SHA-256 of a token as it came back: whether a row has it is for Postgres to say.
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(bits: u128) -> UserCodeId {
        UserCodeId::from_uuid(Uuid::from_u128(bits))
    }

    #[test]
    fn code_and_token_are_the_documented_hmac() {
        // Computed apart from this crate: HMAC-SHA256, key 32 × 0x00, message the
        // context and 16 × 0x00; the first 8 bytes modulo a million, and the first
        // 24 bytes in URL-safe base64.
        let key = LinkKey::new([0; 32]);
        assert_eq!(OneTimeCode::derive(&key, id(0)).expose(), "493194");
        assert_eq!(
            UserToken::derive(&key, id(0)).expose(),
            "LnkpLvlU6GqEi8dSOrLc0TambHNIIX0M"
        );
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = OneTimeCode::parse("012345").unwrap();
        for typed in ["012345", " 012 345 ", "012-345"] {
            assert!(OneTimeCode::parse(typed).unwrap().is(&code), "{typed}");
        }
        assert!(!OneTimeCode::parse("012346").unwrap().is(&code));
        for no_code in ["", "12345", "1234567", "12345a", "٠١٢٣٤٥", &"1 ".repeat(50)] {
            assert_eq!(OneTimeCode::parse(no_code).unwrap_err(), InvalidCode);
        }
    }

    #[test]
    fn neither_code_nor_token_prints() {
        let key = LinkKey::new([7; 32]);
        let (code, token) = (
            OneTimeCode::derive(&key, id(1)),
            UserToken::derive(&key, id(1)),
        );
        let printed = format!("{code:?} {token:?}");
        assert!(!printed.contains(code.expose()) && !printed.contains(token.expose()));
    }

    proptest! {
        #[test]
        fn a_derived_code_reads_back_and_is_its_own(key: [u8; 32], bits: u128) {
            let key = LinkKey::new(key);
            let code = OneTimeCode::derive(&key, id(bits));
            prop_assert!(OneTimeCode::parse(code.expose()).unwrap().is(&code));
        }

        #[test]
        fn tokens_of_other_rows_keys_and_uses_differ(a: [u8; 32], b: [u8; 32], x: u128, y: u128) {
            prop_assume!(a != b && x != y);
            let key = LinkKey::new(a);
            let token = UserToken::derive(&key, id(x));
            let of_another_key = UserToken::derive(&LinkKey::new(b), id(x));
            prop_assert_ne!(token.hash(), of_another_key.hash());
            let of_another_row = UserToken::derive(&key, id(y));
            prop_assert_ne!(token.hash(), of_another_row.hash());
            let link = crate::id::RecoveryLinkId::from_uuid(Uuid::from_u128(x));
            let of_a_recovery = crate::token::derive(&key, link);
            prop_assert_ne!(token.expose(), of_a_recovery.expose());
            prop_assert_eq!(token.hash(), hash(token.expose()));
        }
    }
}
