//! `GET /pay/{token}/done`: the payer is back from the PSP's page.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::trouble;
use crate::app::Api;
use crate::checkout::page::Notice;
use crate::checkout::{CheckoutError, Standing, Visit, settle, visit};

/// How often the page has asked by itself. PSPs add fields of their own, so
/// whatever else is there is left alone.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Back {
    /// How often the page has asked.
    r#try: Option<String>,
}

/// Shows the payer who is back from the PSP's page what came of it.
#[utoipa::path(
    get,
    path = "/pay/{token}/done",
    tag = "Payer",
    params(("token" = String, Path, description = "The link's token.", example = "zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE"), Back),
    responses(
        (status = 303, description = "Nothing was paid: back to what is owed.", headers(("Location" = String, description = "The page of the link."))),
        (status = 200, description = "What is owed, and the way to pay.", content_type = "text/html", body = String),
        (status = 404, description = "No link has this token.", content_type = "text/html", body = String),
        (status = 410, description = "The link is over.", content_type = "text/html", body = String),
        (status = 429, description = "There were many requests from the network.", content_type = "text/html", body = String),
        (status = 503, description = "The payer is asked to come back.", content_type = "text/html", body = String),
    )
)]
pub(crate) async fn show(token: Path<String>, back: Query<Back>, api: Data<Api>) -> HttpResponse {
    let tries = back.r#try.as_deref().and_then(|text| text.parse().ok());
    match page(&api, &token, tries.unwrap_or(0)).await {
        Ok(page) => page,
        Err(error) => trouble(&api, &error),
    }
}

async fn page(api: &Api, token: &str, tries: u32) -> Result<HttpResponse, CheckoutError> {
    let notice = match visit(api, token).await? {
        Visit::Owed(owed) => match settle(api, &owed).await? {
            Standing::Paid => Notice::Paid,
            Standing::Underway => return Ok(api.pages.confirming(token, tries)),
            Standing::Unpaid => {
                let page = api.public_url(&format!("/pay/{}", owed.token.expose()));
                return Ok(HttpResponse::SeeOther()
                    .insert_header((LOCATION, page.as_str()))
                    .finish());
            }
        },
        Visit::Paid => Notice::Paid,
        Visit::Unknown => Notice::Unknown,
        Visit::Expired => Notice::Expired,
        Visit::Over => Notice::Over,
        Visit::Withdrawn => Notice::Withdrawn,
    };
    Ok(api.pages.notice(notice))
}
