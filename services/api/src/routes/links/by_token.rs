//! `GET /v1/recoveries/by_token/{token}`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::json;

use super::envelope::{Refusal, living, ok, refused};
use super::status;
use crate::app::Api;
use crate::problem::Problem;

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
    let transaction = db::transactions::find(&mut conn, tenant, recovery.transaction).await?;
    Ok(ok(json!({
        "transaction_ref": transaction.map(|found| found.transaction_ref),
        "status": status(&link, api.backbone.clock.now()),
        "attempt_id": link.id,
    })))
}
