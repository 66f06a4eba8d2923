//! The older contract's envelope for payers' frontends: always 200, `ok` says.

use actix_web::HttpResponse;
use domain::LinkState;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Api;
use crate::problem::Problem;
use db::links::StoredLink;
use domain::token::{self, LinkToken};

/// Why a token leads nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
    /// No link has it.
    NotFound,
    /// The link's time has passed.
    Expired,
    /// It was paid through, or is asked for no more.
    Used,
}

impl Refusal {
    const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::Expired => "EXPIRED",
            Self::Used => "USED",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::NotFound => "No recovery link has this token",
            Self::Expired => "The recovery link has expired",
            Self::Used => "The recovery link can no longer be used",
        }
    }
}

/// Always answered with 200: `ok` says whether the link can be used.
#[derive(Serialize, ToSchema)]
pub(super) struct Envelope<T> {
    ok: bool,
    /// Null where it cannot.
    data: T,
    /// Null where it can.
    #[schema(required)]
    error: Option<Fault>,
}

/// Why a link cannot be used.
#[derive(Serialize, ToSchema)]
#[schema(as = LinkFault)]
struct Fault {
    #[schema(pattern = "^(NOT_FOUND|EXPIRED|USED)$")]
    code: &'static str,
    message: &'static str,
}

pub(super) fn ok(data: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(Envelope {
        ok: true,
        data,
        error: None,
    })
}

pub(super) fn refused(refusal: Refusal) -> HttpResponse {
    let (code, message) = (refusal.code(), refusal.message());
    HttpResponse::Ok().json(Envelope::<Option<()>> {
        ok: false,
        data: None,
        error: Some(Fault { code, message }),
    })
}

/// The living link of a token. Expiry is looked at before use, as it was.
pub(super) async fn living(api: &Api, token: &str) -> Result<Result<StoredLink, Refusal>, Problem> {
    let Ok(token) = LinkToken::parse(token) else {
        return Ok(Err(Refusal::NotFound));
    };
    let mut conn = api.backbone.db.read().await?;
    let link = db::links::by_token_hash(&mut conn, &token::hash(&token)).await?;
    Ok(match link {
        None => Err(Refusal::NotFound),
        Some(link) if link.expires_at <= api.backbone.clock.now() => Err(Refusal::Expired),
        Some(link) => match link.state {
            LinkState::Created | LinkState::Opened => Ok(link),
            LinkState::Expired => Err(Refusal::Expired),
            LinkState::Used | LinkState::Revoked => Err(Refusal::Used),
        },
    })
}
