//! What becomes of a Razorpay payment later.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::razorpay::on_account;
use crate::razorpay::afterwards;
use crate::state::State;

#[derive(Deserialize)]
pub(super) struct NamePayment {
    key_id: String,
    payment: String,
    /// Of a refund; all of it, if it is not said.
    amount: Option<i64>,
    /// Of a dispute.
    reason: Option<String>,
}

pub(super) async fn authorize_late(
    asked: web::Json<NamePayment>,
    state: web::Data<State>,
) -> HttpResponse {
    on_account(&state, &asked.key_id, |call| {
        afterwards::authorize_late(call, &asked.payment)
    })
}

pub(super) async fn capture(
    asked: web::Json<NamePayment>,
    state: web::Data<State>,
) -> HttpResponse {
    on_account(&state, &asked.key_id, |call| {
        afterwards::capture(call, &asked.payment)
    })
}

pub(super) async fn refund(asked: web::Json<NamePayment>, state: web::Data<State>) -> HttpResponse {
    on_account(&state, &asked.key_id, |call| {
        afterwards::refund(call, &asked.payment, asked.amount)
    })
}

pub(super) async fn dispute(
    asked: web::Json<NamePayment>,
    state: web::Data<State>,
) -> HttpResponse {
    let reason = asked.reason.as_deref().unwrap_or("goods_not_received");
    on_account(&state, &asked.key_id, |call| {
        afterwards::dispute(call, &asked.payment, reason)
    })
}
