//! Drills: causes real trouble on real processes, sees its alert in a real Prometheus, and follows
//! the alert's runbook until it is calm again. `docs/drills.md` tells how they are run.
//!
//! # What is real
//!
//! - The processes: the three services, Postgres, Redis, RabbitMQ and Prometheus, each started here
//!   and stopped with this program. Only the payment provider and the mail server are the sandbox's.
//! - The rules: those that the charts install, rendered by Helm's engine. Their times alone are
//!   shorter, so that a minute of theirs is a second; `scripts/drill` does that before it starts this.
//! - The commands: a drill names a command of the runbook by how it begins, and gets it from the
//!   page that the alert itself names. A page without it fails the drill.
//!
//! # Where things are
//!
//! | module | what is there |
//! |---|---|
//! | [`ground`] | everything that runs |
//! | [`load`] | the payments that fail meanwhile, so that there is something to measure |
//! | [`prometheus`] | Prometheus, and waiting for an alert |
//! | [`page`], [`shell`] | a runbook's commands, and running them |
//! | [`drills`] | the drills, and [`drills::Drill`], what one is made of |
//! | [`play`] | from the trouble to the calm |
//! | [`wait`] | waiting for what nothing announces |
//!
//! # Recipe: another drill
//!
//! Copy `drills/redis_full.rs`: name the alert, cause its trouble in `cause`, run the runbook's
//! commands in `follow`, and add it to `drills::all`.

pub mod drills;
pub mod ground;
pub mod load;
pub mod page;
pub mod partner;
pub mod play;
pub mod prometheus;
pub mod run;
pub mod shell;
pub mod wait;
