//! The way out of email, by the token of any link that was sent.

pub(crate) mod ask;
pub(crate) mod confirm;
