//! `GET /v1/transactions`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use db::transactions::Wanted;
use domain::id::Transaction;
use domain::{Currency, EmailAddress, PhoneNumber, TransactionRef};
use serde::Deserialize;
use utoipa::IntoParams;

use super::TransactionView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::faults::Faults;
use crate::routes::page::{self, Asked, Page};

/// As it came: each field is read on its own, so that a fault names it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// The merchant's name for it, whole.
    #[serde(rename = "ref")]
    #[param(
        rename = "ref",
        min_length = 1,
        max_length = 64,
        example = "ORDER-1001"
    )]
    reference: Option<String>,
    /// Where it stands: `watched`, or the state of its newest recovery.
    #[param(
        pattern = "^(watched|open|recovered|exhausted|cancelled|expired)$",
        example = "open"
    )]
    state: Option<String>,
    /// Whether the money arrived after a failure.
    #[param(value_type = Option<bool>)]
    paid: Option<String>,
    /// What it is owed in: an ISO 4217 code, in either case.
    #[param(min_length = 3, max_length = 3, example = "INR")]
    currency: Option<String>,
    /// The payer's email address, in either case.
    #[param(max_length = 254, example = "asha@example.com")]
    customer_email: Option<String>,
    /// The payer's phone number, in E.164.
    #[param(example = "+919812341234")]
    customer_phone: Option<String>,
    /// At which PSP it was tried.
    #[param(pattern = "^(stripe|razorpay)$", example = "stripe")]
    psp: Option<String>,
    /// Known since that time or later.
    #[param(value_type = Option<DateTime<Utc>>)]
    from: Option<String>,
    /// Known since before that time.
    #[param(value_type = Option<DateTime<Utc>>)]
    to: Option<String>,
}

/// The transactions of the organization, newest first, one page at a time.
#[utoipa::path(
    get,
    path = "/v1/transactions",
    tag = "Transactions",
    params(Filter, Asked),
    responses((status = 200, description = "One page of transactions.", body = Page<TransactionView>))
)]
pub(crate) async fn list(
    access: ReadAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (page, wanted) = filter.read(&asked)?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::transactions::list(&mut conn, access.tenant, &wanted).await?;
    let rows = found.into_iter().map(|listed| {
        let id = listed.transaction.id;
        (id, TransactionView::new(listed, &access.caller))
    });
    let (path, filters) = ("/v1/transactions", filter.pairs());
    Ok(page.answer_of(&api, path, &filters, rows.collect()))
}

type ToRead = page::Wanted<Transaction>;

impl Filter {
    fn read(&self, asked: &Asked) -> Result<(ToRead, Wanted), Problem> {
        let mut faults = Faults::default();
        let email = self.customer_email.as_deref();
        let email = faults.by("customer_email", email, EmailAddress::parse);
        let phone = self.customer_phone.as_deref();
        let phone = faults.by("customer_phone", phone, PhoneNumber::parse);
        let paid = |text: &str| text.parse().map_err(|_| "must be true or false");
        let wanted = Wanted {
            reference: faults.by("ref", self.reference.as_deref(), TransactionRef::parse),
            standing: faults.read("state", self.state.as_deref()),
            paid: faults.by("paid", self.paid.as_deref(), paid),
            currency: faults.by("currency", self.currency.as_deref(), Currency::parse),
            email: email.map(|email| email.expose().to_owned()),
            phone: phone.map(|phone| phone.expose().to_owned()),
            provider: faults.read("psp", self.psp.as_deref()),
            from: faults.time("from", self.from.as_deref()),
            to: faults.time("to", self.to.as_deref()),
            ..Wanted::default()
        };
        let page = faults.page(asked)?;
        let (before, limit) = (page.cursor, page.rows());
        Ok((
            page,
            Wanted {
                before,
                limit,
                ..wanted
            },
        ))
    }

    /// Names and values, as they came.
    fn pairs(&self) -> [(&'static str, Option<&str>); 9] {
        [
            ("ref", self.reference.as_deref()),
            ("state", self.state.as_deref()),
            ("paid", self.paid.as_deref()),
            ("currency", self.currency.as_deref()),
            ("customer_email", self.customer_email.as_deref()),
            ("customer_phone", self.customer_phone.as_deref()),
            ("psp", self.psp.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
        ]
    }
}
