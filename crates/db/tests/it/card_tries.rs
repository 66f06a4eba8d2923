//! Every try on a card counts, once, whoever makes it and whoever tells of it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::{self, Outcome, StoredAttempt};
use db::card_tries::{self, Card, Known, OurTry, Reported};
use db::{Db, Tenant};
use domain::id::{AttemptId, ConnectionId, TransactionId};
use domain::limits::{CardNetwork, Ceiling, ChargeCase, Rail, RulePack, TriedBy, TryOutcome};
use domain::{AttemptKind, AttemptState};
use rand::SeedableRng;
use rand::rngs::StdRng;
use uuid::Uuid;

use crate::stage::{Stage, amount, cause, now};

/// The card of a fingerprint, of the payment method made of it, or of both.
pub(crate) fn card(fingerprint: Option<&str>, means: Option<&str>) -> Card {
    let connection = ConnectionId::from_uuid(Uuid::from_u128(5));
    Card::of(Some(connection), fingerprint, means).unwrap()
}

/// A charge of ours, the same one for the same seed.
pub(crate) fn ours(seed: u64) -> OurTry {
    static PLANNED_AT: LazyLock<DateTime<Utc>> = LazyLock::new(now);
    OurTry {
        attempt: AttemptId::new(*PLANNED_AT, &mut StdRng::seed_from_u64(seed)),
        transaction: TransactionId::from_uuid(Uuid::from_u128(1)),
        amount: amount(),
    }
}

/// What the rules say to one more charge on a card of the network.
pub(crate) fn verdict(known: &Known, network: CardNetwork, at: DateTime<Utc>) -> Ceiling {
    let last = known.last_decline.as_ref();
    let case = ChargeCase {
        rail: Rail::Card,
        network: Some(network),
        country: None,
        amount: amount(),
        recurring: true,
        decided_at: at,
        tries: &known.tries,
        last_decline_code: last.and_then(|last| last.decline_code.as_deref()),
        last_advice_code: last.and_then(|last| last.advice_code.as_deref()),
        failed_at: at,
        recovery_charges: 0,
        time_zone: chrono_tz::Tz::UTC,
    };
    RulePack::current().earliest_charge(&case, at)
}

async fn reserve(db: &Db, tenant: Tenant, card: &Card, new: &OurTry) -> Ceiling {
    let mut tx = db.begin(cause()).await.unwrap();
    let at = tx.now();
    let asked = |known: &Known| verdict(known, CardNetwork::Mastercard, at);
    let said = card_tries::reserve(&mut tx, tenant, card, new, asked)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    said
}

fn reported(charge: Option<&str>) -> Reported<'_> {
    Reported {
        transaction: TransactionId::from_uuid(Uuid::from_u128(1)),
        amount: amount(),
        at: now(),
        by: TriedBy::Psp,
        outcome: TryOutcome::Declined,
        charge,
        decline_code: None,
        advice_code: None,
    }
}

async fn record(stage: &Stage, tenant: Tenant, card: &Card, new: &Reported<'_>) -> bool {
    let mut tx = stage.tx().await;
    let news = card_tries::record(&mut tx, tenant, card, new)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    news
}

async fn settle(
    stage: &Stage,
    tenant: Tenant,
    new: &OurTry,
    became: TryOutcome,
    outcome: &Outcome<'_>,
) {
    let mut tx = stage.tx().await;
    card_tries::settle(&mut tx, tenant, new.attempt, became, outcome)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// How many tries there are on a card, by party and outcome.
async fn told(stage: &Stage, tenant: Tenant, card: &Card) -> BTreeMap<String, u32> {
    let conn = stage.db.read().await.unwrap();
    let known = card_tries::recent(&conn, tenant, card, now() + TimeDelta::seconds(1))
        .await
        .unwrap();
    let mut told = BTreeMap::new();
    for tried in known.tries {
        let what = format!("{} {}", tried.by, tried.outcome);
        *told.entry(what).or_default() += 1;
    }
    told
}

fn counts<const N: usize>(counts: [(&str, u32); N]) -> BTreeMap<String, u32> {
    counts
        .into_iter()
        .map(|(what, count)| (what.to_owned(), count))
        .collect()
}

#[tokio::test]
async fn a_card_is_full_for_whoever_comes_and_another_card_or_merchant_is_not() {
    let stage = Stage::new().await;
    let (shop, other) = (stage.tenant("shop").await, stage.tenant("other").await);
    let (full, empty) = (card(Some("full"), None), card(Some("empty"), None));
    for charge in 0..10 {
        let charge = format!("ch_{charge}");
        assert!(record(&stage, shop, &full, &reported(Some(&charge))).await);
    }
    let refused = reserve(&stage.db, shop, &full, &ours(1)).await;
    assert!(
        matches!(refused, Ceiling::NotBefore { rule, .. } if rule.id.starts_with("mastercard")),
        "{refused:?}"
    );
    assert_eq!(
        reserve(&stage.db, shop, &empty, &ours(2)).await,
        Ceiling::Allowed
    );
    assert_eq!(
        reserve(&stage.db, other, &full, &ours(3)).await,
        Ceiling::Allowed
    );
    assert_eq!(
        told(&stage, shop, &full).await,
        counts([("psp declined", 10)])
    );
    assert_eq!(told(&stage, other, &full).await, counts([("us open", 1)]));
}

#[tokio::test]
async fn a_reservation_holds_one_place_however_often_it_is_asked_for() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let card = card(Some("one"), None);
    for _ in 0..3 {
        assert_eq!(
            reserve(&stage.db, shop, &card, &ours(1)).await,
            Ceiling::Allowed
        );
    }
    assert_eq!(told(&stage, shop, &card).await, counts([("us open", 1)]));
}

#[tokio::test]
async fn a_report_of_our_own_charge_counts_once_whichever_comes_first() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let outcome = Outcome {
        charge_ref: Some("ch_1"),
        ..Outcome::default()
    };
    for (name, report_first) in [("a", true), ("b", false)] {
        let card = card(Some(name), None);
        let new = ours(u64::from(report_first));
        reserve(&stage.db, shop, &card, &new).await;
        let report = reported(Some("ch_1"));
        if report_first {
            record(&stage, shop, &card, &report).await;
        }
        settle(&stage, shop, &new, TryOutcome::Declined, &outcome).await;
        if !report_first {
            assert!(!record(&stage, shop, &card, &report).await);
        }
        assert_eq!(
            told(&stage, shop, &card).await,
            counts([("us declined", 1)])
        );
    }
}

#[tokio::test]
async fn two_reports_of_one_try_count_once_and_two_tries_twice() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let card = card(Some("one"), None);
    // The invoice's event names no charge; the charge's own comes after it.
    assert!(record(&stage, shop, &card, &reported(None)).await);
    assert!(!record(&stage, shop, &card, &reported(Some("ch_1"))).await);
    assert!(!record(&stage, shop, &card, &reported(Some("ch_1"))).await);
    assert!(!record(&stage, shop, &card, &reported(None)).await);
    assert!(record(&stage, shop, &card, &reported(Some("ch_2"))).await);
    let later = Reported {
        at: now() - TimeDelta::hours(1),
        ..reported(None)
    };
    assert!(record(&stage, shop, &card, &later).await);
    assert_eq!(
        told(&stage, shop, &card).await,
        counts([("psp declined", 3)])
    );
}

#[tokio::test]
async fn a_charge_that_failed_and_was_approved_late_is_approved() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let card = card(None, Some("token_1"));
    let approved = Reported {
        outcome: TryOutcome::Approved,
        ..reported(Some("pay_1"))
    };
    assert!(record(&stage, shop, &card, &reported(Some("pay_1"))).await);
    assert!(!record(&stage, shop, &card, &approved).await);
    assert!(!record(&stage, shop, &card, &reported(Some("pay_1"))).await);
    assert_eq!(
        told(&stage, shop, &card).await,
        counts([("psp approved", 1)])
    );
}

#[tokio::test]
async fn a_means_that_turns_out_to_be_a_known_card_brings_its_tries_along() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let (means, number) = (card(None, Some("pm_1")), card(Some("fp"), None));
    reserve(&stage.db, shop, &means, &ours(1)).await;
    record(&stage, shop, &number, &reported(Some("ch_1"))).await;
    assert_eq!(told(&stage, shop, &means).await, counts([("us open", 1)]));

    let mut tx = stage.tx().await;
    let both = card(Some("fp"), Some("pm_1"));
    card_tries::learn(&mut tx, shop, &both).await.unwrap();
    tx.commit().await.unwrap();
    let all = counts([("psp declined", 1), ("us open", 1)]);
    for card in [&means, &number, &both] {
        assert_eq!(told(&stage, shop, card).await, all);
    }
    settle(
        &stage,
        shop,
        &ours(1),
        TryOutcome::Approved,
        &Outcome::default(),
    )
    .await;
    record(&stage, shop, &means, &reported(Some("ch_2"))).await;
    let all = counts([("psp declined", 2), ("us approved", 1)]);
    assert_eq!(told(&stage, shop, &number).await, all);
}

#[tokio::test]
async fn the_networks_codes_of_the_newest_decline_are_told() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let card = card(Some("one"), None);
    reserve(&stage.db, shop, &card, &ours(1)).await;
    let outcome = Outcome {
        network_decline_code: Some("05"),
        network_advice_code: Some("03"),
        ..Outcome::default()
    };
    settle(&stage, shop, &ours(1), TryOutcome::Declined, &outcome).await;
    let older = Reported {
        at: now() - TimeDelta::days(2),
        decline_code: Some("51"),
        ..reported(Some("ch_0"))
    };
    record(&stage, shop, &card, &older).await;
    let conn = stage.db.read().await.unwrap();
    let known = card_tries::recent(&conn, shop, &card, now()).await;
    let last = known.unwrap().last_decline.unwrap();
    assert_eq!(last.decline_code.as_deref(), Some("05"));
    assert_eq!(last.advice_code.as_deref(), Some("03"));
    drop(conn);
    // Mastercard: not again for thirty days, whatever room there is.
    let refused = reserve(&stage.db, shop, &card, &ours(2)).await;
    assert!(matches!(refused, Ceiling::NotBefore { .. }), "{refused:?}");
}

/// A claimed charge with its try reserved.
async fn claimed(stage: &Stage, tenant: Tenant, reference: &str, card: &Card) -> StoredAttempt {
    let (transaction, recovery) = stage.recovery(tenant, reference).await;
    let id = stage
        .due_attempt(tenant, recovery, AttemptKind::Charge)
        .await;
    let mut conn = stage.db.read().await.unwrap();
    let claim = crate::stage::claim(1, Uuid::nil(), 9, 9);
    let claimed = attempts::claim_due(&mut conn, &claim).await.unwrap();
    drop(conn);
    let new = OurTry {
        attempt: id,
        transaction,
        amount: amount(),
    };
    let said = reserve(&stage.db, tenant, card, &new).await;
    assert_eq!(said, Ceiling::Allowed);
    claimed.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_reservation_ends_with_its_attempt_and_is_kept_while_that_is_in_doubt() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let never_sent = Outcome {
        never_sent: true,
        ..Outcome::default()
    };
    let plain = Outcome::default();
    let due = Some(now() + TimeDelta::minutes(5));
    for (at, (next, outcome, left)) in [
        (AttemptState::Succeeded, &plain, Some("us approved")),
        (AttemptState::Declined, &plain, Some("us declined")),
        (AttemptState::Declined, &never_sent, None),
        (AttemptState::Scheduled, &plain, None),
        (AttemptState::Cancelled, &plain, None),
        (AttemptState::InDoubt, &plain, Some("us open")),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("order-{at}");
        let card = card(Some(&name), None);
        let attempt = claimed(&stage, shop, &name, &card).await;
        let worker = Uuid::from_u128(1);
        let mut tx = stage.tx().await;
        let moved = attempts::settle(&mut tx, &attempt, worker, next, due, outcome).await;
        assert!(moved.unwrap());
        tx.commit().await.unwrap();
        let expected: Vec<String> = left.into_iter().map(str::to_owned).collect();
        let found: Vec<String> = told(&stage, shop, &card).await.into_keys().collect();
        assert_eq!(found, expected, "{next}");
    }
}

#[tokio::test]
async fn what_a_dead_worker_may_have_sent_counts_even_if_nothing_comes_of_it() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let card = card(Some("one"), None);
    claimed(&stage, shop, "order-1", &card).await;
    let later = now() + TimeDelta::minutes(5);
    let (heir, lease) = (Uuid::from_u128(2), later + TimeDelta::minutes(2));
    let mut conn = stage.db.read().await.unwrap();
    let nothing = attempts::UnderWay::default();
    let taken = attempts::claim_unsettled(&mut conn, heir, later, lease, 9, nothing).await;
    let taken = taken.unwrap().pop().unwrap();
    drop(conn);
    assert_eq!(told(&stage, shop, &card).await, counts([("us open", 1)]));

    let mut tx = stage.tx().await;
    let (next, none) = (AttemptState::Cancelled, Outcome::default());
    let moved = attempts::settle(&mut tx, &taken, heir, next, None, &none).await;
    assert!(moved.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(
        told(&stage, shop, &card).await,
        counts([("us declined", 1)])
    );
}
