//! `POST /v1/transactions`: one to be watched, before anything failed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use db::transactions::Report;
use db::{DbError, Tx};
use domain::{Channel, Money, TransactionRef};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::TransactionView;
use crate::app::Api;
use crate::auth::WriteAccess;
use crate::conduct::body::Body;
use crate::conduct::idempotency::{Reply, once};
use crate::openapi::parameters::IdempotencyKey;
use crate::problem::Problem;
use crate::routes::events::opt_in;
use crate::routes::events::report::{Customer, Minor, Payment, about, consent, money};
use crate::routes::faults::Faults;

/// A transaction to be watched.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTransaction {
    /// The merchant's own name for it, which no other transaction has.
    #[schema(min_length = 1, max_length = 64, example = "ORDER-1001")]
    transaction_ref: String,
    /// What is owed, in whole minor units of `currency`.
    #[schema(value_type = i64, minimum = 1, maximum = 999_999_999_999_i64, example = 129_950)]
    amount: Minor,
    /// An ISO 4217 code, in either case.
    #[schema(min_length = 3, max_length = 3, example = "INR")]
    currency: String,
    customer: Option<Customer>,
    payment: Option<Payment>,
    /// The merchant's own particulars, at most 16 KiB as JSON.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

/// As checked.
struct New {
    reference: TransactionRef,
    amount: Money,
    about: Report,
    consent: Vec<Channel>,
}

impl NewTransaction {
    fn check(&self) -> Result<New, Problem> {
        let mut faults = Faults::default();
        let reference = TransactionRef::parse(&self.transaction_ref);
        let reference = faults.take("transaction_ref", reference);
        let amount = money(Some(&self.amount), Some(&self.currency), &mut faults);
        let customer = self.customer.as_ref();
        let about = about(
            self.metadata.as_ref(),
            customer,
            self.payment.as_ref(),
            &mut faults,
        );
        let consent = consent(customer, &mut faults);
        match (reference, amount) {
            (Some(reference), Some(amount)) if faults.is_empty() => Ok(New {
                reference,
                amount,
                about,
                consent,
            }),
            _ => Err(faults.into()),
        }
    }
}

/// Makes a transaction that is watched: its failure, when one is reported, finds it.
#[utoipa::path(
    post,
    path = "/v1/transactions",
    tag = "Transactions",
    params(IdempotencyKey),
    request_body = NewTransaction,
    responses(
        (status = 201, description = "The transaction.", body = TransactionView),
        (status = 409, description = "The reference is taken."),
    )
)]
pub(crate) async fn make(
    access: WriteAccess,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let new = body.json::<NewTransaction>()?.check()?;
    let cause = access.caller.cause(&api);
    let reply = once(&api, access.tenant, &body, cause, async |tx| {
        record(tx, &access, &new).await
    });
    Ok(reply.await?.respond())
}

async fn record(tx: &mut Tx, access: &WriteAccess, new: &New) -> Result<Reply, Problem> {
    let (tenant, caller) = (access.tenant, &access.caller);
    let New {
        reference,
        amount,
        about,
        consent,
    } = new;
    let made = db::transactions::create(tx, tenant, reference, *amount, about).await?;
    let id = made.ok_or_else(|| Problem::conflict("transaction_ref", "is taken already"))?;
    opt_in::record(tx, tenant, id, consent).await?;
    let object = id.to_string();
    caller
        .note(tx, "transaction.made", &object, json!({}))
        .await?;
    let made = db::transactions::one(tx.conn(), tenant, id).await?;
    let made = made.ok_or_else(|| DbError::Corrupt {
        what: "transaction",
        fault: "it is not there right after it was made".to_owned(),
    })?;
    Reply::json(StatusCode::CREATED, &TransactionView::new(made, caller))
}
