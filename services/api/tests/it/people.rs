//! People who register, log in and call.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage, steady};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Someone who is logged in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) id: String,
    pub(crate) organization: String,
}

impl Person {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = answer.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            access: text(&body["access_token"]),
            refresh: text(&body["refresh_token"]),
            id: text(&body["user"]["id"]),
            organization: text(&body["organization"]["id"]),
        }
    }
}

impl Stage {
    /// A POST without any key.
    pub(crate) async fn send(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn register(&self, email: &str, organization: &str) -> Person {
        let body = json!({
            "email": email,
            "password": PASSWORD,
            "full_name": "Asha Rao",
            "org_name": organization,
        });
        let answer = self.send("/v1/auth/register", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        Person::of(&answer)
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.send("/v1/auth/login", &body).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        let body = json!({ "refresh_token": token });
        self.send("/v1/auth/refresh", &body).await
    }

    pub(crate) async fn get_as(&self, person: &Person, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).bearer_auth(&person.access)).await
    }

    /// What an administrator could do, and here the test does.
    pub(crate) async fn make_role(&self, person: &Person, role: &str) {
        let id = bare(&person.id);
        let changed = "UPDATE users SET role = $2 WHERE id::text = $1";
        let changed = self.database.execute(changed, &[&id, &role]).await;
        assert_eq!(changed.unwrap(), 1);
    }
}

/// The UUID in a prefixed id, as Postgres writes it.
pub(crate) fn bare(id: &str) -> String {
    let uuid: uuid::Uuid = id.split_once('_').unwrap().1.parse().unwrap();
    uuid.to_string()
}

/// An answer with what is never the same replaced.
pub(crate) fn shown(answer: &Answer) -> Value {
    let mut body = steady(&answer.json());
    for secret in ["access_token", "refresh_token"] {
        if let Some(value) = body.get_mut(secret) {
            let text = value.as_str().unwrap();
            let form = if text.starts_with("rt_") {
                "[opaque]"
            } else {
                "[jwt]"
            };
            *value = json!(form);
        }
    }
    if let Some(instance) = body.get_mut("instance") {
        *instance = json!("[request]");
    }
    body
}

/// Minutes, as the stage's clock is moved by.
pub(crate) fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}
