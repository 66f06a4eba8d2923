//! A transaction as JSON.

use chrono::{DateTime, Utc};
use db::transactions::Listed;
use domain::consent::PayerAddress;
use domain::id::{RecoveryId, TransactionId};
use domain::limits::Rail;
use domain::payer::Country;
use domain::state::Provider;
use domain::{Channel, TransactionRef};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::openapi::words;

use crate::auth::Caller;
use crate::routes::address_page::shown;

/// What a payer owed. Amounts are whole minor units of `currency`.
#[derive(Serialize, ToSchema)]
#[schema(as = Transaction)]
pub(crate) struct TransactionView {
    #[schema(value_type = words::TransactionId)]
    id: TransactionId,
    /// The merchant's own name for it.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "ORDER-1001")]
    transaction_ref: TransactionRef,
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    amount: i64,
    #[schema(example = "INR")]
    currency: &'static str,
    /// `watched` while no failure was reported, else the state of its newest
    /// recovery: `open`, `recovered`, `exhausted`, `cancelled` or `expired`.
    #[schema(example = "watched")]
    state: &'static str,
    /// Whether the money arrived after a failure.
    paid: bool,
    /// At which PSP it was tried, if Tinko is connected to it.
    #[schema(value_type = Option<words::Provider>)]
    psp: Option<Provider>,
    /// Its newest recovery.
    #[schema(value_type = Option<words::RecoveryId>)]
    recovery_id: Option<RecoveryId>,
    customer: CustomerView,
    payment: PaymentView,
    /// The merchant's own particulars.
    #[schema(value_type = Object)]
    metadata: Value,
    created_at: DateTime<Utc>,
}

/// Who owes it. Addresses are shown whole to administrators alone.
#[derive(Serialize, ToSchema)]
struct CustomerView {
    email: Option<String>,
    phone: Option<String>,
    name: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
}

/// What it was tried with.
#[derive(Serialize, ToSchema)]
struct PaymentView {
    /// `card`, `upi`, `netbanking`, …
    kind: Option<String>,
    /// The card's network.
    network: Option<String>,
    #[schema(value_type = Option<String>)]
    card_country: Option<Country>,
    /// The way that the money takes.
    #[schema(value_type = String)]
    rail: Rail,
}

impl TransactionView {
    pub(crate) fn new(listed: Listed, caller: &Caller) -> Self {
        let transaction = listed.transaction;
        let rail = transaction.rail();
        let known = transaction.known;
        let address = |channel, text: Option<&str>| {
            let address = PayerAddress::parse(channel, text?).ok()?;
            Some(shown(&address, caller))
        };
        Self {
            id: transaction.id,
            transaction_ref: transaction.transaction_ref,
            amount: transaction.amount.minor(),
            currency: transaction.amount.currency().code(),
            state: listed.standing.as_str(),
            paid: listed.standing.is_paid(),
            psp: listed.provider,
            recovery_id: listed.recovery,
            customer: CustomerView {
                email: address(Channel::Email, known.payer_email.as_deref()),
                phone: address(Channel::Sms, known.payer_phone.as_deref()),
                name: known.payer_name,
                locale: known.payer_locale,
                time_zone: known.payer_time_zone,
            },
            payment: PaymentView {
                kind: known.payment_kind,
                network: known.network,
                card_country: known.card_country,
                rail,
            },
            metadata: known.metadata.unwrap_or_default(),
            created_at: listed.created_at,
        }
    }
}
