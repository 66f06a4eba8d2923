//! Snapshots of every message, and what must hold for any of them.

use chrono::DateTime;
use db::Tenant;
use domain::{Channel, Currency, Id, NotificationState, RecoveryState};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn letter(locale: &str, category: Category) -> Letter {
    let envelope = contracts::Envelope {
        outbox: Id::from_uuid(Uuid::nil()),
        organization: Id::from_uuid(Uuid::from_u128(1)),
        created_at: DateTime::UNIX_EPOCH,
        traceparent: None,
        tracestate: None,
        message: contracts::Message::FailureRecorded {
            recovery: Id::from_uuid(Uuid::nil()),
            failure: Id::from_uuid(Uuid::nil()),
        },
    };
    Letter {
        id: Id::from_uuid(Uuid::from_u128(2)),
        tenant: Tenant::of_envelope(&envelope),
        recovery: Id::from_uuid(Uuid::from_u128(3)),
        attempt: Id::from_uuid(Uuid::from_u128(4)),
        link: Id::from_uuid(Uuid::from_u128(5)),
        channel: Channel::Email,
        address: "asha@example.com".to_owned(),
        state: NotificationState::Queued,
        lease_until: None,
        updated_at: DateTime::UNIX_EPOCH,
        tries: 0,
        recovery_state: RecoveryState::Open,
        amount: Money::new(12_995_000, Currency::parse("INR").unwrap()).unwrap(),
        category: category.as_str().to_owned(),
        transaction_ref: "order-7".to_owned(),
        organization_name: "Anna's Yoga & Tea".to_owned(),
        payer_name: Some("Asha".to_owned()),
        payer_locale: Some(locale.to_owned()),
        link_expires_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        barred: None,
    }
}

fn link(letter: &Letter) -> Link {
    let base = Url::parse("https://pay.example.com/").unwrap();
    Link::of(letter, &LinkKey::new([7; 32]), &base)
}

fn email(letter: &Letter) -> EmailWords {
    Wording::new()
        .unwrap()
        .email(letter, &link(letter))
        .unwrap()
}

fn sms(letter: &Letter) -> String {
    Wording::new().unwrap().sms(letter, &link(letter)).unwrap()
}

/// An email as one text: what a reviewer wants to see side by side.
fn shown(words: &EmailWords) -> String {
    let EmailWords {
        from_name,
        subject,
        text,
        html,
    } = words;
    format!("From: {from_name}\nSubject: {subject}\n\n{text}\n----\n{html}")
}

#[test]
fn emails_in_every_language_and_tone() {
    for locale in ["en-IN", "hi-IN"] {
        for (tone, category) in [
            ("normal", Category::ExpiredCard),
            ("neutral", Category::DoNotRetry),
        ] {
            let words = email(&letter(locale, category));
            insta::assert_snapshot!(format!("email_{locale}_{tone}"), shown(&words));
        }
    }
}

#[test]
fn text_messages_in_every_language_and_tone() {
    let texts: Vec<String> = ["en-IN", "hi-IN"]
        .iter()
        .flat_map(|locale| {
            [Category::ExpiredCard, Category::DoNotRetry]
                .map(|category| sms(&letter(locale, category)))
        })
        .collect();
    insta::assert_snapshot!("sms", texts.join("\n\n"));
}

#[test]
fn whatsapp_parameters_in_every_language() {
    let words = ["en-IN", "hi-IN"].map(|locale| {
        let mut letter = letter(locale, Category::ExpiredCard);
        if locale == "hi-IN" {
            letter.payer_name = None;
        }
        Wording::whatsapp(&letter, &link(&letter))
    });
    insta::assert_debug_snapshot!("whatsapp", words);
}

#[test]
fn an_english_text_message_is_one_part_whatever_the_reason_and_the_name() {
    for category in Category::ALL {
        let mut letter = letter("en", *category);
        letter.organization_name = "The Long Established Company of Tea Merchants".to_owned();
        let text = sms(&letter);
        assert!(sms::fits_one_part(&text), "{} {text}", text.len());
        assert!(text.ends_with(&link(&letter).pay), "{text}");
    }
}

#[test]
fn a_language_that_is_not_there_is_english() {
    for locale in ["fr", "", "hin", "en-GB"] {
        assert_eq!(Language::of(Some(locale)), Language::English, "{locale}");
    }
    assert_eq!(Language::of(None), Language::English);
    assert_eq!(Language::of(Some("hi_IN")), Language::Hindi);
}

#[test]
fn names_are_escaped_in_html_and_left_alone_in_text() {
    let mut letter = letter("en", Category::Unknown);
    letter.organization_name = "<script>alert(1)</script>".to_owned();
    let words = email(&letter);
    assert!(!words.html.contains("<script>"), "{}", words.html);
    assert!(words.text.contains("<script>"), "{}", words.text);
}

proptest! {
    #[test]
    fn no_name_ends_a_header(name in "\\PC*|[\\x00-\\x20a]*", reference in "[\\x00-\\x7f]{0,80}") {
        let mut letter = letter("en", Category::Unknown);
        letter.organization_name.clone_from(&name);
        letter.payer_name = Some(name);
        letter.transaction_ref = reference;
        let words = email(&letter);
        for header in [&words.subject, &words.from_name] {
            prop_assert!(!header.chars().any(char::is_control), "{header:?}");
        }
    }
}
