//! Text that a caller hands back: tokens, cursors, ids, codes, limits.

use std::sync::LazyLock;

use api::auth::access_token::AccessTokens;
use chrono::{DateTime, TimeDelta};
use domain::TransactionRef;
use domain::id::{AttemptId, OrganizationId, RecoveryId};
use domain::rate::Limit;
use domain::token::LinkToken;
use domain::user_code::OneTimeCode;
use secrecy::SecretString;

static TOKENS: LazyLock<Option<AccessTokens>> = LazyLock::new(|| {
    // 32 bytes in base64, under the id `k1`.
    let keys = SecretString::from("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    AccessTokens::new(&keys, TimeDelta::minutes(10)).ok()
});

/// One text, read as each of them.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    assert!(TOKENS.is_some(), "the signing keys do not read");
    let bearer = TOKENS
        .as_ref()
        .and_then(|tokens| tokens.read(text, now).ok());
    assert!(bearer.is_none(), "a made-up access token holds");
    assert!(api::fuzzed::cursor(text), "a cursor reads as another");
    if let Ok(token) = LinkToken::parse(text) {
        assert_eq!(token.expose(), text, "a token reads as another");
        assert!(!format!("{token:?}").contains(text), "a token prints");
    }
    if let Ok(code) = OneTimeCode::parse(text) {
        assert!(code.expose().bytes().all(|byte| byte.is_ascii_digit()));
    }
    if let Ok(id) = text.parse::<RecoveryId>() {
        assert_eq!(id.to_string().parse(), Ok(id), "an id reads as another");
    }
    let _ids = (text.parse::<AttemptId>(), text.parse::<OrganizationId>());
    if let Ok(reference) = text.parse::<TransactionRef>() {
        assert_eq!(
            reference.as_str(),
            text.trim(),
            "a reference reads as another"
        );
    }
    let _limit = text.parse::<Limit>();
}
