//! Who somebody is, and who there is: found out, made up, or mixed up.

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{PASSWORD, bare};
use crate::stage::{Answer, Stage};

const KNOWN: &str = "asha@example.com";
const UNKNOWN: &str = "nobody@example.com";

/// An answer without what is never the same.
fn shown(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("instance");
    }
    let of_each_request = ["date", "x-request-id", "traceparent", "ratelimit"];
    let names = answer
        .headers
        .iter()
        .filter(|(name, _)| !of_each_request.contains(&name.as_str()));
    let mut headers: Vec<_> = names
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    (answer.status, body, headers)
}

#[tokio::test]
async fn no_door_without_a_key_tells_whether_an_address_is_known() {
    let stage = Stage::new().await;
    stage.register(KNOWN, "Chai").await;
    for path in [
        "/v1/auth/login/request-otp",
        "/v1/auth/password/request-reset",
    ] {
        let [known, unknown] = [KNOWN, UNKNOWN].map(|email| json!({ "email": email }));
        let (known, unknown) = (
            stage.send(path, &known).await,
            stage.send(path, &unknown).await,
        );
        assert_eq!(shown(&known), shown(&unknown), "{path}");
    }
    for path in ["/v1/auth/login", "/v1/auth/login/verify-otp"] {
        let body =
            |email| json!({ "email": email, "password": "wrong horse battery", "code": "000000" });
        let (known, unknown) = (
            stage.send(path, &body(KNOWN)).await,
            stage.send(path, &body(UNKNOWN)).await,
        );
        assert_eq!(shown(&known), shown(&unknown), "{path}");
    }
    // Whoever registers becomes somebody in an organization of their own, known address or not.
    let register = |email, name| json!({ "email": email, "password": PASSWORD, "org_name": name });
    for (email, name) in [(KNOWN, "Second"), (UNKNOWN, "Third")] {
        let answer = stage
            .send("/v1/auth/register", &register(email, name))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_key_that_never_was_one_that_is_revoked_and_one_that_cannot_be_look_the_same() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let wanted = json!({ "name": "old", "scopes": ["read"] });
    let made = stage.post(&shop, "/v1/auth/api-keys", &wanted).await.json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let path = format!("/v1/auth/api-keys/{id}");
    let revoked = Answer::of(stage.request(Method::DELETE, &path).bearer_auth(&shop.key)).await;
    assert!(revoked.status < 300, "{}", revoked.text);
    let unknown = format!("{}x", &key[..key.len() - 1]);
    let ask = |key: String| {
        Answer::of(
            stage
                .request(Method::GET, "/v1/recoveries")
                .bearer_auth(key),
        )
    };
    let first = shown(&ask(key.to_owned()).await);
    assert_eq!(first.0, 401);
    for key in [unknown, "sk_test_".to_owned()] {
        assert_eq!(shown(&ask(key.clone()).await), first, "{key}");
    }
}

#[tokio::test]
async fn an_id_of_anothers_and_one_that_never_was_look_the_same() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let id = stage.failed(&anna, "A-1").await;
    let unknown = format!("rec_{}", uuid::Uuid::max().simple());
    for rest in ["", "/timeline", "/attempts", "/decisions"] {
        let theirs = stage
            .get(&bert, &format!("/v1/recoveries/{id}{rest}"))
            .await;
        let nobodys = stage
            .get(&bert, &format!("/v1/recoveries/{unknown}{rest}"))
            .await;
        assert_eq!(shown(&theirs), shown(&nobodys), "{rest}");
        assert_eq!(theirs.status, 404);
    }
    let theirs = stage.get(&bert, "/v1/transactions/by_ref/A-1").await;
    let nobodys = stage.get(&bert, "/v1/transactions/by_ref/B-1").await;
    assert_eq!(shown(&theirs), shown(&nobodys));
}

#[tokio::test]
async fn nobody_makes_themselves_more_than_they_are() {
    let stage = Stage::new().await;
    let person = stage.register(KNOWN, "Chai").await;
    let other = stage.register("bert@example.com", "Other").await;
    stage.make_role(&person, "analyst").await;
    let more = json!({
        "full_name": "Asha", "role": "admin", "id": other.id, "organization_id": other.organization,
        "email_verified": true, "state": "active",
    });
    let request = stage
        .request(Method::PATCH, "/v1/users/me")
        .bearer_auth(&person.access);
    let answer = Answer::of(request.json(&more)).await;
    assert!([200, 400, 422].contains(&answer.status), "{}", answer.text);
    let me = stage.get_as(&person, "/v1/auth/me").await.json();
    assert_eq!(me["role"], "analyst", "{me}");
    let sql = "SELECT count(*) FROM users WHERE id::text = $1 AND organization_id::text = $2";
    let [id, organization] = [&person.id, &person.organization].map(|it| bare(it));
    let row = stage
        .database
        .query_one(sql, &[&id, &organization])
        .await
        .unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);

    let asks = json!({
        "email": "eve@example.com", "password": PASSWORD, "org_name": "Eve",
        "organization_id": other.organization, "role": "owner", "org_id": other.organization,
        "email_verified": true,
    });
    let eve = stage.send("/v1/auth/register", &asks).await;
    if eve.status == 201 {
        let eve = eve.json();
        assert_ne!(eve["organization"]["id"], json!(other.organization));
        assert_eq!(eve["user"]["email_verified"], false, "{eve}");
    }
    let theirs = json!({
        "transaction_ref": "A-1", "amount": 100, "currency": "INR", "failure_reason": "x",
        "organization_id": other.organization, "state": "recovered", "id": "txn_1",
    });
    let shop = stage.shop("shop").await;
    let answer = stage
        .post(&shop, "/v1/events/payment_failed", &theirs)
        .await;
    if answer.status == 201 {
        assert_eq!(stage.recoveries(&shop).await[0]["state"], "open");
        let seen = stage.get_as(&other, "/v1/recoveries").await.json();
        assert_eq!(seen["data"], json!([]));
    }
}

#[tokio::test]
async fn an_address_that_looks_like_anothers_is_another_and_one_in_capitals_is_the_same() {
    let stage = Stage::new().await;
    stage.register(KNOWN, "Chai").await;
    assert_eq!(stage.log_in("ASHA@Example.COM", PASSWORD).await.status, 200);
    assert_eq!(
        stage.log_in(" asha@example.com ", PASSWORD).await.status,
        200
    );
    for alike in [
        "\u{0430}sha@example.com", // a Cyrillic a
        "asha@ex\u{0430}mple.com",
        "ash\u{ff41}@example.com",  // of full width
        "asha\u{200b}@example.com", // of no width
        "asha@example.com\u{200b}",
        "asha\u{0301}@example.com",
        "a\u{017f}ha@example.com", // a long s, an s in capitals
    ] {
        let answer = stage.log_in(alike, PASSWORD).await;
        assert!(
            [401, 422].contains(&answer.status),
            "{alike:?}: {}",
            answer.text
        );
        let asked = json!({ "email": alike });
        stage.send("/v1/auth/password/request-reset", &asked).await;
    }
    assert_eq!(
        stage.counts().await["user_codes"],
        0,
        "no link was mailed to anybody"
    );
}

#[tokio::test]
async fn a_reference_written_in_two_ways_is_two_and_one_that_hides_letters_stays_whole() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let composed = stage.failed(&shop, "caf\u{e9}").await;
    let decomposed = stage.failed(&shop, "cafe\u{301}").await;
    assert_ne!(
        composed, decomposed,
        "a merchant's reference is compared byte by byte"
    );
    let again = stage.post(&shop, "/v1/events/payment_failed", &json!({
        "transaction_ref": "caf\u{e9}", "amount": 129_950, "currency": "INR", "failure_reason": "x",
    })).await;
    assert_eq!(
        again.json()["recovery_id"],
        json!(composed),
        "{}",
        again.text
    );
}
