//! What a page of a list costs: its own rows, wherever in the list it is.

use chrono::TimeDelta;
use db::Tenant;
use db::recoveries::{Order, Wanted, explain, list};
use domain::{Currency, RecoveryState};

use crate::stage::{Stage, now};

/// Ten thousand recoveries of each of four organizations, one of each with a step
/// planned.
pub(crate) async fn grown() -> (Stage, Tenant) {
    let stage = Stage::new().await;
    let client = stage.database.connect().await;
    // All begin at the same time, however long the rows take to make: Postgres guesses how many of an
    // organization's are before an id by how many of all are. No two ids are alike.
    let uuid_of = format!(
        "CREATE FUNCTION uuid_of(n bigint, organization integer) RETURNS uuid
         LANGUAGE sql AS $$
         SELECT overlay(uuid7_floor('{}'::timestamptz + n * interval '1 millisecond')::text
                        placing '700' || organization || '-8000' from 15 for 9)::uuid $$",
        now().to_rfc3339()
    );
    client.batch_execute(&uuid_of).await.unwrap();
    let rows = "WITH made AS (
           INSERT INTO transactions (id, organization_id, transaction_ref, amount_minor, currency,
                                     created_at, updated_at)
           SELECT uuid_of(4 * n, $2), $1::text::uuid, 'T-' || n, 1 + n % 997, 'USD', now(), now()
           FROM generate_series(1, 10000) AS n RETURNING id, amount_minor)
         INSERT INTO recoveries (id, organization_id, transaction_id, state, amount_minor, currency,
                                 category, hardness, opened_at, closes_at, updated_at)
         SELECT id, $1::text::uuid, id, 'open', amount_minor, 'USD', 'unknown', 'soft', now(),
                now() + interval '9 days', now()
         FROM made";
    let steps = "INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, why,
                                       due_at, created_at, updated_at)
         SELECT id, organization_id, id, 1, 'charge', 'scheduled', 'why',
                now() + (amount_minor || ' minutes')::interval, now(), now()
         FROM recoveries WHERE organization_id::text = $1";
    let mut last = None;
    for number in 0_i32..4 {
        let tenant = stage.tenant(&format!("busy-{number}")).await;
        let organization = tenant.organization().uuid().to_string();
        client
            .execute(rows, &[&organization, &number])
            .await
            .unwrap();
        client.execute(steps, &[&organization]).await.unwrap();
        last = Some(tenant);
    }
    client.batch_execute("ANALYZE").await.unwrap();
    (stage, last.unwrap())
}

/// The most rows that any part of a plan read, kept or dropped.
pub(crate) fn most_read(plan: &[String]) -> u64 {
    let number = |text: &str| {
        let digits = text.split(|char: char| !char.is_ascii_digit());
        digits
            .into_iter()
            .next()
            .and_then(|digits| digits.parse::<u64>().ok())
    };
    let read = plan.iter().filter_map(|line| {
        if let Some((_, dropped)) = line.split_once("Rows Removed by Filter: ") {
            return number(dropped);
        }
        let (_, rows) = line.split_once("rows=")?;
        let (_, loops) = line.split_once("loops=")?;
        Some(number(rows)? * number(loops)?)
    });
    read.max().unwrap_or(0)
}

/// Rows that a page of 51 may read in any one part of its plan.
const A_PAGE: u64 = 500;

#[tokio::test]
async fn every_sort_reads_its_page_alone_on_the_first_page_and_on_the_last() {
    let (stage, tenant) = grown().await;
    let mut conn = stage.db.read().await.unwrap();
    let usd = Currency::parse("USD").unwrap();
    let all = Wanted::all(Order::Oldest(None), 9_900);
    let listed = list(&mut conn, tenant, &all).await.unwrap();
    let id = listed.last().unwrap().recovery.id;
    let due = now() + TimeDelta::minutes(980);
    let orders = [
        Order::Newest(None),
        Order::Newest(Some(listed[100].recovery.id)),
        Order::Oldest(None),
        Order::Oldest(Some(id)),
        Order::Amount(usd, None),
        Order::Amount(usd, Some((9, id))),
        Order::NextAction(None),
        Order::NextAction(Some((due, id))),
        Order::Reference(None),
        Order::Reference(Some((listed[5_000].reference.clone(), id))),
    ];
    for order in orders {
        for state in [None, Some(RecoveryState::Open)] {
            let wanted = Wanted {
                state,
                ..Wanted::all(order.clone(), 51)
            };
            let plan = explain(&mut conn, tenant, &wanted).await.unwrap();
            assert!(most_read(&plan) < A_PAGE, "{order:?}:\n{}", plan.join("\n"));
            let page = list(&mut conn, tenant, &wanted).await.unwrap();
            assert_eq!(page.len(), 51, "{order:?}");
        }
    }
}

#[tokio::test]
async fn a_search_reads_what_it_finds() {
    let (stage, tenant) = grown().await;
    let mut conn = stage.db.read().await.unwrap();
    let all = || Wanted::all(Order::Newest(None), 51);
    let searches = [
        // A tenth of all, and none of the newest nor of the oldest.
        (
            51,
            Wanted {
                reference_starts: Some("T-4".to_owned()),
                ..Wanted::all(Order::Reference(None), 51)
            },
        ),
        (
            11,
            Wanted {
                reference_starts: Some("T-999".to_owned()),
                ..all()
            },
        ),
        (
            0,
            Wanted {
                email: Some("nobody@example.com".to_owned()),
                ..all()
            },
        ),
        (
            0,
            Wanted {
                state: Some(RecoveryState::Exhausted),
                ..all()
            },
        ),
    ];
    for (found, wanted) in searches {
        let page = list(&mut conn, tenant, &wanted).await.unwrap();
        assert_eq!(page.len(), found);
        let plan = explain(&mut conn, tenant, &wanted).await.unwrap();
        assert!(most_read(&plan) < A_PAGE, "{}", plan.join("\n"));
    }
}
