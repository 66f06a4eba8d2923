//! Links, attempts and messages, as their merchant lists them.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::bare;
use crate::stage::{Answer, Shop, Stage, steady};

impl Stage {
    /// An attempt of a recovery, as a worker would have left it.
    async fn attempt(&self, recovery: &str, number: i32, kind: &str, state: &str) -> String {
        let sql = "INSERT INTO attempts (id, organization_id, recovery_id, number, kind, state,
                                         channels, why, due_at, claimed_by, lease_until,
                                         created_at, updated_at)
             SELECT (left(uuid7_floor($5::text::timestamptz)::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid,
                    organization_id, id, $2, $3, $4,
                    CASE $3 WHEN 'message' THEN ARRAY['email'] ELSE ARRAY[]::text[] END,
                    'Planned by the test', $5::text::timestamptz, gen_random_uuid(), now(), now(), now()
             FROM recoveries WHERE id = $1::text::uuid RETURNING replace(id::text, '-', '')";
        let (recovery, now) = (bare(recovery), self.now().to_rfc3339());
        let given: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&recovery, &number, &kind, &state, &now];
        let row = self.database.query_one(sql, &given).await.unwrap();
        format!("att_{}", row.get::<_, String>(0))
    }

    /// A message of an attempt with the recovery's newest link in it.
    async fn notification(
        &self,
        attempt: &str,
        channel: &str,
        address: &str,
        state: &str,
    ) -> String {
        let sql = "INSERT INTO notifications (id, organization_id, recovery_id, attempt_id, link_id,
                                              channel, address, state, created_at, updated_at)
             SELECT (left(uuid7_floor($5::text::timestamptz)::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid,
                    a.organization_id, a.recovery_id, a.id, l.id, $2, $3, $4, now(), now()
             FROM attempts a JOIN recovery_links l USING (recovery_id)
             WHERE a.id = $1::text::uuid ORDER BY l.id DESC LIMIT 1
             RETURNING replace(id::text, '-', '')";
        let (attempt, now) = (bare(attempt), self.now().to_rfc3339());
        let given: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&attempt, &channel, &address, &state, &now];
        let row = self.database.query_one(sql, &given).await.unwrap();
        format!("ntf_{}", row.get::<_, String>(0))
    }

    /// A step of a recovery that has a link, with its message.
    pub(crate) async fn step(&self, recovery: &str) -> (String, String) {
        let attempt = self.attempt(recovery, 1, "message", "succeeded").await;
        let message = self
            .notification(&attempt, "email", "payer@other.example", "queued")
            .await;
        (attempt, message)
    }

    async fn ids(&self, shop: &Shop, path: &str) -> Vec<String> {
        let answer = self.get(shop, path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page = answer.json();
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A key of the shop that may read and no more.
    async fn reader(&self, shop: &Shop) -> Shop {
        let body = json!({ "name": "reader", "scopes": ["read"] });
        let made = self.post(shop, "/v1/auth/api-keys", &body).await.json();
        Shop {
            key: made["key"].as_str().unwrap().to_owned(),
            stripe: shop.stripe.clone(),
            razorpay: shop.razorpay.clone(),
        }
    }

    async fn revoke(&self, shop: &Shop, link: &str) -> Answer {
        let path = format!("/v1/links/{link}/revoke");
        Answer::of(self.request(Method::POST, &path).bearer_auth(&shop.key)).await
    }
}

/// What a `Link` header names as the next page.
fn next(answer: &Answer) -> String {
    let link = answer.header("link").to_owned();
    let (url, _) = link.trim_start_matches('<').split_once('>').unwrap();
    url.strip_prefix("https://pay.example.com")
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn links_are_listed_without_their_tokens_by_state_and_by_what_they_pay_for() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let recovery = stage.failed(&anna, "order-1").await;
    stage.failed(&anna, "order-2").await;
    let tokens = [
        stage.link(&anna, "order-1").await,
        stage.link(&anna, "order-1").await,
        stage.link(&anna, "order-2").await,
    ];
    stage.browse(&format!("/pay/{}", tokens[1])).await;
    let all = stage.get(&anna, "/v1/links").await;
    insta::assert_json_snapshot!("links_as_they_are_listed", steady(&all.json()));
    assert!(
        tokens
            .iter()
            .all(|token| !all.text.contains(token.as_str()))
    );
    let ids = stage.ids(&anna, "/v1/links").await;
    let of = async |query: &str| stage.ids(&anna, &format!("/v1/links?{query}")).await;
    assert_eq!(of("ref=order-1").await, ids[1..]);
    assert_eq!(of(&format!("recovery_id={recovery}")).await, ids[1..]);
    assert_eq!(
        of(&format!("recovery_id={recovery}&ref=order-2")).await,
        [""; 0]
    );
    assert_eq!(of("ref=nothing").await, [""; 0]);
    assert_eq!(of("state=opened").await, ids[1..2]);
    assert_eq!(of("state=created&ref=order-1").await, ids[2..]);
    let first = stage.get(&anna, "/v1/links?state=created&limit=1").await;
    let rest = stage.get(&anna, &next(&first)).await.json();
    assert_eq!(
        (rest["data"][0]["id"].as_str(), &rest["next_cursor"]),
        (Some(&*ids[2]), &Value::Null)
    );
    assert_eq!(stage.ids(&bert, "/v1/links").await, [""; 0]);
    assert_eq!(
        stage
            .ids(&bert, &format!("/v1/links?recovery_id={recovery}"))
            .await,
        [""; 0]
    );

    stage.later(TimeDelta::hours(25));
    assert_eq!(of("state=created").await, [""; 0]);
    assert_eq!(of("state=expired").await, ids);
    let wrong = stage
        .get(&anna, "/v1/links?state=new&recovery_id=x&ref=&limit=0")
        .await;
    assert_eq!(
        (wrong.status, wrong.faults().len()),
        (422, 4),
        "{}",
        wrong.text
    );
}

#[tokio::test]
async fn a_revoked_link_leads_to_a_kind_page_and_nothing_more_is_sent_with_it() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let recovery = stage.failed(&anna, "order-1").await;
    let token = stage.link(&anna, "order-1").await;
    let attempt = stage.attempt(&recovery, 1, "message", "succeeded").await;
    let queued = stage
        .notification(&attempt, "email", "asha@example.com", "queued")
        .await;
    let link = stage.ids(&anna, "/v1/links").await.remove(0);
    let reader = stage.reader(&anna).await;
    assert_eq!(stage.revoke(&reader, &link).await.status, 403);
    assert_eq!(stage.revoke(&bert, &link).await.status, 404);
    let revoked = stage.revoke(&anna, &link).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    insta::assert_json_snapshot!("a_revoked_link", steady(&revoked.json()));
    assert_eq!(stage.revoke(&anna, &link).await.json(), revoked.json());

    let page = stage.browse(&format!("/pay/{token}")).await;
    assert_eq!(page.status, 410);
    assert!(page.text.contains("no longer in use"), "{}", page.text);
    let message = stage
        .get(&anna, &format!("/v1/notifications/{queued}"))
        .await
        .json();
    assert_eq!(message["state"], "withdrawn");
    assert_eq!(stage.recovery(&anna, &recovery).await["state"], "open");
    let told = stage.timeline(&anna, &recovery).await;
    assert_eq!(
        told.iter().filter(|kind| *kind == "link.revoked").count(),
        1
    );
    // The recovery goes on, and so may a new link.
    let newer = stage.link(&anna, "order-1").await;
    assert_eq!(stage.browse(&format!("/pay/{newer}")).await.status, 200);

    stage.later(TimeDelta::hours(25));
    let newest = stage.ids(&anna, "/v1/links").await.remove(0);
    let late = stage.revoke(&anna, &newest).await;
    assert_eq!(
        (late.status, late.faults()),
        (
            409,
            vec!["state: is expired: nothing can be paid through it".to_owned()]
        )
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told once")]
async fn attempts_are_listed_by_state_kind_and_time_and_counted() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let recovery = stage.failed(&anna, "order-1").await;
    let mut ids = Vec::new();
    let mut began: Vec<DateTime<Utc>> = Vec::new();
    for (number, (kind, state)) in [
        ("message", "succeeded"),
        ("charge", "declined"),
        ("charge", "in_doubt"),
        ("message", "scheduled"),
    ]
    .into_iter()
    .enumerate()
    {
        stage.later(TimeDelta::seconds(1));
        began.push(stage.now());
        let number = i32::try_from(number).unwrap() + 1;
        ids.insert(0, stage.attempt(&recovery, number, kind, state).await);
    }
    let of = async |query: &str| stage.ids(&anna, &format!("/v1/attempts?{query}")).await;
    assert_eq!(of("").await, ids);
    assert_eq!(of("kind=charge").await, ids[1..3]);
    assert_eq!(of("state=declined").await, ids[2..3]);
    assert_eq!(of("state=declined&kind=message").await, [""; 0]);
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let between = format!("from={}&to={}", time(began[1]), time(began[3]));
    assert_eq!(of(&between).await, ids[1..3]);
    let first = stage
        .get(&anna, &format!("/v1/attempts?{between}&limit=1"))
        .await;
    assert_eq!(stage.ids(&anna, &next(&first)).await, ids[2..3]);
    let one = stage.get(&anna, &format!("/v1/attempts/{}", ids[3])).await;
    insta::assert_json_snapshot!("an_attempt", steady(&one.json()));
    assert_eq!(
        stage
            .get(&bert, &format!("/v1/attempts/{}", ids[3]))
            .await
            .status,
        404
    );
    assert_eq!(stage.ids(&bert, "/v1/attempts").await, [""; 0]);
    let stats = stage.get(&anna, "/v1/retry/stats").await;
    insta::assert_json_snapshot!("attempts_counted", steady(&stats.json()));
    let none = stage.get(&bert, "/v1/retry/stats").await.json();
    assert_eq!(
        (&none["total_attempts"], &none["avg_retry_count"]),
        (&json!(0), &json!(0.0))
    );
    let due = stage.post(&anna, "/v1/retry/trigger-due", &json!({})).await;
    assert_eq!(
        (due.json()["ok"].clone(), due.json()["processed"].clone()),
        (json!(true), json!(1))
    );
    let wrong = stage
        .get(
            &anna,
            "/v1/attempts?state=x&kind=x&from=x&to=x&cursor=x&limit=x",
        )
        .await;
    assert_eq!(
        (wrong.status, wrong.faults().len()),
        (422, 6),
        "{}",
        wrong.text
    );
    let wrong = stage
        .get(
            &anna,
            "/v1/attempts?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z",
        )
        .await;
    assert_eq!(wrong.faults(), ["to: must be later than from"]);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told once")]
async fn messages_are_found_by_whom_they_were_sent_to_and_masked_for_all_but_administrators() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let recovery = stage.failed(&anna, "order-1").await;
    stage.link(&anna, "order-1").await;
    let attempt = stage.attempt(&recovery, 1, "message", "succeeded").await;
    let other = stage.attempt(&recovery, 2, "message", "succeeded").await;
    let mut ids = Vec::new();
    for (attempt, channel, address, state) in [
        (&attempt, "email", "Asha@example.com", "bounced"),
        (&attempt, "sms", "+919812341234", "delivered"),
        (&other, "email", "asha@example.com", "queued"),
    ] {
        stage.later(TimeDelta::seconds(1));
        ids.insert(
            0,
            stage.notification(attempt, channel, address, state).await,
        );
    }
    let of = async |query: &str| {
        stage
            .ids(&anna, &format!("/v1/notifications?{query}"))
            .await
    };
    assert_eq!(of("").await, ids);
    assert_eq!(of("channel=sms").await, ids[1..2]);
    assert_eq!(of("state=queued").await, ids[..1]);
    let to = [ids[0].clone(), ids[2].clone()];
    assert_eq!(of("address=ASHA%40example.com").await, to);
    assert_eq!(
        of("address=asha%40example.com&state=bounced").await,
        ids[2..]
    );
    assert_eq!(of("address=sha%40example.com").await, [""; 0]);
    assert_eq!(
        of(&format!("recovery_id={recovery}&channel=email")).await,
        to
    );
    assert_eq!(stage.ids(&bert, "/v1/notifications").await, [""; 0]);
    let path = format!("/v1/notifications/{}", ids[1]);
    assert_eq!(stage.get(&bert, &path).await.status, 404);
    let reader = stage.reader(&anna).await;
    let address = async |shop: &Shop| stage.get(shop, &path).await.json()["address"].clone();
    assert_eq!(address(&anna).await, "+919812341234");
    assert_eq!(address(&reader).await, "+91******1234");
    let list = stage.get(&reader, "/v1/notifications").await.text;
    assert!(
        !list.to_lowercase().contains("asha@") && !list.contains("9812341234"),
        "{list}"
    );

    let path = format!("/v1/retry/attempts/{attempt}/notifications");
    let own = stage.get(&reader, &path).await;
    insta::assert_json_snapshot!("messages_in_the_older_words", steady(&own.json()));
    assert_eq!(stage.get(&bert, &path).await.status, 404);
    // A link's id is what the older contract calls an attempt's where a link is made.
    let link = stage.ids(&anna, "/v1/links").await.remove(0);
    let path = format!("/v1/retry/attempts/{link}/notifications");
    assert_eq!(
        stage
            .get(&anna, &path)
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let wrong = "/v1/notifications?channel=fax&state=x&recovery_id=x&address=x&from=x&to=x&cursor=x&limit=0";
    let wrong = stage.get(&anna, wrong).await;
    assert_eq!(
        (wrong.status, wrong.faults().len()),
        (422, 8),
        "{}",
        wrong.text
    );
}

#[tokio::test]
async fn a_message_tells_what_became_of_it() {
    let stage = Stage::with(&[("TINKO__BOUNCE_SECRET", "gateway")]).await;
    let anna = stage.shop("anna").await;
    let recovery = stage.failed(&anna, "order-1").await;
    stage.link(&anna, "order-1").await;
    let attempt = stage.attempt(&recovery, 1, "message", "succeeded").await;
    let sent = stage
        .notification(&attempt, "email", "asha@example.com", "sent")
        .await;
    let other = stage
        .notification(&attempt, "sms", "+919812341234", "sent")
        .await;
    for (id, kind) in [
        (&sent, "message.sent"),
        (&sent, "message.bounced"),
        (&other, "message.sent"),
    ] {
        let sql = "INSERT INTO timeline (id, organization_id, recovery_id, at, kind, actor, why, detail)
             SELECT (left(uuid7_floor(now())::text, 14) || '7' || right(gen_random_uuid()::text, 21))::uuid,
                    organization_id, id, now(), $2, 'smtp', 'Email to a***@example.com', $3
             FROM recoveries WHERE id = $1::text::uuid";
        let detail = json!({ "notification_id": id });
        let given: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&bare(&recovery), &kind, &detail.to_string()];
        let sql = sql.replace("$3", "$3::text::jsonb");
        stage.database.execute(&sql, &given).await.unwrap();
    }
    let found = stage.get(&anna, &format!("/v1/notifications/{sent}")).await;
    insta::assert_json_snapshot!("a_message_with_its_events", steady(&found.json()));
}
