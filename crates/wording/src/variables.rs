//! What a template can be filled with, and by what it can be changed.

use serde::Serialize;

/// A variable or filter of templates, as the API lists it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Named {
    /// What it is called in a template.
    pub name: &'static str,
    /// What it holds or does.
    pub meaning: &'static str,
    /// Whether it may be empty: then it prints nothing, and `{% if … %}` skips.
    pub optional: bool,
    /// What it may look like.
    pub example: &'static str,
}

const fn always(name: &'static str, meaning: &'static str, example: &'static str) -> Named {
    Named {
        name,
        meaning,
        optional: false,
        example,
    }
}

const fn perhaps(name: &'static str, meaning: &'static str, example: &'static str) -> Named {
    Named {
        name,
        meaning,
        optional: true,
        example,
    }
}

/// Every variable.
pub const VARIABLES: &[Named] = &[
    always("merchant", "the organization's name", "Anna's Tea"),
    perhaps("payer", "the payer's name", "Asha"),
    always(
        "amount",
        "what is owed, written as the payer's language writes it",
        "₹1,299.50",
    ),
    always(
        "link",
        "where the payer pays; emails and text messages must hold it",
        "https://pay.example.com/pay/…",
    ),
    always(
        "link_ends",
        "until when the link works, by the payer's clock and in the message's language",
        "15 January 2027, 13:30 IST",
    ),
    always(
        "reference",
        "the organization's own name for the transaction",
        "order-7",
    ),
    perhaps(
        "reason",
        "why the payment failed, to end a sentence with; empty where the payer must not be told",
        "the card has expired",
    ),
    perhaps(
        "advice",
        "what the payer can do about it, a sentence of its own",
        "Please use a card that is still valid.",
    ),
    perhaps(
        "category",
        "the failure's category, to choose words by; empty where the payer must not be told",
        "expired_card",
    ),
    perhaps(
        "support_contact",
        "where the organization answers questions, as set for its messages",
        "help@shop.example",
    ),
    always(
        "unsubscribe",
        "where the payer ends such messages",
        "https://pay.example.com/unsubscribe/…",
    ),
    always(
        "language",
        "the language that the message is written in",
        "en-IN",
    ),
];

/// Every filter.
pub const FILTERS: &[Named] = &[
    perhaps("upper", "in capital letters", "{{ merchant | upper }}"),
    perhaps("lower", "in small letters", "{{ category | lower }}"),
    perhaps(
        "capitalize",
        "begins with a capital letter",
        "{{ reason | capitalize }}",
    ),
    perhaps(
        "title",
        "every word begins with a capital letter",
        "{{ payer | title }}",
    ),
    perhaps("trim", "without blanks around it", "{{ payer | trim }}"),
    perhaps(
        "default",
        "something else where it is empty",
        "{{ payer | default(\"customer\") }}",
    ),
    perhaps(
        "truncate",
        "at most so many characters",
        "{{ merchant | truncate(20) }}",
    ),
];
