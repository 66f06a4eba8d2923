//! What went back of a payment.

use psp::{Psp, PspError};
use serde_json::{Value, json};

use crate::server::{Reply, Server};
use crate::setup::{euros, razorpay, stripe};

async fn answering(body: &Value, psp: fn(&Server) -> Psp) -> (Server, Psp) {
    let server = Server::playing([Reply::json(200, body)]).await;
    let psp = psp(&server);
    (server, psp)
}

#[tokio::test]
async fn a_charge_tells_what_of_it_went_back() {
    let some = json!({"id": "ch_1", "amount_refunded": 400, "currency": "eur"});
    let (server, psp) = answering(&some, stripe).await;
    assert_eq!(psp.refunded("ch_1").await.unwrap(), Some(euros(400)));
    assert_eq!(server.seen()[0].line(), "GET /stripe/v1/charges/ch_1");
    let none = json!({"id": "ch_1", "amount_refunded": 0, "currency": "eur"});
    let (_server, psp) = answering(&none, stripe).await;
    assert_eq!(psp.refunded("ch_1").await.unwrap(), None);
}

#[tokio::test]
async fn a_razorpay_payment_tells_what_of_it_went_back() {
    let some = json!({"id": "pay_1", "amount_refunded": 400, "currency": "EUR"});
    let (server, psp) = answering(&some, razorpay).await;
    assert_eq!(psp.refunded("pay_1").await.unwrap(), Some(euros(400)));
    assert_eq!(server.seen()[0].line(), "GET /razorpay/v1/payments/pay_1");
    let none = json!({"id": "pay_1", "amount_refunded": null, "currency": "EUR"});
    let (_server, psp) = answering(&none, razorpay).await;
    assert_eq!(psp.refunded("pay_1").await.unwrap(), None);
}

#[tokio::test]
async fn an_amount_that_is_none_is_not_guessed() {
    let odd = json!({"id": "ch_1", "amount_refunded": -4, "currency": "eur"});
    let (_server, psp) = answering(&odd, stripe).await;
    let error = psp.refunded("ch_1").await.unwrap_err();
    assert!(matches!(error, PspError::Malformed { .. }), "{error}");
}
