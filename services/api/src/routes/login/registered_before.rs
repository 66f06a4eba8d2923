//! A registration that is sent again with its `Idempotency-Key` gets the answer to
//! the first, whose connection may have dropped. It holds an access token, a refresh
//! token and perhaps a key, so it is kept sealed, and with it the fingerprint of the
//! request, which is of a password too.

use actix_web::http::StatusCode;
use db::registrations::{self, Subject};
use db::{Conn, Tenant, Tx};
use domain::EmailAddress;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::app::Api;
use crate::conduct::body::Body;
use crate::conduct::idempotency::Reply;
use crate::problem::Problem;

/// Bytes of a fingerprint.
const FINGERPRINT: usize = 32;

/// A key, and what was asked under it.
pub(super) struct Key {
    subject: Subject,
    fingerprint: [u8; FINGERPRINT],
}

impl Key {
    /// Of a registration with this address.
    pub(super) fn of(body: &Body, email: &EmailAddress) -> Result<Option<Self>, Problem> {
        let asked = body.asked.text()?;
        Ok(asked.map(|(key, fingerprint)| Self {
            subject: Sha256::digest(format!("{}\n{key}", email.expose()).as_bytes()).into(),
            fingerprint: *fingerprint,
        }))
    }

    /// The answer that was given before.
    pub(super) async fn answered(
        &self,
        api: &Api,
        conn: &mut Conn,
    ) -> Result<Option<Reply>, Problem> {
        let Some(sealed) = registrations::find(conn, &self.subject).await? else {
            return Ok(None);
        };
        let opened = api.kept_answers.open(&sealed, &self.context());
        let opened = opened.map_err(|error| {
            tracing::error!(%error, "a kept answer does not open; answered with 500");
            Problem::internal()
        })?;
        let kept = opened.expose_secret().split_at_checked(FINGERPRINT);
        let (fingerprint, body) = kept.ok_or_else(Problem::internal)?;
        if fingerprint != self.fingerprint {
            return Err(Problem::idempotency_mismatch());
        }
        Ok(Some(Reply::again(StatusCode::CREATED, body.to_vec())))
    }

    /// Holds the key until `tx` ends.
    pub(super) async fn hold(&self, tx: &mut Tx) -> Result<(), Problem> {
        if registrations::lock(tx, &self.subject).await? {
            Ok(())
        } else {
            Err(Problem::idempotency_in_flight())
        }
    }

    /// Keeps the answer, in the transaction of its effect.
    pub(super) async fn keep(
        &self,
        api: &Api,
        tx: &mut Tx,
        tenant: Tenant,
        reply: &Reply,
    ) -> Result<(), Problem> {
        let kept = [self.fingerprint.as_slice(), reply.body()].concat();
        let rng = &mut api.backbone.db.fork_rng();
        let sealed = api.kept_answers.seal(&kept, &self.context(), rng);
        let sealed = sealed.map_err(|error| {
            tracing::error!(%error, "an answer cannot be kept; answered with 500");
            Problem::internal()
        })?;
        registrations::keep(tx, tenant, &self.subject, &sealed).await?;
        Ok(())
    }

    /// What it is sealed for: it opens in no other row.
    fn context(&self) -> Vec<u8> {
        [b"registration ".as_slice(), &self.subject].concat()
    }
}
