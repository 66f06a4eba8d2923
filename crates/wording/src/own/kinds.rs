//! Which messages a template is for, and in which order templates are looked for.

use std::fmt;
use std::str::FromStr;

use domain::payer::Language;
use domain::{Category, Contact};
use serde::{Deserialize, Serialize};

/// Which messages a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kind {
    /// Every message that has no template of its own kind.
    Default,
    /// Messages that must not say why the payment failed.
    Neutral,
    /// Messages about failures of one category, where it may be named.
    Of(Category),
}

/// Text that names no kind of message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected default, neutral, or a failure category such as insufficient_funds")]
pub struct UnknownKind;

impl Kind {
    /// Its word in Postgres and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Neutral => "neutral",
            Self::Of(category) => category.as_str(),
        }
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "default" => Ok(Self::Default),
            "neutral" => Ok(Self::Neutral),
            other => other.parse().map(Self::Of).map_err(|_| UnknownKind),
        }
    }
}
impl TryFrom<String> for Kind {
    type Error = UnknownKind;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.as_str().to_owned()
    }
}
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kinds that may make a message, the best first. Under the neutral rule no
/// template that was written for one category is among them.
pub const fn kinds(category: Category, contact: Contact) -> [Kind; 2] {
    match contact {
        Contact::Normal => [Kind::Of(category), Kind::Default],
        Contact::Neutral | Contact::None => [Kind::Neutral, Kind::Default],
    }
}

/// The languages of an organization's own templates that may make a message, the
/// best first: the payer's exact one, the same without its region, then the
/// organization's default one.
pub fn languages(payers: Option<&Language>, default: Option<&Language>) -> Vec<String> {
    let mut languages: Vec<String> = Vec::new();
    for tag in [payers, default]
        .into_iter()
        .flatten()
        .flat_map(Language::chain)
    {
        if !languages.iter().any(|known| known == tag) {
            languages.push(tag.to_owned());
        }
    }
    languages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_language_comes_first_and_the_organizations_default_last() {
        let tag = |text| Language::parse(text).unwrap();
        let (austrian, swiss) = (tag("de-AT"), tag("de-CH"));
        assert_eq!(
            languages(Some(&austrian), Some(&tag("en"))),
            ["de-AT", "de", "en"]
        );
        assert_eq!(
            languages(Some(&austrian), Some(&swiss)),
            ["de-AT", "de", "de-CH"]
        );
        assert!(languages(None, None).is_empty());
    }

    #[test]
    fn a_template_for_a_category_is_not_used_where_the_reason_must_not_be_named() {
        let neutral = kinds(Category::ExpiredCard, Contact::Neutral);
        assert_eq!(neutral, [Kind::Neutral, Kind::Default]);
        let normal = kinds(Category::ExpiredCard, Contact::Normal);
        assert_eq!(normal, [Kind::Of(Category::ExpiredCard), Kind::Default]);
        for kind in Category::ALL.iter().map(|it| Kind::Of(*it)).chain(neutral) {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
    }
}
