//! The schema comes about, once, and its absence is said in words.

use secrecy::SecretString;
use testkit::TestDatabase;

use crate::stage::{Stage, now};

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_gets_every_migration_and_this_month_with_the_three_that_follow() {
    let stage = Stage::over(TestDatabase::create_empty().await, 2);
    let url = SecretString::from(stage.database.direct_url());
    let ran = db::migrate(&url).await.unwrap();
    assert!(ran.len() >= 4, "{ran:?}");

    let again = db::migrate(&url).await.unwrap();
    assert_eq!(again, Vec::<String>::new());

    let mut conn = stage.db.read().await.unwrap();
    assert_eq!(db::schema_trouble(&mut conn).await.unwrap(), None);
    let missing = db::missing_partitions(&mut conn, now(), 3).await.unwrap();
    assert_eq!(missing, Vec::<String>::new());
    drop(conn);
    let tables = stage.count("partitioned_tables").await;
    let partitions = "pg_inherits JOIN partitioned_tables ON inhparent = name::regclass";
    // Four months and the default one.
    assert_eq!(
        stage
            .count(&format!(
                "{partitions} WHERE inhrelid::regclass::text !~ '_pkey|_idx'"
            ))
            .await,
        tables * 5
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_processes_that_migrate_at_once_one_does_and_none_fails() {
    let database = TestDatabase::create_empty().await;
    let migrating: Vec<_> = (0..4)
        .map(|_| {
            let url = SecretString::from(database.direct_url());
            tokio::spawn(async move { db::migrate(&url).await })
        })
        .collect();
    let mut ran = Vec::new();
    for one in migrating {
        ran.push(one.await.unwrap().unwrap());
    }
    ran.retain(|names| !names.is_empty());
    assert_eq!(ran.len(), 1, "{ran:?}");
}

#[tokio::test]
async fn a_database_without_the_schema_says_what_is_to_be_done() {
    let stage = Stage::over(TestDatabase::create_empty().await, 1);
    let mut conn = stage.db.read().await.unwrap();
    let trouble = db::schema_trouble(&mut conn).await.unwrap().unwrap();
    assert!(trouble.contains("none"), "{trouble}");
    assert!(trouble.contains("api migrate"), "{trouble}");
}

#[tokio::test]
async fn a_schema_that_is_one_migration_behind_is_named_and_a_newer_one_is_fine() {
    let stage = Stage::new().await;
    let client = stage.database.connect().await;
    let mut conn = stage.db.read().await.unwrap();

    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')";
    client.batch_execute(newer).await.unwrap();
    assert_eq!(db::schema_trouble(&mut conn).await.unwrap(), None);

    let older = "DELETE FROM __diesel_schema_migrations WHERE version >=
                   (SELECT max(version) FROM __diesel_schema_migrations WHERE version < '9')";
    client.batch_execute(older).await.unwrap();
    let newest = client
        .query_one("SELECT max(version) FROM __diesel_schema_migrations", &[])
        .await
        .unwrap();
    let newest: String = newest.get(0);
    let trouble = db::schema_trouble(&mut conn).await.unwrap().unwrap();
    assert!(trouble.contains(&newest), "{trouble}");
}
