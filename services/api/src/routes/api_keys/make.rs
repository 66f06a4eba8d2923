//! `POST /v1/auth/api-keys`: the key is in the answer, this once.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use crate::app::Api;
use crate::auth::AdminAccess;
use crate::auth::key::NewKey;
use crate::auth::scope::Scope;
use crate::conduct::body::Body;
use crate::problem::{FieldFault, Problem};

/// Longest name, in characters.
const LONGEST_NAME: usize = 128;

#[derive(Deserialize)]
struct Wanted {
    name: String,
    #[serde(default = "usual_scopes")]
    scopes: Vec<Scope>,
    expires_at: Option<DateTime<Utc>>,
}

fn usual_scopes() -> Vec<Scope> {
    vec![Scope::Read, Scope::Write]
}

impl Wanted {
    fn check(&self, now: DateTime<Utc>) -> Result<(), Problem> {
        let mut faults = Vec::new();
        if !(1..=LONGEST_NAME).contains(&self.name.trim().chars().count()) {
            let fault = format!("must have 1 to {LONGEST_NAME} characters");
            faults.push(FieldFault::new("name", fault));
        }
        if self.scopes.is_empty() {
            faults.push(FieldFault::new("scopes", "must name at least one"));
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            faults.push(FieldFault::new("expires_at", "must be in the future"));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(faults))
        }
    }
}

pub(crate) async fn make(
    access: AdminAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    wanted.check(api.backbone.clock.now())?;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let key = NewKey::generate(api.environment, tx.rng());
    let (name, scopes) = (wanted.name.trim(), Scope::names(&wanted.scopes));
    let (shown, expires_at) = (key.shown_prefix.as_str(), wanted.expires_at);
    let tenant = access.tenant;
    let id =
        db::api_keys::add(&mut tx, tenant, name, shown, &key.hash, &scopes, expires_at).await?;
    let created_at = tx.now();
    let detail = json!({ "name": name, "scopes": scopes, "expires_at": expires_at });
    let object = id.to_string();
    access
        .caller
        .note(&mut tx, "api_key.made", &object, detail)
        .await?;
    tx.commit().await?;
    Ok(HttpResponse::Created().json(json!({
        "id": id,
        "name": name,
        "key": key.secret.expose_secret(),
        "prefix": shown,
        "scopes": scopes,
        "created_at": created_at,
        "expires_at": expires_at,
    })))
}
