//! Codes and links that are mailed to people, and the links that come back.

use actix_web::{HttpRequest, HttpResponse};
use contracts::Message;
use db::Tx;
use db::user_codes::{self, NewCode, OpenLink};
use domain::id::UserCodeId;
use domain::user_code::{self, UserToken};
use domain::{CodePurpose, EmailAddress};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

use super::lockout::{Try, Trying};
use super::password;
use super::session::Origin;
use crate::app::Api;
use crate::problem::{FieldFault, Problem};

/// Longest token that is looked at, in characters.
const LONGEST: usize = 128;

/// The answer to whoever asks for a mail, whoever they are.
#[derive(Serialize, ToSchema)]
#[schema(as = MailRequested)]
pub(crate) struct Asked {
    detail: &'static str,
}

/// The token's hash, where `purpose` has a token.
pub(crate) fn token_hash(api: &Api, purpose: CodePurpose, id: UserCodeId) -> Option<[u8; 32]> {
    let token = || UserToken::derive(&api.link_key, id).hash();
    purpose.is_link().then(token)
}

/// Mails a code or a link to whoever logs in by that address. Statements and answer
/// are the same for an address that is nobody's, and for one that has asked too
/// often; the mail itself is written and sent by the notifier.
pub(crate) async fn mail(
    api: &Api,
    request: &HttpRequest,
    (purpose, trying): (CodePurpose, Trying),
    email: &EmailAddress,
    slug: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let from = Origin::of(request, api);
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    let now = tx.now();
    let named = account(email, slug);
    let tried = Try::begin(tx.conn(), trying, &named, from.address, now).await?;
    let id = tx.new_id();
    let hash = token_hash(api, purpose, id);
    let new = NewCode {
        id,
        purpose,
        token_hash: hash.as_ref(),
    };
    let whose = (email.expose(), slug);
    let made = user_codes::make_for_address(&mut tx, whose, tried.allowed, &new).await?;
    if let Some(tenant) = made {
        tx.emit(tenant, Message::UserMailRequested { code: id });
    }
    tx.commit_evenly().await?;
    Ok(HttpResponse::Accepted().json(Asked {
        detail: "if there is such a user, a mail is on its way",
    }))
}

/// What tries are counted by: the address, and the organization where it is named.
pub(crate) fn account(email: &EmailAddress, organization: Option<&str>) -> String {
    format!("{} {}", email.expose(), organization.unwrap_or_default())
}

/// A link that came back, with the password that is to hold from now on.
pub(crate) struct Returned {
    /// What the link leads to.
    pub(crate) link: OpenLink,
    hash: [u8; 32],
    purpose: CodePurpose,
    /// The password's hash.
    pub(crate) password: SecretString,
}

impl Returned {
    /// Looks the link up, and hashes the password if it may be one. `names` are what
    /// the password must not be besides. No transaction is open meanwhile.
    pub(crate) async fn read(
        api: &Api,
        purpose: CodePurpose,
        (token, chosen): (&SecretString, &SecretString),
        names: &[&str],
    ) -> Result<Self, Problem> {
        let token = token.expose_secret();
        if token.len() > LONGEST {
            return Err(refused());
        }
        let hash = user_code::hash(token);
        let mut conn = api.backbone.db.read().await?;
        let now = api.backbone.clock.now();
        let link = user_codes::find_link(&mut conn, &hash, purpose, now).await?;
        // Not held while the password is hashed.
        drop(conn);
        let link = link.ok_or_else(refused)?;
        // What is stored was an address when it was.
        let email = EmailAddress::parse(&link.email).map_err(|_| Problem::internal())?;
        let own = link.full_name.as_deref().into_iter();
        let mut all: Vec<&str> = own.chain([link.organization_name.as_str()]).collect();
        all.extend_from_slice(names);
        if let Some(fault) = password::fault(chosen, &email, &all) {
            return Err(Problem::invalid(vec![FieldFault::new("password", fault)]));
        }
        let mut rng = api.backbone.db.fork_rng();
        let password = api.passwords.hash(chosen.clone(), &mut rng).await?;
        Ok(Self {
            link,
            hash,
            purpose,
            password,
        })
    }

    /// Uses the link up, within `tx`. Of two at once, one gets it.
    pub(crate) async fn use_up(&self, tx: &mut Tx) -> Result<OpenLink, Problem> {
        if let Some(user) = self.link.user {
            db::users::lock(tx, self.link.tenant, user).await?;
        }
        let link = user_codes::lock_link(tx, &self.hash, self.purpose).await?;
        let link = link.ok_or_else(refused)?;
        user_codes::tried(tx, Some(link.id), true).await?;
        Ok(link)
    }
}

fn refused() -> Problem {
    Problem::unauthorized(
        "the link is unknown, was used or replaced, or has expired; ask for another",
    )
}
