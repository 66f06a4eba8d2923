//! `POST /v1/auth/logout`: ends a session, by its refresh token or by the access
//! token that comes as the bearer's. 204 whether there was one that went on, as
//! RFC 7009, section 2.2, has it.

use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev};
use db::sessions::{EndedBy, Held};
use serde_json::json;

use super::Presented;
use crate::app::Api;
use crate::auth::UserAccess;
use crate::conduct::body::Body;
use crate::problem::Problem;

/// Ends a session.
#[utoipa::path(
    post,
    path = "/v1/auth/logout",
    tag = "Login",
    request_body(content = Option<Presented>, description = "The session, by its refresh token; without a body it is the one that asks."),
    responses(
        (status = 204, description = "It has ended, or had before."),
    )
)]
pub(crate) async fn log_out(
    request: HttpRequest,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let presented = (!body.bytes.is_empty())
        .then(|| body.json::<Presented>())
        .transpose()?;
    let caller = match presented {
        Some(_) => None,
        None => Some(UserAccess::from_request(&request, &mut dev::Payload::None).await?),
    };
    let mut tx = api.backbone.db.begin(api.backbone.cause()).await?;
    let ended = match (&presented, caller) {
        (Some(presented), _) => db::sessions::log_out(&mut tx, &presented.hash()).await?,
        (None, Some(caller)) => {
            let (tenant, session) = (caller.tenant, caller.session);
            let ended = db::sessions::end(&mut tx, tenant, session, EndedBy::Logout).await?;
            ended.then_some(Held {
                tenant,
                user: caller.user,
                session,
            })
        }
        (None, None) => None,
    };
    if let Some(Held {
        tenant,
        user,
        session,
    }) = ended
    {
        let (actor, object) = (user.to_string(), session.to_string());
        let detail = json!({ "why": "logged out" });
        db::audit::note(
            &mut tx,
            tenant,
            &actor,
            "session.ended",
            Some(&object),
            &detail,
        )
        .await?;
    }
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}
