//! A message in words: the organization's own where they do, else Tinko's.

use domain::payer::Language;
use domain::{Currency, Money};
use minijinja::{Environment, Template};

use crate::built_in::TEMPLATES;
use crate::facts::{Medium, Values};
use crate::own::{Content, EmailTemplate, Own, SmsTemplate, WhatsAppTemplate};
use crate::sms::{self, Segments};
use crate::{BuiltIn, Facts, TemplateFault, markup, names, own, sandbox, users};

/// The most characters of a subject.
pub(crate) const SUBJECT: usize = 150;

/// A template of ours cannot be read or filled: a fault of this release.
#[derive(Debug, thiserror::Error)]
pub enum WordingError {
    /// One of Tinko's templates.
    #[error("a message template of Tinko's is broken: {0}")]
    Template(#[from] minijinja::Error),
    /// The amount that templates are tried with.
    #[error("the amount that templates are tried with is none")]
    Sample,
}

/// An email's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailWords {
    /// Who it is from, as people see it.
    pub from_name: String,
    /// One line.
    pub subject: String,
    /// For programs that show no HTML.
    pub text: String,
    /// A whole HTML document.
    pub html: String,
}

/// A text message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsWords {
    /// What is sent.
    pub text: String,
    /// The sender that the organization has registered, in place of the operator's.
    pub sender: Option<String>,
}

/// The parameters of an approved WhatsApp template, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatsAppWords {
    /// The template's name at Meta; `None` for the operator's own.
    pub template: Option<String>,
    /// The language under which Meta has approved it.
    pub language_code: String,
    /// What fills its body.
    pub parameters: Vec<String>,
}

/// Which template made the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Whether it was the organization's own.
    pub own: bool,
    /// The language of the message.
    pub language: Language,
    /// Why the organization's own could not be used, where there was one.
    pub fault: Option<TemplateFault>,
}

/// Words, and which template made them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// The words.
    pub words: T,
    /// Where they are from.
    pub used: Used,
}

/// What an organization has for a message: a template, one that does not read, or none.
pub type Stored = Option<Result<Own, TemplateFault>>;

/// Writes messages. Tinko's templates are read once.
pub struct Wording {
    /// With Tinko's own templates.
    ours: Environment<'static>,
    /// With none.
    theirs: Environment<'static>,
    /// What templates are tried with.
    amount: Money,
}

impl Wording {
    /// Reads Tinko's templates.
    pub fn new() -> Result<Self, WordingError> {
        let mut ours = sandbox::environment();
        for (name, source) in TEMPLATES.into_iter().chain(users::TEMPLATES) {
            ours.add_template(name, source)?;
        }
        let currency = Currency::parse("INR").map_err(|_| WordingError::Sample)?;
        Ok(Self {
            ours,
            theirs: sandbox::environment(),
            amount: Money::new(12_995_000, currency).map_err(|_| WordingError::Sample)?,
        })
    }

    /// Writes an email.
    pub fn email(&self, facts: &Facts, own: Stored) -> Result<Written<EmailWords>, WordingError> {
        let own = own.map(|own| {
            own.and_then(|own| match &own.content {
                Content::Email(template) => self.own_email(facts, template, &own.language),
                _ => Err(wrong_channel("email")),
            })
        });
        or_ours(own, || self.our_email(facts))
    }

    /// Writes a text message.
    pub fn sms(&self, facts: &Facts, own: Stored) -> Result<Written<SmsWords>, WordingError> {
        let own = own.map(|own| {
            own.and_then(|own| match &own.content {
                Content::Sms(template) => self.own_sms(facts, template, &own.language),
                _ => Err(wrong_channel("sms")),
            })
        });
        or_ours(own, || self.our_sms(facts))
    }

    /// Fills a WhatsApp template. `approved` are the languages of the operator's own one.
    pub fn whatsapp(
        &self,
        facts: &Facts,
        own: Stored,
        approved: &[BuiltIn],
    ) -> Result<Written<WhatsAppWords>, WordingError> {
        let own = own.map(|own| {
            own.and_then(|own| match &own.content {
                Content::WhatsApp(template) => self.own_whatsapp(facts, template, &own.language),
                _ => Err(wrong_channel("whatsapp")),
            })
        });
        or_ours(own, || Ok(our_whatsapp(facts, approved)))
    }

    /// The organization's email.
    pub(crate) fn own_email(
        &self,
        facts: &Facts,
        template: &EmailTemplate,
        language: &Language,
    ) -> Result<(EmailWords, Language), TemplateFault> {
        let values = facts.values(language, Medium::Email);
        let context = values.to_context();
        let fill = |part, source| sandbox::render(&self.theirs, part, source, &context);
        let subject = names::one_line(&fill(own::SUBJECT, &template.subject)?, SUBJECT);
        if subject.is_empty() {
            return Err(TemplateFault::new(
                "subject",
                "is empty when it is filled in",
            ));
        }
        let text = fill(own::TEXT, &template.text)?;
        let html = match &template.html {
            Some(html) => fill(own::HTML, html)?,
            None => markup::page(&text, &subject, &values),
        };
        for (field, written) in [("text", &text), ("html", &html)] {
            own::holds_link(field, written, &facts.link.pay)?;
        }
        let words = EmailWords {
            from_name: values.merchant,
            subject,
            text,
            html,
        };
        Ok((words, values.language))
    }

    /// The organization's text message.
    pub(crate) fn own_sms(
        &self,
        facts: &Facts,
        template: &SmsTemplate,
        language: &Language,
    ) -> Result<(SmsWords, Language), TemplateFault> {
        let values = facts.values(language, Medium::Sms);
        let text = sandbox::render(&self.theirs, own::SMS, &template.text, &values.to_context())?;
        let text = text.trim_end().to_owned();
        own::holds_link("text", &text, &facts.link.pay)?;
        own::fits_a_text_message(&text)?;
        let sender = template.sender.clone();
        Ok((SmsWords { text, sender }, values.language))
    }

    /// The organization's WhatsApp template, filled.
    pub(crate) fn own_whatsapp(
        &self,
        facts: &Facts,
        template: &WhatsAppTemplate,
        language: &Language,
    ) -> Result<(WhatsAppWords, Language), TemplateFault> {
        let values = facts.values(language, Medium::WhatsApp);
        let context = values.to_context();
        let fill = |(index, source): (usize, &String)| {
            own::parameter(&self.theirs, index, source, &context)
        };
        let parameters: Result<Vec<_>, _> =
            template.parameters.iter().enumerate().map(fill).collect();
        let words = WhatsAppWords {
            template: Some(template.name.clone()),
            language_code: template.language_code.clone(),
            parameters: parameters?,
        };
        Ok((words, values.language))
    }

    /// Facts to try words with: none of them anyone's.
    pub fn sample(&self, language: Option<Language>) -> Facts {
        own::sample(self.amount, language)
    }

    pub(crate) const fn sandbox(&self) -> &Environment<'static> {
        &self.theirs
    }

    /// One of Tinko's own.
    pub(crate) fn template(&self, name: &str) -> Result<Template<'_, '_>, WordingError> {
        Ok(self.ours.get_template(name)?)
    }

    fn our_email(&self, facts: &Facts) -> Result<(EmailWords, Language), WordingError> {
        let folder = facts.built_in();
        let values = facts.values(&folder.language(), Medium::Email);
        let subject = self.fill(folder, "email.subject.txt", &values)?;
        let words = EmailWords {
            // Header text: whatever the template does, it is one line.
            subject: names::one_line(&subject, SUBJECT),
            text: self.fill(folder, "email.txt", &values)?,
            html: self.fill(folder, "email.html", &values)?,
            from_name: values.merchant,
        };
        Ok((words, values.language))
    }

    /// One part of a text message wherever the language's letters allow it.
    fn our_sms(&self, facts: &Facts) -> Result<(SmsWords, Language), WordingError> {
        let folder = facts.built_in();
        let mut values = facts.values(&folder.language(), Medium::Sms);
        let mut text = self.fill(folder, "sms.txt", &values)?;
        if !Segments::of(&text).is_one_cheap_part() {
            values.reason = None;
            values.merchant = names::one_line(&values.merchant, sms::SHORT_NAME);
            text = self.fill(folder, "sms.txt", &values)?;
        }
        let sender = None;
        Ok((SmsWords { text, sender }, values.language))
    }

    fn fill(&self, folder: BuiltIn, name: &str, values: &Values) -> Result<String, WordingError> {
        let name = format!("{}/{name}", folder.code());
        Ok(self.template(&name)?.render(values.to_context())?)
    }
}

fn our_whatsapp(facts: &Facts, approved: &[BuiltIn]) -> (WhatsAppWords, Language) {
    let wanted = facts.built_in();
    let folder = if approved.contains(&wanted) {
        wanted
    } else {
        approved.first().copied().unwrap_or(BuiltIn::English)
    };
    let values = facts.values(&folder.language(), Medium::WhatsApp);
    let words = WhatsAppWords {
        template: None,
        language_code: folder.code().to_owned(),
        parameters: vec![
            values.payer.unwrap_or_default(),
            values.merchant,
            values.amount,
            values.link.pay,
        ],
    };
    (words, values.language)
}

/// The organization's words, else ours with what was wrong with theirs.
fn or_ours<T>(
    own: Option<Result<(T, Language), TemplateFault>>,
    ours: impl FnOnce() -> Result<(T, Language), WordingError>,
) -> Result<Written<T>, WordingError> {
    let fault = match own {
        Some(Ok((words, language))) => {
            let used = Used {
                own: true,
                language,
                fault: None,
            };
            return Ok(Written { words, used });
        }
        Some(Err(fault)) => Some(fault),
        None => None,
    };
    let (words, language) = ours()?;
    let used = Used {
        own: false,
        language,
        fault,
    };
    Ok(Written { words, used })
}

fn wrong_channel(channel: &str) -> TemplateFault {
    TemplateFault::new(channel, "the stored template is for another channel")
}
