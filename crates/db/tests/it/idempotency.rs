//! `Idempotency-Key`: the first answer is everyone's.

use db::idempotency::{KeptBody, Reserved, forget, reserve, store};

use crate::stage::{Stage, now};

const KEY: &str = "order-7";
const CONTENT: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

#[tokio::test]
async fn the_first_is_first_a_second_is_given_its_answer_and_other_content_is_told_so() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    let first = reserve(&mut tx, tenant, KEY, &CONTENT).await.unwrap();
    assert!(matches!(first, Reserved::First));
    // Spaces and the order of members are kept too.
    let answer = KeptBody::Plain(br#"{ "z": 1, "a": "rec_1" }"#.to_vec());
    store(&mut tx, tenant, KEY, 202, &answer).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = stage.tx().await;
    let again = reserve(&mut tx, tenant, KEY, &CONTENT).await.unwrap();
    let Reserved::Replay { status, body } = again else {
        panic!("{again:?}");
    };
    assert_eq!((status, body), (202, answer));
    let other = reserve(&mut tx, tenant, KEY, &OTHER).await.unwrap();
    assert!(matches!(other, Reserved::OtherContent));
    drop(tx);

    let stranger = stage.tenant("stranger").await;
    let mut tx = stage.tx().await;
    let theirs = reserve(&mut tx, stranger, KEY, &OTHER).await.unwrap();
    assert!(
        matches!(theirs, Reserved::First),
        "keys are an organization's own"
    );
}

#[tokio::test]
async fn one_that_comes_meanwhile_is_told_so_at_once_and_a_given_up_one_leaves_the_key_free() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut first = stage.tx().await;
    let reserved = reserve(&mut first, tenant, KEY, &CONTENT).await.unwrap();
    assert!(matches!(reserved, Reserved::First));

    let mut second = stage.tx().await;
    let meanwhile = reserve(&mut second, tenant, KEY, &CONTENT).await.unwrap();
    assert!(matches!(meanwhile, Reserved::InFlight));
    drop((first, second));

    // The dropped connection is closed, and its lock freed, without anyone waiting for it.
    testkit::eventually(crate::stage::PATIENCE, async || {
        let mut third = stage.tx().await;
        let reserved = reserve(&mut third, tenant, KEY, &OTHER).await.unwrap();
        matches!(reserved, Reserved::First)
    })
    .await;
}

#[tokio::test]
async fn old_keys_are_forgotten_and_young_ones_kept() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    reserve(&mut tx, tenant, KEY, &CONTENT).await.unwrap();
    let sealed = KeptBody::Sealed(vec![0, 1, 2]);
    store(&mut tx, tenant, KEY, 200, &sealed).await.unwrap();
    let born = tx.now();
    tx.commit().await.unwrap();
    let mut conn = stage.db.read().await.unwrap();
    let before = born - chrono::TimeDelta::seconds(1);
    assert_eq!(forget(&mut conn, before, 10).await.unwrap(), 0);
    let after = now() + chrono::TimeDelta::seconds(1);
    assert_eq!(forget(&mut conn, after, 10).await.unwrap(), 1);
}
