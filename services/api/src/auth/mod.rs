//! Who calls, and what they may do.
//!
//! An API key comes as `Authorization: Bearer sk_…` or `X-API-Key`. A handler
//! takes [`ReadAccess`], [`WriteAccess`] or [`AdminAccess`] as an argument: the
//! tenant in it is the only way to that organization's data, so a route that
//! forgets to authorize does not compile.

mod caller;
pub mod key;
pub mod scope;

pub use caller::{AdminAccess, Caller, ReadAccess, WriteAccess};
