//! `POST /v1/auth/api-keys`: the key is in the answer, this once.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
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

/// Longest name, in characters.
const LONGEST_NAME: usize = 128;

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[schema(as = ApiKeyToMake)]
struct Wanted {
    #[schema(min_length = 1, max_length = 128, example = "shop backend")]
    name: String,
    #[serde(default = "usual_scopes")]
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// In the future; never when left out.
    expires_at: Option<DateTime<Utc>>,
}

/// A key that was made. It is shown this once.
#[derive(Serialize, ToSchema)]
struct MadeKey {
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
        } else if self.name.trim().chars().any(char::is_control) {
            faults.push(FieldFault::new("name", "must be one line"));
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

/// Makes a key, which is shown this once.
#[utoipa::path(
    post,
    path = "/v1/auth/api-keys",
    tag = "API keys",
    params(IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 201, description = "The key.", body = MadeKey),
    )
)]
pub(crate) async fn make(
    access: AdminAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    wanted.check(api.backbone.clock.now())?;
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        wanted.add(&api, tx, &access).await
    });
    Ok(reply.await?.respond())
}

impl Wanted {
    async fn add(&self, api: &Api, tx: &mut Tx, access: &AdminAccess) -> Result<Reply, Problem> {
        let key = NewKey::generate(api.environment, tx.rng());
        let (name, scopes) = (self.name.trim(), Scope::names(&self.scopes));
        let (shown, expires_at) = (key.shown_prefix.as_str(), self.expires_at);
        let tenant = access.tenant;
        let id = db::api_keys::add(tx, tenant, name, shown, &key.hash, &scopes, expires_at).await?;
        let detail = json!({ "name": name, "scopes": scopes, "expires_at": expires_at });
        let object = id.to_string();
        access
            .caller
            .note(tx, "api_key.made", &object, detail)
            .await?;
        Reply::secret(
            StatusCode::CREATED,
            &MadeKey {
                id,
                name: name.to_owned(),
                key: key.secret.expose_secret().to_owned(),
                prefix: shown.to_owned(),
                scopes,
                created_at: tx.now(),
                expires_at,
            },
        )
    }
}
