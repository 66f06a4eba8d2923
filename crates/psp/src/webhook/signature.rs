//! Whether a webhook is genuine.
//!
//! Several secrets may be given: while a secret is being rotated both hold,
//! and Razorpay signs the repeats of older events with the older one.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Why a webhook is not taken as genuine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is not there or empty.
    #[error("the webhook has no signature header")]
    Missing,
    /// The header is not of the PSP's form.
    #[error("the webhook's signature header is malformed: {0}")]
    Malformed(&'static str),
    /// It was signed too long ago, or in the future: a replay, or a clock
    /// that is wrong.
    #[error(
        "the webhook was signed {seconds} s away from now, which is more than the tolerance; \
         it is a replay, or a clock is wrong"
    )]
    Stale {
        /// Seconds since the signature; below zero for one in the future.
        seconds: i64,
    },
    /// No secret makes this signature.
    #[error("the webhook's signature does not match: the secret or the body is not the signed one")]
    Wrong,
}

/// Checks `Stripe-Signature`: `t=…,v1=…[,v1=…]`, an HMAC-SHA256 of `t.body`
/// (Stripe, "Resolve webhook signature verification errors" and "Verify
/// manually"). Other schemes in it, such as `v0`, are passed over.
pub fn verify_stripe(
    header: &str,
    body: &[u8],
    secrets: &[SecretString],
    now: DateTime<Utc>,
    tolerance: TimeDelta,
) -> Result<(), SignatureError> {
    let (signed_at, tags) = read_stripe_header(header)?;
    let genuine = secrets.iter().any(|secret| {
        let signed = [signed_at.as_bytes(), b".", body];
        tags.iter().any(|tag| matches(secret, &signed, tag))
    });
    if !genuine {
        return Err(SignatureError::Wrong);
    }
    let seconds = signed_at
        .parse::<i64>()
        .map_err(|_| SignatureError::Malformed("t is not a number of seconds"))?;
    let age = now.timestamp().saturating_sub(seconds);
    if age.saturating_abs() > tolerance.num_seconds() {
        return Err(SignatureError::Stale { seconds: age });
    }
    Ok(())
}

fn read_stripe_header(header: &str) -> Result<(&str, Vec<Vec<u8>>), SignatureError> {
    if header.trim().is_empty() {
        return Err(SignatureError::Missing);
    }
    let (mut signed_at, mut tags) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", time)) => signed_at = Some(time),
            Some(("v1", tag)) => tags.push(tag_bytes(tag)?),
            Some(_) => {}
            None => return Err(SignatureError::Malformed("a part has no =")),
        }
    }
    let signed_at = signed_at.ok_or(SignatureError::Malformed("t is missing"))?;
    if signed_at.parse::<i64>().is_err() {
        return Err(SignatureError::Malformed("t is not a number of seconds"));
    }
    if tags.is_empty() {
        return Err(SignatureError::Malformed("v1 is missing"));
    }
    Ok((signed_at, tags))
}

/// Checks `X-Razorpay-Signature`: an HMAC-SHA256 of the body in hex
/// (Razorpay, "Validate and test webhooks"). It carries no time.
pub fn verify_razorpay(
    header: &str,
    body: &[u8],
    secrets: &[SecretString],
) -> Result<(), SignatureError> {
    let header = header.trim();
    if header.is_empty() {
        return Err(SignatureError::Missing);
    }
    let tag = tag_bytes(header)?;
    if secrets.iter().any(|secret| matches(secret, &[body], &tag)) {
        Ok(())
    } else {
        Err(SignatureError::Wrong)
    }
}

fn tag_bytes(hexed: &str) -> Result<Vec<u8>, SignatureError> {
    hex::decode(hexed).map_err(|_| SignatureError::Malformed("a signature is not hex"))
}

/// In constant time for tags of the right length (`verify_slice`).
fn matches(secret: &SecretString, signed: &[&[u8]], tag: &[u8]) -> bool {
    // A key of any length is taken: an error cannot come, and would mean no match.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    for part in signed {
        mac.update(part);
    }
    mac.verify_slice(tag).is_ok()
}
