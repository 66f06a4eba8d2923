//! What an organization and its people say of themselves.

use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{Person, shown};
use crate::stage::{Answer, Stage, steady};

impl Stage {
    async fn patch_as(&self, person: &Person, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::PATCH, path);
        Answer::of(request.bearer_auth(&person.access).json(body)).await
    }
}

#[tokio::test]
async fn an_administrator_changes_what_is_named_and_nothing_else() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let wanted = json!({
        "name": " Chai & Sons ",
        "time_zone": "Asia/Kolkata",
        "country": "IN",
        "default_language": "hi",
        "support_contact": "help@chai.example",
    });
    let answer = stage.patch_as(&asha, "/v1/organization", &wanted).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    insta::assert_json_snapshot!(
        "an_organization_as_it_says_of_itself",
        steady(&answer.json())
    );
    let seen = stage.get_as(&asha, "/v1/organization").await;
    assert_eq!(steady(&seen.json()), steady(&answer.json()));
    let some = json!({ "time_zone": null });
    let answer = stage
        .patch_as(&asha, "/v1/organization", &some)
        .await
        .json();
    assert_eq!(answer["time_zone"], Value::Null);
    assert_eq!(answer["country"], "IN");
    // The same row as the settings of messages.
    let settings = stage.get_as(&asha, "/v1/templates/settings").await.json();
    assert_eq!(settings["default_language"], "hi");
}

#[tokio::test]
async fn every_fault_of_a_change_is_told_at_once() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let wrong = json!({ "name": "", "time_zone": "Mars/Olympus", "support_contact": "a\nb" });
    let answer = stage.patch_as(&asha, "/v1/organization", &wrong).await;
    let fields: Vec<String> = answer
        .faults()
        .iter()
        .map(|fault| fault.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        (answer.status, fields.join(" ")),
        (422, "name time_zone support_contact".to_owned())
    );
    for (field, value) in [
        ("country", "XX"),
        ("default_language", "!"),
        ("slug", "mine"),
    ] {
        let answer = stage
            .patch_as(&asha, "/v1/organization", &json!({ field: value }))
            .await;
        assert_eq!(answer.status, 422, "{field}: {}", answer.text);
    }
    let seen = stage.get_as(&asha, "/v1/organization").await.json();
    assert_eq!(seen["name"], "Chai");
}

#[tokio::test]
async fn an_operator_reads_the_organization_and_does_not_change_it() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    stage.make_role(&asha, "operator").await;
    assert_eq!(stage.get_as(&asha, "/v1/organization").await.status, 200);
    let answer = stage
        .patch_as(&asha, "/v1/organization", &json!({ "name": "Mine" }))
        .await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_user_goes_by_another_name_or_by_none() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let path = "/v1/users/me";
    let answer = stage
        .patch_as(&asha, path, &json!({ "full_name": " Asha R. " }))
        .await;
    assert_eq!(shown(&answer)["full_name"], "Asha R.");
    let kept = stage.patch_as(&asha, path, &json!({})).await;
    assert_eq!(kept.json()["full_name"], "Asha R.");
    let cleared = stage
        .patch_as(&asha, path, &json!({ "full_name": null }))
        .await;
    assert_eq!(cleared.json()["full_name"], Value::Null);
    let wrong = stage
        .patch_as(&asha, path, &json!({ "full_name": "a".repeat(129) }))
        .await;
    assert_eq!(wrong.faults(), ["full_name: must have 1 to 128 characters"]);
}

#[tokio::test]
async fn of_two_who_saw_the_same_organization_one_changes_it() {
    let stage = Stage::new().await;
    let asha = stage.register("asha@example.com", "Chai").await;
    let seen = stage.get_as(&asha, "/v1/organization").await;
    let change = async |tag: &str, name: &str| {
        let request = stage.request(Method::PATCH, "/v1/organization");
        let request = request.bearer_auth(&asha.access).header("if-match", tag);
        Answer::of(request.json(&json!({ "name": name }))).await
    };
    let first = change(seen.header("etag"), "First").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(change(seen.header("etag"), "Second").await.status, 412);
    let now = stage.get_as(&asha, "/v1/organization").await;
    assert_eq!(now.json()["name"], "First");
    assert_eq!(now.header("etag"), first.header("etag"));
}
