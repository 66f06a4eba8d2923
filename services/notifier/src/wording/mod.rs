//! What payers read: one template a language and channel, filled with checked facts.
//!
//! To add a language: a folder beside `templates/en` with the same files, a
//! variant of [`Language`], its line in [`TEMPLATES`] and its words in `reasons.rs`.

mod amount;
mod names;
mod reasons;
mod sms;
#[cfg(test)]
mod tests;

use db::notifications::Letter;
use domain::token::{LinkKey, derive};
use domain::{Category, Money};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use url::Url;

pub(crate) use names::one_line;

/// The languages that payers are written to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Hindi,
}

impl Language {
    /// By the first part of a BCP 47 tag; English where there is none or no other.
    fn of(locale: Option<&str>) -> Self {
        let primary = locale.and_then(|tag| tag.split(['-', '_']).next());
        match primary {
            Some(tag) if tag.eq_ignore_ascii_case("hi") => Self::Hindi,
            _ => Self::English,
        }
    }

    /// Its ISO 639-1 code: the templates' folder, and what WhatsApp calls it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi => "hi",
        }
    }
}

const TEMPLATES: [(&str, &str); 8] = [
    (
        "en/email.subject.txt",
        include_str!("../../templates/en/email.subject.txt"),
    ),
    ("en/email.txt", include_str!("../../templates/en/email.txt")),
    (
        "en/email.html",
        include_str!("../../templates/en/email.html"),
    ),
    ("en/sms.txt", include_str!("../../templates/en/sms.txt")),
    (
        "hi/email.subject.txt",
        include_str!("../../templates/hi/email.subject.txt"),
    ),
    ("hi/email.txt", include_str!("../../templates/hi/email.txt")),
    (
        "hi/email.html",
        include_str!("../../templates/hi/email.html"),
    ),
    ("hi/sms.txt", include_str!("../../templates/hi/sms.txt")),
];

/// A template of ours cannot be read or filled: a fault of this release.
#[derive(Debug, thiserror::Error)]
#[error("a message template is broken: {0}")]
pub(crate) struct WordingError(#[from] minijinja::Error);

/// Where a payer's link leads. It lets its holder pay, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) pay: String,
    pub(crate) unsubscribe: String,
}

impl Link {
    /// The link of a letter, under the base that payers reach Tinko at.
    pub(crate) fn of(letter: &Letter, key: &LinkKey, base: &Url) -> Self {
        let token = derive(key, letter.link);
        let base = base.as_str().trim_end_matches('/');
        Self {
            pay: format!("{base}/pay/{}", token.expose()),
            unsubscribe: format!("{base}/unsubscribe/{}", token.expose()),
        }
    }
}

/// What the templates are filled with: all of one line, none of it markup.
struct Facts<'a> {
    language: Language,
    merchant: String,
    payer: Option<String>,
    amount: Money,
    reason: Option<&'static str>,
    reference: String,
    expires: String,
    link: &'a Link,
}

impl<'a> Facts<'a> {
    fn of(letter: &Letter, link: &'a Link) -> Self {
        let language = Language::of(letter.payer_locale.as_deref());
        // A category that a newer release wrote says as little as an unknown one.
        let category = letter.category.parse().unwrap_or(Category::Unknown);
        Self {
            language,
            merchant: names::merchant(&letter.organization_name),
            payer: letter.payer_name.as_deref().and_then(names::payer),
            amount: letter.amount,
            reason: reasons::reason(language, category),
            reference: one_line(&letter.transaction_ref, 64),
            expires: date(language, letter),
            link,
        }
    }
}

/// The day on which the link ends, by UTC: the payer's zone is not known here.
fn date(language: Language, letter: &Letter) -> String {
    let form = match language {
        Language::English => "%-d %B %Y",
        Language::Hindi => "%d-%m-%Y",
    };
    letter.link_expires_at.format(form).to_string()
}

/// An email's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EmailWords {
    pub(crate) from_name: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// The parameters of the approved WhatsApp template, in its order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WhatsAppWords {
    pub(crate) language: Language,
    /// Payer, merchant, amount, link.
    pub(crate) parameters: [String; 4],
}

/// The templates, read once.
pub(crate) struct Wording {
    templates: Environment<'static>,
}

impl Wording {
    pub(crate) fn new() -> Result<Self, WordingError> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        Ok(Self { templates })
    }

    pub(crate) fn email(&self, letter: &Letter, link: &Link) -> Result<EmailWords, WordingError> {
        let facts = Facts::of(letter, link);
        let subject = self.fill(
            "email.subject.txt",
            &facts,
            &amount::for_people(facts.amount),
        )?;
        Ok(EmailWords {
            // Header text: whatever the template does, it is one line.
            subject: one_line(&subject, 150),
            text: self.fill("email.txt", &facts, &amount::for_people(facts.amount))?,
            html: self.fill("email.html", &facts, &amount::for_people(facts.amount))?,
            from_name: facts.merchant,
        })
    }

    /// One part of a text message wherever the language's letters allow it.
    pub(crate) fn sms(&self, letter: &Letter, link: &Link) -> Result<String, WordingError> {
        let mut facts = Facts::of(letter, link);
        let amount = amount::with_code(facts.amount);
        let whole = self.fill("sms.txt", &facts, &amount)?;
        if sms::fits_one_part(&whole) {
            return Ok(whole);
        }
        facts.reason = None;
        facts.merchant = one_line(&facts.merchant, sms::SHORT_NAME);
        self.fill("sms.txt", &facts, &amount)
    }

    pub(crate) fn whatsapp(letter: &Letter, link: &Link) -> WhatsAppWords {
        let facts = Facts::of(letter, link);
        let nobody = reasons::payer_without_a_name(facts.language);
        WhatsAppWords {
            language: facts.language,
            parameters: [
                facts.payer.unwrap_or_else(|| nobody.to_owned()),
                facts.merchant,
                amount::for_people(facts.amount),
                link.pay.clone(),
            ],
        }
    }

    fn fill(&self, name: &str, facts: &Facts<'_>, amount: &str) -> Result<String, WordingError> {
        let template = self
            .templates
            .get_template(&format!("{}/{name}", facts.language.code()))?;
        Ok(template.render(context! {
            merchant => facts.merchant.as_str(),
            payer => facts.payer.as_deref(),
            amount,
            reason => facts.reason,
            reference => facts.reference.as_str(),
            expires => facts.expires.as_str(),
            // Ours, and without quotes or brackets: a client that reads addresses without
            // undoing entities gets them whole.
            pay_url => Value::from_safe_string(facts.link.pay.clone()),
            unsubscribe_url => Value::from_safe_string(facts.link.unsubscribe.clone()),
        })?)
    }
}
