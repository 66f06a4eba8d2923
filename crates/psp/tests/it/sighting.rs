//! What a look-up shows of a charge that was sent and not heard of.

use psp::{PaymentRef, Sighting};
use serde_json::{Value, json};

use crate::server::{Reply, Server};
use crate::setup::{charge_of, euros, stripe};

async fn seen(payment: Option<&str>, before: Option<&str>, script: &[Value]) -> Sighting {
    let server = Server::playing(script.iter().map(|body| Reply::json(200, body))).await;
    let psp = stripe(&server);
    let seen = psp.look_up_charge(&charge_of(payment), before).await;
    assert!(server.seen().iter().all(|asked| asked.method == "GET"));
    seen.unwrap()
}

fn intent(status: &str, charge: Option<&str>) -> Value {
    json!({
        "id": "pi_1", "status": status, "amount": 4200, "amount_received": 4200,
        "currency": "eur", "latest_charge": charge, "metadata": {},
        "last_payment_error": charge.map(|charge| json!({
            "code": "card_declined", "decline_code": "insufficient_funds",
            "advice_code": "try_again_later", "charge": charge,
        })),
    })
}

#[tokio::test]
async fn the_charge_that_was_there_before_is_not_ours() {
    let unpaid = [intent("requires_payment_method", Some("ch_0"))];
    let told = seen(Some("pi_1"), Some("ch_0"), &unpaid).await;
    assert_eq!(told, Sighting::NotMade);
    let never = [intent("requires_payment_method", None)];
    assert_eq!(seen(Some("pi_1"), None, &never).await, Sighting::NotMade);
}

#[tokio::test]
async fn a_charge_that_was_refused_since_tells_why() {
    let unpaid = [intent("requires_payment_method", Some("ch_1"))];
    let told = seen(Some("pi_1"), Some("ch_0"), &unpaid).await;
    let Sighting::Declined(decline) = told else {
        panic!("{told:?}");
    };
    assert_eq!(decline.charge.as_deref(), Some("ch_1"));
    assert_eq!(decline.advice_code.as_deref(), Some("try_again_later"));
}

#[tokio::test]
async fn money_that_came_is_seen_whoever_moved_it() {
    for before in [None, Some("ch_0")] {
        let paid = [intent("succeeded", Some("ch_1"))];
        let wanted = Sighting::Succeeded {
            payment: PaymentRef::stripe("pi_1"),
            charge: Some("ch_1".into()),
            amount: euros(4_200),
        };
        assert_eq!(seen(Some("pi_1"), before, &paid).await, wanted);
    }
    let busy = [intent("processing", Some("ch_1"))];
    assert_eq!(seen(Some("pi_1"), None, &busy).await, Sighting::Pending);
    let gone = [intent("canceled", Some("ch_0"))];
    assert_eq!(seen(Some("pi_1"), None, &gone).await, Sighting::Cancelled);
}

#[tokio::test]
async fn a_payment_of_its_own_is_found_by_its_attempt() {
    let page = |data: Vec<Value>| json!({ "object": "list", "data": data, "has_more": false });
    let nobody = [page(vec![intent("succeeded", Some("ch_9"))])];
    assert_eq!(seen(None, None, &nobody).await, Sighting::NotMade);
    let mut ours = intent("requires_payment_method", Some("ch_1"));
    ours["metadata"] = json!({ "tinko_attempt_id": charge_of(None).attempt.to_string() });
    let told = seen(None, None, &[page(vec![ours])]).await;
    assert!(matches!(told, Sighting::Declined(_)), "{told:?}");
}

#[test]
fn what_succeeds_once_is_told_from_what_its_key_alone_holds_to_one() {
    for (payment, once) in [
        (Some("pi_1"), true),
        (Some("in_1"), true),
        (Some("ch_1"), false),
        (None, false),
    ] {
        assert_eq!(charge_of(payment).succeeds_once(), once, "{payment:?}");
    }
}
