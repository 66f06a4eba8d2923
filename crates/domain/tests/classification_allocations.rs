//! Classifying a failure takes no memory from the heap.

use domain::classification::{FailureSource, Signals, TABLES, classify};
use domain::limits::{CardNetwork, Rail};

fn takes_nothing(signals: &Signals<'_>) {
    let taken = allocation_counter::measure(|| {
        std::hint::black_box(classify(std::hint::black_box(signals)));
    });
    assert_eq!(taken.count_total, 0, "{signals:?}");
}

#[test]
fn the_counter_counts() {
    let taken = allocation_counter::measure(|| {
        std::hint::black_box(String::from("some"));
    });
    assert_eq!(taken.count_total, 1);
}

#[test]
fn a_code_that_a_table_knows_takes_no_memory() {
    for (_, rows) in TABLES {
        for row in *rows {
            for source in FailureSource::ALL {
                takes_nothing(&Signals {
                    gateway: Some("Razorpay India"),
                    code: Some(row.code),
                    advice_code: Some(row.code),
                    network: Some(CardNetwork::Visa),
                    network_decline_code: Some(row.code),
                    network_advice_code: Some(row.code),
                    message: Some("Insufficient balance"),
                    rail: Some(Rail::Card),
                    ..Signals::new(*source)
                });
            }
        }
    }
}

#[test]
fn neither_does_one_that_none_knows_nor_a_message() {
    for source in FailureSource::ALL {
        takes_nothing(&Signals {
            code: Some("a code that is not there"),
            message: Some("UPI is PENDING"),
            ..Signals::new(*source)
        });
        takes_nothing(&Signals::new(*source));
    }
}
