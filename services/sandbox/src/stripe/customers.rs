//! Customers: create and retrieve.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::account::shown;
use super::call::Call;
use super::errors::StripeError;
use super::form::Params;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) object: &'static str,
    pub(crate) created: i64,
    pub(crate) description: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) livemode: bool,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
}

pub(crate) fn create(call: &mut Call<'_>, params: &Params) -> Result<Value, StripeError> {
    params.only(&[
        "address",
        "description",
        "email",
        "metadata",
        "name",
        "phone",
        "preferred_locales",
        "payment_method",
        "invoice_settings",
        "shipping",
        "tax_exempt",
    ])?;
    let customer = Customer {
        id: call.ids.next("cus_", 14),
        object: "customer",
        created: call.now.timestamp(),
        description: params.owned("description"),
        email: params.owned("email"),
        livemode: false,
        metadata: params.map("metadata"),
        name: params.owned("name"),
        phone: params.owned("phone"),
    };
    let id = customer.id.clone();
    let answer = shown(&customer);
    call.account.customers.put(&id, customer);
    if let Some(method) = params.text("payment_method") {
        super::payment_methods::attach_to(call, method, &id)?;
    }
    call.emit("customer.created", &answer);
    Ok(answer)
}

pub(crate) fn retrieve(call: &Call<'_>, id: &str) -> Result<Value, StripeError> {
    call.account.customer(id).map(shown)
}
