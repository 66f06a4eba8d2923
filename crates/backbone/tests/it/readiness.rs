//! Readiness says what is wrong in words.

use chrono::{Datelike, Months};
use devstack::servers::free_port;
use runtime::admin::CheckReport;
use runtime::clock::Clock;
use testkit::{PgBouncerEdition, PgBouncerOptions};

use crate::stage::{PATIENCE, Service, Stage};

async fn report(service: &Service, name: &str) -> CheckReport {
    let reports = service.backbone.health().ask().await;
    let found = reports.into_iter().find(|report| report.name == name);
    found.expect("there is such a check")
}

#[tokio::test]
async fn all_is_well_with_both_there() {
    let stage = Stage::new().await;
    let service = stage.service().await;
    assert_eq!(report(&service, "postgres").await.trouble, None);
    assert_eq!(report(&service, "redis").await.trouble, None);
    service.backbone.check().await.unwrap();
}

#[tokio::test]
async fn an_old_schema_is_critical_and_says_how_to_mend_it() {
    let stage = Stage::new().await;
    let client = stage.database.connect().await;
    let older = "DELETE FROM __diesel_schema_migrations
                 WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";
    client.batch_execute(older).await.unwrap();
    let service = stage.service().await;
    let postgres = report(&service, "postgres").await;
    assert!(postgres.critical);
    let trouble = postgres.trouble.unwrap();
    assert!(trouble.contains("run `api migrate`"), "{trouble}");
    let unfit = service.backbone.check().await.unwrap_err().to_string();
    assert_eq!(unfit, trouble);
}

#[tokio::test]
async fn next_months_partition_is_wanted_by_name() {
    let stage = Stage::new().await;
    let next = stage.clock.now() + Months::new(1);
    let gone = format!("timeline_{}_{:02}", next.year(), next.month());
    let client = stage.database.connect().await;
    client
        .batch_execute(&format!("DROP TABLE {gone}"))
        .await
        .unwrap();
    let service = stage.service().await;
    let trouble = report(&service, "postgres").await.trouble.unwrap();
    assert!(trouble.contains(&gone), "{trouble}");
}

#[tokio::test]
async fn a_redis_that_is_away_is_told_and_not_critical() {
    let stage = Stage::new().await;
    let away = format!("redis://127.0.0.1:{}/0", free_port());
    let service = stage.service_over(&away).await;
    let redis = report(&service, "redis").await;
    assert!(!redis.critical);
    assert!(redis.trouble.is_some());
    assert_eq!(report(&service, "postgres").await.trouble, None);
    assert!(service.backbone.check().await.is_err());
}

/// Started while it was away, the service is let in once it is known how it is reached.
#[tokio::test]
async fn a_postgres_that_comes_back_is_looked_at_before_it_is_used() {
    let stage = Stage::new().await;
    let safe = PgBouncerOptions::default();
    let unsafe_one = PgBouncerOptions {
        prepared_statements: 0,
        ..safe
    };
    for (options, fits) in [(safe, true), (unsafe_one, false)] {
        let stopped = testkit::pooler(options).await;
        let (port, url) = (stopped.port(), stage.database.url_through(&stopped));
        stopped.stop().await;
        let service = stage.service_at(&url).await;
        let trouble = report(&service, "postgres").await.trouble.unwrap();
        assert!(trouble.contains("Postgres is not available"), "{trouble}");

        let options = PgBouncerOptions {
            port: Some(port),
            ..options
        };
        let _back = testkit::pooler(options).await;
        testkit::eventually(PATIENCE, async || {
            let trouble = report(&service, "postgres").await.trouble;
            trouble.is_none_or(|trouble| trouble.contains("max_prepared_statements"))
        })
        .await;
        let trouble = report(&service, "postgres").await.trouble;
        assert_eq!(trouble.is_none(), fits, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_pooler_that_mixes_up_prepared_statements_is_refused() {
    let stage = Stage::new().await;
    let options = PgBouncerOptions {
        edition: PgBouncerEdition::Debian12,
        ..PgBouncerOptions::default()
    };
    let pooler = testkit::pooler(options).await;
    let refused = stage.connect(&stage.database.url_through(&pooler)).await;
    let refused = refused.err().unwrap().to_string();
    assert!(refused.contains("PgBouncer 1.21 or newer"), "{refused}");
}
