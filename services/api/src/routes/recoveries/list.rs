//! `GET /v1/recoveries`: filtered, searched, sorted, in pages.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use db::Tenant;
use db::recoveries::{Listed, Order, Wanted};
use domain::id::RecoveryId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::filter::Filter;
use super::view::RecoveryView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::{FieldFault, Problem};
use crate::routes::cursor;
use crate::routes::faults::Faults;
use crate::routes::page::{self, Page};

/// As it came: each field is read on its own, so that a fault names it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// In which order: `newest` (the usual one), `oldest`, `amount` (the largest
    /// first; asks for `currency`), `next_action` (those with a step planned, the
    /// soonest first), or `reference` (by the merchant's name for what is owed, as
    /// bytes; the usual one where `q` is how such names begin).
    #[param(
        pattern = "^(newest|oldest|amount|next_action|reference)$",
        example = "newest"
    )]
    sort: Option<String>,
    /// The `next_cursor` of the page before, with the same `sort` and filters.
    cursor: Option<String>,
    /// How many at most.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Newest,
    Oldest,
    Amount,
    NextAction,
    Reference,
}

impl Sort {
    const ALL: [Self; 5] = [
        Self::Newest,
        Self::Oldest,
        Self::Amount,
        Self::NextAction,
        Self::Reference,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Amount => "amount",
            Self::NextAction => "next_action",
            Self::Reference => "reference",
        }
    }

    /// The one that is named; else the one whose index finds what is wanted. Names
    /// that begin alike lie side by side by name, and may lie anywhere by age.
    fn read(name: Option<&str>, wanted: &Wanted) -> Result<Self, FieldFault> {
        let Some(name) = name else {
            let usual = wanted.reference_starts.is_some();
            return Ok(if usual { Self::Reference } else { Self::Newest });
        };
        let sort = Self::ALL.into_iter().find(|sort| sort.name() == name);
        sort.ok_or_else(|| {
            let fault = "must be newest, oldest, amount, next_action or reference";
            FieldFault::new("sort", fault)
        })
    }

    /// The cursor that goes on after this row.
    fn cursor(self, tenant: Tenant, row: &Listed) -> String {
        let id = row.recovery.id;
        match self {
            Self::Newest | Self::Oldest => cursor::write(tenant, self.name(), id),
            Self::Amount => {
                let place = (row.recovery.amount.minor(), id);
                cursor::write(tenant, self.name(), place)
            }
            Self::NextAction => cursor::write(tenant, self.name(), (row.next_action_at, id)),
            Self::Reference => cursor::write(tenant, self.name(), (&row.reference, id)),
        }
    }
}

/// The recoveries of the organization, one page at a time.
#[utoipa::path(
    get,
    path = "/v1/recoveries",
    tag = "Recoveries",
    params(Filter, Asked),
    responses((status = 200, description = "One page of recoveries.", body = Page<RecoveryView>))
)]
pub(crate) async fn list(
    access: ReadAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let tenant = access.tenant;
    let (sort, limit, wanted) = read(tenant, &filter, &asked)?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::recoveries::list(&mut conn, tenant, &wanted).await?;
    let row = |row: Listed| (sort.cursor(tenant, &row), RecoveryView::new(row));
    let rows = found.into_iter().map(row).collect();
    let mut filters = filter.pairs();
    filters.push(("sort", asked.sort.as_deref()));
    Ok(page::answer(&api, "/v1/recoveries", &filters, limit, rows))
}

fn read(tenant: Tenant, filter: &Filter, asked: &Asked) -> Result<(Sort, u16, Wanted), Problem> {
    let mut faults = Faults::default();
    let limit = page::limit(asked.limit.as_deref());
    let rows = limit.as_ref().map_or(1, |limit| i64::from(*limit) + 1);
    let mut wanted = filter.read(rows, &mut faults);
    let sort = Sort::read(asked.sort.as_deref(), &wanted);
    if let Ok(sort) = &sort {
        match order(tenant, *sort, asked.cursor.as_deref(), filter, &wanted) {
            Ok(order) => wanted.order = order,
            Err(fault) => faults.extend(fault),
        }
    }
    match (sort, limit) {
        (Ok(sort), Ok(limit)) if faults.is_empty() => Ok((sort, limit, wanted)),
        (sort, limit) => {
            faults.extend(sort.err());
            faults.extend(limit.err());
            Err(faults.into())
        }
    }
}

/// The order, with the place that the cursor holds. A fault that was told with
/// the filters is not told again.
fn order(
    tenant: Tenant,
    sort: Sort,
    cursor: Option<&str>,
    filter: &Filter,
    wanted: &Wanted,
) -> Result<Order, Option<FieldFault>> {
    fn after<P: serde::de::DeserializeOwned>(
        tenant: Tenant,
        sort: Sort,
        cursor: Option<&str>,
    ) -> Result<Option<P>, Option<FieldFault>> {
        let place = cursor.map(|cursor| cursor::read(tenant, sort.name(), cursor));
        place
            .transpose()
            .map_err(|fault| Some(FieldFault::new("cursor", fault)))
    }
    Ok(match sort {
        Sort::Newest => Order::Newest(after::<RecoveryId>(tenant, sort, cursor)?),
        Sort::Oldest => Order::Oldest(after::<RecoveryId>(tenant, sort, cursor)?),
        Sort::NextAction => Order::NextAction(after(tenant, sort, cursor)?),
        Sort::Reference => Order::Reference(after(tenant, sort, cursor)?),
        Sort::Amount => {
            let missing = "is needed to sort by amount: amounts of several do not compare";
            let currency = wanted.currency.ok_or_else(|| {
                let absent = !filter.names_currency();
                absent.then(|| FieldFault::new("currency", missing))
            })?;
            Order::Amount(currency, after(tenant, sort, cursor)?)
        }
    })
}
