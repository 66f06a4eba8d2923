//! The payment link's page: a plain form, as Razorpay's test mode has it.
//!
//! `POST /razorpay/pl/{id}` wants `method` (`upi` or `card`); `vpa=failure@razorpay` or
//! `outcome=decline` fails the payment, anything else pays.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use minijinja::context;
use serde::Deserialize;
use url::Url;

use super::call::{Call, shown};
use super::errors::RazorpayError;
use super::payment_links::{self, LinkStatus, PaymentLink};
use super::payments::{self, Failure, Means, Try};
use crate::ledger::Initiator;
use crate::state::{State, locked};
use crate::webhooks::signing::sha256_hex;
use crate::{clock, pages};

#[derive(Deserialize)]
pub(crate) struct PayForm {
    #[serde(default)]
    method: String,
    #[serde(default)]
    vpa: String,
    #[serde(default)]
    outcome: String,
}

impl PayForm {
    fn failure(&self) -> Option<Failure> {
        let fails =
            self.outcome == "decline" || (self.method != "card" && self.vpa == "failure@razorpay");
        let (code, step) = if self.method == "card" {
            ("BAD_REQUEST_ERROR", "payment_authorization")
        } else {
            ("GATEWAY_ERROR", "payment_debit_request")
        };
        fails.then(|| Failure {
            code: code.to_owned(),
            description: "Your payment was declined by your bank. Please try another way to pay."
                .to_owned(),
            source: "issuer_bank".to_owned(),
            step: step.to_owned(),
            reason: "payment_declined".to_owned(),
        })
    }

    fn means(&self, link: &PaymentLink) -> Means {
        let is_card = self.method == "card";
        let vpa = if self.vpa.is_empty() {
            "success@razorpay"
        } else {
            &self.vpa
        };
        Means {
            method: if is_card { "card" } else { "upi" }.to_owned(),
            vpa: (!is_card).then(|| vpa.to_owned()),
            email: link.customer.email.clone(),
            contact: link.customer.contact.clone(),
        }
    }
}

/// Where the payer is after the form.
enum Step {
    Paid { go_to: String },
    Refused(String),
    NotPayable,
}

pub(crate) async fn show(id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    page(&state, &id, None)
}

pub(crate) async fn pay(
    id: web::Path<String>,
    form: web::Form<PayForm>,
    state: web::Data<State>,
) -> HttpResponse {
    match on_link(&state, &id, |call| step(call, &id, &form)) {
        None => pages::not_found(&state.pages),
        Some(Ok(Step::Paid { go_to })) => HttpResponse::SeeOther()
            .insert_header((LOCATION, go_to))
            .finish(),
        Some(Ok(Step::Refused(reason))) => page(&state, &id, Some(&reason)),
        Some(Ok(Step::NotPayable)) => page(&state, &id, None),
        Some(Err(error)) => page(&state, &id, Some(&error.to_string())),
    }
}

fn on_link<T>(state: &State, id: &str, act: impl FnOnce(&mut Call<'_>) -> T) -> Option<T> {
    let mut razorpay = locked(&state.razorpay);
    let account = razorpay.by_link(id)?;
    let mut call = Call::new(state, account, clock::now(), Initiator::Payer);
    payment_links::expire_overdue(&mut call);
    let result = act(&mut call);
    call.effects.write(state);
    Some(result)
}

fn step(call: &mut Call<'_>, id: &str, form: &PayForm) -> Result<Step, RazorpayError> {
    let link = call.account.link(id)?.clone();
    if link.status != LinkStatus::Created {
        return Ok(Step::NotPayable);
    }
    let failure = form.failure();
    let reason = failure.as_ref().map(|failure| failure.description.clone());
    let tried = Try {
        order_id: link.order_id.clone(),
        means: form.means(&link),
        notes: link.notes.clone(),
        description: Some(link.description.clone()).filter(|text| !text.is_empty()),
        failure,
    };
    let payment = payments::attempt(call, tried)?;
    if let Some(reason) = reason {
        call.emit("payment.failed", &[("payment", shown(&payment))]);
        return Ok(Step::Refused(reason));
    }
    call.emit("payment.captured", &[("payment", shown(&payment))]);
    let order = shown(call.account.order(&link.order_id)?);
    call.emit(
        "order.paid",
        &[("payment", shown(&payment)), ("order", order)],
    );
    let link = payment_links::paid(call, id, &payment)?;
    let go_to = callback(call, &link, &payment.id);
    Ok(Step::Paid { go_to })
}

/// The merchant's callback with what proves the payment, or our own page when there is none.
fn callback(call: &Call<'_>, link: &PaymentLink, payment_id: &str) -> String {
    let Ok(mut url) = Url::parse(&link.callback_url) else {
        return format!("{}/razorpay/done/{}", call.public_url, link.id);
    };
    let signed = format!("{}|{}|paid|{payment_id}", link.id, link.reference_id);
    let signature = sha256_hex(&call.account.key_secret, &[signed.as_bytes()]);
    url.query_pairs_mut()
        .append_pair("razorpay_payment_id", payment_id)
        .append_pair("razorpay_payment_link_id", &link.id)
        .append_pair("razorpay_payment_link_reference_id", &link.reference_id)
        .append_pair("razorpay_payment_link_status", "paid")
        .append_pair("razorpay_signature", &signature.unwrap_or_default());
    url.into()
}

fn page(state: &State, id: &str, error: Option<&str>) -> HttpResponse {
    let link = on_link(state, id, |call| call.account.link(id).ok().cloned());
    let Some(Some(link)) = link else {
        return pages::not_found(&state.pages);
    };
    let amount = pages::money(link.amount, &link.currency);
    let (status, title) = match link.status {
        LinkStatus::Created => {
            let values = context! { id, amount, error, what => link.description };
            let status = if error.is_some() { 402 } else { 200 };
            return state.pages.answer(status, "payment_link.html", values);
        }
        LinkStatus::Paid => (200, "This payment is done"),
        LinkStatus::Cancelled => (410, "This payment link was cancelled"),
        LinkStatus::Expired => (410, "This payment link has expired"),
    };
    state
        .pages
        .answer(status, "closed.html", context! { title, amount })
}

/// Where a payer lands who paid a link without a callback.
pub(crate) async fn done(id: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    let link = on_link(&state, &id, |call| call.account.link(&id).ok().cloned());
    match link {
        Some(Some(link)) if link.status == LinkStatus::Paid => {
            let amount = pages::money(link.amount, &link.currency);
            let payment = link.payments.iter().flatten().next();
            let payment = payment.and_then(|payment| payment["payment_id"].as_str());
            state
                .pages
                .answer(200, "callback.html", context! { amount, payment })
        }
        _ => pages::not_found(&state.pages),
    }
}
