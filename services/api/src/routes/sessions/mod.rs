//! Sessions: one's own, and for administrators everybody's of the organization.

pub(crate) mod end;
pub(crate) mod list;
