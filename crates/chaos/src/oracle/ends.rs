//! Each accepted failure has its recovery, and each recovery has ended as it must.

use std::collections::BTreeSet;

use super::{Evidence, Violation};
use crate::journal::Happening;
use crate::load::Case;

const LOST: &str = "an accepted failure has its recovery";
const WRONG_END: &str = "a recovery ends as it must";

pub(super) fn judge(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let cancelled: BTreeSet<&str> = evidence
        .entries
        .iter()
        .filter_map(|entry| match &entry.happening {
            Happening::Cancelled { reference } => Some(reference.as_str()),
            _ => None,
        })
        .collect();
    for (reference, case) in &evidence.cases {
        let recoveries = evidence.facts.recoveries.get(*reference);
        let recoveries = recoveries.map(Vec::as_slice).unwrap_or_default();
        match recoveries {
            [] if is_accepted(evidence, case) && !may_be_known_as_paid(evidence, case) => {
                found.push(Violation::new(LOST, format!("{reference} has none")));
            }
            [] => {}
            [recovery] => {
                let is_cancelled = cancelled.contains(reference);
                let (state, must) = (
                    recovery.state.as_str(),
                    must_end(evidence, case, is_cancelled),
                );
                if !must.contains(&state) {
                    let what = format!(
                        "{reference} ({}) is {state}, and must be {}",
                        recovery.id,
                        must.join(" or ")
                    );
                    found.push(Violation::new(WRONG_END, what));
                }
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|it| it.id.as_str()).collect();
                let what = format!("{reference} has {}: {}", ids.len(), ids.join(", "));
                found.push(Violation::new("a failure opens one recovery", what));
            }
        }
    }
    found.extend(untaken(evidence));
    found
}

fn is_accepted(evidence: &Evidence<'_>, case: &Case) -> bool {
    let by_webhook = case.event.as_ref().is_some_and(|event| {
        evidence
            .facts
            .taken_events
            .get(event)
            .copied()
            .unwrap_or_default()
    });
    by_webhook
        || evidence.entries.iter().any(|entry| {
            matches!(&entry.happening, Happening::Accepted { reference, .. } if *reference == case.reference)
        })
}

/// A payment of which the PSP told the success before the failure opens nothing (decision 0009).
fn may_be_known_as_paid(evidence: &Evidence<'_>, case: &Case) -> bool {
    evidence.facts.charges.iter().any(|charge| {
        let is_of_it = charge.reference.as_deref() == Some(case.reference.as_str());
        is_of_it && charge.succeeded && charge.initiator == "merchant"
    })
}

/// What truly happened decides: where money moved it is recovered, else it is not.
fn must_end(evidence: &Evidence<'_>, case: &Case, cancelled: bool) -> &'static [&'static str] {
    let is_paid = evidence.facts.charges.iter().any(|charge| {
        charge.succeeded && charge.reference.as_deref() == Some(case.reference.as_str())
    });
    if is_paid || (case.story.card_comes_good() && is_charged_silently(case)) {
        &["recovered"]
    } else if cancelled {
        &["cancelled"]
    } else {
        &["exhausted"]
    }
}

/// Whether the organization's policy begins with charges.
const fn is_charged_silently(case: &Case) -> bool {
    case.organization != 1
}

/// Webhooks that were offered for as long as a PSP offers them, and never taken.
fn untaken(evidence: &Evidence<'_>) -> Vec<Violation> {
    let events = evidence
        .cases
        .values()
        .filter_map(|case| Some((case, case.event.as_ref()?)));
    let untaken = events.filter(|(_, event)| {
        !evidence
            .facts
            .taken_events
            .get(*event)
            .copied()
            .unwrap_or_default()
    });
    untaken
        .map(|(case, event)| {
            let what = format!("{event} of {} was not taken", case.reference);
            Violation::new("a PSP's report is taken in the end", what)
        })
        .collect()
}
