//! What can go wrong between Tinko and a PSP.

use std::time::Duration;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PspError {
    /// The request may have acted: it timed out, the connection broke, or the
    /// PSP failed after having taken it. Whether it acted must be looked up
    /// before anything else is done.
    #[error("nobody can say whether the PSP acted: {what}")]
    Unclear {
        /// What happened.
        what: String,
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        /// What the HTTP client said, if it was that.
        source: Option<Source>,
    },
    /// No connection came about, so that surely nothing happened.
    #[error("the PSP could not be reached, and nothing was sent: {what}")]
    NotSent {
        /// What happened.
        what: String,
        /// What the HTTP client said.
        source: Option<Source>,
    },
    /// Too many requests; this one was not looked at.
    #[error("the PSP asks for fewer requests")]
    RateLimited {
        /// How long the PSP asks to wait, if it does.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent: at the account's pace there was no turn in time.
    #[error("the account is asked as often as it may be, and there was no turn in time")]
    HeldBack,
    /// Nothing was sent: the PSP, or this account there, was not well just now and
    /// is left alone for a while.
    #[error("the PSP is left alone for a while, since it was not well")]
    Paused {
        /// Until it is asked again.
        pause: Duration,
    },
    /// The request itself is wrong: a setting, an id that is gone, or an
    /// operation that is not on offer. Repeating it changes nothing.
    #[error("the request was refused ({}): {message}", .code.as_deref().unwrap_or("no code"))]
    Refused {
        /// The HTTP status; `None` where Tinko itself refused to ask.
        status: Option<u16>,
        /// The PSP's code, or one of Tinko's own: `not_offered`, `bad_reference`.
        code: Option<String>,
        /// The PSP's sentence.
        message: String,
    },
    /// The credentials are wrong or revoked: nothing can be asked with them.
    #[error("the PSP does not accept the credentials: {message}")]
    Unauthorized {
        /// The PSP's sentence.
        message: String,
    },
    /// The credentials lack a permission: other requests may be let through.
    #[error("the credentials do not allow this at the PSP: {message}")]
    Forbidden {
        /// The PSP's sentence.
        message: String,
    },
    /// The PSP answered what cannot be understood; it may have acted.
    #[error("the PSP's answer cannot be read: {what}")]
    Malformed {
        /// What is wrong with it.
        what: String,
        /// What the reader said.
        source: Option<Source>,
    },
}

impl PspError {
    /// Whether the operation may have acted nevertheless. A charge must then
    /// be settled by a look-up, or by the same request under the same key.
    pub const fn is_unclear(&self) -> bool {
        matches!(self, Self::Unclear { .. } | Self::Malformed { .. })
    }

    /// Whether the same request, under the same idempotency key, may fare
    /// better later. An unclear charge is looked up first.
    pub const fn may_retry(&self) -> bool {
        matches!(
            self,
            Self::Unclear { .. }
                | Self::NotSent { .. }
                | Self::RateLimited { .. }
                | Self::HeldBack
                | Self::Paused { .. }
        )
    }

    /// One word for metrics and spans.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Unclear { .. } => "unclear",
            Self::NotSent { .. } => "not_sent",
            Self::RateLimited { .. } => "rate_limited",
            Self::HeldBack => "held_back",
            Self::Paused { .. } => "paused",
            Self::Refused { .. } => "refused",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden { .. } => "forbidden",
            Self::Malformed { .. } => "malformed",
        }
    }

    pub(crate) fn not_offered(message: &str) -> Self {
        Self::Refused {
            status: None,
            code: Some("not_offered".to_owned()),
            message: message.to_owned(),
        }
    }

    pub(crate) fn bad_reference(reference: &str) -> Self {
        Self::Refused {
            status: None,
            code: Some("bad_reference".to_owned()),
            message: format!("{reference:?} is not an id that this PSP gives"),
        }
    }

    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed {
            what: what.into(),
            source: None,
        }
    }

    /// It answered `status`, after it may have acted.
    pub(crate) fn unclear_by(status: u16, what: impl Into<String>) -> Self {
        Self::Unclear {
            what: what.into(),
            status: Some(status),
            source: None,
        }
    }

    pub(crate) fn unclear(what: impl Into<String>) -> Self {
        Self::Unclear {
            what: what.into(),
            status: None,
            source: None,
        }
    }
}
