//! Sessions: how they go on, and what ends them at once.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::people::{PASSWORD, Person, bare, minutes, shown};
use crate::stage::{Answer, Stage};

#[tokio::test]
async fn a_refresh_token_works_once_and_gives_the_next_one() {
    let stage = Stage::new().await;
    let person = stage.register("asha@example.com", "Chai").await;
    stage.later(minutes(11));
    let expired = stage.get_as(&person, "/v1/auth/me").await;
    assert_eq!(expired.status, 401);
    insta::assert_json_snapshot!("an_access_token_that_has_expired", shown(&expired));
    let answer = stage.refresh(&person.refresh).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let next = Person::of(&answer);
    assert_ne!(next.refresh, person.refresh);
    assert_eq!(stage.get_as(&next, "/v1/auth/me").await.status, 200);
    let third = Person::of(&stage.refresh(&next.refresh).await);
    assert_eq!(stage.get_as(&third, "/v1/auth/me").await.status, 200);
    let clear =
        "SELECT count(*) FROM refresh_tokens WHERE encode(token_hash, 'escape') LIKE 'rt_%'";
    let row = stage.database.query_one(clear, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_session_for_both_who_hold_it() {
    let stage = Stage::new().await;
    let person = stage.register("asha@example.com", "Chai").await;
    let elsewhere = Person::of(&stage.log_in("asha@example.com", PASSWORD).await);
    let next = Person::of(&stage.refresh(&person.refresh).await);
    let again = stage.refresh(&person.refresh).await;
    assert_eq!(again.status, 401);
    insta::assert_json_snapshot!("a_refresh_token_used_twice", shown(&again));
    assert_eq!(stage.refresh(&next.refresh).await.status, 401);
    assert_eq!(stage.get_as(&next, "/v1/auth/me").await.status, 401);
    // The person's other session is another matter.
    assert_eq!(stage.get_as(&elsewhere, "/v1/auth/me").await.status, 200);
    let noted = "SELECT count(*) FROM audit_log WHERE action = 'session.ended' AND actor = 'api'";
    let row = stage.database.query_one(noted, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn of_two_refreshes_at_a_time_at_most_one_succeeds() {
    let stage = Stage::new().await;
    let person = stage.register("asha@example.com", "Chai").await;
    let (one, other) = tokio::join!(
        stage.refresh(&person.refresh),
        stage.refresh(&person.refresh)
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    assert_eq!(stage.get_as(&person, "/v1/auth/me").await.status, 401);
}

#[tokio::test]
async fn logging_out_ends_the_session_by_either_token() {
    let stage = Stage::new().await;
    let person = stage.register("asha@example.com", "Chai").await;
    let request = stage.request(Method::POST, "/v1/auth/logout");
    let answer = Answer::of(request.bearer_auth(&person.access)).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(stage.get_as(&person, "/v1/auth/me").await.status, 401);
    assert_eq!(stage.refresh(&person.refresh).await.status, 401);

    let person = Person::of(&stage.log_in("asha@example.com", PASSWORD).await);
    let by_refresh = json!({ "refresh_token": person.refresh });
    for _ in 0..2 {
        assert_eq!(stage.send("/v1/auth/logout", &by_refresh).await.status, 204);
    }
    assert_eq!(stage.get_as(&person, "/v1/auth/me").await.status, 401);
    let nobody = Answer::of(stage.request(Method::POST, "/v1/auth/logout")).await;
    assert_eq!(nobody.status, 401);
}

#[tokio::test]
async fn a_change_of_role_and_being_disabled_work_at_once() {
    let stage = Stage::new().await;
    let person = stage.register("asha@example.com", "Chai").await;
    assert_eq!(stage.get_as(&person, "/v1/auth/api-keys").await.status, 200);
    stage.make_role(&person, "analyst").await;
    let refused = stage.get_as(&person, "/v1/auth/api-keys").await;
    assert_eq!(refused.status, 403);
    insta::assert_json_snapshot!("a_role_that_is_not_enough", shown(&refused));
    assert_eq!(stage.get_as(&person, "/v1/recoveries").await.status, 200);
    let gone = "UPDATE users SET disabled_at = now() WHERE id::text = $1";
    stage
        .database
        .execute(gone, &[&bare(&person.id)])
        .await
        .unwrap();
    assert_eq!(stage.get_as(&person, "/v1/recoveries").await.status, 401);
    assert_eq!(stage.refresh(&person.refresh).await.status, 401);
}

#[tokio::test]
async fn a_session_in_which_nothing_happens_ends() {
    let stage = Stage::new().await;
    let person = stage.register("asha@example.com", "Chai").await;
    stage.later(TimeDelta::days(29));
    let next = Person::of(&stage.refresh(&person.refresh).await);
    stage.later(TimeDelta::days(29));
    let next = Person::of(&stage.refresh(&next.refresh).await);
    stage.later(TimeDelta::days(31));
    assert_eq!(stage.refresh(&next.refresh).await.status, 401);
}

#[tokio::test]
async fn a_token_of_another_installation_opens_nothing() {
    let (stage, other) = tokio::join!(
        Stage::new(),
        Stage::with(&[(
            "TINKO__ACCESS_TOKEN_KEYS",
            "k1:BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="
        )])
    );
    let person = other.register("asha@example.com", "Chai").await;
    assert_eq!(other.get_as(&person, "/v1/me").await.status, 200);
    let answer = stage.get_as(&person, "/v1/me").await;
    assert_eq!(
        (answer.status, answer.slug().as_str()),
        (401, "unauthorized")
    );
}

#[tokio::test]
async fn a_key_is_not_a_person() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let answer = stage.get(&shop, "/v1/auth/me").await;
    assert_eq!(
        (answer.status, answer.slug().as_str()),
        (403, "people-only")
    );
    assert_eq!(stage.get(&shop, "/v1/auth/org").await.status, 200);
}
