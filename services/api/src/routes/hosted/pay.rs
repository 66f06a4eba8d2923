//! `POST /pay/{token}/checkout`: on to the PSP's page.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::{trouble, visitor};
use crate::app::Api;
use crate::checkout::page::Notice;
use crate::checkout::{Begun, CheckoutError, Visit, begin, visit};

/// Sends the payer on to the PSP's page.
#[utoipa::path(
    post,
    path = "/pay/{token}/checkout",
    tag = "Payer",
    params(("token" = String, Path, description = "The link's token.", example = "zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE")),
    responses(
        (status = 303, description = "To the PSP's page.", headers(("Location" = String, description = "That page."))),
        (status = 200, description = "There is nothing to pay any more.", content_type = "text/html", body = String),
        (status = 403, description = "The form is from another site.", content_type = "text/html", body = String),
        (status = 404, description = "No link has this token.", content_type = "text/html", body = String),
        (status = 409, description = "The payment is being tried right now.", content_type = "text/html", body = String),
        (status = 410, description = "The link is over.", content_type = "text/html", body = String),
        (status = 429, description = "There were many requests from the network.", content_type = "text/html", body = String),
        (status = 503, description = "The payer is asked to come back.", content_type = "text/html", body = String),
    )
)]
pub(crate) async fn start(
    token: Path<String>,
    request: HttpRequest,
    api: Data<Api>,
) -> HttpResponse {
    if !visitor::is_own_form(&request, &api.public_base_url) {
        return api.pages.notice(Notice::Foreign);
    }
    match next(&api, &token).await {
        Ok(Begun::Go(url)) => HttpResponse::SeeOther()
            .insert_header((LOCATION, url.as_str()))
            .finish(),
        Ok(Begun::Stop(notice)) => api.pages.notice(notice),
        Err(error) => trouble(&api, &error),
    }
}

async fn next(api: &Api, token: &str) -> Result<Begun, CheckoutError> {
    Ok(Begun::Stop(match visit(api, token).await? {
        Visit::Owed(owed) => return begin(api, &owed).await,
        Visit::Unknown => Notice::Unknown,
        Visit::Paid => Notice::Paid,
        Visit::Expired => Notice::Expired,
        Visit::Over => Notice::Over,
        Visit::Withdrawn => Notice::Withdrawn,
    }))
}
