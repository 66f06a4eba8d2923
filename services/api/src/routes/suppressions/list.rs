//! `GET /v1/suppressions?channel=&address=&cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use domain::id::Suppression;

use super::SuppressionView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::address_page::Asked;

pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = asked.read::<Suppression>()?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::suppressions::list(&mut conn, access.tenant, &wanted).await?;
    let rows = found
        .into_iter()
        .map(|found| (found.id, SuppressionView::new(&found, &access.caller)));
    Ok(asked.answer(&api, "/v1/suppressions", &wanted, rows.collect()))
}
