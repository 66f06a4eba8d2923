//! A transaction in the older contract's words.

use chrono::{DateTime, Utc};
use db::transactions::Listed;
use domain::consent::PayerAddress;
use domain::id::TransactionId;
use domain::{Channel, TransactionRef};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::openapi::words;
use crate::routes::address_page::shown;

/// What a payer owed.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomerTransaction)]
pub(crate) struct TransactionView {
    /// The transaction.
    #[schema(value_type = words::TransactionId)]
    id: TransactionId,
    /// The merchant's own name for it.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "order-1042")]
    transaction_ref: TransactionRef,
    /// What is owed, in whole minor units of `currency`.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64, example = 129_950)]
    amount: i64,
    /// An ISO 4217 code.
    #[schema(example = "INR")]
    currency: &'static str,
    /// The payer's email address; whole for administrators, masked for others.
    #[schema(example = "a***@example.com")]
    customer_email: Option<String>,
    /// The payer's phone number; whole for administrators, masked for others.
    customer_phone: Option<String>,
    /// `watched` while no failure was reported, else the state of its newest
    /// recovery: `open`, `recovered`, `exhausted`, `cancelled` or `expired`.
    #[schema(example = "watched")]
    status: &'static str,
    /// When it became known.
    created_at: DateTime<Utc>,
}

impl TransactionView {
    pub(super) fn new(listed: Listed, caller: &Caller) -> Self {
        let transaction = listed.transaction;
        let known = transaction.known;
        let address = |channel, text: Option<&str>| {
            let address = PayerAddress::parse(channel, text?).ok()?;
            Some(shown(&address, caller))
        };
        Self {
            id: transaction.id,
            amount: transaction.amount.minor(),
            currency: transaction.amount.currency().code(),
            customer_email: address(Channel::Email, known.payer_email.as_deref()),
            customer_phone: address(Channel::Sms, known.payer_phone.as_deref()),
            transaction_ref: transaction.transaction_ref,
            status: listed.standing.as_str(),
            created_at: listed.created_at,
        }
    }
}
