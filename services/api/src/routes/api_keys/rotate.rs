//! `POST /v1/auth/api-keys/{id}/rotate`: a new key with the old one's name and scopes.
//! The old one works on for `overlap_hours`, so that nothing stands still meanwhile.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use chrono::{DateTime, TimeDelta, Utc};
use db::Tx;
use domain::id::ApiKeyId;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::key::NewKey;
use crate::auth::scope::Scope;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};

/// Hours that both keys work by themselves, and at most.
const USUAL_HOURS: u32 = 24;
const MOST_HOURS: u32 = 720;

/// How a key is followed by the next.
#[derive(Deserialize, Default, ToSchema)]
#[schema(as = ApiKeyToRotate)]
struct Wanted {
    /// Hours that the old one works on.
    #[schema(maximum = 720, default = 24)]
    overlap_hours: Option<u32>,
    /// Of the new key, in the future.
    expires_at: Option<DateTime<Utc>>,
}

/// A key that takes another's place. It is shown this once.
#[derive(Serialize, ToSchema)]
struct RotatedKey {
    #[schema(value_type = words::ApiKeyId)]
    id: ApiKeyId,
    name: String,
    /// What is sent with requests.
    #[schema(example = "sk_test_…")]
    key: String,
    /// How it begins, to tell it by.
    prefix: String,
    #[schema(value_type = Vec<Scope>)]
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// The one before it.
    #[schema(value_type = words::ApiKeyId)]
    replaces: ApiKeyId,
    replaced_works_until: DateTime<Utc>,
}

impl Wanted {
    /// An empty body asks for the usual.
    fn read(body: &Body, now: DateTime<Utc>) -> Result<Self, Problem> {
        let wanted: Self = if body.bytes.is_empty() {
            Self::default()
        } else {
            body.json()?
        };
        let mut faults = Vec::new();
        if wanted.overlap_hours.is_some_and(|hours| hours > MOST_HOURS) {
            let fault = format!("must be from 0 to {MOST_HOURS}");
            faults.push(FieldFault::new("overlap_hours", fault));
        }
        if wanted.expires_at.is_some_and(|at| at <= now) {
            faults.push(FieldFault::new("expires_at", "must be in the future"));
        }
        if faults.is_empty() {
            Ok(wanted)
        } else {
            Err(Problem::invalid(faults))
        }
    }
}

/// Makes a new key in the place of one, which works on for a while.
#[utoipa::path(
    post,
    path = "/v1/auth/api-keys/{id}/rotate",
    tag = "API keys",
    params(("id" = words::ApiKeyId, Path, description = "Which one."), IdempotencyKey),
    request_body(content = Option<Wanted>, description = "The usual when left out."),
    responses(
        (status = 201, description = "The new key.", body = RotatedKey),
        (status = 404, description = "There is no such living key."),
        (status = 409, description = "It was replaced already."),
    )
)]
pub(crate) async fn rotate(
    access: AdminAccess,
    id: Path<ApiKeyId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&body, api.backbone.clock.now())?;
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        let answer = wanted.replace(&api, tx, &access, *id).await?;
        Reply::secret(StatusCode::CREATED, &answer)
    });
    Ok(reply.await?.respond())
}

impl Wanted {
    async fn replace(
        &self,
        api: &Api,
        tx: &mut Tx,
        access: &AdminAccess,
        id: ApiKeyId,
    ) -> Result<RotatedKey, Problem> {
        let tenant = access.tenant;
        let old = db::api_keys::lock(tx, tenant, id).await?;
        let old = old.ok_or_else(|| Problem::not_found("living API key"))?;
        if let Some(next) = old.replaced_by {
            let fault = format!("was replaced already, by {next}");
            return Err(Problem::conflict("id", fault));
        }
        // Without another wish, a key that lives for a while is followed by one
        // that lives as long.
        let life = old.expires_at.map(|at| at - old.created_at);
        let expires_at = self.expires_at.or(life.map(|life| tx.now() + life));
        let hours = self.overlap_hours.unwrap_or(USUAL_HOURS);
        let until = tx.now() + TimeDelta::hours(hours.into());
        let key = NewKey::generate(api.environment, tx.rng());
        let (name, shown, scopes) = (&old.name, &key.shown_prefix, &old.scopes);
        let next =
            db::api_keys::add(tx, tenant, name, shown, &key.hash, scopes, expires_at).await?;
        db::api_keys::replace(tx, tenant, id, next, until).await?;
        let detail = json!({ "replaced_by": next, "works_until": until });
        let object = id.to_string();
        access
            .caller
            .note(tx, "api_key.rotated", &object, detail)
            .await?;
        Ok(RotatedKey {
            id: next,
            name: old.name,
            key: key.secret.expose_secret().to_owned(),
            prefix: key.shown_prefix,
            scopes: old.scopes,
            created_at: tx.now(),
            expires_at,
            replaces: id,
            replaced_works_until: old.expires_at.map_or(until, |at| at.min(until)),
        })
    }
}
