use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::Currency;

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::parse(code).unwrap()).unwrap()
}

fn ours(state: RecoveryState) -> Ours {
    Ours {
        state,
        owed: money(1_000, "EUR"),
        recovered: (state == RecoveryState::Recovered).then(|| money(1_000, "EUR")),
    }
}

fn paid(minor: i64, code: &str) -> Seen {
    Seen::Paid {
        amount: money(minor, code),
        refunded: None,
    }
}

fn kinds(comparison: &Comparison) -> Vec<DifferenceKind> {
    let differences = comparison.differences.iter();
    differences.map(|difference| difference.kind).collect()
}

#[test]
fn a_payment_that_succeeded_unheard_closes_whatever_is_not_recovered() {
    for state in RecoveryState::ALL {
        let found = compare(&ours(*state), &[Seen::Unpaid, paid(1_000, "EUR")], true);
        if *state == RecoveryState::Recovered {
            assert_eq!(
                (found.verdict, found.follows),
                (Verdict::Ok, Follows::Nothing)
            );
            continue;
        }
        assert_eq!(kinds(&found), [DifferenceKind::PaidAtPsp]);
        let amount = money(1_000, "EUR");
        assert_eq!(found.follows, Follows::Recovered { amount, payment: 1 });
    }
}

#[test]
fn another_sum_is_told_and_taken_and_another_currency_is_told_only() {
    let open = ours(RecoveryState::Open);
    let less = compare(&open, &[paid(900, "EUR")], true);
    assert_eq!(
        kinds(&less),
        [DifferenceKind::PaidAtPsp, DifferenceKind::Amount]
    );
    assert!(matches!(less.follows, Follows::Recovered { .. }));
    let other = compare(&open, &[paid(1_000, "USD")], true);
    assert_eq!(
        kinds(&other),
        [DifferenceKind::PaidAtPsp, DifferenceKind::Currency]
    );
    assert_eq!(other.follows, Follows::Nothing);
    let recovered = compare(&ours(RecoveryState::Recovered), &[paid(900, "EUR")], true);
    assert_eq!(kinds(&recovered), [DifferenceKind::Amount]);
}

#[test]
fn a_cancelled_payment_ends_an_open_recovery_unless_the_payer_is_paying() {
    let open = ours(RecoveryState::Open);
    let cancelled = compare(&open, &[Seen::Cancelled, Seen::Unpaid], true);
    assert_eq!(kinds(&cancelled), [DifferenceKind::CancelledAtPsp]);
    assert_eq!(cancelled.follows, Follows::Cancelled);
    let paying = compare(&open, &[Seen::Cancelled, Seen::Pending], true);
    assert_eq!(
        (paying.verdict, paying.follows),
        (Verdict::Ok, Follows::Nothing)
    );
    let ended = compare(&ours(RecoveryState::Exhausted), &[Seen::Cancelled], true);
    assert_eq!(ended.verdict, Verdict::Ok);
}

#[test]
fn what_was_recovered_must_be_paid_there_once_and_stay_paid() {
    let recovered = ours(RecoveryState::Recovered);
    let of = |seen: &[Seen]| kinds(&compare(&recovered, seen, true));
    assert_eq!(of(&[Seen::Unpaid]), [DifferenceKind::NotPaidAtPsp]);
    assert_eq!(of(&[Seen::Cancelled]), [DifferenceKind::NotPaidAtPsp]);
    assert_eq!(
        of(&[Seen::Unpaid, Seen::Pending]),
        [DifferenceKind::PendingAtPsp]
    );
    let twice = [paid(1_000, "EUR"), paid(1_000, "EUR")];
    assert_eq!(of(&twice), [DifferenceKind::PaidTwice]);
    let back = Seen::Paid {
        amount: money(1_000, "EUR"),
        refunded: Some(money(400, "EUR")),
    };
    let found = compare(&recovered, &[back], true);
    assert_eq!(kinds(&found), [DifferenceKind::Refunded]);
    assert_eq!(found.differences[0].theirs, "refunded, 4.00 EUR");
}

fn seen() -> impl Strategy<Value = Seen> {
    let refund = proptest::option::of(1_i64..2_000);
    prop_oneof![
        Just(Seen::Unpaid),
        Just(Seen::Pending),
        Just(Seen::Cancelled),
        (1_i64..2_000, select(vec!["EUR", "USD"]), refund).prop_map(|(minor, code, back)| {
            Seen::Paid {
                amount: money(minor, code),
                refunded: back.map(|back| money(back, code)),
            }
        }),
    ]
}

proptest! {
    #[test]
    fn nothing_is_concluded_from_what_was_not_told(
        state in select(RecoveryState::ALL.to_vec()),
        seen in proptest::collection::vec(seen(), 0..4),
    ) {
        let found = compare(&ours(state), &seen, false);
        prop_assert_ne!(found.verdict, Verdict::Ok);
        prop_assert_ne!(found.follows, Follows::Cancelled);
        prop_assert!(!kinds(&found).contains(&DifferenceKind::NotPaidAtPsp));
    }

    #[test]
    fn a_change_follows_only_from_a_difference_and_only_money_of_the_owed_currency_is_taken(
        state in select(RecoveryState::ALL.to_vec()),
        seen in proptest::collection::vec(seen(), 0..4),
        complete: bool,
    ) {
        let found = compare(&ours(state), &seen, complete);
        prop_assert_eq!(found.verdict == Verdict::Mismatch, !found.differences.is_empty());
        if found.follows != Follows::Nothing {
            prop_assert_eq!(found.verdict, Verdict::Mismatch);
            prop_assert_ne!(state, RecoveryState::Recovered);
        }
        if let Follows::Recovered { amount, payment } = found.follows {
            prop_assert_eq!(amount.currency(), ours(state).owed.currency());
            let same = matches!(seen[payment], Seen::Paid { amount: there, .. } if there == amount);
            prop_assert!(same);
        }
    }
}
