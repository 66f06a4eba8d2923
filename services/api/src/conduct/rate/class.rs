//! What kinds of request are counted apart.

use actix_web::HttpRequest;
use actix_web::http::Method;
use domain::rate::Limit;

use crate::settings::ConductSettings;

/// A kind of request, with a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Looks at what is known.
    Read,
    /// Changes something, or has something worked out.
    Write,
    /// Reports failures.
    Ingest,
    /// A PSP's webhook.
    Webhook,
    /// Tries to become somebody.
    Auth,
    /// A payer's page.
    Payer,
}

impl Class {
    /// Of a request whose caller is known.
    pub(super) fn of(request: &HttpRequest) -> Self {
        match *request.method() {
            Method::GET | Method::HEAD => Self::Read,
            _ if request.path().starts_with("/v1/events/") => Self::Ingest,
            _ => Self::Write,
        }
    }

    /// What it is called in buckets and metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Ingest => "ingest",
            Self::Webhook => "webhook",
            Self::Auth => "auth",
            Self::Payer => "payer",
        }
    }

    /// What an organization's limit is called in answers.
    pub(super) const fn of_organization(self) -> &'static str {
        match self {
            Self::Read => "read-organization",
            Self::Ingest => "ingest-organization",
            _ => "write-organization",
        }
    }

    /// What one key's or user's is.
    pub(super) const fn of_caller(self) -> &'static str {
        match self {
            Self::Read => "read-caller",
            Self::Ingest => "ingest-caller",
            _ => "write-caller",
        }
    }

    /// What a network address's is.
    pub(super) const fn of_address(self) -> &'static str {
        match self {
            Self::Auth => "auth-address",
            _ => "payer-address",
        }
    }

    pub(super) const fn limit(self, settings: &ConductSettings) -> Limit {
        match self {
            Self::Read => settings.rate_read,
            Self::Write => settings.rate_write,
            Self::Ingest => settings.rate_ingest,
            Self::Webhook => settings.rate_webhook,
            Self::Auth => settings.rate_auth,
            Self::Payer => settings.rate_payer,
        }
    }
}
