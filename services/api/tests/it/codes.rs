//! Codes to log in with: six digits, once, and no word of whose they are.

use chrono::TimeDelta;
use domain::id::UserCodeId;
use domain::token::LinkKey;
use domain::user_code::{OneTimeCode, UserToken};
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::people::{Person, minutes, shown};
use crate::stage::{Answer, Stage};

const ASHA: &str = "asha@example.com";

impl Stage {
    /// The newest row of a purpose: what code and token are derived from.
    pub(crate) async fn newest_code(&self, purpose: &str) -> UserCodeId {
        let text = "SELECT id::text FROM user_codes WHERE purpose = $1 ORDER BY id DESC LIMIT 1";
        let row = self.database.query_one(text, &[&purpose]).await.unwrap();
        UserCodeId::from_uuid(row.get::<_, String>(0).parse::<Uuid>().unwrap())
    }

    /// The token in the newest mail of a purpose.
    pub(crate) async fn mailed_token(&self, purpose: &str) -> String {
        let id = self.newest_code(purpose).await;
        UserToken::derive(&LinkKey::new([7; 32]), id)
            .expose()
            .to_owned()
    }

    pub(crate) async fn mailed_code(&self) -> String {
        let id = self.newest_code("login").await;
        OneTimeCode::derive(&LinkKey::new([7; 32]), id)
            .expose()
            .to_owned()
    }

    async fn ask(&self, email: &str) -> Answer {
        self.send("/v1/auth/login/request-otp", &json!({ "email": email }))
            .await
    }

    async fn verify(&self, email: &str, code: &str) -> Answer {
        let body = json!({ "email": email, "code": code });
        self.send("/v1/auth/login/verify-otp", &body).await
    }
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[tokio::test]
async fn a_mailed_code_logs_in_once_and_proves_the_address() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    let asked = stage.ask(" Asha@Example.com ").await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    insta::assert_json_snapshot!("answer_to_a_request_for_a_code", asked.json());
    let code = stage.mailed_code().await;
    let answer = stage
        .verify(ASHA, &format!(" {} {}", &code[..3], &code[3..]))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["user"]["email_verified"], true);
    insta::assert_json_snapshot!("answer_to_a_login_by_code", shown(&answer));
    let person = Person::of(&answer);
    let me = stage.get_as(&person, "/v1/auth/me").await.json();
    assert_eq!(me["email_verified"], true);
    let sessions = stage.get_as(&person, "/v1/auth/sessions").await.json();
    assert_eq!(sessions["data"][0]["method"], "code");
    let again = stage.verify(ASHA, &code).await;
    assert_eq!((again.status, again.slug().as_str()), (401, "login-failed"));
}

#[tokio::test]
async fn a_wrong_an_expired_a_replaced_and_nobodys_code_look_the_same() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    stage.ask(ASHA).await;
    let older = stage.mailed_code().await;
    stage.ask(ASHA).await;
    let code = stage.mailed_code().await;
    let mut answers = vec![
        stage.verify(ASHA, &wrong(&code)).await,
        stage.verify(ASHA, &older).await,
        stage.verify("nobody@example.com", &code).await,
    ];
    stage.later(minutes(10));
    answers.push(stage.verify(ASHA, &code).await);
    for answer in &answers {
        assert_eq!(answer.status, 401);
        assert_eq!(shown(answer), shown(&answers[0]));
    }
}

#[tokio::test]
async fn a_code_is_tried_five_times_and_no_more() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    stage.ask(ASHA).await;
    let code = stage.mailed_code().await;
    for _ in 0..5 {
        assert_eq!(stage.verify(ASHA, &wrong(&code)).await.status, 401);
    }
    assert_eq!(stage.verify(ASHA, &code).await.status, 401);
    let text = "SELECT tries_left, closed_by FROM user_codes";
    let row = stage.database.query_one(text, &[]).await.unwrap();
    let left = (row.get::<_, i32>(0), row.get::<_, Option<&str>>(1));
    assert_eq!(left, (0, Some("spent")));
    stage.ask(ASHA).await;
    let code = stage.mailed_code().await;
    assert_eq!(stage.verify(ASHA, &code).await.status, 200);
}

#[tokio::test]
async fn of_many_uses_of_a_code_at_once_one_begins_a_session() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    stage.ask(ASHA).await;
    let code = stage.mailed_code().await;
    let answers = join_all((0..6).map(|_| stage.verify(ASHA, &code))).await;
    let logged_in = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(logged_in, 1);
    let text = "SELECT count(*) FROM user_sessions WHERE method = 'code'";
    let row = stage.database.query_one(text, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn of_many_codes_asked_for_at_once_one_is_open() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    let answers = join_all((0..6).map(|_| stage.ask(ASHA))).await;
    assert!(answers.iter().all(|answer| answer.status == 202));
    let text = "SELECT count(*), count(*) FILTER (WHERE closed_at IS NULL) FROM user_codes";
    let row = stage.database.query_one(text, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (6, 1));
}

#[tokio::test]
async fn who_asks_for_a_code_is_not_told_whether_there_is_such_a_user() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    for path in [
        "/v1/auth/login/request-otp",
        "/v1/auth/password/request-reset",
    ] {
        let mut seen = Vec::new();
        for email in [ASHA, "nobody@example.com"] {
            let answer = stage.send(path, &json!({ "email": email })).await;
            seen.push((answer.status, answer.text));
        }
        assert_eq!(seen[0], seen[1], "{path}");
        assert_eq!(seen[0].0, 202);
    }
    let text = "SELECT count(*) FROM user_codes";
    let row = stage.database.query_one(text, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
}

#[tokio::test]
async fn a_user_is_mailed_twenty_codes_a_day_and_then_none() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    for _ in 0..22 {
        assert_eq!(stage.ask(ASHA).await.status, 202);
    }
    let count = async || {
        let text = "SELECT count(*) FROM user_codes";
        let row = stage.database.query_one(text, &[]).await.unwrap();
        row.get::<_, i64>(0)
    };
    assert_eq!(count().await, 20);
    stage.later(TimeDelta::hours(25));
    stage.ask(ASHA).await;
    assert_eq!(count().await, 21);
}

#[tokio::test]
async fn neither_a_disabled_user_nor_a_paused_organization_gets_a_code() {
    let stage = Stage::new().await;
    stage.register(ASHA, "Chai").await;
    stage.ask(ASHA).await;
    let code = stage.mailed_code().await;
    for (shut, open) in [
        (
            "UPDATE users SET disabled_at = now()",
            "UPDATE users SET disabled_at = NULL",
        ),
        (
            "UPDATE organizations SET state = 'paused'",
            "UPDATE organizations SET state = 'active'",
        ),
    ] {
        stage.database.execute(shut, &[]).await.unwrap();
        assert_eq!(stage.ask(ASHA).await.status, 202);
        assert_eq!(stage.verify(ASHA, &code).await.status, 401);
        stage.database.execute(open, &[]).await.unwrap();
    }
    // What was mailed before is as good as it was.
    assert_eq!(stage.mailed_code().await, code);
    assert_eq!(stage.verify(ASHA, &code).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_a_code_is_named() {
    let stage = Stage::new().await;
    let answer = stage.verify("nowhere", "12345x").await;
    let fields: Vec<String> = answer
        .faults()
        .iter()
        .map(|fault| fault.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        (answer.status, fields.join(" ")),
        (422, "email code".to_owned())
    );
}
