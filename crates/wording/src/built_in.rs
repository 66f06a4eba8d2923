//! The languages that Tinko writes in by itself.

use domain::payer::Language;

/// A language with templates of Tinko's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    /// `en`
    English,
    /// `de`
    German,
    /// `es`
    Spanish,
    /// `fr`
    French,
    /// `hi`
    Hindi,
    /// `pt`
    Portuguese,
}

impl BuiltIn {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::English,
        Self::German,
        Self::Spanish,
        Self::French,
        Self::Hindi,
        Self::Portuguese,
    ];

    /// Its ISO 639-1 code: the templates' folder, and what WhatsApp calls it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Hindi => "hi",
            Self::Portuguese => "pt",
        }
    }

    /// As a language, of no region.
    pub fn language(self) -> Language {
        Language::parse(self.code()).unwrap_or_else(|_| Language::english())
    }

    /// The one that a language is written in, whatever its region.
    pub fn of(language: &Language) -> Option<Self> {
        let primary = language.primary();
        Self::ALL.into_iter().find(|it| it.code() == primary)
    }
}

macro_rules! files {
    ($($code:literal),*) => {
        [
            ("email.html", include_str!("../templates/email.html")),
            $(
                (concat!($code, "/email.subject.txt"), include_str!(concat!("../templates/", $code, "/email.subject.txt"))),
                (concat!($code, "/email.txt"), include_str!(concat!("../templates/", $code, "/email.txt"))),
                (concat!($code, "/email.html"), include_str!(concat!("../templates/", $code, "/email.html"))),
                (concat!($code, "/sms.txt"), include_str!(concat!("../templates/", $code, "/sms.txt"))),
            )*
        ]
    };
}

/// Name and source of every template: the layout, and four files a language.
pub(crate) const TEMPLATES: [(&str, &str); 25] = files!("en", "de", "es", "fr", "hi", "pt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_found_by_its_own_code() {
        for it in BuiltIn::ALL {
            assert_eq!(BuiltIn::of(&it.language()), Some(it));
        }
        for tag in ["it", "hin", "gsw-CH"] {
            assert_eq!(BuiltIn::of(&Language::parse(tag).unwrap()), None);
        }
    }
}
