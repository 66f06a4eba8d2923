//! `POST /v1/webhooks/stripe/{connection_id}`, and without the id for events of
//! connected accounts, which name theirs.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use domain::Provider;
use domain::id::ConnectionId;

use super::Received;
use super::receive::{Addressee, Delivery, receive};
use crate::app::Api;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;

const SIGNATURE: &str = "stripe-signature";

/// Takes in an event of Stripe's.
#[utoipa::path(
    post,
    path = "/v1/webhooks/stripe/{connection_id}",
    tag = "Webhooks in",
    params(("connection_id" = words::ConnectionId, Path, description = "For which connection."), ("Stripe-Signature" = String, Header, description = "Proves that Stripe sent it.")),
    request_body(content = Object, content_type = "application/json", description = "An event, as Stripe writes it."),
    responses(
        (status = 200, description = "It is committed, or was before.", body = Received),
        (status = 400, description = "It is not genuine, or does not read."),
        (status = 404, description = "There is no such connection."),
    )
)]
pub(crate) async fn by_connection(
    connection: Path<ConnectionId>,
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let to = Addressee::Connection(connection.into_inner());
    receive(&api, to, &delivery(&request, &body)).await
}

/// Takes in an event of Stripe's, for the account that it names.
#[utoipa::path(
    post,
    path = "/v1/webhooks/stripe",
    tag = "Webhooks in",
    params(("Stripe-Signature" = String, Header, description = "Proves that Stripe sent it.")),
    request_body(content = Object, content_type = "application/json", description = "An event, as Stripe writes it."),
    responses(
        (status = 200, description = "It is committed, or was before.", body = Received),
        (status = 400, description = "It is not genuine, or does not read."),
        (status = 404, description = "There is no such connection."),
    )
)]
pub(crate) async fn by_account(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    receive(&api, Addressee::Account, &delivery(&request, &body)).await
}

fn delivery<'a>(request: &'a HttpRequest, body: &'a Body) -> Delivery<'a> {
    Delivery::new(Provider::Stripe, request, SIGNATURE, None, &body.bytes)
}
