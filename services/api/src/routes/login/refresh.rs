//! `POST /v1/auth/refresh`: a refresh token for the next one and a fresh access
//! token. Each works once: a second use ends the session.

use actix_web::web::{Data, Json};
use db::Tx;
use db::sessions::{Held, Refreshed};
use serde_json::json;

use super::Presented;
use crate::app::Api;
use crate::auth::refresh_token::NewRefreshToken;
use crate::auth::session::{self, LoggedIn};
use crate::conduct::body::Body;
use crate::problem::Problem;

/// Gives a refresh token for the next one and a fresh access token.
///
/// A refresh token works once: a second use ends its session.
#[utoipa::path(
    post,
    path = "/v1/auth/refresh",
    tag = "Login",
    request_body = Presented,
    responses(
        (status = 200, description = "The session goes on.", body = LoggedIn),
        (status = 401, description = "The refresh token is unknown, used, or of a session that has ended."),
    )
)]
pub(crate) async fn refresh(body: Body, api: Data<Api>) -> Result<Json<LoggedIn>, Problem> {
    let presented: Presented = body.json()?;
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    let token = NewRefreshToken::generate(tx.rng());
    let until = tx.now() + api.session_life;
    match db::sessions::refresh(&mut tx, &presented.hash(), &token.hash, until).await? {
        Refreshed::Renewed(held) => {
            let answer = renewed(&api, &mut tx, held, &token).await?;
            tx.commit().await?;
            Ok(Json(answer))
        }
        Refreshed::Reused(held) => {
            note_reuse(&mut tx, held).await?;
            tx.commit().await?;
            tracing::warn!(
                session.id = %held.session,
                "a refresh token was used twice; the session has ended"
            );
            Err(refused())
        }
        Refreshed::Refused => {
            tx.roll_back().await?;
            Err(refused())
        }
    }
}

async fn renewed(
    api: &Api,
    tx: &mut Tx,
    held: Held,
    token: &NewRefreshToken,
) -> Result<LoggedIn, Problem> {
    let account = db::users::account(tx.conn(), held.tenant, held.user).await?;
    let account = account.ok_or_else(refused)?;
    let who = (held.tenant, &account.user, &account.organization);
    session::answer(api, who, held.session, &token.secret, tx.now())
}

async fn note_reuse(tx: &mut Tx, held: Held) -> Result<(), Problem> {
    let session = held.session.to_string();
    let detail = json!({ "user_id": held.user, "why": "a refresh token was used twice" });
    db::audit::note(
        tx,
        held.tenant,
        "api",
        "session.ended",
        Some(&session),
        &detail,
    )
    .await?;
    Ok(())
}

fn refused() -> Problem {
    Problem::unauthorized("the refresh token is unknown, used or of a session that has ended")
}
