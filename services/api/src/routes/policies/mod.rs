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
use utoipa::{OpenApi, ToSchema};

use crate::openapi::words;

#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    make::make,
    simulate::simulate,
    active::show,
    show::show,
    retire::retire
))]
pub(crate) struct Documented;

/// A policy: the older fields, and everything else under `document`.
#[derive(Serialize, ToSchema)]
#[schema(as = RetryPolicy)]
pub(crate) struct PolicyView {
    #[schema(value_type = words::RetryPolicyId)]
    id: RetryPolicyId,
    /// Counts up with each change.
    version: i32,
    is_active: bool,
    created_at: DateTime<Utc>,
    #[serde(flatten)]
    #[schema(value_type = words::PolicyFields)]
    fields: ContractFields,
    #[schema(value_type = words::PolicyDocument)]
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
