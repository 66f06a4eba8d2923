//! Retry policies, in the older contract's fields and as whole documents.

pub(crate) mod active;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod retire;
pub(crate) mod show;
pub(crate) mod simulate;

use chrono::{DateTime, Utc};
use db::DbError;
use db::policies::StoredPolicy;
use domain::RetryPolicy;
use domain::id::RetryPolicyId;
use domain::policy::{ContractFields, PolicyDocument};
use serde::Serialize;

/// A policy: the older fields, and everything else under `document`.
#[derive(Serialize)]
pub(crate) struct PolicyView {
    id: RetryPolicyId,
    /// Counts up with each change.
    version: i32,
    is_active: bool,
    created_at: DateTime<Utc>,
    #[serde(flatten)]
    fields: ContractFields,
    document: PolicyDocument,
}

impl PolicyView {
    /// A version as stored. One that no longer reads is a fault of ours.
    fn of(stored: &StoredPolicy) -> Result<Self, DbError> {
        let policy =
            RetryPolicy::from_json(&stored.document).map_err(|fault| DbError::Corrupt {
                what: "retry_policies.document",
                fault: fault.to_string(),
            })?;
        Ok(Self {
            id: stored.id,
            version: stored.version,
            is_active: stored.is_active,
            created_at: stored.created_at,
            fields: policy.to_contract(),
            document: policy.document().clone(),
        })
    }
}
