//! Payment links: the API. The page is in [`super::page`].
//!
//! A link is `created` until it is `paid`, `cancelled` by the API, or `expired` by its time.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Account;
use super::call::{Call, shown};
use super::errors::RazorpayError;
use super::notes::Notes;
use super::orders;
use super::payments::Payment;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LinkStatus {
    Created,
    Paid,
    Cancelled,
    Expired,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct LinkCustomer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PaymentLink {
    pub(crate) id: String,
    pub(crate) accept_partial: bool,
    pub(crate) amount: i64,
    pub(crate) amount_paid: i64,
    pub(crate) callback_method: String,
    pub(crate) callback_url: String,
    pub(crate) cancelled_at: i64,
    pub(crate) created_at: i64,
    pub(crate) currency: String,
    pub(crate) customer: LinkCustomer,
    pub(crate) description: String,
    /// 0 stands for never, as do the other times.
    pub(crate) expire_by: i64,
    pub(crate) expired_at: i64,
    pub(crate) first_min_partial_amount: i64,
    pub(crate) notes: Notes,
    pub(crate) notify: Value,
    pub(crate) order_id: String,
    pub(crate) payments: Option<Vec<Value>>,
    pub(crate) reference_id: String,
    pub(crate) reminder_enable: bool,
    pub(crate) reminders: [(); 0],
    pub(crate) short_url: String,
    pub(crate) status: LinkStatus,
    pub(crate) updated_at: i64,
    pub(crate) upi_link: bool,
    pub(crate) user_id: String,
}

#[derive(Deserialize)]
struct NewLink {
    amount: Option<i64>,
    currency: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    customer: LinkCustomer,
    #[serde(default)]
    notify: Option<Value>,
    #[serde(default)]
    reference_id: String,
    #[serde(default)]
    expire_by: i64,
    #[serde(default)]
    callback_url: String,
    #[serde(default)]
    callback_method: String,
    #[serde(default)]
    notes: Notes,
    #[serde(default)]
    reminder_enable: bool,
    #[serde(default)]
    upi_link: bool,
}

/// Razorpay refuses links that expire sooner than this.
const SHORTEST: TimeDelta = TimeDelta::minutes(15);

/// Razorpay's limit on a reference's length.
const LONGEST_REFERENCE: usize = 40;

fn check(call: &Call<'_>, new: &NewLink) -> Result<(), RazorpayError> {
    if new.reference_id.len() > LONGEST_REFERENCE {
        let description = "The reference id may not be greater than 40 characters.";
        return Err(RazorpayError::bad(description, "reference_id"));
    }
    if call.account.references.contains_key(&new.reference_id) {
        let description = format!(
            "payment link with given reference_id ({}) already exists",
            new.reference_id
        );
        return Err(RazorpayError::bad(description, "reference_id"));
    }
    if new.expire_by != 0 && new.expire_by < (call.now + SHORTEST).timestamp() {
        let description = "timestamp must be at least 15 minutes after current time";
        return Err(RazorpayError::bad(description, "expire_by"));
    }
    if !new.callback_url.is_empty() && new.callback_method != "get" {
        let description = "callback_method must be get when there is a callback_url";
        return Err(RazorpayError::bad(description, "callback_method"));
    }
    Ok(())
}

pub(crate) fn create(call: &mut Call<'_>, body: &[u8]) -> Result<Value, RazorpayError> {
    let new: NewLink = super::api::parse(body)?;
    let (amount, currency) = orders::money(new.amount, new.currency.as_deref())?;
    check(call, &new)?;
    let receipt = Some(new.reference_id.clone()).filter(|reference| !reference.is_empty());
    let order = orders::make(call, amount, currency.clone(), receipt, new.notes.clone());
    let id = call.ids.razorpay("plink_");
    let now = call.now.timestamp();
    let link = PaymentLink {
        short_url: format!("{}/razorpay/pl/{id}", call.public_url),
        id: id.clone(),
        accept_partial: false,
        amount,
        amount_paid: 0,
        callback_method: new.callback_method,
        callback_url: new.callback_url,
        cancelled_at: 0,
        created_at: now,
        currency,
        customer: new.customer,
        description: new.description,
        expire_by: new.expire_by,
        expired_at: 0,
        first_min_partial_amount: 0,
        notes: new.notes,
        notify: new
            .notify
            .unwrap_or_else(|| json!({ "email": false, "sms": false })),
        order_id: order,
        payments: None,
        reference_id: new.reference_id.clone(),
        reminder_enable: new.reminder_enable,
        reminders: [],
        status: LinkStatus::Created,
        updated_at: now,
        upi_link: new.upi_link,
        user_id: String::new(),
    };
    let answer = shown(&link);
    call.account.links.put(&id, link);
    if !new.reference_id.is_empty() {
        call.account.references.insert(new.reference_id, id);
    }
    Ok(answer)
}

pub(crate) fn fetch(call: &mut Call<'_>, id: &str) -> Result<Value, RazorpayError> {
    call.account.link(id).map(|link| shown(link))
}

/// Newest first, of one reference or payment when it is named.
pub(crate) fn list(call: &Call<'_>, query: &str) -> Value {
    let named = |wanted: &str| {
        let mut fields = url::form_urlencoded::parse(query.as_bytes());
        fields
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let (reference, payment) = (named("reference_id"), named("payment_id"));
    let paid_by = |link: &PaymentLink, id: &str| {
        link.payments
            .iter()
            .flatten()
            .any(|payment| payment["payment_id"] == id)
    };
    let links = call.account.links.newest_first().filter(|link| {
        reference.as_ref().is_none_or(|it| *it == link.reference_id)
            && payment.as_ref().is_none_or(|it| paid_by(link, it))
    });
    json!({ "payment_links": links.map(shown).collect::<Vec<_>>() })
}

pub(crate) fn cancel(call: &mut Call<'_>, id: &str) -> Result<Value, RazorpayError> {
    let now = call.now.timestamp();
    let link = call.account.link(id)?;
    if link.status != LinkStatus::Created {
        let status = shown(&link.status);
        let description = format!(
            "Payment Link cannot be cancelled as it is in {} state",
            status.as_str().unwrap_or_default()
        );
        return Err(RazorpayError::BadRequest {
            description,
            field: None,
        });
    }
    link.status = LinkStatus::Cancelled;
    link.cancelled_at = now;
    link.updated_at = now;
    let answer = shown(link);
    call.emit(
        "payment_link.cancelled",
        &[("payment_link", answer.clone())],
    );
    Ok(answer)
}

/// The unpaid links whose time is over at `now`.
pub(crate) fn overdue(account: &Account, now: DateTime<Utc>) -> Vec<String> {
    let overdue = account.links.oldest_first().filter(|link| {
        link.status == LinkStatus::Created
            && link.expire_by != 0
            && link.expire_by <= now.timestamp()
    });
    overdue.map(|link| link.id.clone()).collect()
}

/// Expires what is overdue at the call's time.
pub(crate) fn expire_overdue(call: &mut Call<'_>) {
    let now = call.now.timestamp();
    for id in overdue(call.account, call.now) {
        if let Ok(link) = call.account.link(&id) {
            link.status = LinkStatus::Expired;
            link.expired_at = now;
            link.updated_at = now;
            let answer = shown(link);
            call.emit("payment_link.expired", &[("payment_link", answer)]);
        }
    }
}

/// Marks the link as paid by this payment and tells of it.
pub(crate) fn paid(
    call: &mut Call<'_>,
    id: &str,
    payment: &Payment,
) -> Result<PaymentLink, RazorpayError> {
    let now = call.now.timestamp();
    let link = call.account.link(id)?;
    link.status = LinkStatus::Paid;
    link.amount_paid = link.amount;
    link.updated_at = now;
    link.payments = Some(vec![json!({
        "amount": payment.amount,
        "created_at": payment.created_at,
        "method": payment.method,
        "payment_id": payment.id,
        "plink_id": id,
        "status": "captured",
        "updated_at": now,
    })]);
    let link = link.clone();
    let order = shown(call.account.order(&payment.order_id)?);
    let (link_entity, payment) = (shown(&link), shown(payment));
    let entities = [
        ("payment_link", link_entity),
        ("order", order),
        ("payment", payment),
    ];
    call.emit("payment_link.paid", &entities);
    Ok(link)
}
