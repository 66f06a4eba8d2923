//! Claims: leases, nobody's attempt twice, organizations in turn.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use db::attempts::{self, Claim, Outcome, Reserved, StoredAttempt, UnderWay};
use db::{Tenant, Tx};
use domain::id::RecoveryId;
use domain::schedule::Step;
use domain::{AttemptKind, AttemptState};
use uuid::Uuid;

use crate::stage::{Stage, cause, claim, now};

/// Places of a worker, as the scheduler has them.
const PLACES: i64 = 64;

async fn claim_one(stage: &Stage, worker: u128) -> StoredAttempt {
    let mut conn = stage.db.read().await.unwrap();
    let claimed = attempts::claim_due(&mut conn, &claim(worker, Uuid::nil(), 1, 1)).await;
    claimed.unwrap().pop().expect("one attempt is due")
}

#[tokio::test]
async fn a_claimed_attempt_carries_its_lease_and_is_not_claimed_again_while_it_lasts() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let id = stage
        .due_attempt(tenant, recovery, AttemptKind::Charge)
        .await;
    let claimed = claim_one(&stage, 1).await;
    assert_eq!(claimed.id, id);
    assert_eq!(claimed.state, AttemptState::Claimed);
    assert_eq!((claimed.number, claimed.claims), (1, 1));

    let mut conn = stage.db.read().await.unwrap();
    let second = attempts::claim_due(&mut conn, &claim(2, Uuid::nil(), 9, 9)).await;
    assert!(second.unwrap().is_empty());
    let now = now();
    let lease = now + TimeDelta::minutes(2);
    let two = Uuid::from_u128(2);
    let nothing = UnderWay::default();
    let early = attempts::claim_unsettled(&mut conn, two, now, lease, 9, nothing).await;
    assert!(early.unwrap().is_empty());
}

async fn charge_at(tx: &mut Tx, tenant: Tenant, recovery: RecoveryId, due_at: DateTime<Utc>) {
    let step = Step {
        number: 1,
        kind: AttemptKind::Charge,
        channels: Vec::new(),
        why: "a test wants it".to_owned(),
        due_at,
    };
    let scheduled = attempts::schedule(tx, tenant, recovery, &step).await;
    scheduled.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_not_due_is_left_alone_and_told_as_next() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let mut tx = stage.tx().await;
    let due_at = tx.now() + TimeDelta::hours(1);
    charge_at(&mut tx, tenant, recovery, due_at).await;
    tx.commit().await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    let claimed = attempts::claim_due(&mut conn, &claim(1, Uuid::nil(), 9, 9)).await;
    assert!(claimed.unwrap().is_empty());
    let next = attempts::next_due(&mut conn).await.unwrap().unwrap();
    assert!((next - due_at).abs() < TimeDelta::milliseconds(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_claim_at_once_are_never_given_the_same_attempt() {
    let stage = Stage::new().await;
    for slug in ["one", "two", "three"] {
        let tenant = stage.tenant(slug).await;
        stage.backlog(tenant, "scheduled", 334).await;
    }
    let claiming: Vec<_> = (1..=4)
        .map(|worker| {
            let db = stage.db.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let mut conn = db.read().await.unwrap();
                    let claimed =
                        attempts::claim_due(&mut conn, &claim(worker, Uuid::nil(), 7, 20))
                            .await
                            .unwrap();
                    // Others may hold the locks on what is left: only the table says that it is over.
                    if claimed.is_empty() && attempts::next_due(&mut conn).await.unwrap().is_none()
                    {
                        return mine;
                    }
                    mine.extend(claimed.into_iter().map(|attempt| attempt.id));
                }
            })
        })
        .collect();
    let mut given = Vec::new();
    for one in claiming {
        given.extend(one.await.unwrap());
    }
    assert_eq!(given.len(), 1002);
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 1002);
}

/// Claims as the scheduler does: the first round of all places, then from the
/// organization after the last one met.
async fn two_rounds(stage: &Stage) -> Vec<StoredAttempt> {
    let mut conn = stage.db.read().await.unwrap();
    let first = attempts::claim_due(&mut conn, &claim(1, Uuid::nil(), PLACES, PLACES))
        .await
        .unwrap();
    let met = first.iter().map(|a| a.tenant.organization().uuid()).max();
    let second = attempts::claim_due(&mut conn, &claim(1, met.unwrap(), PLACES, PLACES))
        .await
        .unwrap();
    first.into_iter().chain(second).collect()
}

#[tokio::test]
async fn a_backlog_of_thousands_does_not_hide_another_organizations_ten() {
    for busy_first in [true, false] {
        let stage = Stage::new().await;
        let (a, b) = (stage.tenant("a").await, stage.tenant("b").await);
        let (low, high) = if a.organization() < b.organization() {
            (a, b)
        } else {
            (b, a)
        };
        let (busy, quiet) = if busy_first { (low, high) } else { (high, low) };
        stage.backlog(busy, "scheduled", 5_000).await;
        stage.backlog(quiet, "scheduled", 10).await;
        let claimed = two_rounds(&stage).await;
        let quiet = claimed.iter().filter(|attempt| attempt.tenant == quiet);
        assert_eq!(quiet.count(), 10, "busy first: {busy_first}");
    }
}

#[tokio::test]
async fn a_claim_gives_no_organization_more_than_its_share() {
    let stage = Stage::new().await;
    for slug in ["one", "two", "three"] {
        let tenant = stage.tenant(slug).await;
        stage.backlog(tenant, "scheduled", 50).await;
    }
    let mut conn = stage.db.read().await.unwrap();
    let claimed = attempts::claim_due(&mut conn, &claim(1, Uuid::nil(), 5, 12))
        .await
        .unwrap();
    let mut by_organization = BTreeMap::new();
    for attempt in &claimed {
        *by_organization
            .entry(attempt.tenant.organization())
            .or_insert(0) += 1;
    }
    let mut shares: Vec<i32> = by_organization.into_values().collect();
    shares.sort_unstable();
    assert_eq!(shares, [2, 5, 5]);
}

#[tokio::test]
async fn only_the_worker_that_holds_an_attempt_settles_it_and_only_once() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    stage
        .due_attempt(tenant, recovery, AttemptKind::Charge)
        .await;
    let attempt = claim_one(&stage, 1).await;
    let mut tx = stage.tx().await;
    let reserved = attempts::open_charge(&mut tx, &attempt, Uuid::from_u128(1)).await;
    assert_eq!(reserved.unwrap(), Reserved::Yes);
    let outcome = Outcome {
        charge_ref: Some("ch_1"),
        ..Outcome::default()
    };
    let done = AttemptState::Succeeded;
    for (worker, moves) in [(2, false), (1, true), (1, false)] {
        let worker = Uuid::from_u128(worker);
        let moved = attempts::settle(&mut tx, &attempt, worker, done, None, &outcome).await;
        assert_eq!(moved.unwrap(), moves);
    }
    let under_way = attempts::charge_under_way(tx.conn(), tenant, recovery).await;
    assert_eq!(
        under_way.unwrap(),
        None,
        "a final state frees the open charge"
    );
    tx.commit().await.unwrap();
    let conn = stage.db.read().await.unwrap();
    let stored = attempts::of_recovery(&conn, tenant, recovery)
        .await
        .unwrap();
    assert_eq!(stored[0].charge_ref.as_deref(), Some("ch_1"));
}

#[tokio::test]
async fn a_dead_workers_charge_comes_back_in_doubt_and_its_message_as_it_was() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    for (reference, kind, expected) in [
        ("order-1", AttemptKind::Charge, AttemptState::InDoubt),
        ("order-2", AttemptKind::Message, AttemptState::Claimed),
    ] {
        let (_, recovery) = stage.recovery(tenant, reference).await;
        stage.due_attempt(tenant, recovery, kind).await;
        let dead = claim_one(&stage, 1).await;
        let mut conn = stage.db.read().await.unwrap();
        let later = now() + TimeDelta::minutes(5);
        let lease = later + TimeDelta::minutes(2);
        let heir = Uuid::from_u128(2);
        let taken =
            attempts::claim_unsettled(&mut conn, heir, later, lease, 9, UnderWay::default())
                .await
                .unwrap();
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].id, taken[0].state), (dead.id, expected));
        drop(conn);

        let mut tx = stage.tx().await;
        let (late, none) = (Uuid::from_u128(1), Outcome::default());
        let done = AttemptState::Succeeded;
        let moved = attempts::settle(&mut tx, &dead, late, done, None, &none).await;
        assert!(!moved.unwrap(), "the one thought dead comes too late");
        let moved = attempts::settle(&mut tx, &taken[0], heir, done, None, &none).await;
        assert!(moved.unwrap());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn an_attempt_that_is_handed_back_waits_for_its_new_time() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    stage
        .due_attempt(tenant, recovery, AttemptKind::Charge)
        .await;
    let attempt = claim_one(&stage, 1).await;
    let due_at = now() + TimeDelta::minutes(1);
    let mut tx = stage.tx().await;
    let back = AttemptState::Scheduled;
    let (worker, none) = (Uuid::from_u128(1), Outcome::default());
    let moved = attempts::settle(&mut tx, &attempt, worker, back, Some(due_at), &none).await;
    assert!(moved.unwrap());
    tx.commit().await.unwrap();

    let mut conn = stage.db.read().await.unwrap();
    let now = claim(2, Uuid::nil(), 9, 9);
    assert!(
        attempts::claim_due(&mut conn, &now)
            .await
            .unwrap()
            .is_empty()
    );
    let later = attempts::Claim {
        now: due_at,
        lease_until: due_at + TimeDelta::minutes(2),
        ..now
    };
    let claimed = attempts::claim_due(&mut conn, &later).await.unwrap();
    assert_eq!((claimed[0].id, claimed[0].claims), (attempt.id, 2));
}

#[tokio::test]
async fn what_is_due_and_what_is_in_doubt_is_counted_with_its_age() {
    let stage = Stage::new().await;
    let mut conn = stage.db.read().await.unwrap();
    let nothing = attempts::waiting(&mut conn, now()).await.unwrap();
    assert_eq!((nothing.due, nothing.in_doubt), (0, 0));
    assert_eq!(nothing.oldest_due, TimeDelta::zero());
    let tenant = stage.tenant("shop").await;
    for order in ["order-1", "order-2", "order-3"] {
        let (_, recovery) = stage.recovery(tenant, order).await;
        stage
            .due_attempt(tenant, recovery, AttemptKind::Charge)
            .await;
    }
    let charge = claim_one(&stage, 1).await;
    let in_doubt = Outcome::default();
    let mut tx = stage.db.begin(cause()).await.unwrap();
    let next = AttemptState::InDoubt;
    let look = Some(now() + TimeDelta::seconds(2));
    attempts::settle(&mut tx, &charge, Uuid::from_u128(1), next, look, &in_doubt)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let later = now() + TimeDelta::minutes(10);
    let waiting = attempts::waiting(&mut conn, later).await.unwrap();
    assert_eq!((waiting.due, waiting.in_doubt), (2, 1));
    assert!(waiting.oldest_due >= TimeDelta::minutes(10));
    assert!(waiting.oldest_in_doubt >= TimeDelta::minutes(10));
}

#[tokio::test]
async fn of_an_organization_that_has_its_share_under_way_nothing_more_is_claimed() {
    let stage = Stage::new().await;
    let (full, half, none) = (
        stage.tenant("full").await,
        stage.tenant("half").await,
        stage.tenant("none").await,
    );
    for tenant in [full, half, none] {
        stage.backlog(tenant, "scheduled", 50).await;
    }
    let organizations = [full, half].map(|it| it.organization().uuid());
    let under_way = UnderWay {
        organizations: &organizations,
        counts: &[8, 5],
        most: Some(8),
        crowded: &[],
    };
    let claim = Claim {
        under_way,
        ..claim(1, Uuid::nil(), PLACES, PLACES)
    };
    let mut conn = stage.db.read().await.unwrap();
    let claimed = attempts::claim_due(&mut conn, &claim).await.unwrap();
    let of = |tenant| claimed.iter().filter(|it| it.tenant == tenant).count();
    assert_eq!([of(full), of(half), of(none)], [0, 3, 8]);
}

#[tokio::test]
async fn what_was_left_is_shared_out_too() {
    let stage = Stage::new().await;
    let (full, many, few) = (
        stage.tenant("full").await,
        stage.tenant("many").await,
        stage.tenant("few").await,
    );
    for (tenant, count) in [(full, 50), (many, 50), (few, 2)] {
        stage.backlog(tenant, "in_doubt", count).await;
    }
    let overdue = "UPDATE attempts SET lease_until = due_at";
    let client = stage.database.connect().await;
    client.batch_execute(overdue).await.unwrap();
    let organizations = [full.organization().uuid()];
    let under_way = UnderWay {
        organizations: &organizations,
        counts: &[8],
        most: Some(8),
        crowded: &[],
    };
    let (now, heir) = (now(), Uuid::from_u128(2));
    let lease = now + TimeDelta::minutes(2);
    let mut conn = stage.db.read().await.unwrap();
    let claiming = attempts::claim_unsettled(&mut conn, heir, now, lease, PLACES, under_way);
    let claimed = claiming.await.unwrap();
    let of = |tenant| claimed.iter().filter(|it| it.tenant == tenant).count();
    assert_eq!([of(full), of(many), of(few)], [0, 8, 2]);
}

#[tokio::test]
async fn organizations_with_accounts_at_a_crowded_provider_alone_are_passed_over() {
    let stage = Stage::new().await;
    let accounts: [(&str, &[&str]); 4] = [
        ("stripe", &["stripe"]),
        ("both", &["stripe", "razorpay"]),
        ("razorpay", &["razorpay"]),
        ("none", &[]),
    ];
    let client = stage.database.connect().await;
    let mut tenants = Vec::new();
    for (slug, providers) in accounts {
        let tenant = stage.tenant(slug).await;
        stage.backlog(tenant, "scheduled", 3).await;
        for provider in providers {
            let organization = tenant.organization().uuid();
            let account = format!(
                "INSERT INTO psp_connections (id, organization_id, provider, account_id,
                   credentials_sealed, webhook_secrets_sealed, created_at, updated_at)
                 VALUES (gen_random_uuid(), '{organization}', '{provider}', '{slug}', '', '',
                   now(), now())"
            );
            client.batch_execute(&account).await.unwrap();
        }
        tenants.push(tenant);
    }
    let claim = Claim {
        under_way: UnderWay {
            crowded: &["stripe"],
            ..UnderWay::default()
        },
        ..claim(1, Uuid::nil(), PLACES, PLACES)
    };
    let mut conn = stage.db.read().await.unwrap();
    let claimed = attempts::claim_due(&mut conn, &claim).await.unwrap();
    let of = |tenant| claimed.iter().filter(|it| it.tenant == tenant).count();
    assert_eq!(
        tenants.into_iter().map(of).collect::<Vec<_>>(),
        [0, 3, 3, 3]
    );
}

#[tokio::test]
async fn an_attempt_that_its_worker_lets_go_is_another_workers_at_once() {
    let stage = Stage::new().await;
    let shop = stage.tenant("shop").await;
    stage.backlog(shop, "scheduled", 1).await;
    let attempt = claim_one(&stage, 1).await;
    let (now, heir) = (now(), Uuid::from_u128(2));
    let lease = now + TimeDelta::minutes(2);
    let mut conn = stage.db.read().await.unwrap();
    attempts::let_go(&mut conn, &attempt, heir, now)
        .await
        .unwrap();
    let nothing = UnderWay::default();
    let taken = attempts::claim_unsettled(&mut conn, heir, now, lease, 9, nothing).await;
    assert!(
        taken.unwrap().is_empty(),
        "it was not the other's to let go"
    );
    let worker = Uuid::from_u128(1);
    attempts::let_go(&mut conn, &attempt, worker, now)
        .await
        .unwrap();
    let taken = attempts::claim_unsettled(&mut conn, heir, now, lease, 9, nothing).await;
    assert_eq!(taken.unwrap().len(), 1);
}
