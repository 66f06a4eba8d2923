//! A merchant's people, from the api through Redis to an inbox and back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Whole;

const SOON: Duration = Duration::from_mins(1);

async fn post(whole: &Whole, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}{path}", whole.stack.api_url);
    let answer = reqwest::Client::new().post(url).json(body).send().await;
    let answer = answer.expect("an answer of the api");
    let status = answer.status().as_u16();
    let body = answer.bytes().await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// The text of the first mail to someone.
async fn mail(whole: &Whole, to: &str) -> String {
    let mails = whole.stack.sandbox.wait_for_messages(to, 1, SOON).await;
    let mails = mails.expect("a mail");
    mails[0]["text"].as_str().expect("a text").to_owned()
}

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn a_code_asked_of_the_api_comes_by_mail_and_logs_in() {
    let whole = Whole::start(|options| options).await;
    let email = "asha@people.example";
    let registration = json!({
        "email": email, "password": "correct horse battery", "org_name": "People",
    });
    let (status, _) = post(&whole, "/v1/auth/register", &registration).await;
    assert_eq!(status, 201);
    let asked = json!({ "email": email });
    let (status, _) = post(&whole, "/v1/auth/login/request-otp", &asked).await;
    assert_eq!(status, 202);
    let text = mail(&whole, email).await;
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|it| it.is_ascii_digit());
    let code = text.lines().find(is_code).expect("a line with a code");
    let login = json!({ "email": email, "code": code });
    let (status, session) = post(&whole, "/v1/auth/login/verify-otp", &login).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(session["user"]["email_verified"], true);
    whole.stack.stop().await;
}
