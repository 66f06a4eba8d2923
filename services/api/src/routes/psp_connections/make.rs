//! `POST /v1/psp-connections`: an account is connected, once its PSP has accepted
//! the credentials.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::connections::{self, Managed, NewConnection};
use db::{DbError, Tx};
use domain::Provider;
use domain::state::ConnectionCheck;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::asked::{self, Given, Read};
use super::tried;
use super::view::ConnectionView;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, before, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;

/// Longest id of an account, in characters.
const LONGEST_ACCOUNT_ID: usize = 128;

/// An account to connect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPspConnection)]
pub(crate) struct Wanted {
    /// Which PSP.
    #[schema(value_type = words::Provider)]
    provider: Provider,
    /// The account's id at the PSP: `acct_…` at Stripe, `acc_…` at Razorpay.
    #[schema(pattern = "^[A-Za-z0-9_]{1,128}$", example = "acct_1NcXyz2eZvKYlo2C")]
    account_id: String,
    /// What to call it.
    #[schema(min_length = 1, max_length = 128, example = "Shop in Pune")]
    name: Option<String>,
    /// The account's credentials.
    credentials: Given,
    /// What the PSP signs its webhooks with. The PSP may tell it only once it knows
    /// the `webhook_url`: then it is given later, by `…/rotate`.
    #[schema(value_type = Option<String>, pattern = "^[!-~]{8,255}$", example = "whsec_example_secret")]
    webhook_secret: Option<SecretString>,
}

struct Checked {
    name: Option<String>,
    read: Read,
    webhook_secrets: Vec<SecretString>,
}

impl Wanted {
    fn check(&self) -> Result<Checked, Problem> {
        let mut faults = Faults::default();
        let id = &self.account_id;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !(1..=LONGEST_ACCOUNT_ID).contains(&id.len()) || !id.bytes().all(plain) {
            let fault = format!("must be 1 to {LONGEST_ACCOUNT_ID} letters, digits and _");
            faults.note("account_id", fault);
        }
        let name = asked::name(self.name.as_deref(), &mut faults);
        let read = self.credentials.read(self.provider, &mut faults);
        let secret = asked::webhook_secret(self.webhook_secret.as_ref(), &mut faults);
        faults.end()?;
        let missing = || Problem::invalid_field("credentials", "are missing");
        Ok(Checked {
            name,
            read: read.ok_or_else(missing)?,
            webhook_secrets: secret.into_iter().collect(),
        })
    }
}

/// Connects an account at a PSP.
///
/// The PSP is asked whether it accepts the credentials: where it does not, 422
/// names the field; where it cannot be asked, 503, and nothing is kept. An account
/// that was connected before and ended is connected again under its id.
#[utoipa::path(
    post,
    path = "/v1/psp-connections",
    tag = "Connections",
    params(IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 201, description = "The account is connected. Set `webhook_url` at the PSP.", body = ConnectionView),
        (status = 409, description = "The account is connected already."),
    ),
)]
pub(crate) async fn make(
    access: AdminAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    let checked = wanted.check()?;
    if let Some(reply) = before(&api, access.tenant, &body).await? {
        return Ok(reply.respond());
    }
    let psp = api.vault.opener().psp(checked.read.credentials.clone());
    tried::must_hold(&psp).await?;
    let cause = access.caller.cause(&api);
    let mut changed = None;
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        let made = wanted.keep(&api, &access, tx, &checked).await?;
        changed = Some(made.id);
        Reply::json(StatusCode::CREATED, &ConnectionView::new(made, &api))
    });
    let reply = reply.await?;
    if let Some(id) = changed {
        api.vault.forget(id);
    }
    Ok(reply.respond())
}

impl Wanted {
    async fn keep(
        &self,
        api: &Api,
        access: &AdminAccess,
        tx: &mut Tx,
        checked: &Checked,
    ) -> Result<Managed, Problem> {
        let (tenant, provider) = (access.tenant, self.provider);
        let account = self.account_id.as_str();
        let known = connections::lock_by_account(tx, tenant, provider, account).await?;
        if let Some(known) = known.filter(|known| known.ended_at.is_none() && !known.stopped) {
            let fault = format!("is connected already, as {}", known.id);
            return Err(Problem::conflict("account_id", fault));
        }
        let id = connections::id_for(tx, tenant, provider, account).await?;
        let (row, opener) = ((tenant, id), api.vault.opener());
        let (read, mut rng) = (&checked.read, api.backbone.db.fork_rng());
        let credentials = opener.seal_credentials(row, &read.credentials, &mut rng)?;
        let secrets = opener.seal_webhook_secrets(row, &checked.webhook_secrets, &mut rng)?;
        let new = NewConnection {
            id,
            provider,
            account_id: account,
            credentials_sealed: &credentials,
            webhook_secrets_sealed: &secrets,
            name: checked.name.as_deref(),
            mode: Some(read.mode),
            hint: Some(&read.hint),
            check: ConnectionCheck::Verified,
        };
        connections::put(tx, tenant, &new).await?;
        let detail = json!({ "provider": provider, "account_id": account, "mode": read.mode });
        let (caller, object) = (&access.caller, id.to_string());
        caller
            .note(tx, "psp_connection.made", &object, detail)
            .await?;
        let made = connections::find_managed(tx.conn(), tenant, id).await?;
        let lost = || DbError::Corrupt {
            what: "psp_connections",
            fault: "the row is not there right after it was written".to_owned(),
        };
        Ok(made.ok_or_else(lost)?)
    }
}
