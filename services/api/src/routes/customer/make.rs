//! `POST /v1/customer/transactions`: one to be watched. 200 and, where the reference
//! is taken, 400, as the older contract has them. Its currency has to be said: the
//! older system took US dollars for granted.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::Tx;
use db::transactions::{self, Report};
use domain::{Currency, EmailAddress, Money, PhoneNumber, TransactionRef};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::view::TransactionView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::problem::Problem;
use crate::routes::faults::Faults;

/// A transaction to be watched.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewCustomerTransaction)]
pub(crate) struct Wanted {
    /// The merchant's own name for it, which no other transaction has.
    #[schema(min_length = 1, max_length = 64, example = "order-1042")]
    transaction_ref: String,
    /// What is owed, in whole minor units of `currency`.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64, example = 129_950)]
    amount: i64,
    /// An ISO 4217 code, in either case.
    #[schema(min_length = 3, max_length = 3, example = "INR")]
    currency: String,
    /// Where the payer gets email.
    #[schema(max_length = 254, example = "asha@example.com")]
    customer_email: Option<String>,
    /// Where the payer gets text messages, in E.164.
    #[schema(example = "+919812341234")]
    customer_phone: Option<String>,
}

struct New {
    reference: TransactionRef,
    amount: Money,
    about: Report,
}

impl Wanted {
    fn check(&self) -> Result<New, Problem> {
        let mut faults = Faults::default();
        let reference = TransactionRef::parse(&self.transaction_ref);
        let reference = faults.take("transaction_ref", reference);
        let currency = faults.take("currency", Currency::parse(&self.currency));
        let amount = currency.map(|currency| Money::new(self.amount, currency));
        let amount = amount.and_then(|amount| faults.take("amount", amount));
        let email = self.customer_email.as_deref();
        let email = faults.by("customer_email", email, EmailAddress::parse);
        let phone = self.customer_phone.as_deref();
        let phone = faults.by("customer_phone", phone, PhoneNumber::parse);
        match (reference, amount) {
            (Some(reference), Some(amount)) if faults.is_empty() => Ok(New {
                reference,
                amount,
                about: Report {
                    payer_email: email.map(|email| email.expose().to_owned()),
                    payer_phone: phone.map(|phone| phone.expose().to_owned()),
                    ..Report::default()
                },
            }),
            _ => Err(faults.into()),
        }
    }
}

/// Makes a transaction that is watched: its failure, when one is reported, finds it.
#[utoipa::path(
    post,
    path = "/v1/customer/transactions",
    tag = "Customers",
    params(IdempotencyKey),
    request_body = Wanted,
    responses(
        (status = 200, description = "The transaction.", body = TransactionView),
        (status = 400, description = "The body does not read, or the reference is taken."),
    ),
)]
pub(crate) async fn make(
    access: WriteAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let new = body.json::<Wanted>()?.check()?;
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        record(tx, &access, &new).await
    });
    Ok(reply.await?.respond())
}

async fn record(tx: &mut Tx, access: &WriteAccess, new: &New) -> Result<Reply, Problem> {
    let (tenant, caller) = (access.tenant, &access.caller);
    let made = transactions::create(tx, tenant, &new.reference, new.amount, &new.about).await?;
    let id = made.ok_or_else(|| Problem::exists("transaction_ref"))?;
    let object = id.to_string();
    caller
        .note(tx, "customer_transaction.made", &object, json!({}))
        .await?;
    let made = transactions::one(tx.conn(), tenant, id).await?;
    let made = made.ok_or_else(Problem::internal)?;
    Reply::json(StatusCode::OK, &TransactionView::new(made, caller))
}
