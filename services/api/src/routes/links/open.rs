//! `POST /v1/recoveries/by_token/{token}/open`

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::envelope::{Envelope, living, ok, refused};
use crate::app::Api;
use crate::problem::Problem;

/// When a link was opened first.
#[derive(Serialize, ToSchema)]
struct LinkOpened {
    #[schema(pattern = "^opened$")]
    status: &'static str,
    opened_at: DateTime<Utc>,
}

/// Notes that the payer opened a link.
#[utoipa::path(
    post,
    path = "/v1/recoveries/by_token/{token}/open",
    tag = "Links",
    params(("token" = String, Path, description = "The link's token.", example = "zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE")),
    responses(
        (status = 200, description = "When it was opened first; `ok` says whether it can be used.", body = Envelope<Option<LinkOpened>>),
    )
)]
pub(crate) async fn open(token: Path<String>, api: Data<Api>) -> Result<HttpResponse, Problem> {
    let link = match living(&api, &token).await? {
        Ok(link) => link,
        Err(refusal) => return Ok(refused(refusal)),
    };
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("payer"))
        .await?;
    let now = tx.now();
    if db::links::mark_opened(&mut tx, link.tenant, link.id).await? {
        let why = "The payer opened the link";
        let detail = json!({ "link_id": link.id, "channel": link.channel });
        let (tenant, recovery) = (link.tenant, link.recovery);
        db::timeline::announce(&mut tx, tenant, recovery, "link.opened", why, detail);
        tx.commit().await?;
    } else {
        tx.roll_back().await?;
    }
    Ok(ok(LinkOpened {
        status: "opened",
        opened_at: link.opened_at.unwrap_or(now),
    }))
}
