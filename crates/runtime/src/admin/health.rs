//! Whether work may be sent to this process.
//!
//! ```text
//! starting --set_ready--> ready (as its checks say) --set_draining--> draining, for good
//! ```

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::{
    runtime::Handle,
    sync::{Mutex, watch},
};

/// The longest that a check may take.
const CHECK_LIMIT: Duration = Duration::from_secs(2);

/// How long an answer is given again without asking anew, however many ask.
const FRESH: Duration = Duration::from_secs(1);

/// A boxed future, as checks return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Whether work may be sent here. Clones are the same health.
#[derive(Clone)]
pub struct Health {
    checks: Vec<Check>,
    stage: Arc<watch::Sender<Stage>>,
    was_ready: Arc<AtomicBool>,
    last: Arc<Mutex<Option<(Instant, Report)>>>,
}

#[derive(Clone)]
struct Check {
    name: &'static str,
    critical: bool,
    probe: Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starting,
    Ready,
    Draining,
}

/// What `/readyz` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The whole in one word.
    pub status: Status,
    /// Each check, in the order in which they were declared; none when draining.
    pub checks: Vec<CheckReport>,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// What was asked: `postgres`.
    pub name: &'static str,
    /// Whether no work may be sent here while it fails.
    pub critical: bool,
    /// What is wrong, in a sentence; absent when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Readiness in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Ok,
    /// Something that is not critical is in trouble; work may be sent here.
    Degraded,
    /// Something critical is in trouble.
    Unavailable,
    /// It has not started up yet.
    Starting,
    /// It is about to end.
    Draining,
}

impl Status {
    /// Whether work may be sent here.
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Ok | Self::Degraded)
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// A process that is starting, without checks.
    pub fn new() -> Self {
        Self {
            checks: Vec::new(),
            stage: Arc::new(watch::Sender::new(Stage::Starting)),
            was_ready: Arc::default(),
            last: Arc::default(),
        }
    }

    /// Adds a check. `probe` says what is wrong in a sentence; it has two seconds. While a
    /// `critical` check fails no work may be sent here; trouble with any other is only reported.
    #[must_use]
    pub fn check(
        mut self,
        name: &'static str,
        critical: bool,
        probe: impl Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    ) -> Self {
        self.checks.push(Check {
            name,
            critical,
            probe: Arc::new(probe),
        });
        self
    }

    /// Start-up is over: from now on the checks decide. A draining process stays so.
    pub fn set_ready(&self) {
        self.stage.send_if_modified(|stage| {
            let starting = *stage == Stage::Starting;
            if starting {
                *stage = Stage::Ready;
            }
            starting
        });
    }

    /// The process is about to end: no more work may be sent here, whatever the checks say.
    pub fn set_draining(&self) {
        self.stage.send_replace(Stage::Draining);
    }

    /// Whether `/readyz` was 200 once.
    pub fn was_ready(&self) -> bool {
        self.was_ready.load(Ordering::Relaxed)
    }

    /// Asks every check at once, also before [`Health::set_ready`]: for `--check` and for a start
    /// that waits for what it needs. Call it inside the run-time that does the work.
    pub async fn ask(&self) -> Vec<CheckReport> {
        self.ask_on(&Handle::current()).await
    }

    /// What `/readyz` says now. The checks run on `work`; an answer is kept for a second.
    pub(super) async fn report_on(&self, work: &Handle) -> Report {
        let stage = *self.stage.borrow();
        if stage == Stage::Draining {
            return Report {
                status: Status::Draining,
                checks: Vec::new(),
            };
        }
        let mut last = self.last.lock().await;
        let mut report = match &*last {
            Some((asked, report)) if asked.elapsed() < FRESH => report.clone(),
            before => {
                let report = Report::of(self.ask_on(work).await);
                let before = before.as_ref().map(|(_, report)| report);
                report.log_change_from(before);
                *last = Some((Instant::now(), report.clone()));
                report
            }
        };
        if stage == Stage::Starting {
            report.status = Status::Starting;
        } else if report.status.is_ready() {
            self.was_ready.store(true, Ordering::Relaxed);
        }
        report
    }

    async fn ask_on(&self, work: &Handle) -> Vec<CheckReport> {
        // All are under way before the first is waited for.
        let running: Vec<_> = self
            .checks
            .iter()
            .map(|check| (check, work.spawn((check.probe)())))
            .collect();
        let until = tokio::time::Instant::now() + CHECK_LIMIT;
        let mut reports = Vec::with_capacity(running.len());
        for (check, mut probe) in running {
            let trouble = match tokio::time::timeout_at(until, &mut probe).await {
                Ok(Ok(Ok(()))) => None,
                Ok(Ok(Err(trouble))) => Some(trouble),
                Ok(Err(_)) => Some("the check itself broke".to_owned()),
                Err(_) => {
                    probe.abort();
                    Some(format!("no answer within {} s", CHECK_LIMIT.as_secs()))
                }
            };
            reports.push(CheckReport {
                name: check.name,
                critical: check.critical,
                trouble,
            });
        }
        reports
    }
}

impl Report {
    fn of(checks: Vec<CheckReport>) -> Self {
        let mut status = Status::Ok;
        for check in checks.iter().filter(|check| check.trouble.is_some()) {
            if check.critical {
                status = Status::Unavailable;
            } else if status == Status::Ok {
                status = Status::Degraded;
            }
        }
        Self { status, checks }
    }

    /// One line when a check's trouble begins and one when it ends, however often it is asked.
    fn log_change_from(&self, before: Option<&Self>) {
        for check in &self.checks {
            let before = before
                .and_then(|before| before.checks.iter().find(|other| other.name == check.name))
                .and_then(|check| check.trouble.as_deref());
            let name = check.name;
            match (&check.trouble, before) {
                (Some(trouble), None) => {
                    tracing::warn!(check = name, trouble, "a readiness check fails");
                }
                (None, Some(_)) => tracing::info!(check = name, "a readiness check passes again"),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn well() -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    fn ill() -> BoxFuture<'static, Result<(), String>> {
        Box::pin(async { Err("connection refused".to_owned()) })
    }

    async fn status(health: &Health) -> Status {
        health.report_on(&Handle::current()).await.status
    }

    #[tokio::test]
    async fn a_critical_check_in_trouble_makes_it_unavailable_and_another_degraded() {
        for (critical, other, expected) in [
            (well as fn() -> _, well as fn() -> _, Status::Ok),
            (well, ill, Status::Degraded),
            (ill, well, Status::Unavailable),
            (ill, ill, Status::Unavailable),
        ] {
            let health = Health::new()
                .check("redis", false, other)
                .check("postgres", true, critical);
            health.set_ready();
            assert_eq!(status(&health).await, expected);
            assert_eq!(health.was_ready(), expected.is_ready());
        }
    }

    #[tokio::test]
    async fn it_is_starting_until_told_and_draining_for_good() {
        let health = Health::new().check("postgres", true, well);
        assert_eq!(status(&health).await, Status::Starting);
        assert!(!health.was_ready());
        health.set_ready();
        assert_eq!(status(&health).await, Status::Ok);
        health.set_draining();
        health.set_ready();
        assert_eq!(status(&health).await, Status::Draining);
        assert!(health.was_ready());
    }

    #[tokio::test]
    async fn many_questions_at_once_ask_the_dependency_once() {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let health = Health::new().check("postgres", true, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            well()
        });
        health.set_ready();
        let work = Handle::current();
        let (one, two, three) = tokio::join!(
            health.report_on(&work),
            health.report_on(&work),
            health.report_on(&work)
        );
        assert_eq!((&one, &two), (&two, &three));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_check_that_hangs_or_breaks_is_trouble_and_does_not_hold_the_answer_back() {
        let health = Health::new()
            .check("hanging", true, || Box::pin(std::future::pending()))
            .check("breaking", true, || {
                Box::pin(async { panic!("a bug in a check") })
            })
            .check("well", true, well);
        let begun = Instant::now();
        let reports = health.ask().await;
        assert!(begun.elapsed() < CHECK_LIMIT * 2);
        assert_eq!(reports[0].trouble.as_deref(), Some("no answer within 2 s"));
        assert_eq!(
            reports[1].trouble.as_deref(),
            Some("the check itself broke")
        );
        assert_eq!(reports[2].trouble, None);
    }
}
