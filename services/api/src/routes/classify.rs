//! `POST /v1/classify`: what a code and a message mean.

use actix_web::web::Json;
use domain::classification::ContractView;
use serde::{Deserialize, Serialize};

use crate::auth::ReadAccess;
use crate::conduct::body::Body;
use crate::problem::Problem;

#[derive(Deserialize)]
struct Said {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Classified {
    ok: bool,
    data: ContractView,
}

pub(crate) async fn answer(_access: ReadAccess, body: Body) -> Result<Json<Classified>, Problem> {
    let Said { code, message } = body.json()?;
    Ok(Json(Classified {
        ok: true,
        data: ContractView::of(code.as_deref(), message.as_deref()),
    }))
}
