//! The OpenAPI 3.1 document of every route, put together from the code.
//!
//! A handler says what is particular to it: summary, parameters, bodies, the answers
//! that its own story has. What holds for all is added by `complete`, from
//! [`crate::auth::permissions`] and the operation itself: who may call, the problems
//! that any such request may be answered with, the headers of every answer.
//!
//! # To document a route
//!
//! Put `#[utoipa::path(…)]` above the handler, list it in `Documented` of its module
//! under `routes/`, and list a new module's in [`document`]. An answer of 400 and
//! above for which no body is named has a [`Problem`](crate::problem) for its body.
//! Types of `crates/domain`, which knows no framework, have stand-ins in [`words`]:
//! `#[schema(value_type = words::RecoveryId)]`. Then `scripts/check-openapi --write`.
//!
//! A test fails for a route without its documentation, for documentation without its
//! route, and for an answer in any test that the document does not allow.

mod complete;
mod examples;
mod headers;
pub(crate) mod parameters;
mod policy;
mod problems;
mod tags;
mod webhooks;
pub mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::OpenApi;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::{Info, License, OpenApi as Document, OpenApiBuilder, Server};

use crate::routes;

const ABOUT: &str = "\
Tinko wins failed payments back. A partner reports a payment that failed (or lets the PSP's webhooks do it), and Tinko \
writes to the payer at the right time, with a link to pay; every step can be read and stopped here.

**Who calls.** An API key (`sk_…`) as `Authorization: Bearer` or `X-API-Key`, or the access token of a person who has \
logged in as `Authorization: Bearer`. A route's security names the scope that a key needs and the role that a person \
needs; each takes in the lesser ones (`read` < `write` < `admin`; `analyst` < `operator` < `admin`).

**Faults** are problem details (RFC 9457); `type` is stable, and `errors` has one entry for every field at fault. A 503 \
changed nothing: come back after `Retry-After` seconds.

**Money** is in minor units of its currency (`129950` of `INR` is ₹1,299.50), **times** are RFC 3339, **ids** are text \
with a prefix that tells their kind; a bare UUID is taken too.

**Limits** hold for each organization, and for each of its keys and people; `RateLimit` tells how they stand, and more \
is answered with 429 and `Retry-After`. **Unchanged** answers need not be sent again: send the `ETag` as `If-None-Match`.

**Lists** come in pages: `next_cursor` of one page is the `cursor` of the next, and is null on the last; the `Link` \
header has the next page's whole address.";

/// The whole document.
pub fn document() -> Document {
    let mut document = OpenApiBuilder::new()
        .info(about())
        .servers(Some([Server::new("/")]))
        .build();
    for group in groups() {
        document.merge(group);
    }
    document.tags = Some(tags::all());
    complete::complete(&mut document);
    document
}

/// What each module under `routes/` documents.
fn groups() -> Vec<Document> {
    vec![
        routes::login::Documented::openapi(),
        routes::passwords::Documented::openapi(),
        routes::invitations::Documented::openapi(),
        routes::organization::Documented::openapi(),
        routes::sessions::Documented::openapi(),
        routes::users::Documented::openapi(),
        routes::me::Documented::openapi(),
        routes::api_keys::Documented::openapi(),
        routes::audit::Documented::openapi(),
        routes::events::Documented::openapi(),
        routes::transactions::Documented::openapi(),
        routes::stream::Documented::openapi(),
        routes::recoveries::Documented::openapi(),
        routes::links::Documented::openapi(),
        routes::classify::Documented::openapi(),
        routes::policies::Documented::openapi(),
        routes::templates::Documented::openapi(),
        routes::consents::Documented::openapi(),
        routes::recon::Documented::openapi(),
        routes::webhooks::Documented::openapi(),
        routes::hosted::Documented::openapi(),
        routes::unsubscribe::Documented::openapi(),
        routes::notifications::Documented::openapi(),
        routes::attempts::Documented::openapi(),
        routes::customer::Documented::openapi(),
        routes::retry::Documented::openapi(),
        routes::schedule::Documented::openapi(),
        routes::maintenance::Documented::openapi(),
        routes::psp_connections::Documented::openapi(),
        routes::analytics::Documented::openapi(),
        routes::exports::Documented::openapi(),
        routes::suppressions::Documented::openapi(),
        routes::event_types::Documented::openapi(),
        routes::webhook_endpoints::Documented::openapi(),
        routes::webhook_deliveries::Documented::openapi(),
        routes::probes::Documented::openapi(),
        routes::docs::Documented::openapi(),
    ]
}

fn about() -> Info {
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    let mut info = Info::new("Tinko", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    info.license = Some(license);
    info
}

/// The document as it is served.
pub(crate) struct Rendered {
    pub(crate) json: String,
    /// Changes with it.
    pub(crate) etag: String,
}

/// Put together once a process.
pub(crate) static RENDERED: LazyLock<Rendered> = LazyLock::new(|| {
    let json = json();
    let etag = hex::encode(&Sha256::digest(&json)[..16]);
    Rendered { json, etag }
});

/// The document with what `utoipa` has no field for.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    document: Document,
    /// What partners are sent.
    webhooks: BTreeMap<String, PathItem>,
}

/// The document's text, as `docs/openapi.json` has it.
pub fn json() -> String {
    let whole = Whole {
        document: document(),
        webhooks: webhooks::all(),
    };
    serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
}
