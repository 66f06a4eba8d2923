//! Playing a case.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::client::{Answer, Request};
use super::{Case, Stage, Story, batch, payer};
use crate::ground::Organization;
use crate::journal::{Door, Happening};

/// The sandbox's Twilio account and the number that messages come from.
const TWILIO_ACCOUNT: &str = "AC00000000000000000000000000000000";
const TWILIO_NUMBER: &str = "+15005550006";

/// Plays a case to the end of what its payer and merchant do.
pub(super) async fn play(stage: Stage, mut case: Case, mut rng: StdRng) {
    let stage = &stage;
    match case.story {
        Story::FundsThenOk => {
            at_stripe(
                stage,
                &mut case,
                "insufficient_funds",
                &["insufficient_funds", "ok"],
            )
            .await;
        }
        Story::OkAtOnce => at_stripe(stage, &mut case, "generic_decline", &["ok"]).await,
        Story::NeverOk => at_stripe(stage, &mut case, "insufficient_funds", &[]).await,
        Story::Stolen => at_stripe(stage, &mut case, "stolen_card", &["ok"]).await,
        Story::ExpiredThenPays => {
            at_stripe(stage, &mut case, "expired_card", &[]).await;
            payer::pays(stage, &case).await;
        }
        Story::UpiThenPays => {
            at_razorpay(stage, &mut case).await;
            payer::pays(stage, &case).await;
        }
        Story::UpiIgnored => at_razorpay(stage, &mut case).await,
        Story::ReportThenPays => {
            reported(stage, &case, &mut rng).await;
            payer::pays(stage, &case).await;
        }
        Story::ReportIgnored => {
            reported(stage, &case, &mut rng).await;
        }
        Story::Batched => {
            stage.note(&case);
            let twice = rng.random();
            batch::send(stage, &case, report(&case), twice).await;
        }
        Story::Cancelled => {
            at_stripe(
                stage,
                &mut case,
                "insufficient_funds",
                &["insufficient_funds", "ok"],
            )
            .await;
            some_time(&mut rng, 6_000).await;
            cancelled(stage, &case).await;
        }
        Story::PaidElsewhere => {
            at_stripe(stage, &mut case, "insufficient_funds", &[]).await;
            some_time(&mut rng, 6_000).await;
            paid_elsewhere(stage, &case).await;
        }
        Story::Stops => {
            reported(stage, &case, &mut rng).await;
            stops(stage, &case, &mut rng).await;
        }
    }
}

async fn some_time(rng: &mut StdRng, most_ms: u64) {
    sleep(Duration::from_millis(rng.random_range(0..most_ms))).await;
}

fn organization<'a>(stage: &'a Stage, case: &Case) -> &'a Organization {
    &stage.ground.organizations[case.organization]
}

/// The merchant's card payment fails at Stripe.
async fn at_stripe(stage: &Stage, case: &mut Case, code: &str, after: &[&str]) {
    let mut body = json!({
        "key": organization(stage, case).stripe_key,
        "amount": 1_000 + case.number % 1_000,
        "currency": "eur",
        "decline_code": code,
        "customer_email": case.email,
        "customer_phone": case.phone,
        "metadata": { "transaction_ref": case.reference },
    });
    if !after.is_empty() {
        body["outcomes_after"] = json!(after);
    }
    let failed = stage
        .ground
        .sandbox
        .control("stripe/fail_payment", &body)
        .await;
    begun(stage, case, "payment_intent", failed.map_err(Into::into));
}

/// The payer's UPI payment fails at Razorpay.
async fn at_razorpay(stage: &Stage, case: &mut Case) {
    let body = json!({
        "key_id": organization(stage, case).razorpay_key_id,
        "amount": 10_000 + case.number % 1_000,
        "currency": "INR",
        "method": "upi",
        "error_code": "BAD_REQUEST_ERROR",
        "error_reason": "payment_timed_out",
        "error_source": "customer",
        "error_step": "payment_authentication",
        "email": case.email,
        "contact": case.phone,
        "notes": { "transaction_ref": case.reference },
    });
    let failed = stage
        .ground
        .sandbox
        .control("razorpay/fail_payment", &body)
        .await;
    begun(stage, case, "order", failed.map_err(Into::into));
}

fn begun(stage: &Stage, case: &mut Case, payment: &str, failed: anyhow::Result<Value>) {
    match failed {
        Ok(failed) => {
            case.event = failed["event_id"].as_str().map(str::to_owned);
            case.payment = failed[payment].as_str().map(str::to_owned);
            stage.note(case);
        }
        Err(error) => stage.journal.write(Happening::NotBegun {
            reference: case.reference.clone(),
            why: format!("{error:#}"),
        }),
    }
}

fn report(case: &Case) -> Value {
    json!({
        "transaction_ref": case.reference,
        "amount": 2_000 + case.number % 1_000,
        "currency": "EUR",
        "gateway": "chaos",
        "failure_reason": "expired_card",
        "customer": {
            "email": case.email,
            "phone": case.phone,
            "name": "Chaos Payer",
            "consent": if case.number.is_multiple_of(2) { vec!["whatsapp"] } else { vec![] },
        },
    })
}

/// The merchant reports the failure; sometimes once more after it was answered.
async fn reported(stage: &Stage, case: &Case, rng: &mut StdRng) {
    stage.note(case);
    let body = report(case);
    let request = Request {
        method: Method::POST,
        path: "/v1/events/payment_failed",
        key: &organization(stage, case).api_key,
        idempotency_key: Some(&case.reference),
        body: Some(&body),
    };
    let Some(answer) = stage.client.until_answered(&request).await else {
        return;
    };
    if !answer.is_success() {
        let (what, why) = (case.reference.clone(), format!("{answer:?}"));
        return stage.journal.write(Happening::GivenUp { what, why });
    }
    stage.journal.write(Happening::Accepted {
        organization: organization(stage, case).slug.clone(),
        reference: case.reference.clone(),
        story: case.story.name(),
        door: Door::Report,
    });
    if rng.random_range(0..3) == 0
        && let Some(again) = stage.client.until_answered(&request).await
        && again != answer
    {
        stage.journal.write(Happening::AnsweredOtherwise {
            reference: case.reference.clone(),
            answers: format!("{answer:?} / {again:?}"),
        });
    }
}

/// The merchant cancels the recovery, once there is one.
async fn cancelled(stage: &Stage, case: &Case) {
    let Some(recovery) = recovery(stage, case).await else {
        return;
    };
    let path = format!("/v1/recoveries/{recovery}/cancel");
    let key = format!("cancel-{}", case.reference);
    let body = json!({});
    let request = Request {
        method: Method::POST,
        path: &path,
        key: &organization(stage, case).api_key,
        idempotency_key: Some(&key),
        body: Some(&body),
    };
    if stage
        .client
        .until_answered(&request)
        .await
        .is_some_and(|answer| answer.is_success())
    {
        let reference = case.reference.clone();
        stage.journal.write(Happening::Cancelled { reference });
    }
}

/// Asks for the case's recovery until there is one.
async fn recovery(stage: &Stage, case: &Case) -> Option<String> {
    let path = format!("/v1/events/by_ref/{}", case.reference);
    let request = Request {
        method: Method::GET,
        path: &path,
        key: &organization(stage, case).api_key,
        idempotency_key: None,
        body: None,
    };
    for _ in 0..100 {
        let Answer { body, .. } = stage.client.until_answered(&request).await?;
        if let Some(recovery) = body[0]["recovery_id"].as_str() {
            return Some(recovery.to_owned());
        }
        sleep(Duration::from_millis(500)).await;
    }
    None
}

/// The payer pays the merchant directly; a payment that has succeeded already refuses.
async fn paid_elsewhere(stage: &Stage, case: &Case) {
    let body = json!({
        "key": organization(stage, case).stripe_key,
        "payment_intent": case.payment,
    });
    let reference = case.reference.clone();
    let happened = Happening::Paid { reference };
    at_sandbox(stage, "stripe/pay_elsewhere", &body, happened).await;
}

/// The payer answers a text message, or sends the word without one.
async fn stops(stage: &Stage, case: &Case, rng: &mut StdRng) {
    if rng.random() {
        payer::gets_a_text(stage, case).await;
    } else {
        some_time(rng, 8_000).await;
    }
    let body = json!({
        "account_sid": TWILIO_ACCOUNT, "from": case.phone, "to": TWILIO_NUMBER, "body": "STOP",
    });
    let phone = case.phone.clone();
    let happened = Happening::Stopped { phone };
    at_sandbox(stage, "twilio/inbound", &body, happened).await;
}

/// Has the sandbox do something, and journals it if it was done.
async fn at_sandbox(stage: &Stage, path: &str, body: &Value, happened: Happening) {
    if stage.ground.sandbox.control(path, body).await.is_ok() {
        stage.journal.write(happened);
    }
}
