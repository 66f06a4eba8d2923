//! Who calls, as far as they may know of themselves.

pub(crate) mod caller;
pub(crate) mod organization;
pub(crate) mod user;
