//! An account is asked at its pace.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use psp::{HttpSettings, PaymentRef, PspError, RateLimits};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::setup::{settings, stripe_at};

fn at_ten_a_second() -> HttpSettings {
    let rate_limits = RateLimits::default().everywhere(NonZeroU32::new(10).unwrap());
    HttpSettings {
        rate_limits,
        ..settings()
    }
}

fn unpaid() -> Reply {
    let intent = json!({
        "id": "pi_1", "status": "requires_payment_method", "amount": 4200, "currency": "eur",
    });
    Reply::json(200, &intent)
}

#[tokio::test]
async fn requests_of_one_account_keep_their_distance() {
    let server = Server::playing(vec![unpaid(); 6]).await;
    let psp = stripe_at(&server.url, at_ten_a_second());
    let began = Instant::now();
    let payment = PaymentRef::stripe("pi_1");
    for _ in 0..6 {
        psp.payment_status(&payment).await.unwrap();
    }
    // Two go ahead of the pace, the other four a tenth of a second apart.
    assert!(began.elapsed() >= Duration::from_millis(390));
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn an_account_that_is_to_rest_is_not_asked_by_anyone() {
    let limited = Reply::json(429, &json!({ "error": {} })).with("retry-after", "30");
    let server = Server::playing([limited]).await;
    let impatient = HttpSettings {
        total_timeout: Duration::from_millis(200),
        ..settings()
    };
    let psp = stripe_at(&server.url, impatient);
    let payment = PaymentRef::stripe("pi_1");
    let answer = psp.payment_status(&payment).await;
    assert!(matches!(answer, Err(PspError::RateLimited { .. })));
    for _ in 0..2 {
        let answer = psp.payment_status(&payment).await;
        let Err(PspError::Paused { pause }) = answer else {
            panic!("it was asked again: {answer:?}");
        };
        assert!(pause > Duration::from_secs(25), "{pause:?}");
    }
    assert_eq!(server.seen().len(), 1, "the second and third were not sent");
}
