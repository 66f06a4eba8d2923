//! `GET /pay/{token}`: what is owed, why it failed, and the way to pay.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::{trouble, visitor};
use crate::app::Api;
use crate::checkout::page::Notice;
use crate::checkout::{CheckoutError, Owed, Visit, visit};

/// Shows the payer what is owed, and the way to pay.
#[utoipa::path(
    method(get, head),
    path = "/pay/{token}",
    tag = "Payer",
    params(("token" = String, Path, description = "The link's token.", example = "zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE")),
    responses(
        (status = 200, description = "What is owed, and the way to pay.", content_type = "text/html", body = String),
        (status = 404, description = "No link has this token.", content_type = "text/html", body = String),
        (status = 410, description = "The link is over.", content_type = "text/html", body = String),
        (status = 429, description = "There were many requests from the network.", content_type = "text/html", body = String),
        (status = 503, description = "The payer is asked to come back.", content_type = "text/html", body = String),
    )
)]
pub(crate) async fn show(
    token: Path<String>,
    request: HttpRequest,
    api: Data<Api>,
) -> HttpResponse {
    match page(&api, &token, &request).await {
        Ok(page) => page,
        Err(error) => trouble(&api, &error),
    }
}

async fn page(
    api: &Api,
    token: &str,
    request: &HttpRequest,
) -> Result<HttpResponse, CheckoutError> {
    let notice = match visit(api, token).await? {
        Visit::Owed(owed) => {
            if visitor::is_person(request) {
                note_opened(api, &owed).await?;
            }
            return Ok(api.pages.pay(&owed));
        }
        Visit::Unknown => Notice::Unknown,
        Visit::Paid => Notice::Paid,
        Visit::Expired => Notice::Expired,
        Visit::Over => Notice::Over,
        Visit::Withdrawn => Notice::Withdrawn,
    };
    Ok(api.pages.notice(notice))
}

async fn note_opened(api: &Api, owed: &Owed) -> Result<(), CheckoutError> {
    if owed.link.opened_at.is_some() {
        return Ok(());
    }
    let (tenant, link) = (owed.link.tenant, &owed.link);
    let mut tx = api
        .backbone
        .db
        .begin(api.backbone.cause_by("payer"))
        .await?;
    if db::links::mark_opened(&mut tx, tenant, link.id).await? {
        let why = "The payer opened the link";
        let detail = json!({ "link_id": link.id, "channel": link.channel });
        db::timeline::announce(&mut tx, tenant, link.recovery, "link.opened", why, detail);
        tx.commit().await?;
    } else {
        tx.roll_back().await?;
    }
    Ok(())
}
