//! Invitations: a link, once, for the one who was meant.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{PASSWORD, Person, shown};
use crate::stage::{Answer, Stage, steady};

const RAVI: &str = "ravi@example.com";

impl Stage {
    async fn as_person(&self, method: Method, person: &Person, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).bearer_auth(&person.access);
        Answer::of(request.json(body)).await
    }

    async fn invite(&self, person: &Person, email: &str, role: &str) -> Answer {
        let body = json!({ "email": email, "role": role });
        self.as_person(Method::POST, person, "/v1/users/invitations", &body)
            .await
    }

    async fn accept(&self, token: &str) -> Answer {
        let body = json!({ "token": token, "password": PASSWORD, "full_name": "Ravi Iyer" });
        self.send("/v1/auth/invitations/accept", &body).await
    }
}

#[tokio::test]
async fn who_accepts_an_invitation_is_a_user_with_its_role_and_logged_in() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let made = stage.invite(&asha, " Ravi@Example.com ", "operator").await;
    assert_eq!(made.status, 201, "{}", made.text);
    insta::assert_json_snapshot!("an_invitation", steady(&made.json()));
    let token = stage.mailed_token("invitation").await;
    assert!(!made.text.contains(&token));
    // Until then there is no such user.
    assert_eq!(stage.log_in(RAVI, PASSWORD).await.status, 401);
    let joined = stage.accept(&token).await;
    assert_eq!(joined.status, 201, "{}", joined.text);
    insta::assert_json_snapshot!("answer_to_an_accepted_invitation", shown(&joined));
    let ravi = Person::of(&joined);
    assert_eq!(ravi.organization, asha.organization);
    assert_eq!(stage.get_as(&ravi, "/v1/recoveries").await.status, 200);
    assert_eq!(stage.get_as(&ravi, "/v1/users").await.status, 403);
    assert_eq!(stage.log_in(RAVI, PASSWORD).await.status, 200);
    assert_eq!(stage.accept(&token).await.status, 401);
    let left = stage.get_as(&asha, "/v1/users/invitations").await.json();
    assert_eq!(left["data"], json!([]));
    let again = stage.invite(&asha, RAVI, "admin").await;
    assert_eq!(
        (again.status, again.faults()),
        (
            409,
            vec!["email: is one of the organization's users already".to_owned()]
        )
    );
}

#[tokio::test]
async fn an_invitation_made_again_voids_the_older_one() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    stage.invite(&asha, RAVI, "operator").await;
    let older = stage.mailed_token("invitation").await;
    stage.invite(&asha, RAVI, "analyst").await;
    let newer = stage.mailed_token("invitation").await;
    assert_eq!(stage.accept(&older).await.status, 401);
    let listed = stage.get_as(&asha, "/v1/users/invitations").await;
    let listed = listed.json()["data"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["role"], "analyst");
    let joined = stage.accept(&newer).await;
    assert_eq!(joined.json()["user"]["role"], "analyst");
}

#[tokio::test]
async fn a_revoked_and_an_expired_invitation_let_nobody_in() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let made = stage.invite(&asha, RAVI, "operator").await.json();
    let token = stage.mailed_token("invitation").await;
    let path = format!("/v1/users/invitations/{}", made["id"].as_str().unwrap());
    let revoke = async || {
        let request = stage.request(Method::DELETE, &path);
        Answer::of(request.bearer_auth(&asha.access)).await.status
    };
    assert_eq!(revoke().await, 204);
    assert_eq!(revoke().await, 404);
    assert_eq!(stage.accept(&token).await.status, 401);
    stage.invite(&asha, RAVI, "operator").await;
    let token = stage.mailed_token("invitation").await;
    stage.later(TimeDelta::days(7));
    assert_eq!(stage.accept(&token).await.status, 401);
    let asha = Person::of(&stage.log_in("asha@example.com", PASSWORD).await);
    let listed = stage.get_as(&asha, "/v1/users/invitations").await.json();
    assert_eq!(listed["data"][0]["state"], "expired");
    assert_eq!(stage.counts().await["users"], 1);
}

#[tokio::test]
async fn an_invitation_of_one_organization_is_no_business_of_anothers() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let other = stage.register("owner@other.example", "Other").await;
    stage.invite(&asha, RAVI, "operator").await;
    let theirs = stage.mailed_token("invitation").await;
    // The same address may be invited by both, and be a user of both.
    stage.invite(&other, RAVI, "admin").await;
    let others = stage.mailed_token("invitation").await;
    for (token, organization) in [(theirs, &asha.organization), (others, &other.organization)] {
        let joined = stage.accept(&token).await;
        assert_eq!(joined.json()["organization"]["id"], **organization);
    }
}

#[tokio::test]
async fn an_invitation_sent_twice_by_a_client_is_made_and_mailed_once() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let body = json!({ "email": RAVI, "role": "operator" });
    let send = async || {
        let request = stage
            .request(Method::POST, "/v1/users/invitations")
            .bearer_auth(&asha.access)
            .header("idempotency-key", "one");
        Answer::of(request.json(&body)).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(stage.counts().await["user_codes"], 1);
}

#[tokio::test]
async fn what_an_invitation_cannot_be_is_named() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let answer = stage.invite(&asha, "nowhere", "operator").await;
    assert!(answer.faults()[0].starts_with("email: "), "{}", answer.text);
    let answer = stage.invite(&asha, RAVI, "owner").await;
    assert!(answer.faults()[0].starts_with("role: "), "{}", answer.text);
    stage.invite(&asha, RAVI, "operator").await;
    let token = stage.mailed_token("invitation").await;
    let named = json!({ "token": token, "password": PASSWORD, "full_name": " " });
    let answer = stage.send("/v1/auth/invitations/accept", &named).await;
    assert_eq!(
        answer.faults(),
        ["full_name: must have 1 to 128 characters"]
    );
    let weak = json!({ "token": token, "password": "Ravi@Example.com" });
    let answer = stage.send("/v1/auth/invitations/accept", &weak).await;
    assert!(
        answer.faults()[0].starts_with("password: "),
        "{}",
        answer.text
    );
    assert_eq!(stage.accept(&token).await.status, 201);
}
