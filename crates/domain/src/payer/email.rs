//! Email addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most octets of an address (RFC 5321, 4.5.3.1.3, less the angle brackets).
const MAX_ADDRESS: usize = 254;
/// The most octets before the `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// An email address: one mailbox, ASCII, without display name. Printing shows
/// `a***@example.com`; see [`EmailAddress::expose`]. The domain is kept in
/// lower case, so that one address has one spelling in suppression lists; the
/// part before the `@` is left as it was given, since it may matter there.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

/// Text that is not an email address a message could be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one email address of the form name@domain")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Reads an address; blanks around it are dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail)?;
        if text.len() <= MAX_ADDRESS && is_local_part(local) && is_domain(domain) {
            Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
        } else {
            Err(InvalidEmail)
        }
    }

    /// The address itself, to hand a message over.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `a***@example.com`: enough for a payer to recognize, not to write to.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or(("", &self.0));
        format!("{}***@{domain}", local.chars().next().unwrap_or('*'))
    }
}

/// A dot-atom of RFC 5322: quoted local parts exist on paper only and are refused.
fn is_local_part(local: &str) -> bool {
    local.len() <= MAX_LOCAL
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        })
}

/// At least two labels of RFC 1035; the last one is not a number, as in an IP address.
fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    labels.len() >= 2
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        && labels
            .last()
            .is_some_and(|top| !top.bytes().all(|b| b.is_ascii_digit()))
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidEmail;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}
impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_prints_masked() {
        let address = EmailAddress::parse(" asha.rao+shop@Example.COM ").unwrap();
        assert_eq!(address.expose(), "asha.rao+shop@example.com");
        assert_eq!(
            format!("{address} {address:?}"),
            "a***@example.com a***@example.com"
        );
    }

    #[test]
    fn what_could_not_be_written_to_is_refused() {
        for text in [
            "",
            "@",
            "a@",
            "@b.c",
            "a b@c.de",
            "a@b",
            "a@b..c",
            "a..b@c.de",
            ".a@c.de",
            "a@-b.de",
            "a@b.de\r\nBcc: x@y.z",
            "A <a@b.de>",
            "a@b@c.de",
            "a@1.2.3.4",
            "ä@b.de",
            "a,b@c.de",
        ] {
            assert_eq!(EmailAddress::parse(text), Err(InvalidEmail), "{text:?}");
        }
        assert!(EmailAddress::parse(&format!("{}@b.de", "a".repeat(65))).is_err());
    }

    #[test]
    fn the_longest_parts_are_taken_and_longer_ones_are_not() {
        let local = |length: usize| format!("{}@b.de", "a".repeat(length));
        assert!(EmailAddress::parse(&local(64)).is_ok());
        assert!(EmailAddress::parse(&local(65)).is_err());
        let label = |length: usize| format!("a@{}.de", "b".repeat(length));
        assert!(EmailAddress::parse(&label(63)).is_ok());
        assert!(EmailAddress::parse(&label(64)).is_err());
        // 64 before the @, then labels up to 254 octets in all.
        let labels = format!("{0}.{0}", "c".repeat(63));
        let whole = |last: usize| format!("{}@{labels}.{}", "a".repeat(64), "d".repeat(last));
        assert_eq!(whole(61).len(), 254);
        assert!(EmailAddress::parse(&whole(61)).is_ok());
        assert!(EmailAddress::parse(&whole(62)).is_err());
    }

    #[test]
    fn domains_have_hyphens_within_their_labels_alone() {
        for text in ["a@b-c.de", "a@xn--bcher-kva.example", "a@1.de", "a@b.c1"] {
            assert!(EmailAddress::parse(text).is_ok(), "{text}");
        }
        for text in [
            "a@-b.de", "a@b-.de", "a@-.de", "a@b.-d", "a@b_c.de", "a@b.1",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_stored_address_reads_back_whole_and_only_if_it_is_one() {
        let address = EmailAddress::parse("a@b.de").unwrap();
        assert_eq!(serde_json::to_string(&address).unwrap(), r#""a@b.de""#);
        assert_eq!(
            serde_json::from_str::<EmailAddress>(r#""a@b.de""#).unwrap(),
            address
        );
        assert!(serde_json::from_str::<EmailAddress>(r#""a@b""#).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_line_and_reads_back(text in "[ -~]{1,12}@[ -~]{1,12}\\.[a-z]{2,4}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.expose().bytes().all(|b| b.is_ascii_graphic()));
                prop_assert_eq!(EmailAddress::parse(address.expose()), Ok(address.clone()));
                let masked = address.to_string();
                let (shown, domain) = masked.split_once('@').unwrap();
                prop_assert_eq!(shown.chars().count(), 4);
                prop_assert!(shown.ends_with("***") && address.expose().ends_with(domain));
            }
        }
    }
}
