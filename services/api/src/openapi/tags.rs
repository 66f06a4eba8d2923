//! The groups that the reference page shows, in its order.

use utoipa::openapi::tag::{Tag, TagBuilder};

const TAGS: &[(&str, &str)] = &[
    (
        "Login",
        "Registering an organization, logging in, and going on with a session.",
    ),
    ("Sessions", "A person's own sessions."),
    ("Users", "The people of an organization, and their roles."),
    (
        "Organization",
        "The caller's organization, and what is known of the caller.",
    ),
    ("API keys", "What a partner's systems call with."),
    ("Audit", "Who changed what."),
    ("Events", "Reports of payments that failed."),
    ("Transactions", "What payers owed."),
    (
        "Customers",
        "What the earlier system's partners read by their API key.",
    ),
    (
        "Recoveries",
        "The effort to win one transaction back, step by step.",
    ),
    ("Attempts", "Steps of recoveries: charges and messages."),
    ("Links", "A payer's way to pay without logging in."),
    (
        "Notifications",
        "Messages to payers, and what became of them.",
    ),
    (
        "Retry policies",
        "When and by which channels a payer is written to.",
    ),
    ("Templates", "An organization's own words."),
    (
        "Consent",
        "What payers allowed, and the addresses that must not be written to.",
    ),
    (
        "Classification",
        "Why a payment failed, and what is advised.",
    ),
    ("Analytics", "What came of it, from roll-ups."),
    ("Comparisons", "Tinko's books against the PSP's."),
    ("Connections", "An organization's accounts at PSPs."),
    ("Webhook endpoints", "Tinko's events, sent to a partner."),
    ("Stream", "Recoveries as they move, as server-sent events."),
    ("Operations", "What operators of Tinko run."),
    (
        "Webhooks in",
        "What PSPs and messaging providers send. Each proves itself by its own signature.",
    ),
    ("Payer", "What a payer's browser is shown."),
    (
        "Service",
        "Whether the service is there, and this document.",
    ),
];

pub(super) fn all() -> Vec<Tag> {
    TAGS.iter()
        .map(|(name, about)| {
            TagBuilder::new()
                .name(*name)
                .description(Some(*about))
                .build()
        })
        .collect()
}
