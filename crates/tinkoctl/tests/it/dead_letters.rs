//! `tinkoctl dead-letters`, as an operator runs it.

use std::process::Output;

use contracts::Message;
use serde_json::Value;

use crate::stage;

const REASON: &str = "stored retry_policies.document does not read";

struct Stage {
    installation: stage::Stage,
    letters: Vec<String>,
}

impl Stage {
    /// With so many letters that were given up for [`REASON`].
    async fn with(count: usize) -> Self {
        let installation = stage::Stage::new().await;
        let mut tx = installation.tx().await;
        let (tenant, _) = db::organizations::ensure(&mut tx, "Shop", "shop")
            .await
            .unwrap();
        for _ in 0..count {
            let (recovery, failure) = (tx.new_id(), tx.new_id());
            tx.emit(tenant, Message::FailureRecorded { recovery, failure });
        }
        tx.commit().await.unwrap();
        let client = installation.database.connect().await;
        let dead =
            "UPDATE outbox SET dead_at = created_at, published_at = created_at, dead_reason = $1";
        client.execute(dead, &[&REASON]).await.unwrap();
        let named = "SELECT 'obx_' || replace(id::text, '-', '') FROM outbox ORDER BY id";
        let rows = client.query(named, &[]).await.unwrap();
        Self {
            installation,
            letters: rows.iter().map(|row| row.get(0)).collect(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.installation
            .run(&[&["dead-letters"], arguments].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.installation
            .json(&[&["dead-letters"], arguments].concat())
    }

    async fn count(&self, text: &str) -> i64 {
        self.installation.count(text).await
    }
}

#[tokio::test]
async fn letters_are_listed_oldest_first_and_one_is_shown_with_what_it_asks_for() {
    let stage = Stage::with(3).await;
    let listed = stage.json(&["list", "--stream", "failures", "--limit", "2"]);
    let ids: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| &l["id"])
        .collect();
    assert_eq!(ids, [&stage.letters[0], &stage.letters[1]]);
    let rest = stage.json(&["list", "--after", &stage.letters[1], "--reason", REASON]);
    assert_eq!(rest["data"][0]["id"], *stage.letters[2]);
    assert_eq!(
        stage.json(&["list", "--stream", "events"])["data"],
        Value::Array(vec![])
    );

    let shown = stage.json(&["show", &stage.letters[0]]);
    assert_eq!(shown["reason"], REASON);
    assert_eq!(shown["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(shown["payload"]["message"], "failure_recorded");
    assert_eq!(shown["payload"]["recovery_id"], shown["recovery_id"]);

    let text = String::from_utf8(stage.run(&["list"]).stdout).unwrap();
    assert!(
        text.contains(REASON) && text.ends_with("3 dead letters\n"),
        "{text}"
    );
}

#[tokio::test]
async fn one_is_replayed_then_the_others_of_its_reason_and_who_did_it_is_noted() {
    let stage = Stage::with(3).await;
    let one = &*stage.letters[1];
    let done = stage.json(&["replay", one, "--why", "mended in 1.4.2"]);
    assert_eq!(done["ids"], Value::from(vec![one]));
    let again = stage.run(&["replay", one, "--why", "mended in 1.4.2"]);
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(
        said.contains(&format!("there is no dead letter {one}")),
        "{said}"
    );

    let all = [
        "replay",
        "--stream",
        "failures",
        "--reason",
        REASON,
        "--why",
        "so are these",
    ];
    let done = stage.json(&[&all[..], &["--by", "ravi"]].concat());
    assert_eq!(done["ids"].as_array().unwrap().len(), 2);
    assert_eq!(
        stage
            .count("outbox WHERE dead_at IS NULL AND published_at IS NULL")
            .await,
        3
    );
    let noted = "audit_log WHERE action = 'dead_letter.replayed' AND";
    let asha = format!("{noted} actor = 'operator:asha' AND detail ->> 'why' = 'mended in 1.4.2'");
    assert_eq!(stage.count(&asha).await, 1);
    assert_eq!(
        stage
            .count(&format!("{noted} actor = 'operator:ravi'"))
            .await,
        2
    );
}

#[tokio::test]
async fn a_discarded_one_is_gone_and_noted() {
    let stage = Stage::with(2).await;
    let output = stage.run(&["discard", &stage.letters[0], "--why", "the shop has left"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(stage.count("outbox").await, 1);
    let noted = format!(
        "audit_log WHERE action = 'dead_letter.discarded' AND object = '{}'",
        stage.letters[0]
    );
    assert_eq!(stage.count(&noted).await, 1);
}

#[tokio::test]
async fn nothing_is_changed_without_a_reason_and_a_name() {
    let stage = Stage::with(1).await;
    let one = &*stage.letters[0];
    for arguments in [
        &["replay", one][..],
        &["replay", one, "--why", " "],
        &["replay", one, "--why", "x", "--by", " "],
        &["replay", one, "--stream", "failures", "--why", "x"],
        &["replay", "--why", "x"],
        &["discard", one],
        &["discard", "nonsense", "--why", "x"],
        &["list", "--stream", "nonsense"],
        &["list", "--limit", "1001"],
    ] {
        let output = stage.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
    assert_eq!(stage.count("outbox WHERE dead_at IS NOT NULL").await, 1);
    assert_eq!(stage.count("audit_log").await, 0);
}
