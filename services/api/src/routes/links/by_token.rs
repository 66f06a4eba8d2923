//! `GET /v1/recoveries/by_token/{token}`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::TransactionRef;
use domain::id::RecoveryLinkId;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, Refusal, living, ok, refused};
use super::status;
use crate::app::Api;
use crate::openapi::words;
use crate::problem::Problem;

/// A link, as far as its payer may know.
#[derive(Serialize, ToSchema)]
struct LinkShown {
    #[schema(value_type = Option<String>, required)]
    transaction_ref: Option<TransactionRef>,
    #[schema(pattern = "^(created|opened)$")]
    status: &'static str,
    #[schema(value_type = words::RecoveryLinkId)]
    attempt_id: RecoveryLinkId,
}

/// Shows a link to a payer's frontend.
#[utoipa::path(
    get,
    path = "/v1/recoveries/by_token/{token}",
    tag = "Links",
    params(("token" = String, Path, description = "The link's token.", example = "zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE")),
    responses(
        (status = 200, description = "What is paid by it; `ok` says whether it can be used.", body = Envelope<Option<LinkShown>>),
    )
)]
pub(crate) async fn show(token: Path<String>, api: Data<Api>) -> Result<HttpResponse, Problem> {
    let link = match living(&api, &token).await? {
        Ok(link) => link,
        Err(refusal) => return Ok(refused(refusal)),
    };
    let tenant = link.tenant;
    let mut conn = api.backbone.db.read().await?;
    let recovery = db::recoveries::find(&mut conn, tenant, link.recovery).await?;
    let Some(recovery) = recovery else {
        return Ok(refused(Refusal::NotFound));
    };
    let transaction = db::transactions::find(&conn, tenant, recovery.transaction).await?;
    Ok(ok(LinkShown {
        transaction_ref: transaction.map(|found| found.transaction_ref),
        status: status(&link, api.backbone.clock.now()),
        attempt_id: link.id,
    }))
}
