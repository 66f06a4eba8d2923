//! Invitations: an address, a role, and a link by mail.

pub(crate) mod accept;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod revoke;

use chrono::{DateTime, Utc};
use db::user_codes::invitations::StoredInvitation;
use domain::id::UserCodeId;
use domain::{NotificationState, Role};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::openapi::words;

#[derive(OpenApi)]
#[openapi(paths(make::make, list::list, revoke::revoke, accept::accept))]
pub(crate) struct Documented;

/// An invitation that was neither accepted nor revoked. Its link is in the mail alone.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationView {
    #[schema(value_type = words::UserCodeId)]
    id: UserCodeId,
    /// Whom.
    #[schema(format = "email")]
    email: String,
    /// What they will be.
    #[schema(value_type = words::Role)]
    role: Role,
    /// `pending`, or `expired`: then it can only be made anew.
    #[schema(example = "pending")]
    state: &'static str,
    /// How far the mail has come: `queued`, `handing_over`, `sent`, `failed`,
    /// `unconfirmed` (nobody can say) or `withdrawn`.
    #[schema(value_type = words::NotificationState)]
    mail_state: NotificationState,
    /// The user or key that made it.
    #[schema(required)]
    made_by: Option<String>,
    created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    expires_at: DateTime<Utc>,
}

impl InvitationView {
    fn new(stored: &StoredInvitation, now: DateTime<Utc>) -> Self {
        let expired = stored.expires_at <= now;
        Self {
            id: stored.id,
            email: stored.email.clone(),
            role: stored.role,
            state: if expired { "expired" } else { "pending" },
            mail_state: stored.mail,
            made_by: stored.made_by.clone(),
            created_at: stored.created_at,
            expires_at: stored.expires_at,
        }
    }
}
