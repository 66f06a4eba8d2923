//! An organization's template: anyone who may write one may write anything.

use std::sync::LazyLock;

use domain::payer::Language;
use wording::Wording;
use wording::own::{Content, EmailTemplate, Own, SmsTemplate, WhatsAppTemplate};

static WORDING: LazyLock<Option<Wording>> = LazyLock::new(|| Wording::new().ok());

/// A line with the subject, then the template's source.
pub(crate) fn run(data: &[u8]) {
    let (subject, source) = crate::line(data);
    let (Some(wording), Ok(source)) = (WORDING.as_ref(), std::str::from_utf8(source)) else {
        return;
    };
    let Ok(language) = Language::parse("en") else {
        return;
    };
    for content in contents(subject, source) {
        // What the check refuses is never stored, but what is stored may be older than the check.
        let _faults = wording.check(&content, &language);
        write(wording, &language, &content);
    }
}

fn contents(subject: &str, source: &str) -> [Content; 3] {
    let email = EmailTemplate {
        subject: subject.to_owned(),
        text: source.to_owned(),
        html: Some(source.to_owned()),
    };
    let sms = SmsTemplate {
        text: source.to_owned(),
        sender: Some(subject.to_owned()),
        dlt: None,
    };
    let whatsapp = WhatsAppTemplate {
        name: "failed_payment".to_owned(),
        language_code: subject.to_owned(),
        parameters: vec![source.to_owned()],
    };
    [
        Content::Email(email),
        Content::Sms(sms),
        Content::WhatsApp(whatsapp),
    ]
}

/// Whatever the template does, the payer gets a message, on one line where it must be, with the link.
fn write(wording: &Wording, language: &Language, content: &Content) {
    let facts = wording.sample(Some(language.clone()));
    let channel = content.channel();
    let own = || {
        let language = language.clone();
        let content = content.clone();
        Some(Ok(Own { language, content }))
    };
    match channel {
        domain::Channel::Email => {
            let written = wording.email(&facts, own());
            let words = written.ok().map(|written| written.words);
            let holds = words.is_some_and(|words| {
                !words.subject.contains(['\r', '\n']) && words.text.contains(&facts.link.pay)
            });
            assert!(
                holds,
                "the mail has no link, or its subject more than one line"
            );
        }
        domain::Channel::Sms => {
            let written = wording.sms(&facts, own());
            let words = written.ok().map(|written| written.words);
            let holds = words.is_some_and(|words| words.text.contains(&facts.link.pay));
            assert!(holds, "the text message has no link");
        }
        domain::Channel::WhatsApp => {
            let written = wording.whatsapp(&facts, own(), &[]);
            assert!(written.is_ok(), "there are no words for WhatsApp");
        }
    }
}
