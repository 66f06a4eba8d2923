//! Disabling an endpoint that is gone, or has failed for too long.

use ::partners::payload::{self, Stamp, particulars};
use db::partners::{self, Claimed, NewEvent};
use db::{DbError, Tx, audit};
use domain::id::{PartnerEvent, WebhookEndpointId};
use domain::partner::{DeliveryCause, EventType};
use serde_json::json;

/// Who disables it, by the audit log.
const ACTOR: &str = "notifier";

/// Disables the endpoint, notes it in the audit log, and tells the organization's
/// other endpoints.
pub(super) async fn disable(tx: &mut Tx, claimed: &Claimed, why: &str) -> Result<(), DbError> {
    let (tenant, endpoint) = (claimed.tenant, claimed.endpoint);
    if !partners::disable(tx, tenant, endpoint, why).await? {
        return Ok(());
    }
    tracing::warn!(reason = why, "an endpoint was disabled");
    metrics::counter!("partner_endpoints_disabled_total").increment(1);
    let (action, object) = ("webhook_endpoint.disabled", endpoint.to_string());
    let detail = json!({ "reason": why });
    audit::note(tx, tenant, ACTOR, action, Some(&object), &detail).await?;
    tell_others(tx, claimed, why).await
}

async fn tell_others(tx: &mut Tx, claimed: &Claimed, why: &str) -> Result<(), DbError> {
    let (tenant, kind) = (claimed.tenant, EventType::EndpointDisabled);
    let others: Vec<WebhookEndpointId> = partners::listeners(tx.conn(), tenant)
        .await?
        .iter()
        .filter(|other| other.enabled && other.filter.wants(kind))
        .map(|other| other.endpoint)
        .collect();
    let stamp = Stamp {
        id: tx.new_id::<PartnerEvent>(),
        event: kind,
        at: tx.now(),
    };
    let disabled = particulars::EndpointDisabled {
        endpoint_id: claimed.endpoint.to_string(),
        reason: why.to_owned(),
    };
    let payload =
        payload::endpoint_disabled(stamp, &disabled).map_err(|fault| DbError::Corrupt {
            what: "the payload of endpoint.disabled",
            fault: fault.to_string(),
        })?;
    let new = NewEvent {
        id: stamp.id,
        event: kind,
        recovery: None,
        payload: &payload,
        at: stamp.at,
    };
    partners::store(tx, tenant, &new).await?;
    let told = (stamp.id, kind);
    partners::tell(tx, tenant, told, &others, DeliveryCause::Event).await?;
    Ok(())
}
