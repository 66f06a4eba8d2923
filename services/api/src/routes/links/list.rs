//! `GET /v1/links?state=&recovery_id=&ref=&cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use db::links::Wanted;
use db::{Conn, DbError, Tenant};
use domain::id::{RecoveryId, RecoveryLink};
use domain::{LinkState, TransactionRef};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::LinkView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;
use crate::routes::page::{Asked, Page};

/// Which links.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this state now.
    #[param(value_type = Option<words::LinkState>)]
    state: Option<String>,
    /// Only those of this recovery.
    #[param(value_type = Option<words::RecoveryId>)]
    recovery_id: Option<String>,
    /// Only those of this transaction.
    #[param(min_length = 1, max_length = 64)]
    r#ref: Option<String>,
}

/// Lists links, newest first.
#[utoipa::path(
    get,
    path = "/v1/links",
    tag = "Links",
    params(Filter, Asked),
    responses((status = 200, description = "A page of links.", body = Page<LinkView>)),
)]
pub(crate) async fn list(
    access: ReadAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let state: Option<LinkState> = faults.read("state", filter.state.as_deref());
    let recovery: Option<RecoveryId> = faults.read("recovery_id", filter.recovery_id.as_deref());
    let reference = filter.r#ref.as_deref();
    let reference = faults.by("ref", reference, TransactionRef::parse);
    let page = faults.page::<RecoveryLink>(&asked)?;
    let (tenant, now) = (access.tenant, api.backbone.clock.now());
    let mut conn = api.backbone.db.read().await?;
    let wanted = Wanted {
        state,
        recoveries: recoveries(&mut conn, tenant, recovery, reference.as_ref()).await?,
        before: page.cursor,
        limit: page.rows(),
    };
    let found = db::links::list(&mut conn, tenant, &wanted, now).await?;
    let filters = [
        ("state", filter.state.as_deref()),
        ("recovery_id", filter.recovery_id.as_deref()),
        ("ref", filter.r#ref.as_deref()),
    ];
    let rows = found.into_iter().map(|it| (it.link.id, LinkView::new(it)));
    Ok(page.answer_of(&api, "/v1/links", &filters, rows.collect()))
}

/// The recoveries that are asked for, if any are named.
async fn recoveries(
    conn: &mut Conn,
    tenant: Tenant,
    recovery: Option<RecoveryId>,
    reference: Option<&TransactionRef>,
) -> Result<Option<Vec<RecoveryId>>, DbError> {
    let Some(reference) = reference else {
        return Ok(recovery.map(|recovery| vec![recovery]));
    };
    let Some(transaction) = db::transactions::by_ref(conn, tenant, reference).await? else {
        return Ok(Some(Vec::new()));
    };
    let of_it = db::recoveries::of_transaction(conn, tenant, transaction.id).await?;
    let ids = of_it.into_iter().map(|found| found.id);
    Ok(Some(
        ids.filter(|id| recovery.is_none_or(|recovery| recovery == *id))
            .collect(),
    ))
}
