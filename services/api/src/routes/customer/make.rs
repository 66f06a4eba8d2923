//! `POST /v1/customer/transactions`: one to be watched. 200 and, where the reference
//! is taken, 400, as the older contract has them. Its currency has to be said: the
//! older system took US dollars for granted.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::Tx;
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
use crate::routes::query::Faults;

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
    email: Option<EmailAddress>,
    phone: Option<PhoneNumber>,
}

impl Wanted {
    fn check(&self) -> Result<New, Problem> {
        let mut faults = Faults::default();
        let reference = TransactionRef::parse(&self.transaction_ref).map(Some);
        let reference = faults.of("transaction_ref", reference);
        let currency = faults.of("currency", Currency::parse(&self.currency).map(Some));
        let amount = currency.map(|currency| Money::new(self.amount, currency));
        let amount = faults.of("amount", amount.transpose());
        let email = self.customer_email.as_deref().map(EmailAddress::parse);
        let email = faults.of("customer_email", email.transpose());
        let phone = self.customer_phone.as_deref().map(PhoneNumber::parse);
        let phone = faults.of("customer_phone", phone.transpose());
        faults.end()?;
        let lost = || Problem::invalid_field("transaction_ref", "is missing");
        let (reference, amount) = reference.zip(amount).ok_or_else(lost)?;
        Ok(New {
            reference,
            amount,
            email,
            phone,
        })
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
    let (email, phone) = (new.email.as_ref(), new.phone.as_ref());
    let made = db::customer::make(tx, tenant, &new.reference, new.amount, email, phone).await?;
    let made = made.ok_or_else(|| Problem::exists("transaction_ref"))?;
    let object = made.id.to_string();
    caller
        .note(tx, "customer_transaction.made", &object, json!({}))
        .await?;
    Reply::json(StatusCode::OK, &TransactionView::new(made, caller))
}
