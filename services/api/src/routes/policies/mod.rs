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
    /// A version as stored.
    fn of(stored: &StoredPolicy) -> Result<Self, DbError> {
        let policy = stored.read()?;
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
