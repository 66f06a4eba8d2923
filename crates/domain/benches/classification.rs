//! Nanoseconds to classify one failure. The promise is under 200 for codes that
//! a table knows: `cargo bench -p domain --bench classification`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use domain::classification::{FailureSource, Signals, classify};
use domain::limits::CardNetwork;

const STRIPE: Signals<'_> = Signals::new(FailureSource::Stripe);
const RAZORPAY: Signals<'_> = Signals::new(FailureSource::Razorpay);
const MERCHANT: Signals<'_> = Signals::new(FailureSource::Api);

/// What a failure may carry, from the commonest to the longest way round.
fn inputs() -> [(&'static str, Signals<'static>); 7] {
    let of = |signals, code| Signals {
        code: Some(code),
        ..signals
    };
    let whole = Signals {
        advice_code: Some("try_again_later"),
        network: Some(CardNetwork::Mastercard),
        network_decline_code: Some("51"),
        network_advice_code: Some("26"),
        ..of(STRIPE, "generic_decline")
    };
    let visa = Signals {
        network: Some(CardNetwork::Visa),
        network_decline_code: Some("57"),
        ..of(STRIPE, "transaction_not_allowed")
    };
    let worded = Signals {
        message: Some("The account has insufficient balance"),
        ..of(MERCHANT, "brand_new_code")
    };
    [
        ("a Stripe code", of(STRIPE, "insufficient_funds")),
        ("a Stripe code, advice and Mastercard's codes", whole),
        ("a Stripe code and Visa's code", visa),
        ("a Razorpay reason", of(RAZORPAY, "gateway_technical_error")),
        ("a UPI code through Razorpay", of(RAZORPAY, "U30")),
        ("a merchant's code of the last table", of(MERCHANT, "U69")),
        ("no known code, a message", worded),
    ]
}

fn classification(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("classify");
    for (name, signals) in inputs() {
        group.bench_function(name, |timer| timer.iter(|| classify(black_box(&signals))));
    }
    group.finish();
}

criterion_group!(benches, classification);
criterion_main!(benches);
