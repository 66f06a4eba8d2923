//! At most one successful charge for a recovery, and none that was begun after its end.

use std::collections::BTreeMap;

use crate::faults::Step;

use super::{Charge, Evidence, Violation};

pub(super) fn judge(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut by_reference: BTreeMap<&str, Vec<&Charge>> = BTreeMap::new();
    let mut found = Vec::new();
    for charge in &evidence.facts.charges {
        match charge.reference.as_deref() {
            Some(reference) if evidence.cases.contains_key(reference) => {
                by_reference.entry(reference).or_default().push(charge);
            }
            _ if charge.initiator == "merchant" => {}
            _ => found.push(Violation::new(
                "a charge belongs to a recovery",
                format!("{} ({:?})", charge.id, charge.reference),
            )),
        }
    }
    for (reference, charges) in by_reference {
        let good: Vec<&str> = charges
            .iter()
            .filter(|charge| charge.succeeded)
            .map(|charge| charge.id.as_str())
            .collect();
        if good.len() > 1 {
            let what = format!("{reference}: {}", good.join(", "));
            found.push(Violation::new("one successful charge at most", what));
        }
        found.extend(after_the_end(evidence, reference, &charges));
    }
    found
}

fn after_the_end(evidence: &Evidence<'_>, reference: &str, charges: &[&Charge]) -> Vec<Violation> {
    let recoveries = evidence.facts.recoveries.get(reference);
    let Some(end) = recoveries
        .and_then(|all| all.last())
        .and_then(|last| last.closed_at)
    else {
        return Vec::new();
    };
    let ours = charges.iter().filter(|charge| charge.initiator == "api");
    let late = ours.filter(|charge| !evidence.may_be_under_way(Step::Charge, end, charge.at));
    late.map(|charge| {
        let what = format!(
            "{reference}: {} came {} ms after it",
            charge.id,
            charge.at - end
        );
        Violation::new("no charge after the end", what)
    })
    .collect()
}
