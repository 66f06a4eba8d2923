//! What the older contract called an attempt: the step of a recovery or, where a link
//! was made, the link. So a link's id does as well as an attempt's.

use db::notifications::StoredNotification;
use db::{Conn, Tenant};
use domain::id::{AttemptId, RecoveryId, RecoveryLinkId};

use crate::problem::Problem;

/// What a path names.
pub(super) enum Which {
    Attempt(AttemptId, RecoveryId),
    Link(RecoveryLinkId, RecoveryId),
}

impl Which {
    /// The organization's attempt or link of that id.
    pub(super) async fn found(conn: &mut Conn, tenant: Tenant, id: &str) -> Result<Self, Problem> {
        if let Ok(id) = id.parse()
            && let Some(attempt) = db::attempts::find(conn, tenant, id).await?
        {
            return Ok(Self::Attempt(id, attempt.recovery));
        }
        if let Ok(id) = id.parse()
            && let Some(link) = db::links::find(conn, tenant, id).await?
        {
            return Ok(Self::Link(id, link.recovery));
        }
        Err(Problem::not_found("attempt"))
    }

    pub(super) const fn recovery(&self) -> RecoveryId {
        match self {
            Self::Attempt(_, recovery) | Self::Link(_, recovery) => *recovery,
        }
    }

    /// Whether the message belongs to it.
    pub(super) fn sent(&self, message: &StoredNotification) -> bool {
        match self {
            Self::Attempt(id, _) => message.attempt == *id,
            Self::Link(id, _) => message.link == *id,
        }
    }
}
