//! What Twilio posts: status callbacks
//! (<https://www.twilio.com/docs/messaging/guides/track-outbound-message-status>)
//! and incoming messages
//! (<https://www.twilio.com/docs/messaging/guides/webhook-request>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::consent::{PayerAddress, Reply, twilio_suppression};
use domain::{Channel, NotificationState};
use hmac::{Hmac, KeyInit, Mac};
use psp::webhook::SignatureError;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use url::{Url, form_urlencoded};

use super::obey::Inbound;
use super::take::Receipt;

const PROVIDER: &str = "twilio";
/// Under which parameter of the callback's address our id of the message stands.
const NOTIFICATION: &str = "notification";

/// The fields of a post.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.as_str())
    }

    /// A status callback to `url`; none where it says nothing that is kept.
    pub(crate) fn receipt(&self, url: &Url) -> Option<Receipt> {
        let state = match self.get("MessageStatus")? {
            "accepted" | "scheduled" | "queued" | "sending" | "sent" => NotificationState::Sent,
            "delivered" | "read" => NotificationState::Delivered,
            "undelivered" => NotificationState::Bounced,
            "failed" | "canceled" => NotificationState::Failed,
            _ => return None,
        };
        let code = self.get("ErrorCode").and_then(|code| code.parse().ok());
        let failed = matches!(
            state,
            NotificationState::Bounced | NotificationState::Failed
        );
        let mut parameters = url.query_pairs();
        let notification = parameters.find(|(name, _)| name == NOTIFICATION);
        Some(Receipt {
            channel: Channel::Sms,
            provider: PROVIDER,
            notification: notification.and_then(|(_, id)| id.parse().ok()),
            message_id: self.get("MessageSid").map(str::to_owned),
            state,
            error: code.filter(|_| failed).map(sentence),
            suppress: code.filter(|_| failed).and_then(twilio_suppression),
        })
    }

    /// An incoming message that is a command; none of any other.
    pub(crate) fn inbound(&self) -> Option<Inbound> {
        // Twilio says what it took a message for where Advanced Opt-Out is on,
        // which knows words that a customer has chosen.
        let reply = match self.get("OptOutType") {
            Some("STOP") => Some(Reply::Stop),
            Some("START") => Some(Reply::Start),
            Some("HELP") => Some(Reply::Help),
            _ => self.get("Body").and_then(Reply::read),
        };
        Some(Inbound {
            provider: PROVIDER,
            message_id: self.get("MessageSid")?.to_owned(),
            from: PayerAddress::parse(Channel::Sms, self.get("From")?).ok()?,
            reply: reply?,
        })
    }
}

/// The errors that merchants ask about most, in words
/// (<https://www.twilio.com/docs/api/errors>).
fn sentence(code: u32) -> String {
    let words = match code {
        21_610 => "the payer has answered STOP",
        30_003 => "the phone is off or out of reach",
        30_004 => "the message was blocked",
        30_005 => "the number is unknown or out of service",
        30_006 => "the number is a landline, or its carrier takes no text messages",
        30_007 => "the carrier filtered the message",
        30_008 => "the carrier gave no reason",
        _ => return format!("Twilio error {code}"),
    };
    format!("{words} (Twilio error {code})")
}

/// Checks `X-Twilio-Signature`: base64 of an HMAC-SHA1 over the address as Twilio
/// called it and every field, sorted by name
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>). In constant
/// time.
///
/// `url` is our public address, never what the request says of itself: behind a
/// proxy that is another one, and it is the caller's to choose. Twilio has at
/// times named the usual port too, so either form will do.
pub(crate) fn verify(
    header: Option<&str>,
    url: &Url,
    fields: &Fields,
    token: &SecretString,
) -> Result<(), SignatureError> {
    let header = header.map(str::trim).filter(|text| !text.is_empty());
    let given = STANDARD
        .decode(header.ok_or(SignatureError::Missing)?)
        .map_err(|_| SignatureError::Malformed("a signature is not base64"))?;
    let mut sorted: Vec<&(String, String)> = fields.0.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let genuine = addresses(url).iter().any(|address| {
        // A key of any length is taken: an error cannot come, and would mean no match.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.expose_secret().as_bytes()) else {
            return false;
        };
        mac.update(address.as_bytes());
        for (name, value) in &sorted {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        mac.verify_slice(&given).is_ok()
    });
    if genuine {
        Ok(())
    } else {
        Err(SignatureError::Wrong)
    }
}

/// The address without its port where that is the usual one, and with it.
fn addresses(url: &Url) -> Vec<String> {
    let plain = url.to_string();
    let usual = match (url.scheme(), url.port(), url.host_str()) {
        ("https", None, Some(host)) => Some((host, 443)),
        ("http", None, Some(host)) => Some((host, 80)),
        _ => None,
    };
    let with_port = usual.map(|(host, port)| plain.replacen(host, &format!("{host}:{port}"), 1));
    std::iter::once(plain).chain(with_port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let pairs = pairs.iter();
        Fields(
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// The worked example of Twilio's page "Webhooks security".
    #[test]
    fn the_signature_agrees_with_twilios_documentation() {
        let fields = fields(&[
            ("Digits", "1234"),
            ("To", "+18005551212"),
            ("From", "+14158675309"),
            ("Caller", "+14158675309"),
            ("CallSid", "CA1234567890ABCDE"),
        ]);
        let url: Url = "https://mycompany.com/myapp.php?foo=1&bar=2"
            .parse()
            .unwrap();
        let token = SecretString::from("12345");
        let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert_eq!(verify(Some(signature), &url, &fields, &token), Ok(()));
        let other = SecretString::from("12346");
        for (header, url, token, fault) in [
            (
                Some(signature),
                "https://mycompany.com/myapp.php?foo=1&bar=3",
                &token,
                SignatureError::Wrong,
            ),
            (Some(signature), url.as_str(), &other, SignatureError::Wrong),
            (None, url.as_str(), &token, SignatureError::Missing),
            (Some(" "), url.as_str(), &token, SignatureError::Missing),
            (Some("AA=="), url.as_str(), &token, SignatureError::Wrong),
            (
                Some("?"),
                url.as_str(),
                &token,
                SignatureError::Malformed("a signature is not base64"),
            ),
        ] {
            let url = url.parse().unwrap();
            assert_eq!(verify(header, &url, &fields, token), Err(fault));
        }
    }

    #[test]
    fn the_usual_port_may_be_named_or_not() {
        let url: Url = "https://pay.example.com/v1?x=pay.example.com"
            .parse()
            .unwrap();
        assert_eq!(
            addresses(&url),
            [
                "https://pay.example.com/v1?x=pay.example.com",
                "https://pay.example.com:443/v1?x=pay.example.com"
            ]
        );
        let odd: Url = "http://127.0.0.1:8080/v1".parse().unwrap();
        assert_eq!(addresses(&odd), ["http://127.0.0.1:8080/v1"]);
    }

    #[test]
    fn a_callback_is_read_with_its_error_and_our_id() {
        let url: Url = "https://x.example/s?notification=ntf_0193a5b0000070008000000000000000"
            .parse()
            .unwrap();
        let told = fields(&[
            ("MessageSid", "SM1"),
            ("MessageStatus", "undelivered"),
            ("ErrorCode", "30005"),
        ]);
        let receipt = told.receipt(&url).unwrap();
        assert_eq!(receipt.state, NotificationState::Bounced);
        assert!(receipt.notification.is_some() && receipt.suppress.is_some());
        // An odd error beside a success is none, and an odd id is no id.
        let told = fields(&[("MessageStatus", "delivered"), ("ErrorCode", "30005")]);
        let url: Url = "https://x.example/s?notification=7".parse().unwrap();
        let receipt = told.receipt(&url).unwrap();
        assert_eq!((receipt.suppress, receipt.notification), (None, None));
        for odd in ["", "receiving", "received"] {
            assert_eq!(fields(&[("MessageStatus", odd)]).receipt(&url), None);
        }
    }

    #[test]
    fn what_twilio_took_a_message_for_goes_before_its_words() {
        let told = fields(&[
            ("MessageSid", "SM1"),
            ("From", "+14155550100"),
            ("Body", "genug"),
            ("OptOutType", "STOP"),
        ]);
        assert_eq!(told.inbound().unwrap().reply, Reply::Stop);
        let chat = fields(&[
            ("MessageSid", "SM1"),
            ("From", "+14155550100"),
            ("Body", "hi"),
        ]);
        assert_eq!(chat.inbound(), None);
        let nobody = fields(&[("MessageSid", "SM1"), ("From", "12345"), ("Body", "STOP")]);
        assert_eq!(nobody.inbound(), None);
    }
}
