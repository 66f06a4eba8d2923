//! Access tokens: short JWTs (RFC 7519, profile of RFC 9068) that name a session.
//!
//! They are signed with HS256: who makes them and who reads them is one service.
//! The algorithm is fixed and the key is found by its id, so a token can choose
//! neither. What a person may do is not believed from the token: the session is
//! looked up, as an API key is, so that ending it and changing a role work at once.
//!
//! Keys come from `TINKO__ACCESS_TOKEN_KEYS`: the first signs, all verify. To
//! rotate, put a new key first, roll out, and drop the old one after a token's life.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::Role;
use domain::id::{OrganizationId, UserId, UserSessionId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::jwt_crypto;

/// Who makes them.
const ISSUER: &str = "tinko";
/// Their media type (RFC 9068, section 2.1).
const TYPE: &str = "at+jwt";
/// What the keys are derived for.
const PURPOSE: &str = "tinko access tokens v1";

/// Makes access tokens and reads them.
pub struct AccessTokens {
    signing: (String, EncodingKey),
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
    lifetime: TimeDelta,
}

/// Whom a token is for.
#[derive(Debug, Clone, Copy)]
pub struct Bearer {
    /// The person.
    pub user: UserId,
    /// The organization.
    pub organization: OrganizationId,
    /// The role when it was made: for frontends to show, not for us to believe.
    pub role: Role,
    /// The session.
    pub session: UserSessionId,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    org: OrganizationId,
    role: Role,
    sid: UserSessionId,
    /// Seconds since the Unix epoch.
    iat: i64,
    /// Seconds since the Unix epoch.
    exp: i64,
}

/// Why a token does not hold. The sentences are for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It is not one of ours, or its key is no longer in the settings.
    #[error("the access token is not genuine")]
    NotGenuine,
    /// Its time is over.
    #[error("the access token has expired; refresh it")]
    Expired,
}

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("the access token could not be signed")]
pub struct SigningError(#[from] jsonwebtoken::errors::Error);

impl AccessTokens {
    /// With keys derived from those in `keys`; tokens live for `lifetime`.
    pub fn new(keys: &SecretString, lifetime: TimeDelta) -> Result<Self, seal::KeyringError> {
        jwt_crypto::install();
        let keys = seal::subkeys(keys, PURPOSE)?;
        let first = keys.first().ok_or(seal::KeyringError::Empty)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        // The time is ours to say: see `read`.
        validation.validate_exp = false;
        Ok(Self {
            signing: (
                first.id.clone(),
                EncodingKey::from_secret(first.bytes.expose_secret()),
            ),
            verifying: keys
                .iter()
                .map(|key| {
                    let bytes = key.bytes.expose_secret();
                    (key.id.clone(), DecodingKey::from_secret(bytes))
                })
                .collect(),
            validation,
            lifetime,
        })
    }

    /// For how long a token holds.
    pub const fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// A token for `bearer` from `now` on.
    pub fn sign(&self, bearer: &Bearer, now: DateTime<Utc>) -> Result<SecretString, SigningError> {
        let (id, key) = &self.signing;
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: bearer.user,
            org: bearer.organization,
            role: bearer.role,
            sid: bearer.session,
            iat: now.timestamp(),
            exp: (now + self.lifetime).timestamp(),
        };
        Ok(jsonwebtoken::encode(&header, &claims, key)?.into())
    }

    /// Whom a token is for, if it is genuine and holds at `now`.
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Result<Bearer, InvalidToken> {
        self.read_with_end(token, now).map(|(bearer, _)| bearer)
    }

    /// As [`AccessTokens::read`], and until when it holds.
    pub fn read_with_end(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(Bearer, DateTime<Utc>), InvalidToken> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| InvalidToken::NotGenuine)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(InvalidToken::NotGenuine);
        }
        let key = header.kid.and_then(|id| self.verifying.get(&id));
        let key = key.ok_or(InvalidToken::NotGenuine)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .map_err(|_| InvalidToken::NotGenuine)?
            .claims;
        if now.timestamp() >= claims.exp {
            return Err(InvalidToken::Expired);
        }
        let ends = DateTime::from_timestamp(claims.exp, 0).ok_or(InvalidToken::NotGenuine)?;
        let bearer = Bearer {
            user: claims.sub,
            organization: claims.org,
            role: claims.role,
            session: claims.sid,
        };
        Ok((bearer, ends))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use uuid::Uuid;

    use super::*;

    fn tokens(keys: &[(&str, u8)]) -> AccessTokens {
        let each = keys
            .iter()
            .map(|(id, byte)| format!("{id}:{}", STANDARD.encode([*byte; 32])));
        let text = each.collect::<Vec<_>>().join(",");
        AccessTokens::new(&text.into(), TimeDelta::minutes(10)).unwrap()
    }

    fn bearer() -> Bearer {
        Bearer {
            user: UserId::from_uuid(Uuid::from_u128(1)),
            organization: OrganizationId::from_uuid(Uuid::from_u128(2)),
            role: Role::Operator,
            session: UserSessionId::from_uuid(Uuid::from_u128(3)),
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_764_000_000 + seconds, 0).unwrap()
    }

    fn signed(tokens: &AccessTokens) -> String {
        let token = tokens.sign(&bearer(), at(0)).unwrap();
        token.expose_secret().to_owned()
    }

    #[test]
    fn a_token_holds_for_its_life_and_no_second_longer() {
        let tokens = tokens(&[("k1", 1)]);
        let token = signed(&tokens);
        let read = tokens.read(&token, at(599)).unwrap();
        assert_eq!(read.session, bearer().session);
        assert_eq!(
            tokens.read(&token, at(600)).unwrap_err(),
            InvalidToken::Expired
        );
    }

    #[test]
    fn a_token_outlives_the_change_of_the_key_and_not_its_removal() {
        let token = signed(&tokens(&[("k1", 1)]));
        assert!(tokens(&[("k2", 2), ("k1", 1)]).read(&token, at(1)).is_ok());
        assert_eq!(
            tokens(&[("k2", 2)]).read(&token, at(1)).unwrap_err(),
            InvalidToken::NotGenuine
        );
        // Another key under the same id.
        assert!(tokens(&[("k1", 2)]).read(&token, at(1)).is_err());
    }

    #[test]
    fn a_token_that_was_changed_anywhere_is_not_genuine() {
        let tokens = tokens(&[("k1", 1)]);
        let token = signed(&tokens);
        let parts: Vec<&str> = token.split('.').collect();
        let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let claims = String::from_utf8(claims).unwrap();
        let admin = claims.replace("operator", "admin");
        let longer = claims.replace("1764000600", "1999999999");
        for forged in [admin, longer] {
            assert_ne!(forged, claims);
            let forged = URL_SAFE_NO_PAD.encode(forged);
            let token = format!("{}.{forged}.{}", parts[0], parts[2]);
            assert_eq!(
                tokens.read(&token, at(1)).unwrap_err(),
                InvalidToken::NotGenuine
            );
        }
    }

    #[test]
    fn a_token_cannot_choose_how_it_is_verified() {
        let tokens = tokens(&[("k1", 1)]);
        let token = signed(&tokens);
        let claims = token.split('.').nth(1).unwrap();
        for header in [
            r#"{"typ":"at+jwt","alg":"none","kid":"k1"}"#,
            r#"{"typ":"at+jwt","alg":"HS512","kid":"k1"}"#,
            r#"{"typ":"at+jwt","alg":"RS256","kid":"k1"}"#,
            r#"{"typ":"at+jwt","alg":"HS256"}"#,
            r#"{"typ":"JWT","alg":"HS256","kid":"k1"}"#,
        ] {
            let header = URL_SAFE_NO_PAD.encode(header);
            for signature in ["", token.split('.').nth(2).unwrap()] {
                let token = format!("{header}.{claims}.{signature}");
                assert!(tokens.read(&token, at(1)).is_err());
            }
        }
        for text in ["", "a.b.c", "..", "sk_test_x"] {
            assert!(tokens.read(text, at(1)).is_err());
        }
    }
}
