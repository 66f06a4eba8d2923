//! The caller, proved by a key.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, dev};
use chrono::TimeDelta;
use db::Tenant;
use domain::id::ApiKeyId;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::key::{PREFIX, hash};
use super::scope::Scope;
use crate::app::Api;
use crate::conduct::observe;
use crate::problem::Problem;

/// Longest key looked at, in characters.
const LONGEST: usize = 128;

/// Who calls: a living key of an active organization.
pub struct Caller {
    /// Whose data it may touch.
    pub tenant: Tenant,
    /// The key.
    pub key: ApiKeyId,
    /// What it may do.
    pub scopes: Vec<String>,
}

impl Caller {
    /// Whether the caller may do what `scope` names.
    pub fn may(&self, scope: Scope) -> bool {
        scope.is_within(&self.scopes)
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let key = presented(request);
        let api = request.app_data::<Data<Api>>().cloned();
        async move {
            let api = api.ok_or_else(Problem::internal)?;
            let key = key.ok_or_else(|| {
                Problem::unauthorized("send Authorization: Bearer sk_… or X-API-Key")
            })?;
            authenticate(&api, &key).await
        }
        .boxed_local()
    }
}

fn presented(request: &HttpRequest) -> Option<String> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let bearer = || {
        let (scheme, key) = header(AUTHORIZATION.as_str())?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    };
    let key = header("x-api-key").or_else(bearer)?;
    (key.starts_with(PREFIX) && key.len() <= LONGEST).then(|| key.to_owned())
}

async fn authenticate(api: &Api, key: &str) -> Result<Caller, Problem> {
    let now = api.backbone.clock.now();
    let mut conn = api.backbone.db.read().await?;
    let found = db::api_keys::authenticate(&mut conn, &hash(key), now).await?;
    let (tenant, stored) =
        found.ok_or_else(|| Problem::unauthorized("the key is unknown, expired or revoked"))?;
    let stale = stored
        .last_used_at
        .is_none_or(|used| now - used > TimeDelta::minutes(1));
    if stale {
        db::api_keys::touch(&mut conn, tenant, stored.id, now).await?;
    }
    observe::about_organization(tenant.organization());
    Ok(Caller {
        tenant,
        key: stored.id,
        scopes: stored.scopes,
    })
}

macro_rules! access {
    ($(#[$doc:meta])* $name:ident, $scope:expr) => {
        $(#[$doc])*
        pub struct $name {
            /// Whose data it may touch.
            pub tenant: Tenant,
            /// Who calls.
            pub caller: Caller,
        }

        impl FromRequest for $name {
            type Error = Problem;
            type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
                let caller = Caller::from_request(request, payload);
                async move {
                    let caller = caller.await?;
                    if !caller.may($scope) {
                        return Err(Problem::forbidden($scope.as_str()));
                    }
                    Ok(Self {
                        tenant: caller.tenant,
                        caller,
                    })
                }
                .boxed_local()
            }
        }
    };
}

access! {
    /// The caller may see what is known of its organization.
    ReadAccess, Scope::Read
}
access! {
    /// The caller may report, make links and cancel.
    WriteAccess, Scope::Write
}
access! {
    /// The caller may change keys and policies.
    AdminAccess, Scope::Admin
}
