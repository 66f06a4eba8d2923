//! A month that has no partition yet loses nothing.

use chrono::{Datelike, Months};
use domain::id::TimelineEntryId;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::stage::{Stage, now};

#[tokio::test]
async fn a_row_of_a_month_without_partition_waits_in_the_default_one_and_moves_when_it_is_made() {
    let stage = Stage::new().await;
    let later = now() + Months::new(5);
    let id = TimelineEntryId::new(later, &mut StdRng::seed_from_u64(1));
    let row = format!(
        "INSERT INTO timeline (id, organization_id, recovery_id, at, kind, actor, why)
         VALUES ('{}', gen_random_uuid(), gen_random_uuid(), now(), 'test', 'test', 'early')",
        id.uuid()
    );
    let client = stage.database.connect().await;
    client.batch_execute(&row).await.unwrap();
    assert_eq!(stage.count("timeline_default").await, 1);

    let mut conn = stage.db.read().await.unwrap();
    let made = db::ensure_partitions(&mut conn, now(), 5).await.unwrap();
    let month = format!("timeline_{}_{:02}", later.year(), later.month());
    assert!(made.contains(&month), "{made:?}");
    drop(conn);
    assert_eq!(stage.count("timeline_default").await, 0);
    let moved = format!("{month} WHERE id = '{}'", id.uuid());
    assert_eq!(stage.count(&moved).await, 1);
}

#[tokio::test]
async fn what_is_missing_is_named_and_made_once() {
    let stage = Stage::new().await;
    let third = now() + Months::new(3);
    let gone = format!("attempts_{}_{:02}", third.year(), third.month());
    let client = stage.database.connect().await;
    client
        .batch_execute(&format!("DROP TABLE {gone}"))
        .await
        .unwrap();

    let mut conn = stage.db.read().await.unwrap();
    let missing = db::missing_partitions(&mut conn, now(), 3).await.unwrap();
    assert_eq!(missing, std::slice::from_ref(&gone));
    let missing = db::missing_partitions(&mut conn, now(), 2).await.unwrap();
    assert_eq!(missing, Vec::<String>::new());

    let made = db::ensure_partitions(&mut conn, now(), 3).await.unwrap();
    assert_eq!(made, [gone]);
    let made = db::ensure_partitions(&mut conn, now(), 3).await.unwrap();
    assert_eq!(made, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_make_partitions_at_once_make_each_of_them_once() {
    let stage = Stage::new().await;
    let making: Vec<_> = (0..4)
        .map(|_| {
            let db = stage.db.clone();
            tokio::spawn(async move {
                let mut conn = db.read().await.unwrap();
                db::ensure_partitions(&mut conn, now(), 8).await.unwrap()
            })
        })
        .collect();
    let mut made = Vec::new();
    for one in making {
        made.extend(one.await.unwrap());
    }
    let all = made.len();
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), all);
    let tables = stage.count("partitioned_tables").await;
    assert_eq!(i64::try_from(all).unwrap(), tables * 5);
}
