//! Payments of one connection that nobody has heard of, taken in together: what most
//! webhooks tell of. A few statements and one commit, however many.
//!
//! Anything else (a payment that is known, settled or on its way, an event that was
//! delivered before, one that is about the same as another of these) is left for
//! [`super::take`], alone. Locks are taken in its order: the event's key, the turn of
//! the payment's objects, the transaction, its recovery, its card; among many of a kind
//! in the order of their names.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use db::transactions::{Report, at_once};
use db::{DbError, Trace, Tx, psp_events};
use domain::consent::PayerAddress;
use domain::id::{PspEvent, PspEventId, RecoveryId};
use psp::webhook::{Fact, Incoming};
use serde_json::Value;

use super::batch::{Consents, Item};
use super::weighing::{Known, Weighing};
use super::{Connection, Effect, FailureReport, fact, from_psp};

/// A genuine webhook that tells of a failed payment.
pub(crate) struct Heard {
    /// What it says.
    pub(crate) incoming: Incoming,
    /// Its body.
    pub(crate) body: Value,
    /// Under which trace it came.
    pub(crate) trace: Trace,
}

/// One that may be of a payment that nobody has heard of.
struct Candidate<'a> {
    /// Its place among those that were heard.
    place: usize,
    heard: &'a Heard,
    id: PspEventId,
    item: Item<NothingSaid>,
}

impl Candidate<'_> {
    /// Every id at the PSP that names the payment.
    fn objects(&self) -> impl Iterator<Item = &str> {
        let objects = self.item.report.objects.iter();
        objects.flat_map(|(_, names)| names.iter().map(String::as_str))
    }
}

/// PSPs say nothing of consent.
struct NothingSaid;

impl Consents for NothingSaid {
    type Fault = Infallible;
    fn addresses(&self, _known: &Report) -> Result<Vec<PayerAddress>, Infallible> {
        Ok(Vec::new())
    }
}

/// Opens a recovery for each of these that is of a payment nobody has heard of, and
/// keeps it; answers the recovery in its place, and none where the webhook has to be
/// taken in alone. `None` at all, and the caller has to roll back, if all have to:
/// another request makes one of them known at this moment.
pub(crate) async fn unheard_of(
    tx: &mut Tx,
    connection: Connection,
    heard: &[Arc<Heard>],
) -> Result<Option<Vec<Option<RecoveryId>>>, DbError> {
    let candidates = candidates(tx, connection, heard);
    let claimed = claimed(tx, connection, candidates).await?;
    if claimed.is_empty() {
        return Ok(None);
    }
    let fresh = fresh(tx, connection, claimed).await?;
    if fresh.is_empty() {
        return Ok(None);
    }
    let known = Known::nothing(tx, connection.tenant).await?;
    let mut weighing = Weighing::new(from_psp::source(connection.provider), known);
    let mut opened = vec![None; heard.len()];
    for candidate in &fresh {
        let weighed = weighing.weigh(tx, &candidate.item)?;
        let Some(recovery) = weighed.ok().and_then(|it| it.recovery) else {
            return Ok(None);
        };
        if let Some(place) = opened.get_mut(candidate.place) {
            *place = Some(recovery);
        }
    }
    if !weighing.write(tx, connection.tenant).await? {
        return Ok(None);
    }
    keep(tx, connection, &fresh).await?;
    Ok(Some(opened))
}

/// Those that share nothing with one before them.
fn candidates<'a>(
    tx: &mut Tx,
    connection: Connection,
    heard: &'a [Arc<Heard>],
) -> Vec<Candidate<'a>> {
    let mut taken = HashSet::new();
    let mut candidates = Vec::with_capacity(heard.len());
    for (place, heard) in heard.iter().enumerate() {
        let Some(report) = report(connection, &heard.incoming) else {
            continue;
        };
        let objects = report.objects.iter().flat_map(|(_, names)| names);
        let names: HashSet<(&str, String)> = objects
            .map(|object| ("object", object.clone()))
            .chain([
                ("event", heard.incoming.event_id.clone()),
                ("reference", report.reference.as_str().to_owned()),
                ("key", report.key.clone()),
            ])
            .collect();
        let is_first = taken.is_disjoint(&names);
        taken.extend(names);
        if is_first {
            candidates.push(Candidate {
                place,
                heard,
                id: tx.new_id::<PspEvent>(),
                item: Item {
                    report,
                    may_repeat: false,
                    consent: NothingSaid,
                    trace: heard.trace.clone(),
                },
            });
        }
    }
    candidates
}

/// The report that a failed payment makes if nothing is known of it.
fn report(connection: Connection, incoming: &Incoming) -> Option<FailureReport> {
    let Fact::PaymentFailed(failed) = &incoming.fact else {
        return None;
    };
    Some(from_psp::report(
        connection.id,
        &incoming.event_id,
        incoming.occurred_at,
        failed,
        None,
        fact::reference(failed)?,
    ))
}

/// Those that were not delivered before; the one effect of each is reserved.
async fn claimed<'a>(
    tx: &mut Tx,
    connection: Connection,
    mut candidates: Vec<Candidate<'a>>,
) -> Result<Vec<Candidate<'a>>, DbError> {
    let events: Vec<(&str, PspEventId)> = candidates
        .iter()
        .map(|it| (it.heard.incoming.event_id.as_str(), it.id))
        .collect();
    let claimed = psp_events::at_once::claim(tx, connection.tenant, connection.id, &events).await?;
    candidates.retain(|it| claimed.contains(&it.id));
    Ok(candidates)
}

/// Those of payments that nobody has heard of, which nobody hears of before this
/// commits. What the others reserved is given back.
async fn fresh<'a>(
    tx: &mut Tx,
    connection: Connection,
    claimed: Vec<Candidate<'a>>,
) -> Result<Vec<Candidate<'a>>, DbError> {
    let (tenant, provider) = (connection.tenant, connection.provider);
    let all: Vec<&str> = claimed.iter().flat_map(Candidate::objects).collect();
    db::paid::take_turns(tx, tenant, provider, &all).await?;
    let references: Vec<&str> = claimed
        .iter()
        .map(|it| it.item.report.reference.as_str())
        .collect();
    let objects: Vec<(i32, &str)> = (0_i32..)
        .zip(&claimed)
        .flat_map(|(place, it)| it.objects().map(move |name| (place, name)))
        .collect();
    let unheard = at_once::unheard_of(tx, tenant, provider, &references, &objects).await?;
    let unheard: HashSet<i32> = unheard.into_iter().collect();
    let mut fresh = Vec::with_capacity(claimed.len());
    let mut others = Vec::new();
    for (place, candidate) in (0_i32..).zip(claimed) {
        if unheard.contains(&place) {
            fresh.push(candidate);
        } else {
            others.push(candidate.heard.incoming.event_id.as_str());
        }
    }
    psp_events::at_once::release(tx, tenant, connection.id, &others).await?;
    Ok(fresh)
}

/// Keeps the events for whoever has to find out later what was sent.
async fn keep(tx: &mut Tx, connection: Connection, fresh: &[Candidate<'_>]) -> Result<(), DbError> {
    let events: Vec<(psp_events::Received<'_>, &Trace)> = fresh
        .iter()
        .map(|candidate| {
            let incoming = &candidate.heard.incoming;
            let received = psp_events::Received {
                id: candidate.id,
                connection: connection.id,
                provider: connection.provider,
                provider_event_id: &incoming.event_id,
                kind: &incoming.event_type,
                body: &candidate.heard.body,
                outcome: Effect::Opened.words(),
            };
            (received, &candidate.heard.trace)
        })
        .collect();
    psp_events::at_once::keep(tx, connection.tenant, &events).await
}
