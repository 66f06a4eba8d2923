//! Two tests never see each other's data.

use redis::AsyncCommands as _;
use testkit::{TestDatabase, TestRedis};

#[tokio::test]
async fn each_database_is_migrated_and_ones_own() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    one.connect()
        .await
        .batch_execute("CREATE TABLE mine (n int)")
        .await
        .unwrap();
    let looked = other
        .connect()
        .await
        .query_opt("SELECT to_regclass('mine')::text", &[])
        .await;
    assert_eq!(looked.unwrap().unwrap().get::<_, Option<String>>(0), None);

    let migrated = "SELECT count(*) FROM __diesel_schema_migrations";
    let ran: i64 = other
        .connect()
        .await
        .query_one(migrated, &[])
        .await
        .unwrap()
        .get(0);
    assert!(ran > 0);
}

#[tokio::test]
async fn a_dropped_database_is_gone_even_with_a_connection_open() {
    let lasting = TestDatabase::create_empty().await;
    let dropped = TestDatabase::create_empty().await;
    let client = dropped.connect().await;
    let name: String = client
        .query_one("SELECT current_database()::text", &[])
        .await
        .unwrap()
        .get(0);
    drop(dropped);
    let found = "SELECT count(*) FROM pg_database WHERE datname = $1";
    let count: i64 = lasting
        .connect()
        .await
        .query_one(found, &[&name])
        .await
        .unwrap()
        .get(0);
    assert_eq!(count, 0);
}

#[tokio::test]
async fn each_redis_is_empty_and_ones_own() {
    let (one, other) = tokio::join!(TestRedis::create(), TestRedis::create());
    let () = one.connect().await.set("mine", 1).await.unwrap();
    let seen: Option<i32> = other.connect().await.get("mine").await.unwrap();
    assert_eq!(seen, None);
    assert_ne!(one.prefix(), other.prefix());

    one.flush().await;
    let kept: Option<i32> = one.connect().await.get("mine").await.unwrap();
    assert_eq!(kept, None);
}
