//! What a page of a list costs: its own rows, wherever in the list it is.

use chrono::TimeDelta;
use db::Tenant;
use db::recoveries::{Order, Wanted, explain, list};
use domain::{Currency, RecoveryState};

use crate::stage::{Stage, now};

/// Thirty thousand recoveries of one organization, one of each with a step planned,
/// beside a neighbour's.
async fn grown() -> (Stage, Tenant) {
    let stage = Stage::new().await;
    let tenant = stage.tenant("busy").await;
    let quiet = stage.tenant("quiet").await;
    stage.recovery(quiet, "order-1").await;
    let client = stage.database.connect().await;
    let rows = "WITH made AS (
           INSERT INTO transactions (id, organization_id, transaction_ref, amount_minor, currency,
                                     created_at, updated_at)
           SELECT uuid_of(n), $1::text::uuid, 'T-' || n, 1 + n % 997, 'USD', now(), now()
           FROM generate_series(1, 30000) AS n RETURNING id, amount_minor)
         INSERT INTO recoveries (id, organization_id, transaction_id, state, amount_minor, currency,
                                 category, hardness, opened_at, closes_at, updated_at)
         SELECT id, $1::text::uuid, id, 'open', amount_minor, 'USD', 'unknown', 'soft', now(),
                now() + interval '9 days', now()
         FROM made";
    let uuid_of = "CREATE FUNCTION uuid_of(n bigint) RETURNS uuid LANGUAGE sql AS $$
         SELECT overlay(uuid7_floor(now() + n * interval '1 millisecond')::text
                        placing '7000-8000' from 15 for 9)::uuid $$";
    client.batch_execute(uuid_of).await.unwrap();
    let organization = tenant.organization().uuid().to_string();
    client.execute(rows, &[&organization]).await.unwrap();
    let steps = "INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state, why,
                                       due_at, created_at, updated_at)
         SELECT id, organization_id, id, 1, 'charge', 'scheduled', 'why',
                now() + (amount_minor || ' minutes')::interval, now(), now()
         FROM recoveries WHERE organization_id::text = $1";
    client.execute(steps, &[&organization]).await.unwrap();
    client.batch_execute("ANALYZE").await.unwrap();
    (stage, tenant)
}

/// Lines of a plan that read or sort more than a page.
fn dear(plan: &[String]) -> Vec<&String> {
    let is_dear = |line: &&String| {
        let line = line.trim_start().trim_start_matches("->").trim_start();
        // Rows that are due at one time are sorted within it, and no further.
        let whole_sort = line.starts_with("Sort") && !line.starts_with("Sort Key");
        let scans_much = line.starts_with("Seq Scan on recoveries")
            || line.starts_with("Seq Scan on transactions")
            || line.starts_with("Seq Scan on attempts_2");
        whole_sort || scans_much || line.starts_with("Hash Join")
    };
    plan.iter().filter(is_dear).collect()
}

#[tokio::test]
async fn every_sort_is_read_from_its_index_on_the_first_page_and_on_the_last() {
    let (stage, tenant) = grown().await;
    let mut conn = stage.db.read().await.unwrap();
    let usd = Currency::parse("USD").unwrap();
    let all = Wanted::all(Order::Oldest(None), 29_900);
    let listed = list(&mut conn, tenant, &all).await.unwrap();
    let late = listed.last().unwrap();
    let id = late.recovery.id;
    let due = now() + TimeDelta::minutes(990);
    let orders = [
        (Order::Newest(None), "recoveries_newest"),
        (
            Order::Newest(Some(listed[100].recovery.id)),
            "recoveries_newest",
        ),
        (Order::Oldest(None), "recoveries_newest"),
        (Order::Oldest(Some(id)), "recoveries_newest"),
        (Order::Amount(usd, None), "recoveries_by_amount"),
        (Order::Amount(usd, Some((3, id))), "recoveries_by_amount"),
        (Order::NextAction(None), "organization_id_due_at_idx"),
        (
            Order::NextAction(Some((due, id))),
            "organization_id_due_at_idx",
        ),
    ];
    for (order, index) in orders {
        let wanted = Wanted::all(order, 51);
        let plan = explain(&mut conn, tenant, &wanted).await.unwrap();
        let text = plan.join("\n");
        assert!(text.contains(index), "{order:?}:\n{text}");
        assert!(dear(&plan).is_empty(), "{order:?}:\n{text}");
        let page = list(&mut conn, tenant, &wanted).await.unwrap();
        assert_eq!(page.len(), 51, "{order:?}");
    }
}

#[tokio::test]
async fn a_search_reads_what_it_finds() {
    let (stage, tenant) = grown().await;
    let mut conn = stage.db.read().await.unwrap();
    let all = || Wanted::all(Order::Newest(None), 51);
    let found = [
        Wanted {
            reference_starts: Some("T-2999".to_owned()),
            ..all()
        },
        Wanted {
            email: Some("nobody@example.com".to_owned()),
            ..all()
        },
        Wanted {
            state: Some(RecoveryState::Exhausted),
            ..all()
        },
    ];
    for wanted in found {
        let plan = explain(&mut conn, tenant, &wanted).await.unwrap();
        let scans = plan.iter().filter(|line| line.contains("Seq Scan on"));
        let scans: Vec<_> = scans
            .filter(|line| !line.contains("psp_connections"))
            .collect();
        let empty = scans.iter().all(|line| line.contains("attempts_"));
        assert!(empty, "{}", plan.join("\n"));
    }
}
