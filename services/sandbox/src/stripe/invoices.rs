//! Invoices: `draft` until finalized, `open` until `paid`, `void` or `uncollectible`.
//!
//! An invoice has one payment intent from the time it is finalized. Stripe's own retries are made
//! on command ([`super::dunning`]), never by time.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::account::shown;
use super::call::Call;
use super::charging::{self, Presence};
use super::errors::StripeError;
use super::form::Params;
use super::payment_intents::{PaymentIntent, Status as IntentStatus, listing};
use super::payment_methods;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InvoiceStatus {
    Draft,
    Open,
    Paid,
    Void,
    Uncollectible,
}

#[expect(clippy::struct_excessive_bools, reason = "the shape is Stripe's")]
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Invoice {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) amount_due: i64,
    pub(crate) amount_paid: i64,
    pub(crate) amount_remaining: i64,
    pub(crate) attempt_count: u32,
    pub(crate) attempted: bool,
    pub(crate) auto_advance: bool,
    pub(crate) billing_reason: &'static str,
    pub(crate) collection_method: &'static str,
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) customer: String,
    pub(crate) customer_email: Option<String>,
    pub(crate) customer_name: Option<String>,
    pub(crate) customer_phone: Option<String>,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) livemode: bool,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) next_payment_attempt: Option<i64>,
    pub(crate) paid_out_of_band: bool,
    pub(crate) status: InvoiceStatus,
    pub(crate) total: i64,
    /// Named in `payments`, which only answers that are asked to expand it have.
    #[serde(skip)]
    pub(crate) intent: Option<String>,
}

impl Invoice {
    fn is_open(&self) -> Result<(), StripeError> {
        if self.status == InvoiceStatus::Open {
            return Ok(());
        }
        let status = shown(&self.status);
        let message = match self.status {
            InvoiceStatus::Paid => "Invoice is already paid".to_owned(),
            _ => format!("This invoice is {}", status.as_str().unwrap_or_default()),
        };
        Err(StripeError::parameter(
            "invoice_not_editable",
            message,
            "invoice",
        ))
    }

    fn settle(&mut self, status: InvoiceStatus) {
        self.status = status;
        self.next_payment_attempt = None;
        if status == InvoiceStatus::Paid {
            self.amount_paid = self.amount_due;
            self.amount_remaining = 0;
        }
    }
}

/// `POST /v1/invoices`.
pub(crate) fn create(call: &mut Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&[
        "customer",
        "currency",
        "default_payment_method",
        "metadata",
        "auto_advance",
    ])?;
    let customer = call.account.customer(params.required("customer")?)?.clone();
    let method = match params.text("default_payment_method") {
        Some(method) => Some(payment_methods::resolve(call, method)?),
        None => None,
    };
    let id = call.ids.stripe("in_");
    let invoice = Invoice {
        id: id.clone(),
        object: "invoice",
        amount_due: 0,
        amount_paid: 0,
        amount_remaining: 0,
        attempt_count: 0,
        attempted: false,
        auto_advance: params.flag("auto_advance")?,
        billing_reason: "manual",
        collection_method: "charge_automatically",
        created: call.now.timestamp(),
        currency: params.currency("currency")?,
        customer: customer.id,
        customer_email: customer.email,
        customer_name: customer.name,
        customer_phone: customer.phone,
        default_payment_method: method,
        livemode: false,
        metadata: params.map("metadata"),
        next_payment_attempt: None,
        paid_out_of_band: false,
        status: InvoiceStatus::Draft,
        total: 0,
        intent: None,
    };
    let answer = shown(&invoice);
    call.account.invoices.put(&id, invoice);
    Ok(answer)
}

/// `POST /v1/invoiceitems`: a line on a draft.
pub(crate) fn add_item(call: &mut Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&["customer", "invoice", "amount", "currency", "description"])?;
    let amount = params.amount("amount")?;
    let invoice = call.account.invoice(params.required("invoice")?)?;
    if invoice.status != InvoiceStatus::Draft {
        let message = "This invoice is no longer editable".to_owned();
        return Err(StripeError::parameter(
            "invoice_not_editable",
            message,
            "invoice",
        ));
    }
    invoice.total += amount;
    invoice.amount_due = invoice.total;
    invoice.amount_remaining = invoice.total;
    let invoice = invoice.id.clone();
    let id = call.ids.stripe("ii_");
    Ok(json!({ "id": id, "object": "invoiceitem", "amount": amount, "invoice": invoice }))
}

/// `POST /v1/invoices/{id}/finalize`: it is owed from now on.
pub(crate) fn finalize(
    call: &mut Call<'_>,
    id: &str,
    params: &Params,
) -> Result<Value, StripeError> {
    params.only(&["auto_advance"])?;
    let invoice = call.account.invoice(id)?.clone();
    if invoice.status != InvoiceStatus::Draft || invoice.total == 0 {
        let message = "This invoice cannot be finalized".to_owned();
        return Err(StripeError::parameter(
            "invoice_not_editable",
            message,
            "invoice",
        ));
    }
    let mut intent = PaymentIntent::new(call, invoice.total, invoice.currency.clone());
    intent.customer = Some(invoice.customer);
    intent.receipt_email = invoice.customer_email;
    intent.metadata = invoice.metadata;
    intent.payment_details = Some(json!({ "customer_reference": null, "order_reference": id }));
    let intent_id = intent.id.clone();
    call.account.payment_intents.put(&intent_id, intent);
    let invoice = call.account.invoice(id)?;
    invoice.status = InvoiceStatus::Open;
    invoice.intent = Some(intent_id);
    let answer = shown(invoice);
    call.emit("invoice.finalized", &answer);
    Ok(answer)
}

/// `POST /v1/invoices/{id}/pay`. A decline leaves it open.
pub(crate) fn pay(call: &mut Call<'_>, id: &str, params: &Params) -> Result<Value, StripeError> {
    params.only(&["payment_method", "off_session", "paid_out_of_band"])?;
    call.account.invoice(id)?.is_open()?;
    if params.flag("paid_out_of_band")? {
        call.account.invoice(id)?.paid_out_of_band = true;
        paid(call, id)?;
        return retrieve(call, id, params);
    }
    let given = params.text("payment_method").map(str::to_owned);
    let presence = Presence::of(params, true)?;
    attempt(call, id, given, presence)?;
    retrieve(call, id, params)
}

/// Charges the invoice's intent, and tells of the invoice what comes of it.
pub(crate) fn attempt(
    call: &mut Call<'_>,
    id: &str,
    method: Option<String>,
    presence: Presence,
) -> Result<(), StripeError> {
    let invoice = call.account.invoice(id)?;
    invoice.attempted = true;
    let (intent, usual) = (
        invoice.intent.clone(),
        invoice.default_payment_method.clone(),
    );
    let Some((intent, method)) = intent.zip(method.or(usual)) else {
        return Err(StripeError::missing_parameter("payment_method"));
    };
    let method = payment_methods::resolve(call, &method)?;
    let result = charging::attempt(call, &intent, &method, presence);
    if matches!(result, Err(StripeError::Card { .. })) {
        let failed = shown(call.account.invoice(id)?);
        call.emit("invoice.payment_failed", &failed);
    }
    result
}

/// The invoice's intent succeeded, or the payer paid outside of Stripe.
pub(crate) fn paid(call: &mut Call<'_>, id: &str) -> Result<(), StripeError> {
    let invoice = call.account.invoice(id)?;
    invoice.settle(InvoiceStatus::Paid);
    let (shown_invoice, outside) = (shown(invoice), invoice.paid_out_of_band);
    call.emit("invoice.paid", &shown_invoice);
    if !outside {
        call.emit("invoice.payment_succeeded", &shown_invoice);
    }
    Ok(())
}

/// `POST /v1/invoices/{id}/void` and `…/mark_uncollectible`.
pub(crate) fn give_up(
    call: &mut Call<'_>,
    id: &str,
    status: InvoiceStatus,
) -> Result<Value, StripeError> {
    call.account.invoice(id)?.is_open()?;
    let intent = call.account.invoice(id)?.intent.clone();
    if status == InvoiceStatus::Void
        && let Some(intent) = intent
    {
        let intent = call.account.intent(&intent)?;
        intent.status = IntentStatus::Canceled;
        let cancelled = shown(intent);
        call.emit("payment_intent.canceled", &cancelled);
    }
    let invoice = call.account.invoice(id)?;
    invoice.settle(status);
    let answer = shown(invoice);
    let kind = match status {
        InvoiceStatus::Void => "invoice.voided",
        _ => "invoice.marked_uncollectible",
    };
    call.emit(kind, &answer);
    Ok(answer)
}

/// With its payments, if they are asked for.
pub(crate) fn retrieve(
    call: &mut Call<'_>,
    id: &str,
    params: &Params,
) -> Result<Value, StripeError> {
    let invoice = call.account.invoice(id)?.clone();
    let mut answer = shown(&invoice);
    let wanted = params.list("expand");
    if wanted.iter().any(|path| path.starts_with("payments")) {
        let payments = invoice.intent.iter().map(|intent| {
            json!({
                "object": "invoice_payment",
                "amount_paid": invoice.amount_paid,
                "amount_requested": invoice.amount_due,
                "currency": invoice.currency,
                "invoice": invoice.id,
                "is_default": true,
                "payment": { "type": "payment_intent", "payment_intent": intent },
                "status": if invoice.status == InvoiceStatus::Paid { "paid" } else { "open" },
            })
        });
        answer["payments"] = json!({ "object": "list", "data": payments.collect::<Vec<_>>() });
    }
    Ok(answer)
}

/// Newest first, of one customer when one is named.
pub(crate) fn list(call: &Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&["customer", "limit", "starting_after", "ending_before"])?;
    let customer = params.text("customer");
    let invoices = call.account.invoices.newest_first();
    let wanted = invoices
        .filter(|invoice| customer.is_none_or(|it| invoice.customer == it))
        .map(|invoice| (invoice.id.as_str(), invoice));
    listing(wanted, "/v1/invoices", params)
}
