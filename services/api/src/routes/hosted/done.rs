//! `GET /pay/{token}/done`: the payer is back from the PSP's page.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;

use super::trouble;
use crate::app::Api;
use crate::checkout::page::Notice;
use crate::checkout::{CheckoutError, Standing, Visit, settle, visit};

/// How often the page has asked by itself. PSPs add fields of their own, so
/// whatever else is there is left alone.
#[derive(Deserialize)]
pub(crate) struct Back {
    r#try: Option<String>,
}

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
    };
    Ok(api.pages.notice(notice))
}
