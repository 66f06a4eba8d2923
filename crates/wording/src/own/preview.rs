//! A message before it is sent.

use chrono::DateTime;
use domain::payer::{Country, Language, time_zone};
use domain::{Category, Contact, Money};

use crate::{BuiltIn, EmailWords, Encoding, Facts, Link, Segments, SmsWords, WhatsAppWords};

/// 2027-01-15T08:00:00Z: a day and a month that are told apart.
const LINK_ENDS: i64 = 1_800_000_000;
/// Longer subjects are cut off on many phones and in many lists.
const SHORT_SUBJECT: usize = 70;

/// Facts to try words with: none of them anyone's.
pub(crate) fn sample(amount: Money, language: Option<Language>) -> Facts {
    let region = language.as_ref().and_then(Language::region);
    let country = region.and_then(|region| Country::parse(region).ok());
    Facts {
        merchant: "Anna's Yoga & Tea".to_owned(),
        payer: Some("Asha".to_owned()),
        amount,
        category: Category::ExpiredCard,
        contact: Contact::Normal,
        reference: "order-7".to_owned(),
        link: Link::of(
            "0123456789abcdefghijklmnopqrstuv",
            "https://pay.example.com",
        ),
        link_ends: DateTime::from_timestamp(LINK_ENDS, 0).unwrap_or_default(),
        time_zone: time_zone(None, None, country, amount.currency()),
        language,
        default_language: None,
        support_contact: Some("help@shop.example".to_owned()),
    }
}

/// What is worth knowing of an email before it is sent.
pub fn email_warnings(words: &EmailWords, facts: &Facts) -> Vec<String> {
    let mut warnings = Vec::new();
    let length = words.subject.chars().count();
    if length > SHORT_SUBJECT {
        warnings.push(format!(
            "The subject has {length} characters; many phones show the first {SHORT_SUBJECT}."
        ));
    }
    if !words.text.contains(&facts.link.unsubscribe) {
        warnings.push(
            "The text does not say how to unsubscribe; mail programs are told by a header all the same."
                .to_owned(),
        );
    }
    warnings
}

/// What is worth knowing of a text message before it is sent.
pub fn sms_warnings(words: &SmsWords) -> Vec<String> {
    let mut warnings = Vec::new();
    let counted = Segments::of(&words.text);
    if counted.segments > 1 {
        warnings.push(format!(
            "It is sent, and charged, as {} messages.",
            counted.segments
        ));
    }
    if counted.encoding == Encoding::Ucs2 {
        let outside = words
            .text
            .chars()
            .find(|c| Segments::of(c.encode_utf8(&mut [0; 4])).encoding == Encoding::Ucs2);
        let outside = outside.map(String::from).unwrap_or_default();
        warnings.push(format!(
            "“{outside}” is not in the short alphabet of text messages, so a message holds 70 characters, not 160."
        ));
    }
    warnings
}

/// What is worth knowing of a WhatsApp message before it is sent.
pub fn whatsapp_warnings(words: &WhatsAppWords, facts: &Facts) -> Vec<String> {
    let has_link = words
        .parameters
        .iter()
        .any(|it| it.contains(&facts.link.pay));
    if has_link {
        Vec::new()
    } else {
        vec!["No parameter holds the link: the payer has no way to pay.".to_owned()]
    }
}

/// A note where sentences of Tinko's are not there in a template's language.
pub fn language_warning(language: &Language) -> Option<String> {
    BuiltIn::of(language).is_none().then(|| {
        format!(
            "Tinko does not speak {language}: reason and advice are empty, and dates are in digits."
        )
    })
}
