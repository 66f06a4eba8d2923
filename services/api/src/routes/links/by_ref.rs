//! `GET /v1/recoveries/by_ref/{ref}`: the links of one transaction. The tokens
//! are for those who may make links; others see the states.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use domain::id::{RecoveryId, RecoveryLinkId, TransactionId};
use domain::{TransactionRef, token};
use serde::Serialize;
use utoipa::ToSchema;

use super::status;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::auth::scope::Scope;
use crate::openapi::words;
use crate::problem::Problem;

/// A payer's way to pay.
#[derive(Serialize, ToSchema)]
#[schema(as = Link)]
pub(crate) struct LinkView {
    /// The link's id, under the name that it always had.
    #[schema(value_type = words::RecoveryLinkId)]
    attempt_id: RecoveryLinkId,
    #[schema(value_type = words::TransactionId)]
    transaction_id: TransactionId,
    #[schema(value_type = words::RecoveryId)]
    recovery_id: RecoveryId,
    channel: String,
    #[schema(pattern = "^(created|opened|completed|expired|cancelled)$")]
    status: &'static str,
    /// For those who may make links; null for others.
    #[schema(required)]
    token: Option<String>,
    /// Where the payer goes; for those who may make links.
    #[schema(required)]
    url: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    #[schema(required)]
    opened_at: Option<DateTime<Utc>>,
}

/// Lists the links of one transaction.
#[utoipa::path(
    get,
    path = "/v1/recoveries/by_ref/{ref}",
    tag = "Links",
    params(("ref" = String, Path, description = "The transaction's reference, as the partner has it.", example = "order-1042")),
    responses(
        (status = 200, description = "All of them; none for a reference that is not known.", body = Vec<LinkView>),
    )
)]
pub(crate) async fn list(
    access: ReadAccess,
    reference: Path<String>,
    api: Data<Api>,
) -> Result<Json<Vec<LinkView>>, Problem> {
    let Ok(reference) = TransactionRef::parse(&reference) else {
        return Ok(Json(Vec::new()));
    };
    let mut conn = api.backbone.db.read().await?;
    let found = db::transactions::by_ref(&mut conn, access.tenant, &reference).await?;
    let Some(transaction) = found else {
        return Ok(Json(Vec::new()));
    };
    let links = db::links::of_transaction(&mut conn, access.tenant, transaction.id).await?;
    let (now, shown) = (api.backbone.clock.now(), access.caller.may(Scope::Write));
    let views = links.into_iter().map(|link| {
        let token = shown.then(|| token::derive(&api.link_key, link.id));
        let token = token.map(|token| token.expose().to_owned());
        LinkView {
            attempt_id: link.id,
            transaction_id: transaction.id,
            recovery_id: link.recovery,
            status: status(&link, now),
            url: token
                .as_deref()
                .map(|token| api.public_url(&format!("/pay/{token}")).to_string()),
            token,
            channel: link.channel,
            created_at: link.created_at,
            expires_at: link.expires_at,
            opened_at: link.opened_at,
        }
    });
    Ok(Json(views.collect()))
}
