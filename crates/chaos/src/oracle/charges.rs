//! At most one successful charge for a recovery, one charge for an attempt, and none that was begun
//! after the recovery's end.

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
        found.extend(more_than_attempts(evidence, reference, &charges));
        found.extend(after_the_end(evidence, reference, &charges));
    }
    found
}

/// An attempt is sent again under its key, which the PSP answers as before.
fn more_than_attempts(
    evidence: &Evidence<'_>,
    reference: &str,
    charges: &[&Charge],
) -> Option<Violation> {
    let made = charges.iter().filter(|it| it.initiator == "api").count();
    let attempts = evidence.facts.charging.get(reference).copied();
    let attempts = usize::try_from(attempts.unwrap_or_default()).unwrap_or_default();
    let what = format!("{reference}: {made} charges of {attempts} attempts");
    (made > attempts).then(|| Violation::new("an attempt makes one charge at most", what))
}

fn after_the_end(evidence: &Evidence<'_>, reference: &str, charges: &[&Charge]) -> Vec<Violation> {
    let recoveries = evidence.facts.recoveries.get(reference);
    let Some(end) = recoveries
        .and_then(|all| all.last())
        .and_then(|last| last.closed_at)
    else {
        return Vec::new();
    };
    let end = evidence.end_of(reference, end);
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
