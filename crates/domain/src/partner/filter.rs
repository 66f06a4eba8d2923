//! Which events an endpoint wants.

use super::EventType;

/// Most patterns of one endpoint.
pub const MOST_PATTERNS: usize = 32;

/// The events that an endpoint wants, as patterns: `*` for all, a prefix such as
/// `recovery.*`, or one type. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter(Vec<String>);

/// Why patterns are no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// None, or too many.
    #[error("must hold 1 to {MOST_PATTERNS} patterns")]
    Count,
    /// One that no event type matches.
    #[error("{0:?} matches no event type: use *, a prefix such as recovery.*, or a type")]
    MatchesNothing(String),
}

impl EventFilter {
    /// Every event.
    pub fn everything() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// Reads patterns; each must match a type that there is, so that a slip of the
    /// pen is not met by silence.
    pub fn parse(patterns: &[impl AsRef<str>]) -> Result<Self, FilterError> {
        if !(1..=MOST_PATTERNS).contains(&patterns.len()) {
            return Err(FilterError::Count);
        }
        let mut read = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            if !EventType::ALL.iter().any(|it| matches(pattern, *it)) {
                return Err(FilterError::MatchesNothing(pattern.to_owned()));
            }
            if !read.iter().any(|known| known == pattern) {
                read.push(pattern.to_owned());
            }
        }
        Ok(Self(read))
    }

    /// Patterns as stored: one that a later release wrote and this one does not
    /// know matches nothing here.
    pub const fn stored(patterns: Vec<String>) -> Self {
        Self(patterns)
    }

    /// The patterns.
    pub fn patterns(&self) -> &[String] {
        &self.0
    }

    /// Whether an event of this type is wanted.
    pub fn wants(&self, event: EventType) -> bool {
        self.0.iter().any(|pattern| matches(pattern, event))
    }

    /// Every type that is wanted.
    pub fn types(&self) -> Vec<EventType> {
        let all = EventType::ALL.iter().copied();
        all.filter(|it| self.wants(*it)).collect()
    }
}

fn matches(pattern: &str, event: EventType) -> bool {
    let name = event.as_str();
    match pattern.strip_suffix(".*") {
        Some(prefix) => name
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('.')),
        None => pattern == "*" || pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_prefix_takes_whole_words_only() {
        let filter = EventFilter::parse(&["recovery.*", "link.opened"]).unwrap();
        assert!(filter.wants(EventType::RecoveryOpened));
        assert!(filter.wants(EventType::LinkOpened));
        assert!(!filter.wants(EventType::LinkCreated));
        assert!(EventFilter::parse(&["rec.*"]).is_err());
        assert!(EventFilter::parse(&["recovery"]).is_err());
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_refused_by_name() {
        let fault = EventFilter::parse(&["*", "recovery.open"]).unwrap_err();
        assert!(fault.to_string().starts_with("\"recovery.open\" matches"));
        assert_eq!(EventFilter::parse(&[""; 0]), Err(FilterError::Count));
        let many = vec!["*"; MOST_PATTERNS + 1];
        assert_eq!(EventFilter::parse(&many), Err(FilterError::Count));
    }

    #[test]
    fn everything_is_every_type() {
        assert_eq!(EventFilter::everything().types(), EventType::ALL);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(pattern in "\\PC{0,40}") {
            if let Ok(filter) = EventFilter::parse(&[&pattern]) {
                prop_assert!(!filter.types().is_empty());
            }
        }
    }
}
