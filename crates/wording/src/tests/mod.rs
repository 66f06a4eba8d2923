//! Snapshots of every message, and what must hold for any of them.

mod ours;
mod theirs;

use domain::payer::Language;

use crate::own::{Content, EmailTemplate, Own, SmsTemplate};
use crate::{EmailWords, Facts, TemplateFault, Wording};

fn wording() -> Wording {
    Wording::new().unwrap()
}

fn language(tag: &str) -> Language {
    Language::parse(tag).unwrap()
}

fn facts(tag: &str) -> Facts {
    wording().sample(Some(language(tag)))
}

#[expect(clippy::unnecessary_wraps, reason = "what writing takes")]
fn own(tag: &str, content: Content) -> Option<Result<Own, TemplateFault>> {
    let language = language(tag);
    Some(Ok(Own { language, content }))
}

fn email(text: &str, html: Option<&str>) -> EmailTemplate {
    EmailTemplate {
        subject: "{{ merchant }}".to_owned(),
        text: text.to_owned(),
        html: html.map(str::to_owned),
    }
}

fn sms(text: &str) -> SmsTemplate {
    SmsTemplate {
        text: text.to_owned(),
        sender: None,
        dlt: None,
    }
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
