//! From an event to its deliveries.

use ::partners::payload::{self, About, Stamp};
use db::events::Event;
use db::partners::{self, Listener, NewEvent};
use db::{DbError, Tx};
use domain::id::{PartnerEventId, WebhookEndpointId};
use domain::partner::{DeliveryCause, EventType};

/// Stores an event for the partners of its organization, which are `listeners`, and queues
/// one delivery for each endpoint that wants it; answers how many. Once an event: what was
/// stored before is left as it is. An organization without an endpoint costs nothing.
///
/// An event whose particulars do not read is a fault of ours; it is counted and
/// passed over, since it would hold up all that follows from it besides.
pub async fn tell(
    tx: &mut Tx,
    event: &Event<'_>,
    listeners: &[Listener],
) -> Result<usize, DbError> {
    let Some(kind) = EventType::of_kind(event.kind) else {
        return Ok(0);
    };
    if listeners.is_empty() {
        return Ok(0);
    }
    let Some(fact) = partners::about(tx.conn(), event.tenant, event.recovery).await? else {
        return Ok(0);
    };
    let stamp = Stamp {
        id: PartnerEventId::from_uuid(event.id),
        event: kind,
        at: event.at,
    };
    let about = About::new(
        event.recovery,
        fact.transaction,
        fact.reference,
        fact.amount,
    );
    let payload = match payload::of_recovery(stamp, &about, event.data) {
        Ok(payload) => payload,
        Err(fault) => {
            metrics::counter!("partner_events_unreadable_total").increment(1);
            let source = std::error::Error::source(&fault).map(ToString::to_string);
            tracing::error!(error = %fault, source, "partners are not told of an event");
            return Ok(0);
        }
    };
    let new = NewEvent {
        id: stamp.id,
        event: kind,
        recovery: Some(event.recovery),
        payload: &payload,
        at: event.at,
    };
    if !partners::store(tx, event.tenant, &new).await? {
        return Ok(0);
    }
    let wanting: Vec<WebhookEndpointId> = listeners
        .iter()
        .filter(|listener| listener.enabled && listener.filter.wants(kind))
        .map(|listener| listener.endpoint)
        .collect();
    let (tenant, told) = (event.tenant, (stamp.id, kind));
    let queued = partners::tell(tx, tenant, told, &wanting, DeliveryCause::Event).await?;
    Ok(queued.len())
}
