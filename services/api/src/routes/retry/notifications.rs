//! `GET /v1/retry/attempts/{id}/notifications`: the messages of one attempt, in the
//! older contract's words.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use db::notifications::{StoredNotification, Wanted};
use domain::id::NotificationId;
use domain::{Channel, NotificationState};
use serde::Serialize;
use utoipa::ToSchema;

use super::which::Which;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::conduct::observe;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::notifications::view::address;

/// A recovery has fewer messages.
const MOST: i64 = 200;

/// A message in the older contract's words.
#[derive(Serialize, ToSchema)]
#[schema(as = RetryNotification)]
pub(crate) struct MessageView {
    /// The message.
    #[schema(value_type = words::NotificationId)]
    id: NotificationId,
    /// By which way.
    #[schema(value_type = words::Channel)]
    channel: Channel,
    /// To whom; masked for all but administrators.
    #[schema(example = "a***@example.com")]
    recipient: String,
    /// Where it stands.
    #[schema(value_type = words::NotificationState)]
    status: NotificationState,
    /// Who carries it.
    provider: Option<String>,
    /// When the provider took it.
    sent_at: Option<DateTime<Utc>>,
    /// When it arrived, by the provider's word.
    delivered_at: Option<DateTime<Utc>>,
    /// When it was refused or came back.
    failed_at: Option<DateTime<Utc>>,
    /// What went wrong.
    error_message: Option<String>,
    /// When it was asked for.
    created_at: DateTime<Utc>,
}

/// Lists the messages of an attempt, oldest first.
#[utoipa::path(
    get,
    path = "/v1/retry/attempts/{id}/notifications",
    tag = "Attempts",
    params(("id" = words::AttemptOrLinkId, Path, description = "The attempt, or the link.")),
    responses(
        (status = 200, description = "Its messages; a charge has none.", body = Vec<MessageView>),
        (status = 404, description = "There is no such attempt."),
    ),
)]
pub(crate) async fn list(
    access: ReadAccess,
    id: Path<String>,
    api: Data<Api>,
) -> Result<Json<Vec<MessageView>>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let which = Which::found(&mut conn, access.tenant, &id).await?;
    observe::about_recovery(which.recovery());
    let wanted = Wanted {
        recovery: Some(which.recovery()),
        limit: MOST,
        ..Wanted::default()
    };
    let found = db::notifications::list(&mut conn, access.tenant, &wanted).await?;
    let own = found.into_iter().rev().filter(|it| which.sent(it));
    let view = |it: StoredNotification| MessageView {
        id: it.id,
        channel: it.channel,
        recipient: address(&it, &access.caller),
        status: it.state,
        provider: it.provider,
        sent_at: it.sent_at,
        delivered_at: it.delivered_at,
        failed_at: it.failed_at,
        error_message: it.error,
        created_at: it.created_at,
    };
    Ok(Json(own.map(view).collect()))
}
