//! Comparisons with the PSPs: asked for, awaited, shown. What the worker does is
//! written to the rows here, as it would.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

const PATIENCE: Duration = Duration::from_mins(1);
/// So that a test which is not about waiting does not.
const AT_ONCE: [(&str, &str); 1] = [("TINKO__RECON_WAIT_MS", "0")];

impl Stage {
    async fn compare(&self, shop: &Shop, wanted: &Value) -> Answer {
        self.post(shop, "/v1/recon/run", wanted).await
    }

    /// As the worker does when it has passed the last recovery.
    async fn finish_run(&self) -> u64 {
        let end = "UPDATE recon_runs
             SET state = 'finished', ended_at = now(), checked = 5, ok = 2, mismatches = 2,
                 unknown = 1, recovered = 1
             WHERE state = 'running'";
        self.database.execute(end, &[]).await.unwrap()
    }

    /// What the worker keeps of a recovery that was paid unheard, `count` times.
    async fn found_paid(&self, recovery: &str, count: i32) {
        let kept = "INSERT INTO recon_results (id, organization_id, run_id, recovery_id, transaction_id,
                 verdict, differences, change, why, provider, payment_ref, found_at)
             SELECT lpad(at::text, 32, '0')::uuid, r.organization_id, n.id,
                 CASE WHEN at = 1 THEN r.id ELSE gen_random_uuid() END, r.transaction_id, 'mismatch',
                 '[{\"kind\": \"paid_at_psp\", \"ours\": \"open\", \"theirs\": \"paid, 1299.50 INR\"}]',
                 'recovered', 'The payment succeeded at the PSP, and Tinko had not heard of it',
                 'stripe', 'pi_1', now()
             FROM generate_series(1, $2) AS at, recoveries r
             JOIN recon_runs n ON n.organization_id = r.organization_id
             WHERE 'rec_' || replace(r.id::text, '-', '') = $1";
        let kept = self.database.execute(kept, &[&recovery, &count]).await;
        assert_eq!(kept.unwrap(), u64::try_from(count).unwrap());
    }
}

fn id_of(run: &Answer) -> String {
    run.json()["run_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_comparison_that_ends_in_time_is_answered_with_its_counts() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "days": 7 });
    let asked = stage.compare(&shop, &wanted);
    let worked = testkit::eventually(PATIENCE, async || stage.finish_run().await == 1);
    let (answer, ()) = tokio::join!(asked, worked);
    assert_eq!(answer.status, 200, "{}", answer.text);
    insta::assert_json_snapshot!("a_comparison_that_ended", steady(&answer.json()));
}

#[tokio::test]
async fn one_that_goes_on_is_answered_as_far_as_it_is_and_joined_by_the_next_request() {
    let stage = Stage::with(&AT_ONCE).await;
    let shop = stage.shop("shop").await;
    let first = stage.compare(&shop, &json!({ "days": 7 })).await;
    assert_eq!(first.json()["state"], "running");
    assert_eq!(first.json()["checked"], 0);
    let joined = stage.compare(&shop, &json!({ "days": 365 })).await;
    assert_eq!(
        (id_of(&joined), joined.json()["days"].clone()),
        (id_of(&first), json!(7))
    );
    assert_eq!(stage.counts().await["recon_runs"], 1);

    assert_eq!(stage.finish_run().await, 1);
    let shown = stage
        .get(&shop, &format!("/v1/recon/runs/{}", id_of(&first)))
        .await;
    assert_eq!(shown.json()["state"], "finished");
    let request = stage.request(Method::POST, "/v1/recon/run");
    let usual = Answer::of(request.bearer_auth(&shop.key)).await;
    assert_ne!(id_of(&usual), id_of(&first));
    assert_eq!(usual.json()["days"], 30);
    let runs = stage.get(&shop, "/v1/recon/runs?limit=1").await;
    let page = runs.json();
    assert_eq!(page["data"][0]["run_id"], id_of(&usual));
    let next = page["next_cursor"].as_str().unwrap();
    assert!(
        runs.header("link").contains(next),
        "{}",
        runs.header("link")
    );
    let rest = stage
        .get(&shop, &format!("/v1/recon/runs?cursor={next}"))
        .await;
    assert_eq!(rest.json()["data"][0]["run_id"], id_of(&first));
    assert_eq!(rest.json()["next_cursor"], Value::Null);
}

#[tokio::test]
async fn what_was_found_is_shown_page_by_page() {
    let stage = Stage::with(&AT_ONCE).await;
    let shop = stage.shop("shop").await;
    let recovery = stage.failed(&shop, "A-1").await;
    let run = id_of(&stage.compare(&shop, &json!({})).await);
    stage.found_paid(&recovery, 3).await;
    let path = format!("/v1/recon/runs/{run}/results");
    let first = stage.get(&shop, &format!("{path}?limit=1")).await;
    assert_eq!(first.status, 200, "{}", first.text);
    insta::assert_json_snapshot!("what_a_comparison_found", steady(&first.json()));
    let next = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let rest = stage.get(&shop, &format!("{path}?cursor={next}")).await;
    assert_eq!(rest.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(rest.json()["next_cursor"], Value::Null);
}

#[tokio::test]
async fn a_comparison_is_its_organizations_own() {
    let stage = Stage::with(&AT_ONCE).await;
    let (shop, other) = (stage.shop("shop").await, stage.shop("other").await);
    let recovery = stage.failed(&shop, "A-1").await;
    let run = id_of(&stage.compare(&shop, &json!({})).await);
    stage.found_paid(&recovery, 1).await;
    for path in [
        format!("/v1/recon/runs/{run}"),
        format!("/v1/recon/runs/{run}/results"),
    ] {
        assert_eq!(stage.get(&other, &path).await.status, 404, "{path}");
        assert_eq!(stage.get(&shop, &path).await.status, 200, "{path}");
    }
    let runs = stage.get(&other, "/v1/recon/runs").await;
    assert_eq!(runs.json()["data"], json!([]));
    assert_ne!(id_of(&stage.compare(&other, &json!({})).await), run);
}

#[tokio::test]
async fn days_that_are_none_and_pages_that_are_none_name_their_fault() {
    let stage = Stage::with(&AT_ONCE).await;
    let shop = stage.shop("shop").await;
    let before = stage.counts().await;
    for days in [
        json!(0),
        json!(366),
        json!(-1),
        json!(70_000),
        json!("7"),
        json!(1.5),
    ] {
        let answer = stage.compare(&shop, &json!({ "days": days })).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.faults()[0].starts_with("days: "), "{}", answer.text);
    }
    let answer = stage.get(&shop, "/v1/recon/runs?cursor=x&limit=201").await;
    let faults = [
        "cursor: is not one that was answered before",
        "limit: must be from 1 to 200",
    ];
    assert_eq!(
        (answer.status, answer.faults()),
        (422, faults.map(str::to_owned).to_vec())
    );
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn a_key_that_may_only_read_sees_comparisons_and_begins_none() {
    let stage = Stage::with(&AT_ONCE).await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "name": "eyes", "scopes": ["read"] });
    let made = stage.post(&shop, "/v1/auth/api-keys", &wanted).await.json();
    let reader = Shop {
        key: made["key"].as_str().unwrap().to_owned(),
        ..shop
    };
    assert_eq!(stage.get(&reader, "/v1/recon/runs").await.status, 200);
    let refused = stage.compare(&reader, &json!({})).await;
    assert_eq!(
        (refused.status, refused.slug().as_str()),
        (403, "missing-scope")
    );
    assert_eq!(stage.counts().await["recon_runs"], 0);
}
