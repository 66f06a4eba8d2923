//! The cases: how each begins, what its payer does, how it must end.

use serde_json::{Value, json};

use super::DemoError;
use super::report::CaseReport;
use super::watch::{Ending, Stage};

/// Declined for lack of funds, declined again, and paid by the second
/// off-session charge. The payer is never bothered.
pub(super) async fn short_of_funds(stage: &Stage) -> CaseReport {
    let play = async {
        let case = stage.case("short-of-funds");
        let body = json!({
            "amount": 4_900, "currency": "eur", "decline_code": "insufficient_funds",
            "outcomes_after": ["insufficient_funds", "ok"],
        });
        let failed = case.fail_at_stripe(body).await?;
        let seen = case.until_ended(Ending::Recovered { by: "charge" }).await?;
        let payment = text(&failed, "payment_intent")?;
        case.expect_charges(payment, 2, 1).await?;
        case.expect_messages(0).await?;
        Ok(seen)
    };
    CaseReport::of(
        "A card short of funds, recovered by the second off-session charge",
        play.await,
    )
}

/// An expired card cannot be charged; the payer pays through the emailed link.
pub(super) async fn expired_card(stage: &Stage) -> CaseReport {
    let play = async {
        let case = stage.case("expired-card");
        let body = json!({
            "amount": 129_950, "currency": "inr", "decline_code": "expired_card",
            "outcomes_after": ["expired_card"],
        });
        let failed = case.fail_at_stripe(body).await?;
        let page = case.open_link("email").await?;
        page.pay_by_card("4242424242424242").await?;
        let seen = case.until_ended(Ending::Recovered { by: "link" }).await?;
        let payment = text(&failed, "payment_intent")?;
        case.expect_charges(payment, 0, 0).await?;
        case.expect_one_of_each_message().await?;
        Ok(seen)
    };
    CaseReport::of(
        "An expired card, recovered by the payer through the emailed link and the hosted checkout",
        play.await,
    )
}

/// A stolen card is never charged again, and the recovery is given up.
pub(super) async fn hard_decline(stage: &Stage) -> CaseReport {
    let play = async {
        let case = stage.case("hard-decline");
        let body = json!({
            "amount": 7_500, "currency": "usd", "decline_code": "stolen_card",
            "outcomes_after": ["ok"],
        });
        let failed = case.fail_at_stripe(body).await?;
        let seen = case.until_ended(Ending::Exhausted).await?;
        let payment = text(&failed, "payment_intent")?;
        case.expect_charges(payment, 0, 0).await?;
        case.expect_one_of_each_message().await?;
        Ok(seen)
    };
    CaseReport::of("A hard decline that is never charged again", play.await)
}

/// A UPI payment fails at Razorpay; the payer, who has opted in, pays through the
/// link in a WhatsApp message.
pub(super) async fn upi_failure(stage: &Stage) -> CaseReport {
    let play = async {
        let case = stage.case("upi");
        case.opt_in_to_whatsapp().await?;
        let body = json!({
            "amount": 59_900, "currency": "INR", "method": "upi",
            "error_code": "BAD_REQUEST_ERROR", "error_reason": "payment_timed_out",
            "error_source": "customer", "error_step": "payment_authentication",
            "error_description": "The payer did not approve the request in time",
        });
        case.fail_at_razorpay(body).await?;
        let page = case.open_link("whatsapp").await?;
        page.pay_by_upi("payer@upi").await?;
        let seen = case.until_ended(Ending::Recovered { by: "link" }).await?;
        case.expect_one_of_each_message().await?;
        Ok(seen)
    };
    CaseReport::of(
        "A UPI failure over Razorpay, recovered by a WhatsApp link",
        play.await,
    )
}

/// The same webhook three times: one failure event, one recovery, one charge.
pub(super) async fn delivered_three_times(stage: &Stage) -> CaseReport {
    let play = async {
        let case = stage.case("three-deliveries");
        let body = json!({
            "amount": 2_000, "currency": "eur", "decline_code": "generic_decline",
            "outcomes_after": ["ok"],
        });
        let failed = case.fail_at_stripe(body).await?;
        let event = text(&failed, "event_id")?;
        case.redeliver(event, 2).await?;
        let seen = case.until_ended(Ending::Recovered { by: "charge" }).await?;
        case.expect_deliveries(event, 3).await?;
        let payment = text(&failed, "payment_intent")?;
        case.expect_charges(payment, 1, 1).await?;
        case.expect_failure_events(1).await?;
        Ok(seen)
    };
    CaseReport::of(
        "A webhook delivered three times with one effect",
        play.await,
    )
}

fn text<'a>(answer: &'a Value, field: &str) -> Result<&'a str, DemoError> {
    answer[field]
        .as_str()
        .ok_or_else(|| DemoError::Answer(format!("the sandbox named no {field}")))
}
