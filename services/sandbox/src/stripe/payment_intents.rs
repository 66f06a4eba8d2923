//! Payment intents.
//!
//! Their life: `requires_payment_method` until there is one, `requires_confirmation` until they are
//! confirmed; a confirmation charges ([`super::charging`]) and ends in `succeeded`, in
//! `requires_payment_method` again after a decline, in `requires_action` when the payer must
//! authenticate, or in `processing`. All but succeeded and processing ones can become `canceled`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::account::shown;
use super::call::Call;
use super::charging::{self, Presence};
use super::errors::StripeError;
use super::form::{Params, merge_metadata};
use super::payment_methods;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    Succeeded,
    Canceled,
}

impl Status {
    fn is_open(self) -> bool {
        matches!(
            self,
            Self::RequiresPaymentMethod | Self::RequiresConfirmation | Self::RequiresAction
        )
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) amount: i64,
    pub(crate) amount_capturable: i64,
    pub(crate) amount_received: i64,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) cancellation_reason: Option<String>,
    pub(crate) capture_method: &'static str,
    pub(crate) client_secret: String,
    pub(crate) confirmation_method: &'static str,
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) last_payment_error: Option<Value>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) livemode: bool,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) next_action: Option<Value>,
    /// Names the invoice that the intent pays.
    pub(crate) payment_details: Option<Value>,
    pub(crate) payment_method: Option<String>,
    pub(crate) payment_method_types: [&'static str; 1],
    pub(crate) receipt_email: Option<String>,
    pub(crate) setup_future_usage: Option<String>,
    pub(crate) status: Status,
}

impl PaymentIntent {
    pub(crate) fn new(call: &Call<'_>, amount: i64, currency: String) -> Self {
        let id = call.ids.stripe("pi_");
        Self {
            client_secret: call.ids.stripe(&format!("{id}_secret_")),
            id,
            object: "payment_intent",
            amount,
            amount_capturable: 0,
            amount_received: 0,
            canceled_at: None,
            cancellation_reason: None,
            capture_method: "automatic",
            confirmation_method: "automatic",
            created: call.now.timestamp(),
            currency,
            customer: None,
            description: None,
            last_payment_error: None,
            latest_charge: None,
            livemode: false,
            metadata: BTreeMap::new(),
            next_action: None,
            payment_details: None,
            payment_method: None,
            payment_method_types: ["card"],
            receipt_email: None,
            setup_future_usage: None,
            status: Status::RequiresPaymentMethod,
        }
    }
}

/// Parameters that are known but change nothing here.
const WITHOUT_EFFECT: [&str; 8] = [
    "automatic_payment_methods",
    "payment_method_types",
    "payment_method_options",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "return_url",
    "error_on_requires_action",
    "mandate",
];

pub(crate) fn create(call: &mut Call<'_>, params: &Params) -> Result<Value, StripeError> {
    let own = [
        "amount",
        "currency",
        "customer",
        "payment_method",
        "confirm",
        "off_session",
        "metadata",
        "description",
        "receipt_email",
        "setup_future_usage",
        "capture_method",
        "shipping",
    ];
    params.only(&[&own[..], &WITHOUT_EFFECT[..]].concat())?;
    let amount = params.amount("amount")?;
    let mut intent = PaymentIntent::new(call, amount, params.currency("currency")?);
    if let Some(customer) = params.text("customer") {
        intent.customer = Some(call.account.customer(customer)?.id.clone());
    }
    if let Some(method) = params.text("payment_method") {
        let method = payment_methods::resolve(call, method)?;
        payment_methods::check_owner(call, &method, intent.customer.as_deref())?;
        intent.payment_method = Some(method);
        intent.status = Status::RequiresConfirmation;
    }
    let confirms = params.flag("confirm")?;
    let presence = Presence::of(params, confirms)?;
    intent.metadata = params.map("metadata");
    intent.description = params.owned("description");
    intent.receipt_email = params.owned("receipt_email");
    intent.setup_future_usage = params.owned("setup_future_usage");
    let id = intent.id.clone();
    let answer = shown(&intent);
    call.account.payment_intents.put(&id, intent);
    call.emit("payment_intent.created", &answer);
    if confirms {
        return charge(call, &id, presence);
    }
    Ok(answer)
}

pub(crate) fn confirm(
    call: &mut Call<'_>,
    id: &str,
    params: &Params,
) -> Result<Value, StripeError> {
    let own = [
        "payment_method",
        "off_session",
        "receipt_email",
        "setup_future_usage",
        "shipping",
    ];
    params.only(&[&own[..], &WITHOUT_EFFECT[..]].concat())?;
    let presence = Presence::of(params, true)?;
    let intent = call.account.intent(id)?;
    if !intent.status.is_open() {
        let message = format!(
            "You cannot confirm this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action, requires_payment_method.",
            intent.status.name()
        );
        return Err(StripeError::state(message, shown(intent)));
    }
    if let Some(method) = params.text("payment_method") {
        use_method(call, id, method)?;
    }
    charge(call, id, presence)
}

fn use_method(call: &mut Call<'_>, id: &str, method: &str) -> Result<(), StripeError> {
    let customer = call.account.intent(id)?.customer.clone();
    let method = payment_methods::resolve(call, method)?;
    payment_methods::check_owner(call, &method, customer.as_deref())?;
    let intent = call.account.intent(id)?;
    intent.payment_method = Some(method);
    intent.status = Status::RequiresConfirmation;
    Ok(())
}

/// Charges the intent's payment method and answers the intent.
fn charge(call: &mut Call<'_>, id: &str, presence: Presence) -> Result<Value, StripeError> {
    let intent = call.account.intent(id)?;
    let Some(method) = intent.payment_method.clone() else {
        let message = "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method.";
        return Err(StripeError::state(message.to_owned(), shown(intent)));
    };
    charging::attempt(call, id, &method, presence)?;
    call.account.intent(id).map(|intent| shown(intent))
}

pub(crate) fn retrieve(call: &mut Call<'_>, id: &str) -> Result<Value, StripeError> {
    call.account.intent(id).map(|intent| shown(intent))
}

pub(crate) fn update(call: &mut Call<'_>, id: &str, params: &Params) -> Result<Value, StripeError> {
    let own = [
        "amount",
        "customer",
        "payment_method",
        "metadata",
        "description",
        "receipt_email",
    ];
    params.only(&[&own[..], &WITHOUT_EFFECT[..]].concat())?;
    let intent = call.account.intent(id)?;
    let touches_money = ["amount", "customer", "payment_method"];
    if !intent.status.is_open() && touches_money.iter().any(|name| params.text(name).is_some()) {
        let message = format!(
            "This PaymentIntent could not be updated because it has a status of {}.",
            intent.status.name()
        );
        return Err(StripeError::state(message, shown(intent)));
    }
    if params.text("amount").is_some() {
        call.account.intent(id)?.amount = params.amount("amount")?;
    }
    if let Some(customer) = params.text("customer") {
        let customer = call.account.customer(customer)?.id.clone();
        call.account.intent(id)?.customer = Some(customer);
    }
    if let Some(method) = params.text("payment_method") {
        use_method(call, id, method)?;
    }
    let intent = call.account.intent(id)?;
    merge_metadata(&mut intent.metadata, params.map("metadata"));
    if let Some(description) = params.owned("description") {
        intent.description = Some(description);
    }
    if let Some(email) = params.owned("receipt_email") {
        intent.receipt_email = Some(email);
    }
    Ok(shown(intent))
}

pub(crate) fn cancel(call: &mut Call<'_>, id: &str, params: &Params) -> Result<Value, StripeError> {
    params.only(&["cancellation_reason"])?;
    let now = call.now.timestamp();
    let intent = call.account.intent(id)?;
    if !intent.status.is_open() {
        let message = format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.",
            intent.status.name()
        );
        return Err(StripeError::state(message, shown(intent)));
    }
    intent.status = Status::Canceled;
    intent.canceled_at = Some(now);
    intent.cancellation_reason = params.owned("cancellation_reason");
    intent.next_action = None;
    let answer = shown(intent);
    call.emit("payment_intent.canceled", &answer);
    Ok(answer)
}

/// Newest first, of one customer when one is named.
pub(crate) fn list(call: &Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&[
        "customer",
        "limit",
        "starting_after",
        "ending_before",
        "created",
    ])?;
    let customer = params.text("customer");
    let intents = call.account.payment_intents.newest_first();
    let wanted = intents
        .filter(|intent| customer.is_none_or(|it| intent.customer.as_deref() == Some(it)))
        .map(|intent| (intent.id.as_str(), intent));
    listing(wanted, "/v1/payment_intents", params)
}

/// One page of a list in Stripe's shape: `limit` items (10 unless told, at most 100) after the one
/// named by `starting_after`.
pub(crate) fn listing<'a, T: Serialize + 'a>(
    items: impl Iterator<Item = (&'a str, &'a T)>,
    url: &str,
    params: &Params,
) -> Result<Value, StripeError> {
    let limit = params.integer("limit")?.unwrap_or(10);
    let limit = usize::try_from(limit).unwrap_or_default().clamp(1, 100);
    let after = params.text("starting_after");
    let mut reached = after.is_none();
    let mut rest = items.filter(|(id, _)| {
        let is_after = reached;
        reached = reached || after == Some(id);
        is_after
    });
    let data: Vec<Value> = rest
        .by_ref()
        .take(limit)
        .map(|(_, item)| shown(item))
        .collect();
    let has_more = rest.next().is_some();
    Ok(json!({ "object": "list", "data": data, "has_more": has_more, "url": url }))
}
