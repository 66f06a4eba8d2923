//! Comparisons of the organization's recoveries with what its PSPs say. The
//! worker makes them; here they are asked for and shown.

mod view;

pub(crate) mod list;
pub(crate) mod results;
pub(crate) mod run;
pub(crate) mod show;
