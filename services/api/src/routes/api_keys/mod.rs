//! API keys, for administrators.

pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod revoke;
pub(crate) mod rotate;
