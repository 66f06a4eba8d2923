//! Languages, and the one that a payer most likely reads.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Country;

/// A language by its BCP 47 tag (RFC 5646): language, then script and region
/// where they matter, as `de`, `pt-BR` or `zh-Hant-TW`. One language has one
/// spelling. Other parts of a tag say nothing that a message depends on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// Text that is no language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a language such as de, pt-BR or zh-Hant-TW")]
pub struct UnknownLanguage;

impl Language {
    /// Reads a tag of language, script and region, with `-` or `_` between them,
    /// in any case. Whatever else is in it is refused.
    pub fn parse(text: &str) -> Result<Self, UnknownLanguage> {
        match Self::begin(text.trim()) {
            Some((language, "")) => Ok(language),
            _ => Err(UnknownLanguage),
        }
    }

    /// Reads what systems call a locale: `de_DE.UTF-8`, `en-IN-u-hc-h12`. What
    /// follows the region is dropped.
    pub fn of_locale(text: &str) -> Option<Self> {
        let text = text.trim();
        let tag = text.split(['.', '@']).next().unwrap_or(text);
        Self::begin(tag).map(|(language, _)| language)
    }

    /// English, of no region: what is spoken where nothing better is known.
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// The tag, as `pt-BR`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone, as `pt`.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// The region, as `BR` or `419`.
    pub fn region(&self) -> Option<&str> {
        self.0.split('-').skip(1).find(|part| part.len() != 4)
    }

    /// The tag itself, then without its region, then without its script
    /// (RFC 4647, 3.4): what to look for, in this order.
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        let whole = self.as_str();
        std::iter::successors(Some(whole), |tag| {
            tag.rsplit_once('-').map(|(shorter, _)| shorter)
        })
    }

    /// The longest beginning that is a tag, and what follows it.
    fn begin(text: &str) -> Option<(Self, &str)> {
        let (language, mut rest) = part(text);
        let is_language = (2..=3).contains(&language.len()) && is_letters(language);
        if !is_language {
            return None;
        }
        let mut tag = language.to_ascii_lowercase();
        let (script, after) = part(rest);
        if script.len() == 4 && is_letters(script) {
            let (first, others) = script.split_at(1);
            tag.push('-');
            tag.push_str(&first.to_ascii_uppercase());
            tag.push_str(&others.to_ascii_lowercase());
            rest = after;
        }
        let (region, after) = part(rest);
        let is_region = (region.len() == 2 && is_letters(region))
            || (region.len() == 3 && region.bytes().all(|b| b.is_ascii_digit()));
        if is_region {
            tag.push('-');
            tag.push_str(&region.to_ascii_uppercase());
            rest = after;
        }
        Some((Self(tag), rest))
    }
}

fn part(text: &str) -> (&str, &str) {
    text.split_once(['-', '_']).unwrap_or((text, ""))
}

fn is_letters(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The language that a payer most likely reads: the one that the merchant or
/// the PSP gave when it is a tag, else the one that most people of the country
/// read. `None` where neither tells: then the merchant's own language is as
/// good a guess as any.
pub fn language(explicit: Option<&str>, country: Option<Country>) -> Option<Language> {
    explicit
        .and_then(Language::of_locale)
        .or_else(|| of_country(country?))
}

/// Countries where one language is read by most (Unicode CLDR 48, territory
/// information). Countries of several languages, such as Switzerland, Belgium
/// and the Emirates, are left out on purpose. India is in with English: no
/// Indian language is read by most, and its banks write in English.
#[rustfmt::skip]
const BY_COUNTRY: &[(&str, &[&str])] = &[
    ("ar", &["BH", "EG", "IQ", "JO", "KW", "LY", "OM", "QA", "SA", "SY", "YE"]),
    ("bg", &["BG"]), ("bn", &["BD"]), ("cs", &["CZ"]), ("da", &["DK"]),
    ("de", &["AT", "DE", "LI"]),
    ("el", &["GR"]),
    ("en", &["AU", "CA", "GB", "GH", "GI", "GG", "IE", "IM", "IN", "JE", "JM", "KE", "NG", "NZ", "PH", "PK",
             "SG", "TT", "UG", "US", "ZA", "ZM", "ZW"]),
    ("es", &["AR", "BO", "CL", "CO", "CR", "CU", "DO", "EC", "ES", "GT", "HN", "MX", "NI", "PA", "PE", "PR",
             "PY", "SV", "UY", "VE"]),
    ("et", &["EE"]), ("fi", &["FI"]),
    ("fr", &["BF", "BJ", "CD", "CG", "CI", "FR", "GA", "GF", "GP", "MC", "MQ", "NC", "PF", "RE", "SN", "TG"]),
    ("he", &["IL"]), ("hr", &["HR"]), ("hu", &["HU"]), ("id", &["ID"]), ("is", &["IS"]),
    ("it", &["IT", "SM", "VA"]),
    ("ja", &["JP"]), ("ko", &["KR"]), ("lt", &["LT"]), ("lv", &["LV"]), ("nb", &["NO"]), ("ne", &["NP"]),
    ("nl", &["NL", "SR"]),
    ("pl", &["PL"]),
    ("pt", &["AO", "BR", "MZ", "PT"]),
    ("ro", &["MD", "RO"]), ("ru", &["RU"]), ("sk", &["SK"]), ("sl", &["SI"]), ("sv", &["SE"]), ("th", &["TH"]),
    ("tr", &["TR"]), ("uk", &["UA"]), ("vi", &["VN"]), ("zh", &["CN", "TW"]),
];

fn of_country(country: Country) -> Option<Language> {
    BY_COUNTRY
        .iter()
        .find(|(_, countries)| countries.contains(&country.as_str()))
        .map(|(language, _)| Language(format!("{language}-{country}")))
}

impl TryFrom<String> for Language {
    type Error = UnknownLanguage;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}
impl std::str::FromStr for Language {
    type Err = UnknownLanguage;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}
impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_language_has_one_spelling() {
        for (text, tag) in [
            ("de", "de"),
            ("PT_br", "pt-BR"),
            (" zh_hant_tw ", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("sr-LATN", "sr-Latn"),
        ] {
            assert_eq!(Language::parse(text).unwrap().as_str(), tag);
        }
        for text in [
            "",
            "d",
            "deutsch",
            "de-DE-1996",
            "de_DE.UTF-8",
            "*",
            "ü",
            "C",
        ] {
            assert!(Language::parse(text) == Err(UnknownLanguage), "{text:?}");
        }
    }

    #[test]
    fn a_language_is_looked_for_from_its_whole_tag_to_its_first_part() {
        let language = Language::parse("zh-Hant-TW").unwrap();
        let chain: Vec<_> = language.chain().collect();
        assert_eq!(chain, ["zh-Hant-TW", "zh-Hant", "zh"]);
        assert_eq!((language.primary(), language.region()), ("zh", Some("TW")));
        assert_eq!(Language::parse("zh-Hant").unwrap().region(), None);
    }

    #[test]
    fn the_best_hint_decides() {
        let country = |code| Country::parse(code).ok();
        let told = |explicit, code| language(explicit, country(code)).map(String::from);
        assert_eq!(told(Some("fr_CA.UTF-8"), "DE").as_deref(), Some("fr-CA"));
        assert_eq!(
            told(Some("de-AT-u-nu-latn"), "IN").as_deref(),
            Some("de-AT")
        );
        assert_eq!(told(Some("POSIX"), "BR").as_deref(), Some("pt-BR"));
        assert_eq!(told(None, "IN").as_deref(), Some("en-IN"));
        assert_eq!(told(None, "CH"), None);
        assert_eq!(language(None, None), None);
    }

    #[test]
    fn every_country_of_the_table_exists_once() {
        let mut seen = std::collections::BTreeSet::new();
        for code in BY_COUNTRY.iter().flat_map(|(_, countries)| *countries) {
            assert!(Country::parse(code).is_ok() && seen.insert(code), "{code}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_reads_back(text in "[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,4}){0,2}") {
            if let Ok(language) = Language::parse(&text) {
                prop_assert_eq!(Language::parse(language.as_str()), Ok(language.clone()));
                prop_assert_eq!(language.chain().last(), Some(language.primary()));
            }
        }
    }
}
