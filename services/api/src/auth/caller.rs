//! The caller, proved by a key or by a person's access token.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, dev};
use chrono::{DateTime, TimeDelta, Utc};
use db::{Cause, DbError, Tenant, Tx};
use domain::Role;
use domain::id::{ApiKeyId, UserId, UserSessionId};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::key::{PREFIX, hash};
use super::scope::Scope;
use crate::app::Api;
use crate::conduct::observe;
use crate::problem::Problem;

/// Longest key or token looked at, in characters.
const LONGEST: usize = 2_048;

/// Who calls: a living key of an active organization, or a person of one in a
/// living session.
pub struct Caller {
    /// Whose data it may touch.
    pub tenant: Tenant,
    /// The key, or the person.
    pub who: Who,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Until when what it has shown holds, if that ends by itself.
    pub until: Option<DateTime<Utc>>,
}

/// A key or a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A key.
    Key(ApiKeyId),
    /// A person, in this role and session.
    User(UserId, Role, UserSessionId),
}

impl Caller {
    /// Whether the caller may do what `scope` names.
    pub fn may(&self, scope: Scope) -> bool {
        scope.is_within(&self.scopes)
    }

    /// Who it is, as the audit log and the timeline name it: the key's or the
    /// person's id.
    pub fn actor(&self) -> String {
        match self.who {
            Who::Key(key) => key.to_string(),
            Who::User(user, ..) => user.to_string(),
        }
    }

    /// The cause of a change that this caller makes now.
    pub fn cause(&self, api: &Api) -> Cause {
        api.backbone.cause_by(&self.actor())
    }

    /// Notes in the audit log what this caller has changed within `tx`. `object` is
    /// the id of what was changed; `detail` must hold no secret and no payer's address.
    pub async fn note(
        &self,
        tx: &mut Tx,
        action: &str,
        object: &str,
        detail: Value,
    ) -> Result<(), DbError> {
        let actor = self.actor();
        db::audit::note(tx, self.tenant, &actor, action, Some(object), &detail).await?;
        Ok(())
    }

    /// Refuses a caller that may not do what `scope` names.
    pub fn must(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            Ok(())
        } else {
            Err(self.lacks(scope))
        }
    }

    /// What it lacks to do what `scope` names.
    fn lacks(&self, scope: Scope) -> Problem {
        match self.who {
            Who::Key(_) => Problem::forbidden(scope.as_str()),
            Who::User(_, role, _) => Problem::forbidden_to_role(role, scope.least_role()),
        }
    }
}

/// What a request shows for itself.
enum Shown {
    Key(String),
    Token(String),
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let shown = shown(request);
        let api = request.app_data::<Data<Api>>().cloned();
        let request = request.clone();
        async move {
            let api = api.ok_or_else(Problem::internal)?;
            let caller = match shown {
                Some(Shown::Key(key)) => by_key(&api, &key).await?,
                Some(Shown::Token(token)) => by_token(&api, &token).await?,
                None => {
                    let wanted = "send Authorization: Bearer with an API key (sk_…) or an \
                                  access token, or X-API-Key";
                    return Err(Problem::unauthorized(wanted));
                }
            };
            observe::about_organization(caller.tenant.organization());
            api.limiter.of_caller(&request, &caller).await?;
            Ok(caller)
        }
        .boxed_local()
    }
}

fn shown(request: &HttpRequest) -> Option<Shown> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    if let Some(key) = header("x-api-key") {
        let decent = key.starts_with(PREFIX) && key.len() <= LONGEST;
        return decent.then(|| Shown::Key(key.to_owned()));
    }
    let (scheme, text) = header(AUTHORIZATION.as_str())?.split_once(' ')?;
    let text = text.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || text.is_empty() || text.len() > LONGEST {
        return None;
    }
    Some(if text.starts_with(PREFIX) {
        Shown::Key(text.to_owned())
    } else {
        Shown::Token(text.to_owned())
    })
}

async fn by_key(api: &Api, key: &str) -> Result<Caller, Problem> {
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
    Ok(Caller {
        tenant,
        who: Who::Key(stored.id),
        scopes: stored.scopes,
        until: stored.expires_at,
    })
}

async fn by_token(api: &Api, token: &str) -> Result<Caller, Problem> {
    let now = api.backbone.clock.now();
    let bearer = api.access_tokens.read_with_end(token, now);
    let (bearer, ends) = bearer.map_err(|fault| Problem::unauthorized(&fault.to_string()))?;
    let mut conn = api.backbone.db.read().await?;
    let living = db::sessions::authenticate(&mut conn, bearer.session, now).await?;
    let living = living
        .filter(|living| living.user == bearer.user)
        .ok_or_else(|| Problem::unauthorized("the session has ended; log in again"))?;
    Ok(Caller {
        tenant: living.tenant,
        who: Who::User(living.user, living.role, bearer.session),
        scopes: Scope::names(&[Scope::of_role(living.role)]),
        until: Some(ends),
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
                    caller.must($scope)?;
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
    /// The caller may change keys, people and policies.
    AdminAccess, Scope::Admin
}

/// The caller is a person, in whatever role, and not a key.
pub struct UserAccess {
    /// Whose data it may touch.
    pub tenant: Tenant,
    /// The person.
    pub user: UserId,
    /// The session that the request is part of.
    pub session: UserSessionId,
    /// Who calls.
    pub caller: Caller,
}

impl FromRequest for UserAccess {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload);
        async move {
            let caller = caller.await?;
            let Who::User(user, _, session) = caller.who else {
                return Err(Problem::people_only());
            };
            Ok(Self {
                tenant: caller.tenant,
                user,
                session,
                caller,
            })
        }
        .boxed_local()
    }
}
