//! `POST /v1/classify`: what a failure's codes and message mean.

use actix_web::web::{Data, Json};
use serde::Serialize;

use super::asked::Asked;
use super::view::ClassificationView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::conduct::body::Body;
use crate::problem::Problem;

#[derive(Serialize)]
pub(crate) struct Answer {
    ok: bool,
    data: ClassificationView,
}

/// Keeps nothing and reads nothing: the same question gets the same answer.
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
