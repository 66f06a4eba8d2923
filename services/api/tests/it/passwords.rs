//! Passwords: changed by the old one, or by a mailed link.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::people::{PASSWORD, Person};
use crate::stage::{Answer, Stage};

const ASHA: &str = "asha@example.com";
const OTHER: &str = "staple battery correct";

impl Stage {
    async fn change_password(&self, person: &Person, old: &str, new: &str) -> Answer {
        let body = json!({ "old_password": old, "new_password": new });
        let request = self.request(Method::POST, "/v1/auth/password/change");
        Answer::of(request.bearer_auth(&person.access).json(&body)).await
    }

    async fn reset_password(&self, token: &str, password: &str) -> Answer {
        let body = json!({ "token": token, "password": password });
        self.send("/v1/auth/password/reset", &body).await
    }

    async fn forget_password(&self, email: &str) -> String {
        let body = json!({ "email": email });
        let answer = self.send("/v1/auth/password/request-reset", &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        self.mailed_token("password_reset").await
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    let here = Person::of(&stage.log_in(ASHA, PASSWORD).await);
    let elsewhere = Person::of(&stage.log_in(ASHA, PASSWORD).await);
    let link = stage.forget_password(ASHA).await;
    let changed = stage.change_password(&here, PASSWORD, OTHER).await;
    assert_eq!(changed.status, 204, "{}", changed.text);
    assert_eq!(stage.get_as(&here, "/v1/me").await.status, 200);
    assert_eq!(stage.get_as(&elsewhere, "/v1/me").await.status, 401);
    assert_eq!(stage.refresh(&elsewhere.refresh).await.status, 401);
    assert_eq!(stage.log_in(ASHA, PASSWORD).await.status, 401);
    assert_eq!(stage.log_in(ASHA, OTHER).await.status, 200);
    // What was mailed before the change opens nothing after it.
    assert_eq!(stage.reset_password(&link, PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_alone() {
    let stage = Stage::new().await;
    let asha = stage.register(ASHA, "Chai").await;
    let answer = stage
        .change_password(&asha, "not the password", "short")
        .await;
    let faults = answer.faults();
    assert_eq!((answer.status, faults.len()), (422, 2), "{}", answer.text);
    assert_eq!(faults[0], "old_password: is not the password");
    assert!(faults[1].starts_with("new_password: "), "{faults:?}");
    for _ in 0..10 {
        stage
            .change_password(&asha, "not the password", OTHER)
            .await;
    }
    let locked = stage.change_password(&asha, PASSWORD, OTHER).await;
    assert_eq!(
        (locked.status, locked.slug().as_str()),
        (429, "too-many-tries")
    );
}

#[tokio::test]
async fn a_mailed_link_gives_a_new_password_once_and_ends_every_session() {
    let stage = Stage::new().await;
    let asha = stage.register(ASHA, "Chai").await;
    for _ in 0..11 {
        stage.log_in(ASHA, "a guess of somebody").await;
    }
    let token = stage.forget_password(ASHA).await;
    let weak = stage.reset_password(&token, "chai").await;
    assert!(weak.faults()[0].starts_with("password: "), "{}", weak.text);
    let reset = stage.reset_password(&token, OTHER).await;
    assert_eq!(reset.status, 204, "{}", reset.text);
    assert_eq!(stage.get_as(&asha, "/v1/me").await.status, 401);
    assert_eq!(stage.log_in(ASHA, PASSWORD).await.status, 401);
    // Guesses by others keep the owner out no longer.
    let in_again = stage.log_in(ASHA, OTHER).await;
    assert_eq!(in_again.status, 200, "{}", in_again.text);
    assert_eq!(in_again.json()["user"]["email_verified"], true);
    assert_eq!(stage.reset_password(&token, PASSWORD).await.status, 401);
    let log = stage
        .get_as(&Person::of(&in_again), "/v1/audit")
        .await
        .json();
    let actions: Vec<_> = log["data"].as_array().unwrap().iter().collect();
    assert!(
        actions
            .iter()
            .any(|it| it["action"] == "user.password_reset"),
        "{log}"
    );
}

#[tokio::test]
async fn an_expired_a_replaced_and_a_made_up_link_are_refused_alike() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    let older = stage.forget_password(ASHA).await;
    let token = stage.forget_password(ASHA).await;
    let replaced = stage.reset_password(&older, OTHER).await;
    let made_up = stage.reset_password(&"A".repeat(32), OTHER).await;
    let long = stage.reset_password(&"A".repeat(2_000), OTHER).await;
    stage.later(chrono::TimeDelta::hours(1));
    let expired = stage.reset_password(&token, OTHER).await;
    for answer in [&replaced, &made_up, &long, &expired] {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["detail"], replaced.json()["detail"]);
    }
    assert_eq!(stage.log_in(ASHA, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn of_many_uses_of_a_link_at_once_one_sets_the_password() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    let token = stage.forget_password(ASHA).await;
    let passwords: Vec<String> = (0..4).map(|it| format!("correct staple {it}")).collect();
    let answers = join_all(passwords.iter().map(|it| stage.reset_password(&token, it))).await;
    let set: Vec<_> = answers.iter().filter(|it| it.status == 204).collect();
    assert_eq!(set.len(), 1);
    let winner = answers.iter().position(|it| it.status == 204).unwrap();
    assert_eq!(stage.log_in(ASHA, &passwords[winner]).await.status, 200);
}

#[tokio::test]
async fn nothing_that_opens_an_account_is_kept_or_sent_on_in_clear() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    let token = stage.forget_password(ASHA).await;
    let text = "SELECT (SELECT string_agg(c::text, ' ') FROM user_codes c)
                || (SELECT string_agg(encode(envelope, 'escape'), ' ') FROM outbox)";
    let row = stage.database.query_one(text, &[]).await.unwrap();
    let kept: String = row.get(0);
    assert!(!kept.contains(&token), "{kept}");
}
