//! `POST /v1/webhooks/razorpay/{connection_id}`, and without the id: Razorpay's
//! events name their account.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use domain::Provider;
use domain::id::ConnectionId;

use super::receive::{Addressee, Delivery, receive};
use crate::app::Api;
use crate::conduct::body::Body;
use crate::problem::Problem;

const SIGNATURE: &str = "x-razorpay-signature";
const EVENT_ID: &str = "x-razorpay-event-id";

pub(crate) async fn by_connection(
    connection: Path<ConnectionId>,
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let to = Addressee::Connection(connection.into_inner());
    receive(&api, to, &delivery(&request, &body)).await
}

pub(crate) async fn by_account(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    receive(&api, Addressee::Account, &delivery(&request, &body)).await
}

fn delivery<'a>(request: &'a HttpRequest, body: &'a Body) -> Delivery<'a> {
    let event_id = Some(EVENT_ID);
    Delivery::new(
        Provider::Razorpay,
        request,
        SIGNATURE,
        event_id,
        &body.bytes,
    )
}
