//! Every change by whom.

use std::collections::BTreeMap;

use api::auth::permissions::PERMISSIONS;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{PASSWORD, Person, bare, shown};
use crate::stage::{Answer, Stage};

async fn call(stage: &Stage, person: &Person, method: &str, path: &str, body: Value) -> Answer {
    let request = stage.request(method.parse().unwrap(), path);
    let request = request.bearer_auth(&person.access);
    let answer = Answer::of(if body.is_null() {
        request
    } else {
        request.json(&body)
    })
    .await;
    assert!(answer.status < 300, "{method} {path}: {}", answer.text);
    answer
}

/// Someone else of the same organization, who has logged in.
pub(crate) async fn colleague(stage: &Stage, person: &Person, email: &str) -> Person {
    let alone = stage.register(email, "Elsewhere").await;
    let moved = "UPDATE users SET organization_id =
         (SELECT organization_id FROM users WHERE id::text = $2) WHERE id::text = $1";
    let ids = (bare(&alone.id), bare(&person.id));
    stage
        .database
        .execute(moved, &[&ids.0, &ids.1])
        .await
        .unwrap();
    Person::of(&stage.log_in(email, PASSWORD).await)
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one change after the other, a few lines each"
)]
async fn every_change_that_a_caller_makes_is_in_the_audit_log() {
    let (stage, _sandbox) = crate::connections::with_psps(&[("TINKO__RECON_WAIT_MS", "1")]).await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let ravi = colleague(&stage, &asha, "ravi@example.com").await;
    let id = |answer: &Answer| answer.json()["id"].as_str().unwrap().to_owned();
    let mut done: Vec<(&str, &str)> = Vec::new();
    let mut change = async |method, pattern: &'static str, path: &str, body| {
        done.push((method, pattern));
        call(&stage, &asha, method, path, body).await
    };
    let report = json!({
        "transaction_ref": "A-1", "amount": 100, "currency": "EUR",
        "failure_reason": "insufficient_funds", "customer": { "email": "p@example.com" },
    });
    let reported = change(
        "POST",
        "/v1/events/payment_failed",
        "/v1/events/payment_failed",
        report,
    )
    .await;
    let batch = "/v1/events/payment_failed/batch";
    let events = json!({ "events": [{
        "transaction_ref": "B-1", "amount": 100, "currency": "EUR", "failure_reason": "x",
    }] });
    change("POST", batch, batch, events).await;
    let transactions = "/v1/transactions";
    let watched = json!({ "transaction_ref": "W-1", "amount": 100, "currency": "EUR" });
    change("POST", transactions, transactions, watched).await;
    let link = "/v1/recoveries/by_ref/{ref}/link";
    change("POST", link, "/v1/recoveries/by_ref/A-1/link", json!({})).await;
    let links = stage.get_as(&asha, "/v1/links").await.json();
    let made = links["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/links/{made}/revoke");
    change("POST", "/v1/links/{id}/revoke", &path, Value::Null).await;
    let recovery = reported.json()["recovery_id"].as_str().unwrap().to_owned();
    let chosen = json!({ "next_retry_at": (stage.now() + TimeDelta::days(1)).to_rfc3339() });
    let path = format!("/v1/retry/attempts/{made}/retry-now");
    let pattern = "/v1/retry/attempts/{id}/retry-now";
    change("POST", pattern, &path, Value::Null).await;
    for (method, verb, body) in [
        ("POST", "retry-now", Value::Null),
        ("PATCH", "next_retry_at", chosen),
        ("POST", "pause", Value::Null),
        ("POST", "resume", Value::Null),
        ("POST", "cancel", Value::Null),
    ] {
        let path = format!("/v1/recoveries/{recovery}/{verb}");
        let pattern = PERMISSIONS
            .iter()
            .map(|row| row.path)
            .find(|path| *path == format!("/v1/recoveries/{{id}}/{verb}"));
        change(method, pattern.unwrap(), &path, body).await;
    }
    let path = format!("/v1/recoveries/{recovery}/cancel");
    change("POST", "/v1/recoveries/{id}/cancel", &path, Value::Null).await;
    let transactions = "/v1/customer/transactions";
    let new = json!({ "transaction_ref": "A-2", "amount": 100, "currency": "EUR" });
    change("POST", transactions, transactions, new).await;
    let connections = "/v1/psp-connections";
    let new = json!({
        "provider": "stripe", "account_id": "acct_mine",
        "credentials": { "secret_key": "sk_test_mine" },
    });
    let connection = id(&change("POST", connections, connections, new).await);
    let path = format!("{connections}/{connection}");
    let one = "/v1/psp-connections/{id}";
    change("PATCH", one, &path, json!({ "name": "Pune" })).await;
    let test = format!("{path}/test");
    change("POST", "/v1/psp-connections/{id}/test", &test, Value::Null).await;
    let rotate = format!("{path}/rotate");
    let secret = json!({ "webhook_secret": "whsec_second" });
    change("POST", "/v1/psp-connections/{id}/rotate", &rotate, secret).await;
    change("DELETE", one, &path, Value::Null).await;
    let keys = "/v1/auth/api-keys";
    let key = id(&change("POST", keys, keys, json!({ "name": "a" })).await);
    let path = format!("{keys}/{key}/rotate");
    change("POST", "/v1/auth/api-keys/{id}/rotate", &path, Value::Null).await;
    let path = format!("{keys}/{key}");
    change("DELETE", "/v1/auth/api-keys/{id}", &path, Value::Null).await;
    let policies = "/v1/retry/policies";
    let policy = id(&change("POST", policies, policies, json!({ "name": "a" })).await);
    let path = format!("{policies}/{policy}");
    change("DELETE", "/v1/retry/policies/{id}", &path, Value::Null).await;
    let sms = json!({ "text": "{{ merchant }} {{ link }}" });
    let templates = "/v1/templates";
    let new = json!({ "language": "en", "sms": sms });
    let template = id(&change("POST", templates, templates, new).await);
    let path = format!("{templates}/{template}");
    change(
        "PUT",
        "/v1/templates/{id}",
        &path,
        json!({ "version": 1, "sms": sms }),
    )
    .await;
    change("DELETE", "/v1/templates/{id}", &path, Value::Null).await;
    let settings = "/v1/templates/settings";
    change(
        "PUT",
        settings,
        settings,
        json!({ "support_contact": "call us" }),
    )
    .await;
    change(
        "POST",
        "/v1/recon/run",
        "/v1/recon/run",
        json!({ "days": 1 }),
    )
    .await;
    let consent = json!({
        "channel": "email", "address": "p@example.com", "state": "granted", "source": "shop",
    });
    change("PUT", "/v1/consents", "/v1/consents", consent).await;
    let required = "/v1/consents/required";
    change("PUT", required, required, json!({ "channels": ["sms"] })).await;
    let suppressions = "/v1/suppressions";
    let address = json!({ "channel": "email", "address": "p@example.com" });
    let suppression = id(&change("POST", suppressions, suppressions, address).await);
    let path = format!("{suppressions}/{suppression}");
    change("DELETE", "/v1/suppressions/{id}", &path, Value::Null).await;
    let endpoints = "/v1/webhook-endpoints";
    let wanted = json!({ "url": "http://127.0.0.1:9/" });
    let endpoint = id(&change("POST", endpoints, endpoints, wanted).await);
    let path = format!("{endpoints}/{endpoint}");
    let moved = json!({ "description": "a" });
    change("PATCH", "/v1/webhook-endpoints/{id}", &path, moved).await;
    let path = format!("{endpoints}/{endpoint}/rotate-secret");
    let pattern = "/v1/webhook-endpoints/{id}/rotate-secret";
    change("POST", pattern, &path, Value::Null).await;
    let path = format!("{endpoints}/{endpoint}/test");
    let pattern = "/v1/webhook-endpoints/{id}/test";
    let delivery = id(&change("POST", pattern, &path, Value::Null).await);
    stage.end_delivery(&delivery).await;
    let path = format!("/v1/webhook-deliveries/{delivery}/replay");
    let pattern = "/v1/webhook-deliveries/{id}/replay";
    change("POST", pattern, &path, Value::Null).await;
    let path = format!("{endpoints}/{endpoint}/replay");
    let pattern = "/v1/webhook-endpoints/{id}/replay";
    let time = json!({ "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z" });
    change("POST", pattern, &path, time).await;
    let path = format!("{endpoints}/{endpoint}");
    change("DELETE", "/v1/webhook-endpoints/{id}", &path, Value::Null).await;
    let assign = "/v1/auth/roles/assign";
    let operator = json!({ "user_id": ravi.id, "role": "operator" });
    change("POST", assign, assign, operator).await;
    let path = format!("/v1/users/{}/disable", ravi.id);
    change("POST", "/v1/users/{id}/disable", &path, Value::Null).await;
    let path = format!("/v1/users/{}/enable", ravi.id);
    change("POST", "/v1/users/{id}/enable", &path, Value::Null).await;
    let again = Person::of(&stage.log_in("ravi@example.com", PASSWORD).await);
    let theirs = format!("/v1/auth/sessions?user_id={}", again.id);
    let theirs = call(&stage, &asha, "GET", &theirs, Value::Null)
        .await
        .json();
    let session = theirs["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/auth/sessions/{session}");
    change("DELETE", "/v1/auth/sessions/{id}", &path, Value::Null).await;
    let invitations = "/v1/users/invitations";
    let new = json!({ "email": "new@example.com", "role": "analyst" });
    let invitation = id(&change("POST", invitations, invitations, new).await);
    let path = format!("{invitations}/{invitation}");
    change("DELETE", "/v1/users/invitations/{id}", &path, Value::Null).await;
    let me = "/v1/users/me";
    change("PATCH", me, me, json!({ "full_name": "Asha" })).await;
    let organization = "/v1/organization";
    change("PATCH", organization, organization, json!({ "name": "C" })).await;
    let elsewhere = Person::of(&stage.log_in("asha@example.com", PASSWORD).await);
    done.push(("POST", "/v1/auth/logout"));
    call(&stage, &elsewhere, "POST", "/v1/auth/logout", Value::Null).await;

    let password = "/v1/auth/password/change";
    let other = json!({ "old_password": PASSWORD, "new_password": "another one it is" });
    done.push(("POST", password));
    call(&stage, &asha, "POST", password, other).await;

    let path = format!("/v1/audit?actor={}&limit=200", asha.id);
    let log = stage.get_as(&asha, &path).await.json();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in log["data"].as_array().unwrap() {
        *times.entry(entry["action"].as_str().unwrap()).or_default() += 1;
    }
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::new();
    for row in PERMISSIONS {
        let Some(action) = row.action else { continue };
        let (method, path) = (row.method, row.path);
        assert!(
            done.contains(&(method, path)),
            "make this change in audit.rs: {method} {path}"
        );
        *wanted.entry(action).or_default() += 1;
    }
    for (action, count) in wanted {
        assert_eq!(times.get(action), Some(&count), "{action}");
    }
}

#[tokio::test]
async fn the_audit_log_is_read_in_pages_by_administrators() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    for name in ["a", "b", "c"] {
        call(
            &stage,
            &asha,
            "POST",
            "/v1/auth/api-keys",
            json!({ "name": name }),
        )
        .await;
    }
    let first = stage
        .get_as(&asha, "/v1/audit?action=api_key.made&limit=2")
        .await;
    let page = first.json();
    let name = |entry: &Value| entry["detail"]["name"].as_str().unwrap().to_owned();
    let data = page["data"].as_array().unwrap();
    assert_eq!(data.iter().map(name).collect::<Vec<_>>(), ["c", "b"]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = format!("/v1/audit?action=api_key.made&cursor={cursor}&limit=2");
    assert_eq!(
        first.header("link"),
        format!("<https://pay.example.com{next}>; rel=\"next\"")
    );
    let last = stage.get_as(&asha, &next).await;
    let mut body = shown(&last);
    assert!(body["next_cursor"].is_null());
    body["data"][0]["trace_id"] = json!("[trace]");
    insta::assert_json_snapshot!("the_last_page_of_an_audit_log", body);
    let object = page["data"][0]["object"].as_str().unwrap();
    let one = stage
        .get_as(&asha, &format!("/v1/audit?object={object}"))
        .await;
    assert_eq!(one.json()["data"].as_array().unwrap().len(), 1);
    let wrong = stage.get_as(&asha, "/v1/audit?limit=0&cursor=x").await;
    assert_eq!((wrong.status, wrong.faults().len()), (422, 2));
}

#[tokio::test]
async fn a_change_that_fails_is_not_in_the_audit_log() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let count = "SELECT count(*) FROM audit_log";
    let count = async || {
        let row = stage.database.query_one(count, &[]).await.unwrap();
        row.get::<_, i64>(0)
    };
    let before = count().await;
    for (method, path, body) in [
        (Method::POST, "/v1/auth/api-keys", json!({ "name": "" })),
        (
            Method::DELETE,
            "/v1/auth/api-keys/key_01920000000070008000000000000000",
            Value::Null,
        ),
        (
            Method::POST,
            "/v1/auth/roles/assign",
            json!({ "user_id": asha.id, "role": "analyst" }),
        ),
    ] {
        let request = stage
            .request(method, path)
            .bearer_auth(&asha.access)
            .json(&body);
        assert!(Answer::of(request).await.status >= 400);
    }
    assert_eq!(count().await, before);
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let ravi = colleague(&stage, &asha, "ravi@example.com").await;
    let role = |who: &Person, role: &str| json!({ "user_id": who.id, "role": role });
    let assign = "/v1/auth/roles/assign";
    let body = call(&stage, &asha, "POST", assign, role(&ravi, "operator")).await;
    insta::assert_json_snapshot!("a_user_with_a_new_role", shown(&body));
    let request = |path: String, body: Value| {
        let request = stage.request(Method::POST, &path).bearer_auth(&asha.access);
        Answer::of(request.json(&body))
    };
    let demoted = request(assign.to_owned(), role(&asha, "operator")).await;
    let disabled = request(format!("/v1/users/{}/disable", asha.id), Value::Null).await;
    for refused in [demoted, disabled] {
        assert_eq!(refused.status, 409);
        assert!(refused.faults()[0].starts_with("role: is that of the last"));
    }
    call(&stage, &asha, "POST", assign, role(&ravi, "admin")).await;
    call(&stage, &asha, "POST", assign, role(&asha, "operator")).await;
    assert_eq!(stage.get_as(&asha, "/v1/users").await.status, 403);
    let users = stage.get_as(&ravi, "/v1/users?limit=1").await;
    assert_eq!(users.json()["data"][0]["email"], "ravi@example.com");
    assert!(users.json()["next_cursor"].is_string());
}

#[tokio::test]
async fn a_user_sees_and_ends_their_own_sessions_and_no_others() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let ravi = colleague(&stage, &asha, "ravi@example.com").await;
    let operator = json!({ "user_id": ravi.id, "role": "operator" });
    call(&stage, &asha, "POST", "/v1/auth/roles/assign", operator).await;
    let telephone = Person::of(&stage.log_in("ravi@example.com", PASSWORD).await);
    let seen = stage.get_as(&ravi, "/v1/auth/sessions").await;
    let mut listed = shown(&seen);
    listed["data"][0]["address"] = json!("[address]");
    insta::assert_json_snapshot!("a_session_as_it_is_listed", listed["data"][0]);
    let data = seen.json()["data"].as_array().unwrap().clone();
    let newest = data[0]["id"].as_str().unwrap().to_owned();
    call(
        &stage,
        &ravi,
        "DELETE",
        &format!("/v1/auth/sessions/{newest}"),
        Value::Null,
    )
    .await;
    assert_eq!(stage.get_as(&telephone, "/v1/me").await.status, 401);
    assert_eq!(stage.get_as(&ravi, "/v1/me").await.status, 200);
    let own = stage.get_as(&asha, "/v1/auth/sessions").await.json();
    let own = own["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/auth/sessions/{own}");
    let request = stage
        .request(Method::DELETE, &path)
        .bearer_auth(&ravi.access);
    assert_eq!(Answer::of(request).await.status, 404);
    let path = format!("/v1/auth/sessions?user_id={}", asha.id);
    assert_eq!(stage.get_as(&ravi, &path).await.status, 403);
}
