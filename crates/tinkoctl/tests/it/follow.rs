//! `tinkoctl follow`: one payment found by whatever somebody was told of it.

use contracts::Message;
use serde_json::Value;

use crate::stage::{Stage, TRACE};

const PAYER: &str = "asha@example.com";

#[tokio::test]
async fn a_recovery_is_found_by_its_id_its_transactions_the_merchants_reference_and_the_payers_address()
 {
    let stage = Stage::new().await;
    let written = stage.written("shop", "ORDER-1001", PAYER).await;
    stage
        .written("other", "ORDER-1002", "ravi@example.com")
        .await;
    let recovery = written.recovery.to_string();
    for what in [
        &*recovery,
        &written.recovery.uuid().to_string(),
        &written.transaction.to_string(),
        "ORDER-1001",
        PAYER,
        "Asha@Example.com",
    ] {
        let story = stage.json(&["follow", what]);
        assert_eq!(story["recovery_id"], *recovery, "{what}");
    }
}

#[tokio::test]
async fn its_story_is_told_whole_and_without_the_payers_address() {
    let mut stage = Stage::new().await;
    let written = stage.written("shop", "ORDER-1001", PAYER).await;
    stage.set(
        "TINKOCTL_TRACES_URL",
        "https://traces.example.com/{trace_id}",
    );
    let mut tx = stage.tx().await;
    let (recovery, failure) = (written.recovery, tx.new_id());
    tx.emit(
        written.tenant,
        Message::FailureRecorded { recovery, failure },
    );
    tx.commit().await.unwrap();
    stage
        .execute("UPDATE outbox SET dead_at = created_at, dead_reason = 'boom' WHERE stream = 'failures'")
        .await;

    let output = stage.run(&["follow", PAYER, "--json"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains(PAYER), "{said}");
    let story: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(story["state"], "open");
    assert_eq!(story["organization"], "shop");
    assert_eq!(story["transaction_ref"], "ORDER-1001");
    assert_eq!(story["category"], "insufficient_funds");
    assert_eq!(
        story["timeline"][0]["why"],
        "the account had no money in it"
    );
    assert_eq!(story["timeline"][0]["trace_id"], TRACE);
    assert_eq!(story["attempts"][0]["state"], "scheduled");
    assert_eq!(story["messages"][0]["id"], written.notification.to_string());
    assert_eq!(story["messages"][0]["step"], 1);
    assert_eq!(story["messages"][0]["state"], "queued");
    assert_eq!(story["links"][0]["state"], "created");
    assert_eq!(story["dead_letters"][0]["reason"], "boom");
    let traces = story["traces"].as_array().unwrap();
    assert_eq!(traces.len(), 1, "a trace is named once");
    assert_eq!(
        traces[0]["url"],
        format!("https://traces.example.com/{TRACE}")
    );

    let output = stage.run(&["follow", "ORDER-1001"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        &*written.recovery.to_string(),
        "1299.50 INR",
        "recovery.opened",
        "message (email)",
        "queued",
        "boom",
        &format!("https://traces.example.com/{TRACE}"),
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    assert!(!text.contains(PAYER), "{text}");
}

#[tokio::test]
async fn where_several_match_they_are_listed_newest_first_and_the_organization_tells_them_apart() {
    let stage = Stage::new().await;
    let older = stage.written("shop", "ORDER-1001", PAYER).await;
    let newer = stage.written("other", "ORDER-1001", PAYER).await;
    for what in ["ORDER-1001", PAYER] {
        let output = stage.run(&["follow", what, "--json"]);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("follow one by its id"), "{said}");
        let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ids: Vec<&Value> = listed["matches"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["recovery_id"])
            .collect();
        assert_eq!(
            ids,
            [&newer.recovery.to_string(), &older.recovery.to_string()]
        );

        let of = older.tenant.organization().to_string();
        let story = stage.json(&["follow", what, "--organization", &of]);
        assert_eq!(story["recovery_id"], older.recovery.to_string());
    }
}

#[tokio::test]
async fn an_address_may_come_by_standard_input_and_is_not_repeated_when_nobody_has_it() {
    let stage = Stage::new().await;
    let written = stage.written("shop", "ORDER-1001", PAYER).await;
    let input = format!("{PAYER}\n");
    let output = stage.run_with_input(&["follow", "-", "--json"], &input);
    assert!(output.status.success(), "{output:?}");
    let story: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(story["recovery_id"], written.recovery.to_string());

    let output = stage.run(&["follow", "nobody@example.com"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("nothing is known") && !said.contains("nobody@"),
        "{said}"
    );
}
