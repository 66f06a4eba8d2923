//! What is asked of a template before it is kept: that it makes a message for
//! whatever it may meet.

use domain::payer::Language;
use domain::{Category, Contact};
use minijinja::Environment;
use minijinja::value::Value;

use super::content::{HTML, PARAMETER, SMS, SUBJECT, TEXT};
use super::{Content, EmailTemplate, SmsTemplate, WhatsAppTemplate};
use crate::sandbox::{self, Part};
use crate::{Facts, TemplateFault, VARIABLES, Wording, markup, names};

/// The most characters of a text message (Twilio, error 21617).
const LONGEST_TEXT: usize = 1_600;
/// The most parameters, and characters of one, in a WhatsApp body (Meta, Cloud
/// API, template components: 1,024 characters in all).
const PARAMETERS: usize = 20;
const PARAMETER_CHARS: usize = 1_024;

/// One for each part that is at fault.
type Faults = Vec<TemplateFault>;

impl Wording {
    /// Whether a template makes a message of every kind of facts. Answers all
    /// the parts that are at fault, each with its first fault.
    pub fn check(&self, content: &Content, language: &Language) -> Result<(), Faults> {
        let faults = match content {
            Content::Email(template) => self.check_email(template, language),
            Content::Sms(template) => self.check_sms(template, language),
            Content::WhatsApp(template) => self.check_whatsapp(template, language),
        };
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    fn check_email(&self, template: &EmailTemplate, language: &Language) -> Faults {
        let html = template.html.as_deref().map(|html| (HTML, html));
        let parts = [
            (SUBJECT, template.subject.as_str()),
            (TEXT, template.text.as_str()),
        ];
        let mut faults = self.read_all(parts.into_iter().chain(html));
        if faults.is_empty() {
            let made = |facts: &Facts| {
                let (words, _) = self.own_email(facts, template, language)?;
                match &template.html {
                    Some(source) => markup::check(&words.html, source),
                    None => Ok(()),
                }
            };
            faults.extend(self.first_fault(language, made));
        }
        faults
    }

    fn check_sms(&self, template: &SmsTemplate, language: &Language) -> Faults {
        let mut faults = self.read_all([(SMS, template.text.as_str())]);
        faults.extend(template.sender.as_deref().and_then(sender_fault));
        if let Some(dlt) = &template.dlt {
            for (field, id) in [
                ("dlt.template_id", &dlt.template_id),
                ("dlt.entity_id", &dlt.entity_id),
            ] {
                if !(id.len() == 19 && id.bytes().all(|b| b.is_ascii_digit())) {
                    faults.push(TemplateFault::new(
                        field,
                        "must be the 19 digits of the registration",
                    ));
                }
            }
        }
        if faults.is_empty() {
            let made = |facts: &Facts| self.own_sms(facts, template, language).map(|_| ());
            faults.extend(self.first_fault(language, made));
        }
        faults
    }

    fn check_whatsapp(&self, template: &WhatsAppTemplate, language: &Language) -> Faults {
        let mut faults = Vec::new();
        // Meta: lower-case letters, digits and underscores, 512 at most.
        let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if !((1..=512).contains(&template.name.len()) && template.name.bytes().all(is_name)) {
            let fault =
                "must be the template's name at Meta: lower-case letters, digits and underscores";
            faults.push(TemplateFault::new("name", fault));
        }
        let code = Language::parse(&template.language_code).ok();
        if code.is_none_or(|code| code.as_str().replace('-', "_") != template.language_code) {
            let fault = "must be a language as Meta writes it, such as en or pt_BR";
            faults.push(TemplateFault::new("language_code", fault));
        }
        if template.parameters.len() > PARAMETERS {
            let fault = format!("must be at most {PARAMETERS}");
            faults.push(TemplateFault::new("parameters", fault));
        }
        for (index, source) in template.parameters.iter().enumerate() {
            let read = sandbox::read(self.sandbox(), PARAMETER, source, &known());
            faults.extend(read.err().map(|fault| numbered(fault, index)));
        }
        if faults.is_empty() {
            let made = |facts: &Facts| self.own_whatsapp(facts, template, language).map(|_| ());
            faults.extend(self.first_fault(language, made));
        }
        faults
    }

    fn read_all<'a>(&self, parts: impl IntoIterator<Item = (Part, &'a str)>) -> Faults {
        let known = known();
        let read = |(part, source)| sandbox::read(self.sandbox(), part, source, &known).err();
        parts.into_iter().filter_map(read).collect()
    }

    /// Tries a template with every category, plainly and neutrally, with and without
    /// what may be missing, and with names that would break what is not escaped.
    fn first_fault(
        &self,
        language: &Language,
        made: impl Fn(&Facts) -> Result<(), TemplateFault>,
    ) -> Option<TemplateFault> {
        let bare = Facts {
            payer: None,
            support_contact: None,
            ..self.sample(Some(language.clone()))
        };
        let full = Facts {
            merchant: markup::PROBE.to_owned(),
            payer: Some(markup::PROBE.to_owned()),
            reference: markup::PROBE.to_owned(),
            support_contact: Some(markup::PROBE.to_owned()),
            ..bare.clone()
        };
        let told = [Contact::Normal, Contact::Neutral];
        Category::ALL
            .iter()
            .flat_map(|category| told.map(|contact| (*category, contact)))
            .flat_map(|(category, contact)| {
                [&bare, &full].map(|facts| Facts {
                    category,
                    contact,
                    ..facts.clone()
                })
            })
            .find_map(|facts| made(&facts).err())
    }
}

fn known() -> Vec<&'static str> {
    VARIABLES.iter().map(|variable| variable.name).collect()
}

/// Whether the payer finds the link in what was written.
pub(crate) fn holds_link(field: &str, written: &str, link: &str) -> Result<(), TemplateFault> {
    // In HTML an address is escaped.
    if written.contains(link) || written.contains(&sandbox::escaped(link)) {
        Ok(())
    } else {
        let fault = "must hold {{ link }} in every message: without it the payer cannot pay";
        Err(TemplateFault::new(field, fault))
    }
}

pub(crate) fn fits_a_text_message(text: &str) -> Result<(), TemplateFault> {
    if text.chars().count() <= LONGEST_TEXT {
        Ok(())
    } else {
        let fault = format!("is longer than {LONGEST_TEXT} characters when it is filled in");
        Err(TemplateFault::new("text", fault))
    }
}

/// One parameter, filled: Meta refuses an empty one, and line ends in one.
pub(crate) fn parameter(
    sandbox: &Environment<'_>,
    index: usize,
    source: &str,
    context: &Value,
) -> Result<String, TemplateFault> {
    let filled = sandbox::render(sandbox, PARAMETER, source, context)
        .map_err(|fault| numbered(fault, index))?;
    let line = names::one_line(&filled, usize::MAX);
    let fault = if line.is_empty() {
        "is empty in some messages, which Meta refuses; give it a default"
    } else if line.chars().count() > PARAMETER_CHARS {
        "is longer than 1024 characters when it is filled in"
    } else {
        return Ok(line);
    };
    Err(numbered(TemplateFault::new("parameters", fault), index))
}

fn numbered(fault: TemplateFault, index: usize) -> TemplateFault {
    TemplateFault {
        field: format!("parameters[{index}]"),
        ..fault
    }
}

/// A number, a short code, or a header of letters and digits
/// (Twilio, alphanumeric sender id: at most 11 characters).
fn sender_fault(sender: &str) -> Option<TemplateFault> {
    let is_number =
        domain::PhoneNumber::parse(sender).is_ok_and(|number| number.expose() == sender);
    let is_header =
        (3..=11).contains(&sender.len()) && sender.bytes().all(|b| b.is_ascii_alphanumeric());
    (!is_number && !is_header).then(|| {
        let fault =
            "must be a number such as +14155550100, or a header of 3 to 11 letters and digits";
        TemplateFault::new("sender", fault)
    })
}
