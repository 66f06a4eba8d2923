//! Tinko's own words.

use domain::payer::Language;
use domain::{Category, Contact};
use proptest::prelude::*;

use super::{facts, language, shown, wording};
use crate::{BuiltIn, Encoding, Facts, Segments};

/// Where each language is read most.
const PAYERS: [&str; 6] = ["en-IN", "de-DE", "es-ES", "fr-FR", "hi-IN", "pt-BR"];

fn neutral(tag: &str) -> Facts {
    Facts {
        contact: Contact::Neutral,
        ..facts(tag)
    }
}

#[test]
fn emails_in_every_language_and_tone() {
    for tag in PAYERS {
        for (tone, facts) in [("normal", facts(tag)), ("neutral", neutral(tag))] {
            let written = wording().email(&facts, None).unwrap();
            assert_eq!(written.used.language.as_str(), tag);
            insta::assert_snapshot!(format!("email_{tag}_{tone}"), shown(&written.words));
        }
    }
}

#[test]
fn text_messages_in_every_language_and_tone() {
    let texts: Vec<String> = PAYERS
        .iter()
        .flat_map(|tag| [facts(tag), neutral(tag)])
        .map(|facts| wording().sms(&facts, None).unwrap().words.text)
        .collect();
    insta::assert_snapshot!("sms", texts.join("\n\n"));
}

#[test]
fn whatsapp_parameters_in_every_language() {
    let words = PAYERS.map(|tag| {
        let mut facts = facts(tag);
        if tag != "en-IN" {
            facts.payer = None;
        }
        wording()
            .whatsapp(&facts, None, &BuiltIn::ALL)
            .unwrap()
            .words
    });
    insta::assert_debug_snapshot!("whatsapp", words);
}

/// Everything that is said of a category, in one place to be proofread.
#[test]
fn what_is_said_of_each_category() {
    let mut lines = Vec::new();
    for category in Category::ALL {
        for tag in PAYERS {
            let facts = Facts {
                category: *category,
                ..facts(tag)
            };
            let values = facts.values(&language(tag), crate::facts::Medium::Email);
            let said = (values.reason.unwrap_or("–"), values.advice.unwrap_or("–"));
            lines.push(format!("{category} {tag}: {} / {}", said.0, said.1));
        }
    }
    insta::assert_snapshot!("categories", lines.join("\n"));
}

#[test]
fn under_the_neutral_rule_every_category_reads_the_same() {
    for tag in PAYERS {
        let about = |category| Facts {
            category,
            ..neutral(tag)
        };
        let said = |category| {
            let facts = about(category);
            let email = shown(&wording().email(&facts, None).unwrap().words);
            (email, wording().sms(&facts, None).unwrap().words.text)
        };
        let unknown = said(Category::Unknown);
        for category in Category::ALL {
            assert_eq!(said(*category), unknown, "{tag} {category}");
        }
    }
}

#[test]
fn a_text_message_in_latin_letters_is_one_part_whatever_the_reason_and_the_name() {
    for tag in PAYERS.into_iter().filter(|tag| *tag != "hi-IN") {
        for category in Category::ALL {
            let facts = Facts {
                category: *category,
                merchant: "The Long Established Company of Tea Merchants".to_owned(),
                ..facts(tag)
            };
            let text = wording().sms(&facts, None).unwrap().words.text;
            let counted = Segments::of(&text);
            assert_eq!(
                (counted.encoding, counted.segments),
                (Encoding::Gsm7, 1),
                "{text}"
            );
            assert!(text.ends_with(&facts.link.pay), "{text}");
        }
    }
}

#[test]
fn the_payers_language_decides_then_the_merchants_then_english() {
    let used = |payers: Option<&str>, default: Option<&str>| {
        let facts = Facts {
            language: payers.map(language),
            default_language: default.map(language),
            ..facts("en")
        };
        facts.built_in()
    };
    assert_eq!(used(Some("de-AT"), Some("fr")), BuiltIn::German);
    assert_eq!(used(Some("it"), Some("fr-CA")), BuiltIn::French);
    assert_eq!(used(Some("it"), Some("ta")), BuiltIn::English);
    assert_eq!(used(None, None), BuiltIn::English);
}

#[test]
fn whatsapp_is_written_in_a_language_that_is_approved() {
    let approved = [BuiltIn::English, BuiltIn::Hindi];
    for (tag, code) in [("de", "en"), ("hi-IN", "hi")] {
        let words = wording()
            .whatsapp(&facts(tag), None, &approved)
            .unwrap()
            .words;
        assert_eq!(words.language_code, code);
    }
}

#[test]
fn names_are_escaped_in_html_and_left_alone_in_text() {
    let facts = Facts {
        merchant: "<script>alert(1)</script>".to_owned(),
        ..facts("en")
    };
    let words = wording().email(&facts, None).unwrap().words;
    assert!(!words.html.contains("<script>"), "{}", words.html);
    assert!(words.text.contains("<script>"), "{}", words.text);
}

/// Tags of a page, without what stands between and in them.
fn skeleton(html: &str) -> Vec<String> {
    let tags = html.split('<').skip(1);
    tags.map(|tag| tag.split(['>', ' ']).next().unwrap_or_default().to_owned())
        .collect()
}

proptest! {
    #[test]
    fn no_data_ends_a_header_or_breaks_the_page(
        name in "\\PC*|[\\x00-\\x20a<>\"'&]*",
        reference in "[\\x00-\\x7f]{0,80}",
        index in 0..PAYERS.len(),
    ) {
        let plain = facts(PAYERS[index]);
        let facts = Facts {
            merchant: name.clone(),
            payer: Some(name.clone()),
            support_contact: Some(format!("a{name}")),
            reference,
            ..plain.clone()
        };
        let words = wording().email(&facts, None).unwrap().words;
        for header in [&words.subject, &words.from_name] {
            prop_assert!(!header.chars().any(char::is_control), "{header:?}");
        }
        let usual = wording().email(&plain, None).unwrap().words;
        prop_assert_eq!(skeleton(&words.html), skeleton(&usual.html));
        let text = wording().sms(&facts, None).unwrap().words.text;
        prop_assert!(text.contains(&facts.link.pay));
        prop_assert!(!text.chars().any(char::is_control), "{text:?}");
    }

    #[test]
    fn any_locale_makes_a_message(tag in "[a-z]{2,3}(-[A-Z]{2})?") {
        let facts = facts(&tag);
        prop_assert!(wording().email(&facts, None).unwrap().words.text.contains(&facts.link.pay));
        prop_assert!(Language::parse(&tag).is_ok());
    }
}
