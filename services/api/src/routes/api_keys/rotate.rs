//! `POST /v1/auth/api-keys/{id}/rotate`: a new key with the old one's name and scopes.
//! The old one works on for `overlap_hours`, so that nothing stands still meanwhile.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use chrono::{DateTime, TimeDelta, Utc};
use db::Tx;
use domain::id::ApiKeyId;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::key::NewKey;
use crate::conduct::body::Body;
use crate::problem::{FieldFault, Problem};

/// Hours that both keys work by themselves, and at most.
const USUAL_HOURS: u32 = 24;
const MOST_HOURS: u32 = 720;

#[derive(Deserialize, Default)]
struct Wanted {
    overlap_hours: Option<u32>,
    expires_at: Option<DateTime<Utc>>,
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

pub(crate) async fn rotate(
    access: AdminAccess,
    id: Path<ApiKeyId>,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&body, api.backbone.clock.now())?;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    match wanted.replace(&api, &mut tx, &access, *id).await {
        Ok(answer) => {
            tx.commit().await?;
            Ok(HttpResponse::Created().json(answer))
        }
        Err(problem) => {
            tx.roll_back().await?;
            Err(problem)
        }
    }
}

impl Wanted {
    async fn replace(
        &self,
        api: &Api,
        tx: &mut Tx,
        access: &AdminAccess,
        id: ApiKeyId,
    ) -> Result<Value, Problem> {
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
        Ok(json!({
            "id": next,
            "name": name,
            "key": key.secret.expose_secret(),
            "prefix": shown,
            "scopes": scopes,
            "created_at": tx.now(),
            "expires_at": expires_at,
            "replaces": id,
            "replaced_works_until": old.expires_at.map_or(until, |at| at.min(until)),
        }))
    }
}
