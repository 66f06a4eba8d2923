//! What a template holds, a channel each.

use domain::Channel;
use domain::payer::Language;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::TemplateFault;
use crate::sandbox::{Kind, Part};

/// An email's subject.
pub(crate) const SUBJECT: Part = Part {
    field: "subject",
    output: Kind::Plain,
    source: 1_000,
    written: 1_000,
};
/// An email's text.
pub(crate) const TEXT: Part = Part {
    field: "text",
    output: Kind::Plain,
    source: 50_000,
    written: 100_000,
};
/// An email's HTML. Gmail cuts a mail off past 102 KB
/// (<https://support.google.com/mail/answer/6594>, "View entire message").
pub(crate) const HTML: Part = Part {
    field: "html",
    output: Kind::Html,
    source: 90_000,
    written: 100_000,
};
/// A text message: more than its 1,600 characters are checked apart.
pub(crate) const SMS: Part = Part {
    field: "text",
    output: Kind::Plain,
    source: 4_000,
    written: 8_000,
};
/// One parameter of a WhatsApp template.
pub(crate) const PARAMETER: Part = Part {
    field: "parameters",
    output: Kind::Plain,
    source: 2_000,
    written: 4_000,
};

/// What an organization's template holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// For email.
    Email(EmailTemplate),
    /// For text messages.
    Sms(SmsTemplate),
    /// For WhatsApp.
    WhatsApp(WhatsAppTemplate),
}

impl Content {
    /// The channel that it is for.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Sms(_) => Channel::Sms,
            Self::WhatsApp(_) => Channel::WhatsApp,
        }
    }
}

/// An email in words of the organization's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailTemplate {
    /// One line.
    pub subject: String,
    /// For programs that show no HTML.
    pub text: String,
    /// A whole HTML document; made from the text where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// A text message in words of the organization's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsTemplate {
    /// What is sent.
    pub text: String,
    /// A number or header that the organization has registered at the provider;
    /// messages are sent from it, in place of the operator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Where India's operators have it registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dlt: Option<Dlt>,
}

/// A registration with India's distributed ledger for commercial messages, which
/// operators match each message against (TRAI, TCCCPR 2018). Twilio matches by
/// the text and the sender, and takes neither id with a message
/// (<https://www.twilio.com/en-us/guidelines/in/sms>); both are kept, so that a
/// message can be traced to its registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dlt {
    /// The template's id there: 19 digits.
    pub template_id: String,
    /// The organization's id there: 19 digits.
    pub entity_id: String,
}

/// An approved template at Meta, and what fills it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppTemplate {
    /// Its name at Meta.
    pub name: String,
    /// The language under which Meta has approved it, as `en` or `pt_BR`.
    pub language_code: String,
    /// What fills `{{1}}`, `{{2}}` … of its body, each a template of one line.
    pub parameters: Vec<String>,
}

/// An organization's template, as it is found for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The language that it is written in.
    pub language: Language,
    /// What it holds.
    pub content: Content,
}

impl Own {
    /// Reads a template as it is stored.
    pub fn read(language: &str, content: &Value) -> Result<Self, TemplateFault> {
        let fault =
            |fault: String| TemplateFault::new("template", format!("does not read: {fault}"));
        Ok(Self {
            language: Language::parse(language).map_err(|error| fault(error.to_string()))?,
            content: Content::deserialize(content).map_err(|error| fault(error.to_string()))?,
        })
    }
}
