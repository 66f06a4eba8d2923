//! Partners and the sink were told everything, under ids that tell copies.

use std::collections::{BTreeMap, BTreeSet};

use super::{Evidence, Violation};
use crate::partner::Partner;
use crate::sink::Sink;

const UNTOLD: &str = "partners are told everything";
const UNSUNK: &str = "the sink is told everything";

pub(super) fn judge(evidence: &Evidence<'_>, partner: &Partner, sink: &Sink) -> Vec<Violation> {
    let mut found: Vec<Violation> = partner
        .faults()
        .into_iter()
        .map(|fault| Violation::new("partner webhooks are genuine", fault))
        .collect();
    found.extend(dead_letters(evidence));
    found.extend(partners(evidence, partner));
    found.extend(at_the_sink(evidence, sink));
    found
}

fn dead_letters(evidence: &Evidence<'_>) -> Vec<Violation> {
    let dead = evidence.facts.dead_letters.iter();
    dead.map(|(id, reason)| {
        let reason = reason.as_deref().unwrap_or("no reason is told");
        Violation::new(
            "trouble that passes leaves no dead letter",
            format!("{id}: {reason}"),
        )
    })
    .collect()
}

fn partners(evidence: &Evidence<'_>, partner: &Partner) -> Vec<Violation> {
    let taken: BTreeSet<String> = partner.taken().into_keys().map(|id| bare(&id)).collect();
    let mut found = Vec::new();
    for (id, kind, state) in &evidence.facts.partner_events {
        let came = taken.contains(&bare(id));
        if state != "delivered" || !came {
            let arrival = if came { "came" } else { "never came" };
            found.push(Violation::new(
                UNTOLD,
                format!("{kind} {id} is {state} and {arrival}"),
            ));
        }
    }
    found
}

/// Every recovery's beginning and end, each under one id.
fn at_the_sink(evidence: &Evidence<'_>, sink: &Sink) -> Vec<Violation> {
    let events = sink.events();
    let mut told: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for event in events.values() {
        *told
            .entry((bare(&event.recovery), event.kind.as_str()))
            .or_default() += 1;
    }
    let mut found = Vec::new();
    for recovery in evidence.facts.recoveries.values().flatten() {
        let end = format!("recovery.{}", recovery.state);
        for kind in ["recovery.opened", end.as_str()] {
            let count = told
                .get(&(bare(&recovery.id), kind))
                .copied()
                .unwrap_or_default();
            if count != 1 {
                let what = format!("{kind} of {} came under {count} ids", recovery.id);
                found.push(Violation::new(UNSUNK, what));
            }
        }
    }
    let arrived: BTreeSet<String> = events.keys().map(|id| bare(id)).collect();
    for (id, kind, _) in &evidence.facts.partner_events {
        if !arrived.contains(&bare(id)) {
            found.push(Violation::new(UNSUNK, format!("{kind} {id} never came")));
        }
    }
    found
}

/// An id without its prefix and dashes, as both Postgres and the edge write it.
fn bare(id: &str) -> String {
    let own = id.rsplit_once('_').map_or(id, |(_, own)| own);
    own.replace('-', "")
}
