//! What is not well is left alone, and nothing more than that.

use std::num::NonZeroU32;
use std::time::Duration;

use circuit::Limits;
use psp::{HttpSettings, PaymentRef, Psp, PspError};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::setup::{http, settings, stripe_over};

const PAUSE: Duration = Duration::from_millis(300);

/// Three failures on end, and one probe at a time.
fn impatient() -> HttpSettings {
    HttpSettings {
        max_tries: 1,
        breakers: Limits {
            failures_in_a_row: NonZeroU32::new(3).unwrap(),
            first_pause: PAUSE,
            longest_pause: PAUSE,
            probes: NonZeroU32::MIN,
        },
        ..settings()
    }
}

fn paid() -> Reply {
    let intent = json!({
        "id": "pi_1", "object": "payment_intent", "status": "succeeded",
        "amount": 1234, "amount_received": 1234, "currency": "eur", "latest_charge": "ch_1",
    });
    Reply::json(200, &intent)
}

async fn ask(psp: &Psp) -> Result<(), PspError> {
    let asked = psp.payment_status(&PaymentRef::stripe("pi_1")).await;
    asked.map(|_| ())
}

fn is_paused(asked: &Result<(), PspError>) -> bool {
    matches!(asked, Err(PspError::Paused { pause }) if *pause <= PAUSE)
}

#[tokio::test]
async fn a_psp_that_fails_on_end_is_not_asked_for_a_while_by_any_account_then_tried_and_used() {
    let away = || Reply::raw(503, "");
    let server = Server::playing([away(), away(), away(), paid(), paid()]).await;
    let http = http(impatient());
    let (one, two) = (
        stripe_over(&http, &server, "sk_test_1"),
        stripe_over(&http, &server, "sk_test_2"),
    );
    for psp in [&one, &two, &one] {
        assert!(matches!(ask(psp).await, Err(PspError::Unclear { .. })));
    }
    for psp in [&one, &two] {
        assert!(psp.pause().is_some_and(|pause| pause <= PAUSE));
        assert!(is_paused(&ask(psp).await));
    }
    assert_eq!(
        server.seen().len(),
        3,
        "nothing was sent while it was left alone"
    );
    tokio::time::sleep(PAUSE).await;
    ask(&two).await.unwrap();
    assert_eq!(one.pause(), None);
    ask(&one).await.unwrap();
}

#[tokio::test]
async fn what_fails_for_one_account_alone_stops_that_account_alone() {
    let away = || Reply::raw(503, "");
    let replies = [paid(), away(), away(), away(), away(), paid()];
    let server = Server::playing(replies).await;
    let http = http(impatient());
    let (bad, good) = (
        stripe_over(&http, &server, "sk_test_1"),
        stripe_over(&http, &server, "sk_test_2"),
    );
    ask(&good).await.unwrap();
    for _ in 0..3 {
        assert!(matches!(ask(&bad).await, Err(PspError::Unclear { .. })));
    }
    assert!(is_paused(&ask(&bad).await));
    assert_eq!(good.pause(), None);
    tokio::time::sleep(PAUSE).await;
    assert!(matches!(ask(&bad).await, Err(PspError::Unclear { .. })));
    ask(&good).await.unwrap();
}

#[tokio::test]
async fn one_merchants_revoked_key_stops_that_merchant_alone_and_no_check_of_the_key() {
    let told = json!({"error": {"message": "Invalid API Key"}});
    let server = Server::playing([Reply::json(401, &told), paid(), Reply::json(401, &told)]).await;
    let http = http(impatient());
    let (revoked, good) = (
        stripe_over(&http, &server, "sk_test_1"),
        stripe_over(&http, &server, "sk_test_2"),
    );
    assert!(matches!(
        ask(&revoked).await,
        Err(PspError::Unauthorized { .. })
    ));
    assert!(is_paused(&ask(&revoked).await));
    ask(&good).await.unwrap();
    let checked = revoked.verify_credentials().await;
    assert!(matches!(checked, Err(PspError::Unauthorized { .. })));
    assert!(is_paused(&ask(&revoked).await));
}

#[tokio::test]
async fn declines_and_refusals_open_nothing_however_many() {
    let told = json!({"error": {"message": "No such payment_intent"}});
    let server = Server::playing((0..40).map(|_| Reply::json(404, &told))).await;
    let psp = stripe_over(&http(impatient()), &server, "sk_test_1");
    for _ in 0..40 {
        assert!(matches!(
            ask(&psp).await,
            Err(PspError::Refused {
                status: Some(404),
                ..
            })
        ));
    }
    assert_eq!(server.seen().len(), 40);
}
