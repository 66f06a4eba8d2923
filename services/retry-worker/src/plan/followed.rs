//! The policy that a recovery follows.

use db::policies::StoredPolicy;
use db::recoveries::StoredRecovery;
use db::{DbError, Tx};
use domain::experiment::VariantName;
use domain::id::RetryPolicyId;
use domain::policy::{PolicyError, RetryPolicy};

/// The policy that a recovery follows, its variant's changes made.
pub(crate) struct Followed {
    pub(crate) policy: RetryPolicy,
    /// Its id and version; none for the default policy.
    pub(crate) version: Option<(RetryPolicyId, i32)>,
}

/// The policy version that the recovery opened with, else the default one, as
/// its variant has it. A stored document was checked when it was stored; one
/// that no longer reads is a fault of ours and fails the work rather than guess
/// with somebody's money.
pub(crate) async fn followed(tx: &mut Tx, recovery: &StoredRecovery) -> Result<Followed, DbError> {
    let stored = match recovery.policy {
        Some(id) => db::policies::find(tx.conn(), recovery.tenant, id).await?,
        None => None,
    };
    let Some(stored) = stored else {
        return Ok(Followed {
            policy: RetryPolicy::default(),
            version: None,
        });
    };
    let policy =
        read(&stored, recovery.assigned.variant.as_deref()).map_err(|fault| DbError::Corrupt {
            what: "retry_policies.document",
            fault: fault.to_string(),
        })?;
    Ok(Followed {
        policy,
        version: Some((stored.id, stored.version)),
    })
}

fn read(stored: &StoredPolicy, variant: Option<&str>) -> Result<RetryPolicy, PolicyError> {
    let variant = variant
        .map(VariantName::parse)
        .transpose()
        .map_err(|fault| PolicyError {
            field: "experiment.variants".to_owned(),
            fault: fault.to_string(),
        })?;
    RetryPolicy::from_json(&stored.document)?.of_variant(variant.as_ref())
}
