//! `GET /v1/customer/transactions?limit=&offset=`, newest first: a plain list, as
//! the older contract has it.

use actix_web::web::{Data, Json, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::TransactionView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::faults::Faults;
use crate::routes::page;

/// Rows that are passed over are read all the same: further on, `cursor` is the way.
const FURTHEST: i64 = 10_000;

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// How many at most.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
    /// How many to pass over.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<String>,
}

impl Asked {
    fn read(&self) -> Result<(i64, i64), Problem> {
        let mut faults = Faults::default();
        let limit = page::limit(self.limit.as_deref());
        let offset = self.offset.as_deref().map_or(Ok(0), str::parse::<i64>);
        let offset = offset.ok().filter(|it| (0..=FURTHEST).contains(it));
        faults.extend(limit.as_ref().err().cloned());
        if offset.is_none() {
            let fault = format!(
                "must be from 0 to {FURTHEST}; further on, GET /v1/transactions goes by cursor"
            );
            faults.note("offset", fault);
        }
        match (limit, offset) {
            (Ok(limit), Some(offset)) => Ok((limit.into(), offset)),
            _ => Err(faults.into()),
        }
    }
}

/// Lists transactions, newest first.
///
/// `offset` goes to 10,000. Further on, and for filters, use `GET /v1/transactions`,
/// whose pages go by cursor.
#[utoipa::path(
    get,
    path = "/v1/customer/transactions",
    tag = "Customers",
    params(Asked),
    responses((status = 200, description = "The transactions.", body = Vec<TransactionView>)),
)]
pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<Json<Vec<TransactionView>>, Problem> {
    let (limit, offset) = asked.read()?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::transactions::list_from(&mut conn, access.tenant, limit, offset).await?;
    let views = found
        .into_iter()
        .map(|listed| TransactionView::new(listed, &access.caller));
    Ok(Json(views.collect()))
}
