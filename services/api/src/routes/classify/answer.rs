//! `POST /v1/classify`: what a failure's codes and message mean.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::Asked;
use super::view::ClassificationView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::conduct::body::Body;
use crate::problem::Problem;

/// What a failure means.
#[derive(Serialize, ToSchema)]
#[schema(as = Classified)]
pub(crate) struct Answer {
    ok: bool,
    data: ClassificationView,
}

/// Tells why a payment failed, and what is advised.
///
/// It keeps nothing and reads nothing: the same question gets the same answer.
#[utoipa::path(
    post,
    path = "/v1/classify",
    tag = "Classification",
    request_body = Asked,
    responses(
        (status = 200, description = "What it means.", body = Answer),
    )
)]
pub(crate) async fn answer(
    _access: ReadAccess,
    body: Body,
    api: Data<Api>,
) -> Result<Json<Answer>, Problem> {
    let asked: Asked = body.json()?;
    let asked = asked.check(api.backbone.clock.now())?;
    Ok(Json(Answer {
        ok: true,
        data: ClassificationView::of(&asked),
    }))
}
