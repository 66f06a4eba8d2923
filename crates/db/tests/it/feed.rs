//! Following the timeline: everything once, in one order, whatever the order of commits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use db::feed::{self, Moved, Position};
use db::{Db, Tenant, Tx};
use domain::id::RecoveryId;
use serde_json::json;

use crate::stage::{PATIENCE, Stage, now};

/// With a change that the entry tells of: that gives the transaction its place, and the entry
/// is written as it commits.
async fn add(tx: &mut Tx, tenant: Tenant, recovery: RecoveryId, why: &str) {
    let change = diesel::sql_query("SELECT pg_current_xact_id()");
    diesel_async::RunQueryDsl::execute(change, tx.conn())
        .await
        .unwrap();
    db::timeline::add(tx, tenant, recovery, "test.noted", why, json!({}));
}

async fn horizon(db: &Db) -> Position {
    let mut conn = db.read().await.unwrap();
    feed::horizon(&mut conn, now()).await.unwrap()
}

async fn after(db: &Db, tenant: Tenant, position: Position, limit: i64) -> Vec<Moved> {
    let mut conn = db.read().await.unwrap();
    feed::after(&mut conn, &[(tenant, position)], limit)
        .await
        .unwrap()
}

fn whys(moved: &[Moved]) -> Vec<&str> {
    moved.iter().map(|moved| moved.entry.why.as_str()).collect()
}

/// Whoever began first is shown first: nothing is shown past a transaction that
/// is open, so its entries are not lost when it commits late.
#[tokio::test]
async fn what_commits_late_is_waited_for() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let start = horizon(&stage.db).await;
    let mut slow = stage.tx().await;
    add(&mut slow, tenant, recovery, "slow").await;
    let mut quick = stage.tx().await;
    add(&mut quick, tenant, recovery, "quick").await;
    quick.commit().await.unwrap();
    assert_eq!(after(&stage.db, tenant, start, 10).await.len(), 0);
    slow.commit().await.unwrap();
    testkit::eventually(PATIENCE, async || {
        let moved = after(&stage.db, tenant, start, 10).await;
        moved.len() == 2 && whys(&moved) == ["slow", "quick"]
    })
    .await;
    let moved = after(&stage.db, tenant, start, 1).await;
    let next = after(&stage.db, tenant, moved[0].position, 10).await;
    assert_eq!((whys(&moved), whys(&next)), (vec!["slow"], vec!["quick"]));
}

#[tokio::test]
async fn what_is_rolled_back_is_never_shown_and_holds_nothing_up_afterwards() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let start = horizon(&stage.db).await;
    let mut given_up = stage.tx().await;
    add(&mut given_up, tenant, recovery, "never").await;
    let mut kept = stage.tx().await;
    add(&mut kept, tenant, recovery, "kept").await;
    kept.commit().await.unwrap();
    given_up.roll_back().await.unwrap();
    testkit::eventually(PATIENCE, async || {
        whys(&after(&stage.db, tenant, start, 10).await) == ["kept"]
    })
    .await;
}

#[tokio::test]
async fn each_organization_is_shown_its_own_from_its_own_place() {
    let stage = Stage::new().await;
    let (ours, theirs) = (stage.tenant("shop").await, stage.tenant("other").await);
    let start = horizon(&stage.db).await;
    for tenant in [ours, theirs] {
        let (_, recovery) = stage.recovery(tenant, "order-1").await;
        for why in ["a", "b", "c"] {
            let mut tx = stage.tx().await;
            add(&mut tx, tenant, recovery, why).await;
            tx.commit().await.unwrap();
        }
    }
    let noted = |moved: &[Moved], tenant: Tenant| {
        let own = moved
            .iter()
            .filter(|it| it.organization == tenant.organization());
        own.filter(|it| it.entry.kind == "test.noted").count()
    };
    testkit::eventually(PATIENCE, async || {
        noted(&after(&stage.db, theirs, start, 100).await, theirs) == 3
    })
    .await;
    let mine = after(&stage.db, ours, start, 100).await;
    assert_eq!((noted(&mine, ours), noted(&mine, theirs)), (3, 0));
    let last = mine.last().unwrap().position;
    let mut conn = stage.db.read().await.unwrap();
    let both = feed::after(&mut conn, &[(ours, last), (theirs, start)], 100)
        .await
        .unwrap();
    assert_eq!((noted(&both, ours), noted(&both, theirs)), (0, 3));
}

/// Writers that hold their transactions open for uneven times, against readers that
/// read on all the while, in pages of uneven size.
#[tokio::test]
async fn under_concurrent_commits_nothing_is_lost_doubled_or_out_of_order() {
    const WRITERS: usize = 6;
    const EACH: usize = 25;
    let stage = Stage::with_connections(16).await;
    let tenant = stage.tenant("shop").await;
    let (_, recovery) = stage.recovery(tenant, "order-1").await;
    let start = horizon(&stage.db).await;
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = [1, 3, 50]
        .into_iter()
        .map(|limit| {
            let (db, done) = (stage.db.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let (mut position, mut seen) = (start, Vec::new());
                loop {
                    let last_round = done.load(Ordering::SeqCst);
                    let page = after(&db, tenant, position, limit).await;
                    for moved in &page {
                        assert!(moved.position > position, "in order");
                        position = moved.position;
                        seen.push(moved.entry.why.clone());
                    }
                    if page.is_empty() && last_round && seen.len() >= WRITERS * EACH {
                        return seen;
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
        })
        .collect();
    let writers = (0..WRITERS).map(|writer| {
        let stage = &stage;
        async move {
            for number in 0..EACH {
                let mut tx = stage.tx().await;
                add(&mut tx, tenant, recovery, &format!("{writer}/{number}")).await;
                let open = (writer * 7 + number * 3) % 11;
                tokio::time::sleep(Duration::from_millis(open as u64)).await;
                tx.commit().await.unwrap();
            }
        }
    });
    futures_util::future::join_all(writers).await;
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        let seen = tokio::time::timeout(PATIENCE, reader)
            .await
            .unwrap()
            .unwrap();
        let unlike: BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), unlike.len()), (WRITERS * EACH, WRITERS * EACH));
    }
}
