//! `GET /unsubscribe/{token}`: asks first. Mail gateways follow links, and must
//! not unsubscribe anybody by that.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use domain::token::{self, LinkToken};

use crate::app::Api;
use crate::checkout::page::Notice;
use crate::problem::Problem;

/// Asks whether the payer wants no more email.
#[utoipa::path(
    get,
    path = "/unsubscribe/{token}",
    tag = "Payer",
    params(("token" = String, Path, description = "The link's token.", example = "zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE")),
    responses(
        (status = 200, description = "The question.", content_type = "text/html", body = String),
        (status = 404, description = "No link has this token.", content_type = "text/html", body = String),
        (status = 500, description = "Something went wrong on Tinko's side."),
        (status = 503, description = "The service is short of something for a moment."),
    )
)]
pub(crate) async fn show(token: Path<String>, api: Data<Api>) -> Result<HttpResponse, Problem> {
    let Ok(token) = LinkToken::parse(&token) else {
        return Ok(api.pages.notice(Notice::Unknown));
    };
    let mut conn = api.backbone.db.read().await?;
    let link = db::links::by_token_hash(&mut conn, &token::hash(&token)).await?;
    let Some(link) = link else {
        return Ok(api.pages.notice(Notice::Unknown));
    };
    let merchant = db::organizations::name(&mut conn, link.tenant).await?;
    Ok(api.pages.ask_to_unsubscribe(token.expose(), &merchant))
}
