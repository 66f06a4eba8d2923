//! The policy that a recovery follows.

use domain::id::RetryPolicyId;
use domain::policy::RetryPolicy;

use crate::recoveries::StoredRecovery;
use crate::{Conn, DbError, policies};

/// The policy that a recovery follows, its variant's changes made.
pub struct Followed {
    /// Its rules.
    pub policy: RetryPolicy,
    /// Its id and version; none for the default policy.
    pub version: Option<(RetryPolicyId, i32)>,
}

/// The policy version that the recovery opened with, else the default one, as
/// its variant has it. A stored one that no longer reads fails the work rather
/// than guess with somebody's money.
pub async fn followed(conn: &Conn, recovery: &StoredRecovery) -> Result<Followed, DbError> {
    let stored = match recovery.policy {
        Some(id) => policies::find(conn, recovery.tenant, id).await?,
        None => None,
    };
    let Some(stored) = stored else {
        return Ok(Followed {
            policy: RetryPolicy::default(),
            version: None,
        });
    };
    let policy = stored.of_variant(recovery.assigned.arm.variant.as_ref())?;
    Ok(Followed {
        policy,
        version: Some((stored.id, stored.version)),
    })
}
