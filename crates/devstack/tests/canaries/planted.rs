//! What must not be found anywhere: one unmistakable value for each secret and each personal datum.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A value, and what it is when it is found.
#[derive(Debug, Clone)]
pub(crate) struct Canary {
    pub(crate) what: String,
    pub(crate) value: String,
}

/// All of them. Those that the installation makes itself (keys, tokens, codes) join as they come.
#[derive(Debug, Default)]
pub(crate) struct Planted(Vec<Canary>);

pub(crate) const PAYER_EMAIL: &str = "quillon.zq7xcanary@payers.example";
pub(crate) const PAYER_NAME: &str = "Quillonia Zebedane";
/// Of a country whose law sets no hours for messages.
pub(crate) const PAYER_PHONE: &str = "+6598177231";
pub(crate) const REFUSED_EMAIL: &str = "gone.zq8xcanary@payers.example";
pub(crate) const CARD: &str = "fpzq9xcanarycard";
pub(crate) const PERSON_EMAIL: &str = "merchant.zq5xcanary@people.example";
pub(crate) const PERSON_PASSWORD: &str = "horse zq4x canary battery";
pub(crate) const WRONG_PASSWORD: &str = "wrong zq3x canary battery";
pub(crate) const OPERATOR: &str = "operator-zq2x-canary-token-of-32-or-more";
pub(crate) const POSTGRES: &str = "pgzq1xcanaryword";
pub(crate) const REDIS: &str = "rdzq1xcanaryword";
pub(crate) const AMQP: &str = "mqzq1xcanaryword";
pub(crate) const SMTP: &str = "smzq1xcanaryword";
pub(crate) const SMTP_USER: &str = "mailer";
pub(crate) const TWILIO: &str = "twzq1xcanarytoken";
pub(crate) const WHATSAPP: &str = "wazq1xcanarytoken";
pub(crate) const WHATSAPP_APP: &str = "wazq2xcanaryapp";
pub(crate) const WHATSAPP_VERIFY: &str = "wazq3xcanaryverify";
pub(crate) const BOUNCES: &str = "bozq1xcanarybounces";
pub(crate) const SENTRY: &str = "5e417a91c0ffee00c4a4a57a91c0ffee";
pub(crate) const STRIPE: &str = "sk_test_zq1xcanarystripe";
pub(crate) const STRIPE_WRONG: &str = "sk_test_zq2xcanarywrong";
pub(crate) const STRIPE_WEBHOOKS: &str = "whsec_zq1xcanarywebhooks";
pub(crate) const RAZORPAY: &str = "rzzq1xcanarysecret";
pub(crate) const RAZORPAY_WEBHOOKS: &str = "rzzq2xcanarywebhooks";
/// What somebody else's program sends where a secret belongs.
pub(crate) const MADE_UP: &str = "madeupzq6xcanary";

pub(crate) fn master_key() -> String {
    format!(
        "canary:{}",
        STANDARD.encode(*b"master-key-zq1x-canary-32-bytes!")
    )
}

pub(crate) fn link_key() -> String {
    STANDARD.encode(*b"link-key-zq1x-canary-32-bytes!!!")
}

pub(crate) fn access_token_keys() -> String {
    format!(
        "canary:{}",
        STANDARD.encode(*b"token-key-zq1x-canary-32-bytes!!")
    )
}

/// What everything is that is known before anything runs, and how it is written.
const KNOWN: &[(&str, &str)] = &[
    ("the payer's address", PAYER_EMAIL),
    ("the payer's name", PAYER_NAME),
    ("the payer's number", PAYER_PHONE),
    ("the address that is refused", REFUSED_EMAIL),
    ("the card's fingerprint", CARD),
    ("the person's address", PERSON_EMAIL),
    ("the person's password", PERSON_PASSWORD),
    ("a wrong password", WRONG_PASSWORD),
    ("the operator's token", OPERATOR),
    ("the password of Postgres", POSTGRES),
    ("the password of Redis", REDIS),
    ("the password of RabbitMQ", AMQP),
    ("the password of the mail server", SMTP),
    ("Twilio's token", TWILIO),
    ("WhatsApp's token", WHATSAPP),
    ("the secret of WhatsApp's app", WHATSAPP_APP),
    ("WhatsApp's word of verification", WHATSAPP_VERIFY),
    ("the secret of bounces", BOUNCES),
    ("Stripe's key", STRIPE),
    ("a wrong key of Stripe's", STRIPE_WRONG),
    ("the secret of Stripe's webhooks", STRIPE_WEBHOOKS),
    ("Razorpay's secret", RAZORPAY),
    ("the secret of Razorpay's webhooks", RAZORPAY_WEBHOOKS),
    ("what was made up", MADE_UP),
    (
        "the seed's secret of Stripe's webhooks",
        "ZGVtby1zdHJpcGUtd2ViaG9vay1zZWNyZXQ",
    ),
    ("the seed's Razorpay secret", "demo-razorpay-key-secret"),
    (
        "the seed's secret of Razorpay's webhooks",
        "demo-razorpay-webhook-secret",
    ),
];

impl Planted {
    /// Everything that is known before anything runs.
    pub(crate) fn new() -> Self {
        let mut all = Self::default();
        for (what, value) in KNOWN {
            all.add(*what, *value);
        }
        all.add("the payer's number without its plus", &PAYER_PHONE[1..]);
        for (what, keys) in [
            ("the master key", master_key()),
            ("the link key", link_key()),
            ("the key of access tokens", access_token_keys()),
        ] {
            let (_, key) = keys.rsplit_once(':').unwrap_or(("", &keys));
            all.add(what, key);
        }
        for (what, pair) in [
            (
                "the mail server's password in AUTH PLAIN",
                format!("\0{SMTP_USER}\0{SMTP}"),
            ),
            ("Stripe's key in Basic", format!("{STRIPE}:")),
            (
                "Razorpay's secret in Basic",
                format!("rzp_test_canary:{RAZORPAY}"),
            ),
            ("the mail server's password in AUTH LOGIN", SMTP.to_owned()),
        ] {
            all.add(what, STANDARD.encode(pair).trim_end_matches('='));
        }
        all
    }

    /// One more, that was made meanwhile.
    pub(crate) fn add(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        assert!(
            value.len() >= 6,
            "{what} is too short to be looked for: {value}"
        );
        self.0.push(Canary { what, value });
    }

    /// Those that stand in `text`. One of digits alone counts only where it stands alone: a number
    /// of microseconds may hold any six digits.
    pub(crate) fn found_in<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a Canary> {
        self.0.iter().filter(move |canary| {
            let is_number = canary.value.bytes().all(|byte| byte.is_ascii_digit());
            let mut places = text.match_indices(&canary.value);
            places.any(|(at, found)| !is_number || stands_alone(text, at, at + found.len()))
        })
    }
}

fn stands_alone(text: &str, from: usize, to: usize) -> bool {
    let part_of_number = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
    let before = from.checked_sub(1).and_then(|at| text.as_bytes().get(at));
    let after = text.as_bytes().get(to);
    !before.is_some_and(part_of_number) && !after.is_some_and(part_of_number)
}

#[test]
fn a_canary_is_found_in_the_middle_of_a_line_and_a_number_only_alone() {
    let mut planted = Planted::new();
    planted.add("a code", "482913");
    let found = |text: &str| planted.found_in(text).count();
    assert_eq!(found(&format!("x{POSTGRES}y")), 1);
    assert_eq!(found("code=482913,"), 1);
    assert_eq!(found("12:00:00.482913Z took 1482913 ns"), 0);
}
