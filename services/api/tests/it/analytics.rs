//! Analytics over REST: what is answered, in which window and currency, and to whom.

use api::commands::rebuild_rollups;
use chrono::{DateTime, TimeDelta, Utc};
use db::recoveries::RecoveredBy;
use db::{Cause, Db, Tenant, rollups};
use domain::id::RecoveryId;
use domain::{Currency, Money};
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

const TABLES: [&str; 9] = [
    "summary",
    "revenue_recovered",
    "recovery_rate",
    "attempts_summary",
    "funnel",
    "by_category",
    "by_code",
    "by_channel",
    "time_to_recovery",
];

fn cause(at: DateTime<Utc>) -> Cause {
    Cause {
        at,
        actor: "test".to_owned(),
        traceparent: None,
        tracestate: None,
    }
}

impl Stage {
    /// The tenant of a shop that was made under that slug.
    async fn tenant_of(&self, slug: &str) -> Tenant {
        let mut tx = self.db().begin(cause(self.now())).await.unwrap();
        let (tenant, made) = db::organizations::ensure(&mut tx, slug, slug)
            .await
            .unwrap();
        assert!(!made);
        tx.roll_back().await.unwrap();
        tenant
    }

    /// Counts what is there by the operator's command, as the events' consumer
    /// would have by now.
    async fn count_up(&self, db: &Db, slug: &str) {
        let today = self.now().date_naive();
        let (from, to) = (today - TimeDelta::days(1), today + TimeDelta::days(1));
        let wanted = rebuild_rollups::Wanted::new(slug.to_owned(), from, to);
        rebuild_rollups::run(&self.settings, &wanted).await.unwrap();
        let mut tx = db.begin(cause(self.now())).await.unwrap();
        assert!(rollups::fold(&mut tx, 10_000).await.unwrap() > 0);
        tx.commit().await.unwrap();
    }

    /// The money of a recovery came in by a charge, ten minutes after it opened.
    async fn won(&self, db: &Db, tenant: Tenant, recovery: &str) {
        let id: RecoveryId = recovery.parse().unwrap();
        let at = self.now() + TimeDelta::minutes(10);
        let amount = Money::new(129_950, Currency::parse("INR").unwrap()).unwrap();
        let mut tx = db.begin(cause(at)).await.unwrap();
        let by = RecoveredBy::Charge;
        let done = db::ending::recovered(&mut tx, tenant, id, amount, by, None, "paid").await;
        assert!(done.unwrap());
        tx.commit().await.unwrap();
    }

    /// A shop with five recoveries: two won back, one cancelled, one whose payer
    /// opened a link, one in dollars.
    async fn busy_shop(&self) -> Shop {
        let shop = self.shop("anna").await;
        let tenant = self.tenant_of("anna").await;
        let db = self.db();
        let mut recoveries = Vec::new();
        for number in 0..4 {
            recoveries.push(self.failed(&shop, &format!("order-{number}")).await);
        }
        let dollars = json!({
            "transaction_ref": "order-usd", "amount": 990, "currency": "USD",
            "failure_reason": "somehow", "gateway": "stripe",
        });
        let answer = self
            .post(&shop, "/v1/events/payment_failed", &dollars)
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        self.won(&db, tenant, &recoveries[0]).await;
        self.won(&db, tenant, &recoveries[1]).await;
        let path = format!("/v1/recoveries/{}/cancel", recoveries[2]);
        assert_eq!(self.post(&shop, &path, &json!({})).await.status, 200);
        let token = self.link(&shop, "order-3").await;
        let path = format!("/v1/recoveries/by_token/{token}/open");
        assert_eq!(self.post(&shop, &path, &json!({})).await.status, 200);
        self.count_up(&db, "anna").await;
        shop
    }

    async fn table(&self, shop: &Shop, table: &str, query: &str) -> Answer {
        // Up to tomorrow, since the money came in ten minutes from now.
        let to = self.now() + TimeDelta::days(1);
        let to = to.format("%Y-%m-%d");
        self.get(shop, &format!("/v1/analytics/{table}?to={to}{query}"))
            .await
    }
}

#[tokio::test]
async fn every_table_tells_its_window_and_keeps_currencies_apart() {
    let stage = Stage::new().await;
    let shop = stage.busy_shop().await;
    for table in TABLES {
        let answer = stage.table(&shop, table, "&tz=Asia/Kolkata").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let from = body["window"]["from"].as_str().unwrap();
        assert!(from.ends_with("T00:00:00+05:30"), "{from}");
        insta::assert_json_snapshot!(format!("analytics_{table}"), steady(&body));
    }
}

#[tokio::test]
async fn a_currency_that_is_asked_for_is_answered_alone_and_if_with_nothing() {
    let stage = Stage::new().await;
    let shop = stage.busy_shop().await;
    let of = async |currency: &str| {
        let query = format!("&currency={currency}");
        stage.table(&shop, "summary", &query).await.json()
    };
    let dollars = of("usd").await;
    assert_eq!(dollars["currency"], "USD");
    assert_eq!(dollars["data"].as_array().unwrap().len(), 1);
    assert_eq!(dollars["data"][0]["opened"], 1);
    let yen = of("JPY").await;
    assert_eq!(yen["data"][0]["currency"], "JPY");
    assert_eq!(yen["data"][0]["opened"], 0);
    assert_eq!(yen["data"][0]["recovery_rate"], Value::Null);
}

#[tokio::test]
async fn a_window_before_anything_happened_is_empty() {
    let stage = Stage::new().await;
    let shop = stage.busy_shop().await;
    for table in TABLES {
        let path = format!("/v1/analytics/{table}?from=2020-01-01&to=2020-12-31");
        let answer = stage.get(&shop, &path).await;
        assert_eq!(answer.json()["data"], json!([]), "{table}");
        assert_eq!(answer.json()["window"]["is_usual"], false);
    }
}

#[tokio::test]
async fn nobody_reads_of_anothers_recoveries() {
    let stage = Stage::new().await;
    stage.busy_shop().await;
    let other = stage.shop("bert").await;
    for table in TABLES {
        let answer = stage.table(&other, table, "").await;
        assert_eq!(answer.json()["data"], json!([]), "{table}");
    }
    let export = stage.get(&other, "/v1/exports/recoveries.csv").await;
    assert_eq!(export.text.lines().count(), 1, "{}", export.text);
}

#[tokio::test]
async fn every_fault_of_a_query_is_named() {
    let stage = Stage::new().await;
    let shop = stage.shop("anna").await;
    let query = "from=soon&to=later&tz=Mars&currency=gold&format=xls";
    for table in TABLES {
        let path = format!("/v1/analytics/{table}?{query}");
        let answer = stage.get(&shop, &path).await;
        assert_eq!(answer.status, 422);
        let fields: Vec<_> = answer
            .faults()
            .iter()
            .map(|fault| fault.split(':').next().unwrap().to_owned())
            .collect();
        assert_eq!(fields, ["tz", "currency", "format", "to", "from"]);
    }
}

#[tokio::test]
async fn a_table_is_csv_by_name_and_by_header() {
    let stage = Stage::new().await;
    let shop = stage.busy_shop().await;
    let named = stage.table(&shop, "by_category", "&format=csv").await;
    assert_eq!(
        named.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    insta::assert_snapshot!(
        "analytics_by_category_csv",
        named.text.replace("\r\n", "\n")
    );
    let request = stage.request(reqwest::Method::GET, "/v1/analytics/funnel");
    let request = request.bearer_auth(&shop.key).header("accept", "text/csv");
    let accepted = Answer::of(request).await;
    assert!(
        accepted
            .text
            .starts_with("currency,failed,contacted,opened,paid\r\n"),
        "{}",
        accepted.text
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told once")]
async fn an_experiment_tells_each_arm_with_its_lift() {
    let stage = Stage::new().await;
    let shop = stage.shop("anna").await;
    let tenant = stage.tenant_of("anna").await;
    let policy = json!({ "document": {
        "name": "Compared",
        "experiment": {
            "key": "spring", "hold_out": 5_000,
            "variants": [{ "name": "patient", "weight": 5_000, "changes": {} }],
        },
    } });
    let made = stage.post(&shop, "/v1/retry/policies", &policy).await;
    assert!(made.status < 300, "{}", made.text);
    let db = stage.db();
    for number in 0..40 {
        let recovery = stage.failed(&shop, &format!("order-{number}")).await;
        if number % 4 == 0 || number == 1 {
            stage.won(&db, tenant, &recovery).await;
        }
    }
    // Dealt here by number, so that the arms are always the same.
    stage
        .database
        .batch_execute(
            "UPDATE recoveries r SET experiment = 'spring',
               hold_out = right(t.transaction_ref, 1) IN ('1', '3', '5', '7', '9'),
               variant = CASE WHEN right(t.transaction_ref, 1) IN ('1', '3', '5', '7', '9')
                         THEN NULL ELSE 'patient' END
             FROM transactions t WHERE t.id = r.transaction_id",
        )
        .await
        .unwrap();
    stage.count_up(&db, "anna").await;
    let shown = stage.table(&shop, "experiments/spring", "").await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let told = shown.json();
    assert_eq!(told["compared_with"], "hold_out");
    let (held, patient) = (&told["arms"][0], &told["arms"][1]);
    assert_eq!(held["arm"], "hold_out");
    assert_eq!(
        (&held["opened"], &held["recovered"]),
        (&json!(20), &json!(1))
    );
    assert_eq!(held["lift"], Value::Null);
    assert_eq!(patient["arm"], "patient");
    assert_eq!(
        (&patient["opened"], &patient["recovered"]),
        (&json!(20), &json!(10))
    );
    assert_eq!(
        (&patient["recovery_rate"], &patient["lift"]),
        (&json!(0.5), &json!(0.45))
    );
    assert_eq!(patient["is_clear"], true);
    assert_eq!(told["money"][1]["lift_minor"], 9 * 129_950);
    assert_eq!(told["sample_ratio"]["p_value"], 1.0);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let by_policy = stage.table(&shop, &format!("experiments/{id}"), "").await;
    assert_eq!(by_policy.json()["arms"], shown.json()["arms"]);
    let csv = stage
        .table(&shop, "experiments/spring", "&format=csv")
        .await;
    assert_eq!(csv.text.lines().count(), 3, "{}", csv.text);

    assert_eq!(
        stage.table(&shop, "experiments/summer", "").await.status,
        404
    );
    let other = stage.shop("bert").await;
    for known in ["spring", &id] {
        let path = format!("experiments/{known}");
        assert_eq!(stage.table(&other, &path, "").await.status, 404);
    }
}

#[tokio::test]
async fn an_export_has_every_recovery_once_and_nothing_that_a_spreadsheet_runs() {
    let stage = Stage::new().await;
    let shop = stage.shop("anna").await;
    stage.failed(&shop, "=HYPERLINK(1)").await;
    // More than two batches.
    stage
        .database
        .batch_execute(
            "WITH made AS (
               SELECT n, (left(uuid7_floor(now() - n * interval '1 second')::text, 14) || '7'
                          || right(gen_random_uuid()::text, 21))::uuid AS id
               FROM generate_series(1, 2500) AS n
             ), owed AS (
               INSERT INTO transactions (id, organization_id, transaction_ref, amount_minor,
                                         currency, created_at, updated_at)
               SELECT made.id, o.id, 'bulk-' || n, n, 'EUR', now(), now()
               FROM made, organizations o WHERE o.slug = 'anna'
             )
             INSERT INTO recoveries (id, organization_id, transaction_id, state, amount_minor,
               currency, category, hardness, opened_at, closes_at, updated_at)
             SELECT made.id, o.id, made.id, 'open', n, 'EUR', 'network', 'soft',
                    now() - n * interval '1 second', now(), now()
             FROM made, organizations o WHERE o.slug = 'anna'",
        )
        .await
        .unwrap();
    let export = stage.get(&shop, "/v1/exports/recoveries.csv").await;
    assert_eq!(export.status, 200);
    assert_eq!(
        export.header("content-disposition"),
        "attachment; filename=\"recoveries.csv\""
    );
    let lines: Vec<_> = export.text.lines().collect();
    assert_eq!(lines.len(), 2_502);
    insta::assert_snapshot!("columns_of_exported_recoveries", lines[0]);
    let refs: std::collections::BTreeSet<_> = lines
        .iter()
        .filter_map(|line| line.split(',').nth(1))
        .collect();
    assert_eq!(refs.len(), 2_502);
    assert!(refs.contains("'=HYPERLINK(1)"));
    // Oldest first.
    assert!(lines[1].contains(",bulk-2500,"), "{}", lines[1]);

    let euros = stage
        .get(&shop, "/v1/exports/recoveries.csv?currency=INR")
        .await;
    assert_eq!(euros.text.lines().count(), 2);
    let before = stage
        .get(
            &shop,
            "/v1/exports/recoveries.csv?from=2020-01-01&to=2020-01-02",
        )
        .await;
    assert_eq!(before.text.lines().count(), 1);
}
