//! Where the PSPs are.

use url::Url;

/// The base addresses of the PSPs' APIs. A path in them is kept, so that one
/// host can play both: `http://127.0.0.1:9000/stripe` is asked for
/// `/stripe/v1/payment_intents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Stripe's, without `/v1`.
    pub stripe: Url,
    /// Razorpay's, without `/v1`.
    pub razorpay: Url,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            stripe: parsed("https://api.stripe.com"),
            razorpay: parsed("https://api.razorpay.com"),
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "the two constants above are URLs; a test reads them"
)]
fn parsed(constant: &str) -> Url {
    Url::parse(constant).expect("a constant URL")
}

/// `base` with `segments` after its own path. A segment that is not a plain
/// word or id gives `None`: ids come from outside and must not steer the path.
pub(crate) fn path(base: &Url, segments: &[&str]) -> Option<Url> {
    let plain = |segment: &&str| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    if !segments.iter().all(plain) {
        return None;
    }
    let mut url = base.clone();
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(segments);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_the_base_is_kept() {
        let sandbox = Url::parse("http://127.0.0.1:9000/stripe/").unwrap();
        let url = path(&sandbox, &["v1", "payment_intents", "pi_1", "confirm"]).unwrap();
        assert_eq!(url.path(), "/stripe/v1/payment_intents/pi_1/confirm");
        let real = path(&Endpoints::default().razorpay, &["v1", "payments"]).unwrap();
        assert_eq!(real.as_str(), "https://api.razorpay.com/v1/payments");
    }

    #[test]
    fn an_id_cannot_steer_the_path() {
        for id in [
            "",
            "..",
            ".",
            "pi_1/confirm",
            "pi_1?x=1",
            "pi%2F1",
            "pi 1",
            "é",
        ] {
            assert_eq!(
                path(&Endpoints::default().stripe, &["v1", id]),
                None,
                "{id}"
            );
        }
    }
}
