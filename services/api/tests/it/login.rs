//! Registering and logging in: what is answered, and what nobody is told.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{PASSWORD, Person, bare, minutes, shown};
use crate::stage::{Answer, Stage};

#[tokio::test]
async fn who_registers_is_the_administrator_of_a_new_organization() {
    let stage = Stage::new().await;
    let body = json!({
        "email": " Asha@Example.com ",
        "password": PASSWORD,
        "full_name": "Asha Rao",
        "org_name": "Chai & Sons",
        "account_type": "business",
        "api_key_name": "billing",
    });
    let answer = stage.send("/v1/auth/register", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let mut seen = shown(&answer);
    let key = answer.json()["api_key"]["key"].as_str().unwrap().to_owned();
    seen["api_key"]["key"] = json!("[key]");
    seen["api_key"]["prefix"] = json!("[prefix]");
    insta::assert_json_snapshot!("answer_to_a_registration", seen);
    let person = Person::of(&answer);
    let made = stage.get_as(&person, "/v1/auth/api-keys").await;
    assert_eq!(
        (made.status, made.json()[0]["name"].as_str()),
        (200, Some("billing"))
    );
    let as_key = Answer::of(stage.request(Method::GET, "/v1/me").bearer_auth(&key)).await;
    insta::assert_json_snapshot!("a_key_about_itself", shown(&as_key));
    let stored = "SELECT email, password_hash FROM users";
    let row = stage.database.query_one(stored, &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "asha@example.com");
    assert!(
        row.get::<_, &str>(1)
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
    );
}

#[tokio::test]
async fn a_login_answers_what_older_clients_know() {
    let stage = Stage::new().await;
    stage.register("asha@example.com", "Chai & Sons").await;
    let answer = stage.log_in("ASHA@example.com", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    insta::assert_json_snapshot!("answer_to_a_login", shown(&answer));
    let person = Person::of(&answer);
    let me = stage.get_as(&person, "/v1/auth/me").await;
    insta::assert_json_snapshot!("a_user_about_themselves", shown(&me));
    let organization = stage.get_as(&person, "/v1/auth/org").await;
    insta::assert_json_snapshot!("an_organization_as_its_people_see_it", shown(&organization));
    let caller = stage.get_as(&person, "/v1/me").await;
    insta::assert_json_snapshot!("a_caller_who_is_a_user", shown(&caller));
}

/// A failed login without what names the request.
async fn failure(stage: &Stage, email: &str, password: &str) -> (u16, Value) {
    let answer = stage.log_in(email, password).await;
    (answer.status, shown(&answer))
}

#[tokio::test]
async fn every_failed_login_looks_the_same() {
    let stage = Stage::new().await;
    let disabled = stage.register("gone@example.com", "Gone").await;
    stage.register("asha@example.com", "Chai").await;
    let gone = "UPDATE users SET disabled_at = now() WHERE id::text = $1";
    stage
        .database
        .execute(gone, &[&bare(&disabled.id)])
        .await
        .unwrap();
    let wrong = failure(&stage, "asha@example.com", "not the password").await;
    insta::assert_json_snapshot!("a_failed_login", wrong.1);
    assert_eq!(wrong.0, 401);
    let unknown = failure(&stage, "nobody@example.com", PASSWORD).await;
    let disabled = failure(&stage, "gone@example.com", PASSWORD).await;
    for _ in 0..10 {
        failure(&stage, "asha@example.com", "not the password").await;
    }
    let locked = failure(&stage, "asha@example.com", PASSWORD).await;
    assert_eq!([&unknown, &disabled, &locked], [&wrong, &wrong, &wrong]);
}

#[tokio::test]
async fn an_unknown_address_takes_as_long_as_a_wrong_password() {
    let stage = Stage::new().await;
    stage.register("asha@example.com", "Chai").await;
    let mut took: [Vec<Duration>; 2] = Default::default();
    // Taken in turns, so that whatever else runs here slows both.
    for _ in 0..5 {
        for (place, email) in ["asha@example.com", "nobody@example.com"]
            .iter()
            .enumerate()
        {
            let began = Instant::now();
            assert_eq!(stage.log_in(email, "not the password").await.status, 401);
            took[place].push(began.elapsed());
        }
    }
    let [known, unknown] = took.map(|mut times| {
        times.sort_unstable();
        times[0]
    });
    // Without the work on a password, an answer takes a tenth of it.
    assert!(
        unknown * 2 > known && known * 2 > unknown,
        "{known:?} {unknown:?}"
    );
}

#[tokio::test]
async fn too_many_tries_lock_for_a_while_whether_there_is_an_account_or_not() {
    let stage = Stage::new().await;
    stage.register("asha@example.com", "Chai").await;
    for email in ["asha@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(stage.log_in(email, "not the password").await.status, 401);
        }
    }
    assert_eq!(stage.log_in("asha@example.com", PASSWORD).await.status, 401);
    // Both are counted, and by nothing that tells whose they are.
    let counted = "SELECT tries FROM login_tries ORDER BY tries";
    let counted = stage.database.query(counted, &[]).await.unwrap();
    let tries: Vec<i32> = counted.iter().map(|row| row.get(0)).collect();
    // Registering: by account and by address; then two accounts and one address.
    assert_eq!(tries, [1, 1, 10, 11, 21]);
    stage.later(minutes(16));
    let answer = stage.log_in("asha@example.com", PASSWORD).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_login_that_succeeds_forgives_the_failures_before_it() {
    let stage = Stage::new().await;
    stage.register("asha@example.com", "Chai").await;
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(
                stage.log_in("asha@example.com", "wrong one").await.status,
                401
            );
        }
        assert_eq!(stage.log_in("asha@example.com", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn one_network_address_cannot_try_many_accounts() {
    let stage = Stage::with(&[("TINKO__PROXIES", "1")]).await;
    stage.register("asha@example.com", "Chai").await;
    let from = |address: &'static str, email: String| {
        let body = json!({ "email": email, "password": PASSWORD });
        let request = stage.request(Method::POST, "/v1/auth/login").json(&body);
        Answer::of(request.header("x-forwarded-for", address))
    };
    for account in 0..100 {
        let email = format!("user{account}@example.com");
        assert_eq!(from("203.0.113.7", email).await.status, 401);
    }
    let asha = || "asha@example.com".to_owned();
    assert_eq!(from("203.0.113.7", asha()).await.status, 401);
    // What a client writes before the proxy's entry is not believed.
    assert_eq!(from("198.51.100.1, 203.0.113.7", asha()).await.status, 401);
    assert_eq!(from("203.0.113.8", asha()).await.status, 200);
}

#[tokio::test]
async fn one_address_may_be_known_to_several_organizations() {
    let stage = Stage::new().await;
    let first = stage.register("asha@example.com", "Chai").await;
    let second = stage.register("asha@example.com", "Chai").await;
    assert_ne!(first.organization, second.organization);
    let plain = Person::of(&stage.log_in("asha@example.com", PASSWORD).await);
    assert_eq!(plain.organization, first.organization);
    let slug = stage.get_as(&second, "/v1/auth/org").await.json();
    let slug = slug["slug"].as_str().unwrap().to_owned();
    assert!(slug.starts_with("chai-"), "{slug}");
    let body = json!({ "email": "asha@example.com", "password": PASSWORD, "organization": slug });
    let named = Person::of(&stage.send("/v1/auth/login", &body).await);
    assert_eq!(named.organization, second.organization);
}

#[tokio::test]
async fn a_registration_at_fault_names_every_field_and_changes_nothing() {
    let stage = Stage::new().await;
    stage.register("asha@example.com", "Chai").await;
    let before = stage.counts().await;
    let body = json!({
        "email": "asha",
        "password": "x",
        "full_name": "",
        "org_name": " ",
        "org_slug": "Not A Slug",
        "api_scopes": [],
    });
    let answer = stage.send("/v1/auth/register", &body).await;
    let fields: Vec<String> = answer
        .faults()
        .iter()
        .map(|fault| fault.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        (answer.status, fields.join(" ")),
        (
            422,
            "org_name full_name org_slug api_scopes email".to_owned()
        )
    );
    let weak =
        |password: &str| json!({ "email": "b@example.com", "password": password, "org_name": "B" });
    for password in ["short", "password123", "b@example.com"] {
        let answer = stage.send("/v1/auth/register", &weak(password)).await;
        assert!(
            answer.faults()[0].starts_with("password: "),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains(password) || password == "b@example.com");
    }
    let taken = json!({
        "email": "b@example.com",
        "password": PASSWORD,
        "org_name": "B",
        "org_slug": "chai",
    });
    let answer = stage.send("/v1/auth/register", &taken).await;
    assert_eq!(
        (answer.status, answer.faults()),
        (409, vec!["org_slug: is another organization's".to_owned()])
    );
    let after = stage.counts().await;
    let changed: Vec<_> = after
        .iter()
        .filter(|(table, count)| before[*table] != **count)
        .collect();
    // The last one was counted as a try.
    assert_eq!(changed, [(&"login_tries".to_owned(), &3)]);
}

#[tokio::test]
async fn registration_is_closed_where_the_operator_says_so() {
    let stage = Stage::with(&[("TINKO__OPEN_REGISTRATION", "false")]).await;
    let body = json!({ "email": "a@example.com", "password": PASSWORD, "org_name": "A" });
    let answer = stage.send("/v1/auth/register", &body).await;
    assert_eq!(
        (answer.status, answer.slug().as_str()),
        (403, "not-offered")
    );
}

#[tokio::test]
async fn registering_again_and_again_is_slowed_down() {
    let stage = Stage::new().await;
    for place in 0..20 {
        stage
            .register(&format!("user{place}@example.com"), "Chai")
            .await;
    }
    let body = json!({ "email": "a@example.com", "password": PASSWORD, "org_name": "A" });
    let answer = stage.send("/v1/auth/register", &body).await;
    assert_eq!(
        (answer.status, answer.slug().as_str()),
        (429, "too-many-tries")
    );
    assert_eq!(answer.header("retry-after"), "900");
}

#[tokio::test]
async fn a_registration_sent_again_makes_one_organization_and_gives_the_same_answer() {
    let stage = Stage::new().await;
    let body = json!({
        "email": "asha@example.com", "password": PASSWORD, "org_name": "Chai",
        "api_key_name": "billing",
    });
    let send = |key: &'static str, body: Value| {
        let request = stage.request(Method::POST, "/v1/auth/register");
        Answer::of(request.header("idempotency-key", key).json(&body))
    };
    let at_once = futures_util::future::join_all((0..4).map(|_| send("one", body.clone()))).await;
    for answer in &at_once {
        assert!(matches!(answer.status, 201 | 409), "{}", answer.text);
    }
    let first = at_once.iter().find(|answer| answer.status == 201).unwrap();
    let again = send("one", body.clone()).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let counts = stage.counts().await;
    assert_eq!((counts["organizations"], counts["api_keys"]), (1, 1));
    // A refresh token or a key must not be readable where the answer is kept.
    let kept = "SELECT string_agg(k::text, ' ') FROM registration_keys k";
    let kept: String = stage.database.query_one(kept, &[]).await.unwrap().get(0);
    let token = Person::of(first).refresh;
    assert!(!kept.contains(&token) && !kept.contains(&hex::encode(&token)));

    let mut guess = body.clone();
    guess["password"] = json!("another one it is");
    let refused = send("one", guess).await;
    assert_eq!(refused.slug(), "idempotency-key-reused");
    assert_eq!(send("two", body).await.status, 201);
    assert_eq!(stage.counts().await["organizations"], 2);
}
