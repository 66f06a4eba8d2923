//! A merchant's accounts at PSPs, over REST.

use chrono::TimeDelta;
use reqwest::Method;
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::people::{Person, bare};
use crate::psps::{razorpay_failed, razorpay_signature, stripe_failed, stripe_signature};
use crate::stage::{Answer, Shop, Stage, steady};

const PATH: &str = "/v1/psp-connections";

/// A stage whose PSPs are the sandbox's, with one account at each.
pub(crate) async fn with_psps(more: &[(&str, &str)]) -> (Stage, Sandbox) {
    runtime::tls::install_ring();
    let sandbox = Sandbox::start(sandbox::Settings {
        http: "127.0.0.1:0".parse().unwrap(),
        smtp: "127.0.0.1:0".parse().unwrap(),
        public_url: None,
        seed: 1,
    })
    .await
    .unwrap();
    let stripe = format!("http://{}/stripe", sandbox.http());
    let razorpay = format!("http://{}/razorpay", sandbox.http());
    let mut settings = vec![
        ("TINKO__STRIPE_BASE_URL", stripe.as_str()),
        ("TINKO__RAZORPAY_BASE_URL", razorpay.as_str()),
    ];
    settings.extend(more);
    let stage = Stage::with(&settings).await;
    for key in ["sk_test_mine", "sk_test_newer"] {
        let account = json!({ "key": key, "account_id": "acct_mine" });
        open(&stage, &sandbox, "stripe", &account).await;
    }
    let account =
        json!({ "key_id": "rzp_test_mine", "key_secret": "hush-hush", "account_id": "acc_mine" });
    open(&stage, &sandbox, "razorpay", &account).await;
    (stage, sandbox)
}

pub(crate) async fn open(stage: &Stage, sandbox: &Sandbox, psp: &str, account: &Value) {
    let url = format!("http://{}/_control/{psp}/accounts", sandbox.http());
    let opened = Answer::of(stage.client.post(url).json(account)).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
}

fn stripe(key: &str) -> Value {
    json!({
        "provider": "stripe",
        "account_id": "acct_mine",
        "name": "Shop in Pune",
        "credentials": { "secret_key": key },
        "webhook_secret": "whsec_first",
    })
}

impl Stage {
    /// A connection of somebody's organization, written past the PSP.
    pub(crate) async fn connection_of(&self, owner: &Person) -> String {
        let sql = "INSERT INTO psp_connections (id, organization_id, provider, account_id,
                       credentials_sealed, webhook_secrets_sealed, created_at)
             VALUES (gen_random_uuid(), $1::text::uuid, 'stripe', 'acct_others', 'x', 'x', now())
             RETURNING replace(id::text, '-', '')";
        let id = bare(&owner.organization);
        let row = self.database.query_one(sql, &[&id]).await.unwrap();
        format!("con_{}", row.get::<_, String>(0))
    }

    async fn act(&self, method: Method, shop: &Shop, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).bearer_auth(&shop.key);
        Answer::of(if body.is_null() {
            request
        } else {
            request.json(body)
        })
        .await
    }

    /// Connects the sandbox's Stripe account; answers the connection's path.
    async fn connected(&self, shop: &Shop) -> (String, Value) {
        let made = self.post(shop, PATH, &stripe("sk_test_mine")).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        (format!("{PATH}/{id}"), made.json())
    }

    /// A failed payment's webhook to a connection, signed with `secret`.
    async fn hears(&self, connection: &Value, secret: &str, payment: &str) -> Answer {
        let event = stripe_failed(
            &format!("evt_{payment}"),
            payment,
            &format!("ch_{payment}"),
            "insufficient_funds",
        );
        let body = event.to_string().into_bytes();
        let signed = stripe_signature(secret, &body, self.now());
        let url = connection["webhook_url"].as_str().unwrap();
        let path = url.strip_prefix("https://pay.example.com").unwrap();
        let headers = [("stripe-signature", signed.as_str())];
        self.deliver(path, &headers, body).await
    }
}

#[tokio::test]
async fn an_account_is_connected_once_its_psp_has_accepted_it_and_no_secret_is_answered() {
    let (stage, _sandbox) = with_psps(&[]).await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let (path, made) = stage.connected(&anna).await;
    let mut shown = steady(&made);
    let url = made["webhook_url"].as_str().unwrap();
    shown["webhook_url"] = url.replace(made["id"].as_str().unwrap(), "[con]").into();
    insta::assert_json_snapshot!("a_psp_connection", shown);
    for asked in [path.as_str(), PATH] {
        let answer = stage.get(&anna, asked).await;
        assert_eq!(answer.status, 200);
        for secret in ["sk_test", "whsec", "sealed"] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
    assert_eq!(stage.get(&bert, &path).await.status, 404);
    let twice = stage.post(&anna, PATH, &stripe("sk_test_mine")).await;
    assert_eq!(twice.status, 409, "{}", twice.text);
    let heard = stage.hears(&made, "whsec_first", "pi_1").await;
    assert_eq!(
        (heard.status, stage.recoveries(&anna).await.len()),
        (200, 1)
    );

    let razorpay = json!({
        "provider": "razorpay",
        "account_id": "acc_mine",
        "credentials": { "key_id": "rzp_test_mine", "key_secret": "hush-hush" },
        "webhook_secret": "rzpsec_first",
    });
    let made = stage.post(&anna, PATH, &razorpay).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["credentials_hint"], "mine");
    let body = razorpay_failed("pay_1", "order_1").to_string().into_bytes();
    let signed = razorpay_signature("rzpsec_first", &body);
    let url = made.json()["webhook_url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("https://pay.example.com").unwrap();
    let headers = [
        ("x-razorpay-signature", signed.as_str()),
        ("x-razorpay-event-id", "ev_1"),
    ];
    assert_eq!(stage.deliver(path, &headers, body).await.status, 200);
}

#[tokio::test]
async fn what_the_psp_refuses_names_its_field_and_a_psp_that_is_away_is_told_apart() {
    let (stage, sandbox) = with_psps(&[]).await;
    let anna = stage.shop("anna").await;
    let before = stage.counts().await;
    let refused = stage.post(&anna, PATH, &stripe("sk_test_unknown")).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(
        refused.faults()[0].starts_with("credentials.secret_key: was refused by stripe"),
        "{}",
        refused.text
    );
    let wrong = json!({
        "provider": "razorpay",
        "account_id": "a b",
        "name": " ",
        "credentials": { "secret_key": "sk_test_mine", "key_id": "x", "key_secret": "a b" },
        "webhook_secret": "short",
    });
    let wrong = stage.post(&anna, PATH, &wrong).await;
    assert_eq!(
        (wrong.status, wrong.faults().len()),
        (422, 6),
        "{}",
        wrong.text
    );
    assert!(!wrong.text.contains("sk_test_mine"), "{}", wrong.text);
    sandbox.stop().await;
    let away = stage.post(&anna, PATH, &stripe("sk_test_mine")).await;
    assert_eq!(
        (away.status, away.slug()),
        (503, "unavailable".to_owned()),
        "{}",
        away.text
    );
    assert!(away.header("retry-after").parse::<u32>().is_ok());
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn both_webhook_secrets_verify_while_one_takes_the_others_place() {
    let (stage, _sandbox) = with_psps(&[("TINKO__WEBHOOK_SECRET_CACHE_SECONDS", "3600")]).await;
    let anna = stage.shop("anna").await;
    let (path, made) = stage.connected(&anna).await;
    assert_eq!(stage.hears(&made, "whsec_first", "pi_1").await.status, 200);
    let rotate = format!("{path}/rotate");
    let wanted = json!({ "webhook_secret": "whsec_second", "overlap_hours": 2 });
    let rotated = stage.post(&anna, &rotate, &wanted).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    assert!(rotated.json()["older_webhook_secret_until"].is_string());
    assert_eq!(stage.hears(&made, "whsec_second", "pi_2").await.status, 200);
    assert_eq!(stage.hears(&made, "whsec_first", "pi_3").await.status, 200);
    stage.later(TimeDelta::hours(2));
    assert_eq!(stage.hears(&made, "whsec_second", "pi_4").await.status, 200);
    let late = stage.hears(&made, "whsec_first", "pi_5").await;
    assert_eq!(
        (late.status, late.slug()),
        (400, "webhook-signature".to_owned())
    );
    assert!(stage.get(&anna, &path).await.json()["older_webhook_secret_until"].is_null());

    let at_once = json!({ "webhook_secret": "whsec_third!", "overlap_hours": 0 });
    assert_eq!(stage.post(&anna, &rotate, &at_once).await.status, 200);
    assert_eq!(stage.hears(&made, "whsec_second", "pi_6").await.status, 400);
    assert_eq!(stage.hears(&made, "whsec_third!", "pi_7").await.status, 200);
}

#[tokio::test]
async fn credentials_are_replaced_by_others_of_their_mode_that_the_psp_accepts() {
    let (stage, _sandbox) = with_psps(&[]).await;
    let anna = stage.shop("anna").await;
    let (path, _) = stage.connected(&anna).await;
    let rotate = format!("{path}/rotate");
    let key = |key: &str| json!({ "credentials": { "secret_key": key } });
    for (body, fault) in [
        (
            key("sk_test_unknown"),
            "credentials.secret_key: was refused",
        ),
        (key("sk_live_other"), "credentials: are of another mode"),
        (json!({}), "credentials: or webhook_secret must be given"),
        (
            json!({ "webhook_secret": "whsec_second", "overlap_hours": 721 }),
            "overlap_hours: must be",
        ),
    ] {
        let answer = stage.post(&anna, &rotate, &body).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(
            answer.faults()[0].starts_with(fault),
            "{:?}",
            answer.faults()
        );
    }
    let rotated = stage.post(&anna, &rotate, &key("sk_test_newer")).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    assert_eq!(rotated.json()["credentials_hint"], "ewer");
    let tested = stage
        .post(&anna, &format!("{path}/test"), &Value::Null)
        .await;
    assert_eq!(tested.json()["status"], "verified", "{}", tested.text);
    let renamed = stage
        .act(Method::PATCH, &anna, &path, &json!({ "name": null }))
        .await;
    assert_eq!(
        (renamed.status, &renamed.json()["name"]),
        (200, &Value::Null)
    );
    let nothing = stage.act(Method::PATCH, &anna, &path, &json!({})).await;
    assert_eq!(nothing.faults(), ["name: is missing"]);
}

#[tokio::test]
async fn an_ended_connection_carries_through_what_is_in_flight_and_begins_nothing_new() {
    let (stage, _sandbox) = with_psps(&[]).await;
    let anna = stage.shop("anna").await;
    let gone = "UPDATE psp_connections SET disabled_at = now()";
    stage.database.execute(gone, &[]).await.unwrap();
    let (path, made) = stage.connected(&anna).await;
    assert_eq!(stage.hears(&made, "whsec_first", "pi_1").await.status, 200);
    let open = stage.recoveries(&anna).await.remove(0);
    let ended = stage.act(Method::DELETE, &anna, &path, &Value::Null).await;
    assert_eq!(ended.status, 204, "{}", ended.text);
    assert_eq!(
        stage
            .act(Method::DELETE, &anna, &path, &Value::Null)
            .await
            .status,
        404
    );
    for verb in ["test", "rotate"] {
        let body = json!({ "webhook_secret": "whsec_second" });
        let late = stage.post(&anna, &format!("{path}/{verb}"), &body).await;
        assert_eq!(late.status, 409, "{}", late.text);
    }

    // Another payment's failure is heard and opens nothing.
    assert_eq!(stage.hears(&made, "whsec_first", "pi_2").await.status, 200);
    assert_eq!(stage.recoveries(&anna).await.len(), 1);
    let why = stage.outcome("evt_pi_2").await;
    assert_eq!(why, "is of no open recovery, and the connection was ended");
    // The payer of the open one still comes to the PSP's page over it.
    let reference = open["transaction_ref"]
        .as_str()
        .unwrap()
        .replace(' ', "%20");
    let token = stage.link(&anna, &reference).await;
    let checkout = stage
        .request(Method::POST, &format!("/pay/{token}/checkout"))
        .header("sec-fetch-site", "same-origin");
    let checkout = Answer::of(checkout).await;
    assert_eq!(checkout.status, 303, "{}", checkout.text);

    // The account may be connected again, under its id.
    let (again, back) = stage.connected(&anna).await;
    assert_eq!((again, &back["ended_at"]), (path, &Value::Null));
}
