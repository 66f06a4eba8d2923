//! `POST /v1/auth/register`: an organization with its first administrator, who is
//! logged in at once. Whether the address is somebody's already plays no part.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use db::organizations::{self, StoredOrganization};
use db::sessions::Method;
use db::users::{self, NewUser, StoredUser};
use db::{Tenant, Tx};
use domain::id::ApiKeyId;
use domain::{EmailAddress, Role};
use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::email;
use super::registered_before::Key;
use crate::app::Api;
use crate::auth::key::NewKey;
use crate::auth::lockout::{Try, Trying};
use crate::auth::password;
use crate::auth::scope::Scope;
use crate::auth::session::{self, LoggedIn, Origin};
use crate::conduct::body::Body;
use crate::conduct::idempotency::Reply;
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};

/// Longest names, in characters: what the tables take.
const LONGEST_ORGANIZATION: usize = 200;
const LONGEST_NAME: usize = 128;
/// Longest slug.
const LONGEST_SLUG: usize = 63;

/// An organization, and its first administrator.
#[derive(Deserialize, ToSchema)]
#[schema(as = Registration)]
struct Wanted {
    #[schema(max_length = 320, example = "asha@shop.example")]
    email: String,
    /// At least ten characters that are not easily guessed.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 1_024, example = "correct horse battery")]
    password: SecretString,
    #[schema(min_length = 1, max_length = 128, example = "Asha Rao")]
    full_name: Option<String>,
    #[schema(min_length = 1, max_length = 200, example = "Shop & Sons")]
    org_name: String,
    /// Its name in addresses; made of `org_name` when left out.
    #[schema(
        min_length = 1,
        max_length = 63,
        pattern = "^[a-z0-9][a-z0-9-]*$",
        example = "shop-and-sons"
    )]
    org_slug: Option<String>,
    /// Makes an API key of this name too.
    #[schema(min_length = 1, max_length = 128)]
    api_key_name: Option<String>,
    /// The key's; `read` and `write` when left out.
    #[schema(min_items = 1)]
    api_scopes: Option<Vec<Scope>>,
}

/// A key that was made with the organization. It is shown this once.
#[derive(Serialize, ToSchema)]
struct RegisteredKey {
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
}

/// The session that begins with it, and the key if one was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Registered)]
struct Registered {
    #[serde(flatten)]
    login: LoggedIn,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    api_key: Option<RegisteredKey>,
}

/// Registers an organization with its first administrator.
#[utoipa::path(
    post,
    path = "/v1/auth/register",
    tag = "Login",
    params(IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 201, description = "It is registered, and its administrator is logged in.", body = Registered),
        (status = 403, description = "Nobody may register here."),
        (status = 409, description = "The slug is another organization's."),
    )
)]
pub(crate) async fn register(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    if !api.open_registration {
        let who = "organizations are registered by whoever runs this installation";
        return Err(Problem::not_offered(who));
    }
    let wanted: Wanted = body.json()?;
    let email = wanted.check()?;
    let from = Origin::of(&request, &api);
    let key = Key::of(&body, &email)?;
    let mut conn = api.backbone.db.read().await?;
    let now = api.backbone.clock.now();
    let account = email.expose();
    let tried = Try::begin(&mut conn, Trying::Registration, account, from.address, now).await?;
    if !tried.allowed {
        return Err(Problem::too_many_tries(Trying::Registration.seconds()));
    }
    if let Some(key) = &key
        && let Some(earlier) = key.answered(&api, &mut conn).await?
    {
        return Ok(earlier.respond());
    }
    // Not held while the password is hashed.
    drop(conn);
    let mut rng = api.backbone.db.fork_rng();
    let hash = api
        .passwords
        .hash(wanted.password.clone(), &mut rng)
        .await?;
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    let about = (&email, &hash, key.as_ref());
    let worked = wanted.make_once(&api, &mut tx, about, &from).await;
    let reply = tx.end(worked).await?;
    Ok(reply.respond())
}

impl Wanted {
    fn check(&self) -> Result<EmailAddress, Problem> {
        let mut faults = Vec::new();
        let mut within = |field: &str, text: Option<&str>, most: usize| {
            let Some(text) = text.map(str::trim) else {
                return;
            };
            if !(1..=most).contains(&text.chars().count()) {
                let fault = format!("must have 1 to {most} characters");
                faults.push(FieldFault::new(field, fault));
            } else if text.chars().any(char::is_control) {
                // They go into mails and onto pages, one line each.
                faults.push(FieldFault::new(field, "must be one line"));
            }
        };
        within("org_name", Some(&self.org_name), LONGEST_ORGANIZATION);
        within("full_name", self.full_name.as_deref(), LONGEST_NAME);
        within("api_key_name", self.api_key_name.as_deref(), LONGEST_NAME);
        if self.org_slug.as_deref().is_some_and(|slug| !is_slug(slug)) {
            let fault = format!(
                "must have 1 to {LONGEST_SLUG} of a to z, 0 to 9 and dashes, and not begin with a dash"
            );
            faults.push(FieldFault::new("org_slug", fault));
        }
        if self.api_scopes.as_ref().is_some_and(Vec::is_empty) {
            faults.push(FieldFault::new("api_scopes", "must name at least one"));
        }
        let email = email(&self.email).ok();
        match &email {
            None => faults.push(FieldFault::new(
                "email",
                "expected one email address of the form name@domain",
            )),
            Some(email) => {
                let names = [
                    self.org_name.trim(),
                    self.full_name.as_deref().unwrap_or(""),
                ];
                if let Some(fault) = password::fault(&self.password, email, &names) {
                    faults.push(FieldFault::new("password", fault));
                }
            }
        }
        match email {
            Some(email) if faults.is_empty() => Ok(email),
            _ => Err(Problem::invalid(faults)),
        }
    }

    /// Of two at once with one key, the second is told to come again, or finds the
    /// first one's answer.
    async fn make_once(
        &self,
        api: &Api,
        tx: &mut Tx,
        (email, hash, key): (&EmailAddress, &SecretString, Option<&Key>),
        from: &Origin,
    ) -> Result<Reply, Problem> {
        if let Some(key) = key {
            key.hold(tx).await?;
            if let Some(earlier) = key.answered(api, tx.conn()).await? {
                return Ok(earlier);
            }
        }
        let (tenant, registered) = self.make(api, tx, email, hash, from).await?;
        let reply = Reply::secret(StatusCode::CREATED, &registered)?;
        if let Some(key) = key {
            key.keep(api, tx, tenant, &reply).await?;
        }
        Ok(reply)
    }

    async fn make(
        &self,
        api: &Api,
        tx: &mut Tx,
        email: &EmailAddress,
        hash: &SecretString,
        from: &Origin,
    ) -> Result<(Tenant, Registered), Problem> {
        let (tenant, organization) = self.organization(tx).await?;
        let new = NewUser {
            email: email.expose(),
            full_name: self.full_name.as_deref().map(str::trim),
            role: Role::Admin,
            password_hash: Some(hash),
        };
        let user = users::add(tx, tenant, &new).await?;
        // A new organization has nobody of that address.
        let user = user.ok_or_else(Problem::internal)?;
        let actor = user.id.to_string();
        let object = tenant.organization().to_string();
        let detail = json!({ "slug": organization.slug, "user_id": user.id });
        let action = "organization.registered";
        db::audit::note(tx, tenant, &actor, action, Some(&object), &detail).await?;
        let api_key = self.key(api, tx, tenant, &user).await?;
        let who = (tenant, &user, &organization);
        let login = session::begin(api, tx, who, Method::Registration, from).await?;
        Ok((tenant, Registered { login, api_key }))
    }

    /// A slug that was asked for must be free; one of our making is made so.
    async fn organization(&self, tx: &mut Tx) -> Result<(Tenant, StoredOrganization), Problem> {
        let name = self.org_name.trim();
        if let Some(slug) = &self.org_slug {
            let made = organizations::register(tx, name, slug).await?;
            return made.ok_or_else(|| Problem::conflict("org_slug", "is another organization's"));
        }
        let plain = slug_of(name);
        if !plain.is_empty()
            && let Some(made) = organizations::register(tx, name, &plain).await?
        {
            return Ok(made);
        }
        let random: u64 = tx.rng().random();
        let slug = format!(
            "{}-{random:016x}",
            if plain.is_empty() { "org" } else { &plain }
        );
        let made = organizations::register(tx, name, &slug).await?;
        made.ok_or_else(|| Problem::unavailable("no free slug was found; nothing has changed"))
    }

    async fn key(
        &self,
        api: &Api,
        tx: &mut Tx,
        tenant: Tenant,
        user: &StoredUser,
    ) -> Result<Option<RegisteredKey>, Problem> {
        let Some(name) = self.api_key_name.as_deref().map(str::trim) else {
            return Ok(None);
        };
        let key = NewKey::generate(api.environment, tx.rng());
        let usual = vec![Scope::Read, Scope::Write];
        let scopes = Scope::names(self.api_scopes.as_ref().unwrap_or(&usual));
        let shown = key.shown_prefix.as_str();
        let id = db::api_keys::add(tx, tenant, name, shown, &key.hash, &scopes, None).await?;
        let (actor, object) = (user.id.to_string(), id.to_string());
        let detail = json!({ "name": name, "scopes": scopes });
        db::audit::note(tx, tenant, &actor, "api_key.made", Some(&object), &detail).await?;
        Ok(Some(RegisteredKey {
            id,
            name: name.to_owned(),
            key: key.secret.expose_secret().to_owned(),
            prefix: shown.to_owned(),
            scopes,
        }))
    }
}

fn is_slug(text: &str) -> bool {
    (1..=LONGEST_SLUG).contains(&text.len())
        && !text.starts_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What a name is in an address: its ASCII letters and digits, with dashes
/// between; empty where it has none. Leaves room for a suffix.
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for char in name.chars().flat_map(char::to_lowercase) {
        if char.is_ascii_alphanumeric() {
            slug.push(char);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(LONGEST_SLUG - 17);
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_makes_a_slug_that_the_table_takes() {
        for (name, slug) in [
            ("Chai & Sons Pvt. Ltd.", "chai-sons-pvt-ltd"),
            ("  --Ünder 9-- ", "nder-9"),
            ("चाय", ""),
        ] {
            assert_eq!(slug_of(name), slug);
        }
        let long = slug_of(&"a ".repeat(200));
        assert!(is_slug(&long) && is_slug(&format!("{long}-0123456789abcdef")));
    }

    #[test]
    fn what_is_no_slug_is_refused() {
        for text in ["", "-a", "A", "a b", "a_b", "ä", &"a".repeat(64)] {
            assert!(!is_slug(text), "{text}");
        }
        assert!(is_slug("a-1-") && is_slug("0"));
    }
}
