//! `POST /v1/psp-connections/{id}/rotate`: new credentials, a new webhook secret, or both.
//!
//! New credentials are used from the next request to the PSP on, by every process:
//! each notices them by their sealed form. The webhook secret that is replaced
//! verifies on for `overlap_hours`, since the PSP signs with it until the merchant
//! has changed it there; other processes find the new one when a webhook does not
//! verify with what they kept.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use chrono::{DateTime, TimeDelta, Utc};
use db::Tx;
use db::connections::{self, Managed, Replacement};
use domain::id::ConnectionId;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::asked::{self, Given, Read};
use super::view::ConnectionView;
use super::{living, still_living, tried};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, before, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;

/// Hours that a replaced webhook secret verifies by itself, and at most.
const USUAL_HOURS: u32 = 24;
const MOST_HOURS: u32 = 720;

/// What takes the place of what is kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PspConnectionRotation)]
pub(crate) struct Wanted {
    /// New credentials of the same account, of the same mode.
    credentials: Option<Given>,
    /// The new webhook secret.
    #[schema(value_type = Option<String>, pattern = "^[!-~]{8,255}$", example = "whsec_example_secret")]
    webhook_secret: Option<SecretString>,
    /// Hours for which the webhook secret that is replaced verifies too.
    #[schema(minimum = 0, maximum = 720, default = 24)]
    overlap_hours: Option<u32>,
}

struct Checked {
    read: Option<Read>,
    secret: Option<SecretString>,
    overlap: TimeDelta,
}

impl Wanted {
    fn check(&self, connection: &Managed) -> Result<Checked, Problem> {
        let mut faults = Faults::default();
        if self.credentials.is_none() && self.webhook_secret.is_none() {
            faults.note("credentials", "or webhook_secret must be given");
        }
        let given = self.credentials.as_ref();
        let read = given.and_then(|given| given.read(connection.provider, &mut faults));
        let other = |read: &Read| connection.mode.is_some_and(|mode| mode != read.mode);
        if read.as_ref().is_some_and(other) {
            let fault = "are of another mode, live or test, than the connection's; \
                         end it and connect the account anew";
            faults.note("credentials", fault);
        }
        let hours = self.overlap_hours.unwrap_or(USUAL_HOURS);
        if hours > MOST_HOURS {
            faults.note("overlap_hours", format!("must be from 0 to {MOST_HOURS}"));
        }
        let secret = asked::webhook_secret(self.webhook_secret.as_ref(), &mut faults);
        faults.end()?;
        Ok(Checked {
            read,
            secret,
            overlap: TimeDelta::hours(hours.into()),
        })
    }
}

/// Replaces the secrets of a PSP connection.
#[utoipa::path(
    post,
    path = "/v1/psp-connections/{id}/rotate",
    tag = "Connections",
    params(IdempotencyKey, ("id" = words::ConnectionId, Path, description = "The connection.")),
    request_body = Wanted,
    responses(
        (status = 200, description = "The connection with its new secrets.", body = ConnectionView),
        (status = 404, description = "There is no such connection."),
        (status = 409, description = "The connection has ended."),
    ),
)]
pub(crate) async fn rotate(
    access: AdminAccess,
    id: Path<ConnectionId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    if let Some(reply) = before(&api, access.tenant, &body).await? {
        return Ok(reply.respond());
    }
    let known = {
        let mut conn = api.backbone.db.read().await?;
        still_living(connections::find_managed(&mut conn, access.tenant, *id).await?)?
    };
    let checked = wanted.check(&known)?;
    if let Some(read) = &checked.read {
        tried::must_hold(&api.vault.opener().psp(read.credentials.clone())).await?;
    }
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        let connection = checked.keep(&api, &access, tx, *id).await?;
        Reply::json(StatusCode::OK, &ConnectionView::new(connection, &api))
    });
    let reply = reply.await?;
    api.vault.forget(*id);
    Ok(reply.respond())
}

impl Checked {
    async fn keep(
        &self,
        api: &Api,
        access: &AdminAccess,
        tx: &mut Tx,
        id: ConnectionId,
    ) -> Result<Managed, Problem> {
        let tenant = access.tenant;
        living(tx, tenant, id).await?;
        let (row, opener) = ((tenant, id), api.vault.opener());
        let (read, mut rng) = (self.read.as_ref(), api.backbone.db.fork_rng());
        let credentials = read
            .map(|read| opener.seal_credentials(row, &read.credentials, &mut rng))
            .transpose()?;
        let secret = self.secret.as_ref().map(std::slice::from_ref);
        let secrets = secret
            .map(|secret| opener.seal_webhook_secrets(row, secret, &mut rng))
            .transpose()?;
        let until = (self.overlap > TimeDelta::zero()).then(|| tx.now() + self.overlap);
        let new = Replacement {
            credentials: credentials
                .as_deref()
                .zip(read.map(|read| read.hint.as_str())),
            webhook_secrets: secrets.as_deref().map(|sealed| (sealed, until)),
        };
        connections::replace(tx, tenant, id, &new).await?;
        self.note(access, tx, id, until).await?;
        let replaced = connections::find_managed(tx.conn(), tenant, id).await?;
        replaced.ok_or_else(|| Problem::not_found("connection"))
    }

    async fn note(
        &self,
        access: &AdminAccess,
        tx: &mut Tx,
        id: ConnectionId,
        until: Option<DateTime<Utc>>,
    ) -> Result<(), Problem> {
        let until = until.filter(|_| self.secret.is_some());
        let detail = json!({
            "credentials": self.read.is_some(),
            "webhook_secret": self.secret.is_some(),
            "older_webhook_secret_until": until,
        });
        let (caller, object) = (&access.caller, id.to_string());
        caller
            .note(tx, "psp_connection.rotated", &object, detail)
            .await?;
        Ok(())
    }
}
