//! Retry policies, in the older contract's fields and as whole documents.

pub(crate) mod active;
pub(crate) mod make;

use domain::RetryPolicy;
use domain::id::RetryPolicyId;
use domain::policy::{ContractFields, PolicyDocument};
use serde::Serialize;

/// A policy: the older fields, and everything else under `document`.
#[derive(Serialize)]
pub(crate) struct PolicyView {
    id: RetryPolicyId,
    is_active: bool,
    #[serde(flatten)]
    fields: ContractFields,
    document: PolicyDocument,
}

impl PolicyView {
    fn active(id: RetryPolicyId, policy: &RetryPolicy) -> Self {
        Self {
            id,
            is_active: true,
            fields: policy.to_contract(),
            document: policy.document().clone(),
        }
    }
}
