//! What analytics is reckoned with.
//!
//! - [`window`]: the stretch of time that is asked about, as whole buckets of sums;
//! - [`statistics`]: rates, their differences and the sizes of an experiment's arms;
//! - [`speed`]: how long recoveries took, as a histogram that quantiles are read from.

pub mod speed;
pub mod statistics;
pub mod window;
