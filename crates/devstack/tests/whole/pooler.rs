//! All three services through a PgBouncer in transaction mode, also when it restarts.

use std::time::Duration;

use devstack::StackOptions;
use devstack::demo::Demo;
use devstack::servers::{Durability, PgBouncer, PgBouncerOptions, Postgres, PostgresOptions};
use devstack::stack::Server;

use crate::Whole;

const DATABASE: &str = "tinko";

async fn postgres() -> Postgres {
    let options = PostgresOptions {
        durability: Durability::Fast,
        ..PostgresOptions::default()
    };
    let postgres = Postgres::temporary(options).await.expect("a Postgres");
    let made = postgres.ensure_database(DATABASE).await;
    made.expect("an empty database");
    postgres
}

async fn pooler(postgres: &Postgres, port: Option<u16>) -> PgBouncer {
    let options = PgBouncerOptions {
        port,
        ..PgBouncerOptions::default()
    };
    let upstream = postgres.maintenance_url();
    let pooler = PgBouncer::temporary(&upstream, options).await;
    pooler.expect("a PgBouncer")
}

/// Every service reaches `postgres` through `pooler`.
fn through(postgres: &Postgres, pooler: &PgBouncer, mut options: StackOptions) -> StackOptions {
    options.postgres = Server::Given(postgres.url(DATABASE));
    options.with_env("*", "DATABASE_URL", pooler.url(DATABASE))
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn every_case_ends_as_it_must_through_a_pooler() {
    let postgres = postgres().await;
    let pooler = pooler(&postgres, None).await;
    let whole = Whole::start(|options| through(&postgres, &pooler, options)).await;
    let report = Demo::new(&whole.stack, "pooled").play().await;
    assert!(report.all_as_expected(), "{report}");
    whole.stack.stop().await;
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_pooler_that_restarts_in_the_middle_loses_nothing() {
    let postgres = postgres().await;
    let mut running = pooler(&postgres, None).await;
    let port = running.port();
    let whole = Whole::start(|options| through(&postgres, &running, options)).await;
    let demo = tokio::spawn(Demo::new(&whole.stack, "restarted").play());
    for _ in 0..3 {
        // Spread over the demo's first seconds: there is no event to wait for.
        tokio::time::sleep(Duration::from_millis(900)).await;
        running.child().kill9().await;
        running = pooler(&postgres, Some(port)).await;
    }
    let report = demo.await.expect("the demo");
    assert!(report.all_as_expected(), "{report}");
    whole.stack.stop().await;
}
