//! Which spans and events go where.

use tracing::{Event, Level, Metadata, Subscriber, span, subscriber::Interest};
use tracing_subscriber::{
    EnvFilter,
    filter::LevelFilter,
    layer::{Context, Filter},
};

/// The spans that are recorded and give their ids to log lines, whatever is logged.
pub(super) const SPANS: LevelFilter = LevelFilter::INFO;

/// Lets events through by directives, and spans of level INFO and above always.
///
/// With the directives alone, `LOG_LEVEL=warn` would take the enclosing spans away, and warnings
/// would lose their ids.
///
/// Of libraries nothing below INFO is let through, whatever the directives say: at DEBUG some of
/// them write what they are given, `tokio-postgres` the values of every statement, and those are
/// payers' addresses. Our own lines are made to be safe at every level
/// (`crates/devstack/tests/canaries`).
pub(super) struct EventsBy(pub(super) EnvFilter);

/// The crates whose lines are ours, and so may be as talkative as is asked for.
pub(super) const OURS: [&str; 17] = [
    "api",
    "backbone",
    "circuit",
    "connections",
    "contracts",
    "db",
    "domain",
    "notifier",
    "partners",
    "psp",
    "retry_worker",
    "runtime",
    "sandbox",
    "seal",
    "streams",
    "tinkoctl",
    "wording",
];

/// What records of the `log` crate are called before it is known whose they are; [`Filter::enabled`]
/// is asked about each with its own target.
const RELAYED: &str = "log";

/// Whether it is a library's line that is too talkative to be written.
fn is_held_back(metadata: &Metadata<'_>) -> bool {
    let whose = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() > Level::INFO && !OURS.contains(&whose)
}

fn always_there(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= Level::INFO
}

impl<S: Subscriber> Filter<S> for EventsBy
where
    EnvFilter: Filter<S>,
{
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        if is_held_back(metadata) {
            return false;
        }
        always_there(metadata) || Filter::<S>::enabled(&self.0, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked in any case: it is how directives that name spans come to know them.
        let by_directives = Filter::<S>::callsite_enabled(&self.0, metadata);
        if is_held_back(metadata) && metadata.target() != RELAYED {
            Interest::never()
        } else if always_there(metadata) {
            Interest::always()
        } else {
            by_directives
        }
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        Filter::<S>::event_enabled(&self.0, event, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Filter::<S>::max_level_hint(&self.0).map(|level| level.max(SPANS))
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, cx: Context<'_, S>) {
        Filter::<S>::on_new_span(&self.0, attributes, id, cx);
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, cx: Context<'_, S>) {
        Filter::<S>::on_record(&self.0, id, values, cx);
    }

    fn on_enter(&self, id: &span::Id, cx: Context<'_, S>) {
        Filter::<S>::on_enter(&self.0, id, cx);
    }

    fn on_exit(&self, id: &span::Id, cx: Context<'_, S>) {
        Filter::<S>::on_exit(&self.0, id, cx);
    }

    fn on_close(&self, id: span::Id, cx: Context<'_, S>) {
        Filter::<S>::on_close(&self.0, id, cx);
    }
}
