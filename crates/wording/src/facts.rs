//! What a message is about.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::payer::Language;
use domain::{Category, Contact, Money};
use minijinja::context;
use minijinja::value::Value;

use crate::{BuiltIn, amount, dates, names, phrases};

/// The most characters of a reference, and of a support contact.
const SHORT: usize = 64;
const CONTACT: usize = 120;

/// Where a payer's link leads. It lets its holder pay, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Where the payer pays.
    pub pay: String,
    /// Where the payer ends such messages.
    pub unsubscribe: String,
}

impl Link {
    /// The link of a token, under the base that payers reach Tinko at.
    pub fn of(token: &str, base: &str) -> Self {
        let base = base.trim_end_matches('/');
        Self {
            pay: format!("{base}/pay/{token}"),
            unsubscribe: format!("{base}/unsubscribe/{token}"),
        }
    }
}

/// What a message is about, as it is known.
#[derive(Clone)]
pub struct Facts {
    /// The merchant's name.
    pub merchant: String,
    /// The payer's name.
    pub payer: Option<String>,
    /// What is owed.
    pub amount: Money,
    /// Why the payment failed.
    pub category: Category,
    /// How the payer may be told.
    pub contact: Contact,
    /// The merchant's own name for the transaction.
    pub reference: String,
    /// The link in the message.
    pub link: Link,
    /// Until when it works.
    pub link_ends: DateTime<Utc>,
    /// The payer's time zone.
    pub time_zone: Tz,
    /// The payer's language, as well as it can be told.
    pub language: Option<Language>,
    /// The language that the merchant writes in where the payer's is not served.
    pub default_language: Option<Language>,
    /// Where the merchant answers questions.
    pub support_contact: Option<String>,
}

/// What a message is handed over as: amounts and empty values differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Email,
    Sms,
    WhatsApp,
}

impl Facts {
    /// Tinko's language for these facts: the payer's, else the merchant's, else English.
    pub(crate) fn built_in(&self) -> BuiltIn {
        [&self.language, &self.default_language]
            .into_iter()
            .flatten()
            .find_map(BuiltIn::of)
            .unwrap_or(BuiltIn::English)
    }

    /// The language in which a template of `language` is filled in: the payer's
    /// own, with its region, where it is the same language.
    pub(crate) fn spoken(&self, language: &Language) -> Language {
        let payers = self.language.as_ref();
        payers
            .filter(|payers| payers.primary() == language.primary())
            .unwrap_or(language)
            .clone()
    }

    pub(crate) fn values(&self, language: &Language, medium: Medium) -> Values {
        let spoken = self.spoken(language);
        // A language that Tinko does not speak gets no sentence of another one.
        let words = BuiltIn::of(&spoken);
        let (category, contact) = (self.category, self.contact);
        let payer = self.payer.as_deref().and_then(names::payer);
        let nobody = || {
            let word = phrases::payer_without_a_name(words.unwrap_or(BuiltIn::English));
            (medium == Medium::WhatsApp).then(|| word.to_owned())
        };
        let contact_at = self.support_contact.as_deref();
        Values {
            merchant: names::merchant(&self.merchant),
            payer: payer.or_else(nobody),
            amount: match medium {
                Medium::Email | Medium::WhatsApp => amount::for_people(self.amount, &spoken),
                Medium::Sms => amount::for_text_messages(self.amount, &spoken),
            },
            reason: words.and_then(|words| phrases::reason(words, category, contact)),
            advice: words.and_then(|words| phrases::advice(words, category, contact)),
            category: (contact == Contact::Normal).then(|| category.as_str()),
            reference: names::one_line(&self.reference, SHORT),
            link_ends: dates::moment(self.link_ends, self.time_zone, &spoken),
            support_contact: contact_at
                .map(|text| names::one_line(text, CONTACT))
                .filter(|text| !text.is_empty()),
            link: self.link.clone(),
            language: spoken,
        }
    }
}

/// What templates are filled with: every text of one line, none of it markup.
pub(crate) struct Values {
    pub(crate) merchant: String,
    pub(crate) payer: Option<String>,
    pub(crate) amount: String,
    pub(crate) reason: Option<&'static str>,
    pub(crate) advice: Option<&'static str>,
    pub(crate) category: Option<&'static str>,
    pub(crate) reference: String,
    pub(crate) link_ends: String,
    pub(crate) support_contact: Option<String>,
    pub(crate) link: Link,
    pub(crate) language: Language,
}

impl Values {
    /// As templates see them; the names are those of `variables.rs`.
    pub(crate) fn to_context(&self) -> Value {
        context! {
            merchant => self.merchant.as_str(),
            payer => self.payer.as_deref(),
            amount => self.amount.as_str(),
            reason => self.reason,
            advice => self.advice,
            category => self.category,
            reference => self.reference.as_str(),
            link_ends => self.link_ends.as_str(),
            support_contact => self.support_contact.as_deref(),
            link => self.link.pay.as_str(),
            unsubscribe => self.link.unsubscribe.as_str(),
            language => self.language.as_str(),
        }
    }
}
