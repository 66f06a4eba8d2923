//! Who calls, and what they may do.
//!
//! An API key comes as `Authorization: Bearer sk_…` or `X-API-Key`; a person's
//! access token as `Authorization: Bearer`. A handler takes [`ReadAccess`],
//! [`WriteAccess`], [`AdminAccess`] or [`UserAccess`] as an argument: the tenant in
//! it is the only way to that organization's data, so a route that forgets to
//! authorize does not compile.
//!
//! - `caller`: from the request to the caller;
//! - [`key`], [`scope`]: API keys; a role has the scopes up to its own;
//! - [`access_token`], `refresh_token`, `session`: what a login gives, and how it goes on;
//! - `codes`: what is mailed to people, and the links that come back;
//! - [`operator`]: who runs the installation, which is no organization's business;
//! - [`permissions`]: what every route asks of its caller;
//! - [`password`], `lockout`, `address`: what stands in the way of guessing.

pub mod access_token;
pub(crate) mod address;
mod caller;
pub(crate) mod codes;
mod jwt_crypto;
pub mod key;
pub(crate) mod lockout;
pub mod operator;
pub mod password;
pub mod permissions;
pub(crate) mod refresh_token;
pub mod scope;
pub(crate) mod session;

pub use caller::{AdminAccess, Caller, ReadAccess, UserAccess, Who, WriteAccess};
