//! What codes mean, and which ones nobody has told Tinko yet.

mod asked;
mod view;

pub(crate) mod answer;
pub(crate) mod unknown;
