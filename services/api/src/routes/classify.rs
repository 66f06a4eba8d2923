//! `POST /v1/classify`: what a code and a message mean.

use actix_web::web::Json as Answer;
use domain::classification::ContractView;
use serde::{Deserialize, Serialize};

use crate::auth::ReadAccess;
use crate::conduct::body::Json;

#[derive(Deserialize)]
pub(crate) struct Said {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Classified {
    ok: bool,
    data: ContractView,
}

pub(crate) async fn answer(_access: ReadAccess, said: Json<Said>) -> Answer<Classified> {
    let Said { code, message } = &said.value;
    Answer(Classified {
        ok: true,
        data: ContractView::of(code.as_deref(), message.as_deref()),
    })
}
