//! `api seed`: an organization with its policy, connections and an API key, from
//! JSON on standard input. Run again with the same slug it updates what changed
//! and makes one key more; earlier keys go on working.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::Context;
use backbone::Backbone;
use connections::Sealed;
use db::connections::NewConnection;
use db::{Tenant, Tx};
use domain::RetryPolicy;
use domain::id::{ConnectionId, OrganizationId};
use domain::policy::PolicyDocument;
use domain::state::ConnectionCheck;
use psp::Credentials;
use runtime::clock::SystemClock;
use seal::Keyring;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::auth::key::NewKey;
use crate::auth::scope::Scope;
use crate::settings::Settings;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    organization: Organization,
    policy: Option<PolicyDocument>,
    #[serde(default = "every_scope")]
    api_key_scopes: Vec<Scope>,
    #[serde(default)]
    connections: Vec<Connection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Organization {
    name: String,
    slug: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connection {
    provider: domain::Provider,
    account_id: String,
    credentials: serde_json::Value,
    webhook_secrets: Vec<SecretString>,
}

fn every_scope() -> Vec<Scope> {
    vec![Scope::Read, Scope::Write, Scope::Admin]
}

#[derive(Serialize)]
struct Made {
    organization_id: OrganizationId,
    api_key: String,
    connections: BTreeMap<&'static str, MadeConnection>,
}

#[derive(Serialize)]
struct MadeConnection {
    id: ConnectionId,
}

/// Seeds, and prints one line of JSON: `organization_id`, `api_key`, and the id
/// of each connection by its provider.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let made = from_json(settings, &text).await?;
    #[expect(clippy::print_stdout, reason = "the command's answer")]
    {
        println!("{made}");
    }
    Ok(())
}

/// Seeds what the JSON describes; answers what [`run`] prints.
pub async fn from_json(settings: &Settings, text: &str) -> anyhow::Result<String> {
    let wanted: Wanted =
        serde_json::from_str(text).context("the JSON of what to seed does not read")?;
    let made = seed(settings, wanted).await?;
    Ok(serde_json::to_string(&made)?)
}

async fn seed(settings: &Settings, wanted: Wanted) -> anyhow::Result<Made> {
    let keyring = settings.connections.keyring()?;
    let clock = SystemClock::shared();
    let (backbone, _relay) = Backbone::connect("seed", &settings.backbone, clock).await?;
    let mut tx = backbone.db.begin(backbone.cause()).await?;
    let Organization { name, slug } = &wanted.organization;
    let (tenant, _new) = db::organizations::ensure(&mut tx, name, slug).await?;
    if let Some(document) = wanted.policy {
        follow_policy(&mut tx, tenant, document).await?;
    }
    let mut connections = BTreeMap::new();
    for connection in &wanted.connections {
        let id = connect(&mut tx, tenant, &keyring, connection).await?;
        connections.insert(connection.provider.as_str(), MadeConnection { id });
    }
    let key = NewKey::generate(settings.common.environment, tx.rng());
    let scopes = Scope::names(&wanted.api_key_scopes);
    db::api_keys::add(
        &mut tx,
        tenant,
        "seed",
        &key.shown_prefix,
        &key.hash,
        &scopes,
        None,
    )
    .await?;
    tx.commit().await?;
    Ok(Made {
        organization_id: tenant.organization(),
        api_key: key.secret.expose_secret().to_owned(),
        connections,
    })
}

/// A policy that is in force already is not made a new version.
async fn follow_policy(
    tx: &mut Tx,
    tenant: Tenant,
    document: PolicyDocument,
) -> anyhow::Result<()> {
    let policy = RetryPolicy::from_document(document)?;
    let json = policy.to_json();
    let active = db::policies::active(tx.conn(), tenant).await?;
    if active.is_none_or(|active| active.document != json) {
        db::policies::activate(tx, tenant, &policy.document().name, &json).await?;
    }
    Ok(())
}

async fn connect(
    tx: &mut Tx,
    tenant: Tenant,
    keyring: &Keyring,
    wanted: &Connection,
) -> anyhow::Result<ConnectionId> {
    let credentials = credentials(wanted)?;
    let id = db::connections::id_for(tx, tenant, wanted.provider, &wanted.account_id).await?;
    let row = (tenant, id);
    let secrets = &wanted.webhook_secrets;
    let sealed = Sealed::new(keyring, row, &credentials, secrets, &mut rand::rng())?;
    let connection = NewConnection {
        id,
        provider: wanted.provider,
        account_id: &wanted.account_id,
        credentials_sealed: &sealed.credentials,
        webhook_secrets_sealed: &sealed.webhook_secrets,
        name: None,
        mode: None,
        hint: None,
        check: ConnectionCheck::Unverified,
    };
    db::connections::put(tx, tenant, &connection).await?;
    Ok(id)
}

/// The provider need not be said twice.
fn credentials(wanted: &Connection) -> anyhow::Result<Credentials> {
    let mut json = wanted.credentials.clone();
    json["provider"] = wanted.provider.as_str().into();
    serde_json::from_value(json).with_context(|| {
        format!(
            "the credentials of the {} account {} do not read",
            wanted.provider, wanted.account_id
        )
    })
}
