//! However many workers reach for one card at once, its budget holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use db::attempts::Outcome;
use db::card_tries::{self, Card, Known, OurTry};
use db::{Db, Tenant};
use domain::limits::{CardNetwork, Ceiling, TryOutcome};

use crate::card_tries::{card, ours, verdict};
use crate::stage::{Stage, cause};

/// Attempts that race in all.
const RACING: u32 = 10_000;
/// Tasks of each of the two workers.
const TASKS: u32 = 20;

/// Races charges over one card, each of which is reserved and then released,
/// approved, declined or left under way, by what it is; answers how many tries
/// were left under way or declined, as the workers saw it.
async fn race(stage: &Stage, tenant: Tenant, network: CardNetwork, most: usize) -> u32 {
    // A worker of its own has a pool of its own.
    let other = Stage::pool(&stage.database, 8);
    let used = Arc::new(AtomicU32::new(0));
    let card = card(Some(network.as_str()), Some("pm_1"));
    let mut racing = tokio::task::JoinSet::new();
    for task in 0..2 * TASKS {
        let db = if task % 2 == 0 { &stage.db } else { &other };
        let (db, card, used) = (db.clone(), card.clone(), Arc::clone(&used));
        racing.spawn(async move {
            for attempt in (task..RACING).step_by(2 * TASKS as usize) {
                let new = ours(u64::from(attempt));
                if reserve(&db, tenant, &card, &new, network, most).await
                    && end(&db, tenant, &new, attempt).await
                {
                    used.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    while let Some(done) = racing.join_next().await {
        done.unwrap();
    }
    used.load(Ordering::Relaxed)
}

async fn reserve(
    db: &Db,
    tenant: Tenant,
    card: &Card,
    new: &OurTry,
    network: CardNetwork,
    most: usize,
) -> bool {
    let mut tx = db.begin(cause()).await.unwrap();
    let at = tx.now();
    let asked = |known: &Known| {
        let counted = known.tries.iter();
        let counted = counted.filter(|tried| tried.outcome != TryOutcome::Approved);
        assert!(counted.count() <= most, "the budget was exceeded");
        verdict(known, network, at)
    };
    let said = card_tries::reserve(&mut tx, tenant, card, new, asked)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    said == Ceiling::Allowed
}

/// Ends a reserved try one way or another; answers whether it uses up budget.
async fn end(db: &Db, tenant: Tenant, new: &OurTry, attempt: u32) -> bool {
    let mut tx = db.begin(cause()).await.unwrap();
    let ended = match attempt % 4 {
        0 => return true,
        1 => card_tries::release(&mut tx, tenant, new.attempt).await,
        _ => {
            let charge = format!("ch_{attempt}");
            let outcome = Outcome {
                charge_ref: Some(&charge),
                ..Outcome::default()
            };
            let declined = TryOutcome::Declined;
            card_tries::settle(&mut tx, tenant, new.attempt, declined, &outcome).await
        }
    };
    ended.unwrap();
    tx.commit().await.unwrap();
    attempt % 4 != 1
}

async fn held(network: CardNetwork, most: usize) {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    let used = race(&stage, shop, network, most).await;
    assert_eq!(usize::try_from(used).unwrap(), most);
    let left = stage.count("card_tries").await;
    assert_eq!(usize::try_from(left).unwrap(), most);
    let odd = "card_tries WHERE outcome = 'approved' OR (outcome = 'open') <> (charge_ref IS NULL)";
    assert_eq!(stage.count(odd).await, 0, "the ledger is whole");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_charges_that_race_over_one_mastercard_never_exceed_its_budget() {
    // Ten declines in a day.
    held(CardNetwork::Mastercard, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_charges_that_race_over_one_visa_card_never_exceed_its_budget() {
    // Twenty reattempts in thirty days, which the first charge is not.
    held(CardNetwork::Visa, 21).await;
}
