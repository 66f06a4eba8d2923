//! `tinkoctl pause`, `resume` and `paused`.

use crate::stage::Stage;

#[tokio::test]
async fn what_is_paused_is_listed_with_who_and_why_until_just_that_is_resumed() {
    let stage = Stage::new().await;
    let written = stage
        .written("shop", "ORDER-1001", "asha@example.com")
        .await;
    let organization = &*written.tenant.organization().to_string();
    let scopes = [
        &["organization", organization][..],
        &["channel", "email"],
        &["channel", "sms", "--organization", organization],
        &["everything"],
    ];
    for scope in scopes {
        let why = ["--why", "the account there is empty"];
        let done = stage.json(&[&["pause"], scope, &why].concat());
        assert_eq!(done["action"], "paused");
        let again = stage.run(&[&["pause"], scope, &why].concat());
        assert_eq!(again.status.code(), Some(1));
    }
    let listed = stage.json(&["paused"]);
    let paused = listed["data"].as_array().unwrap();
    assert_eq!(paused.len(), 4);
    assert_eq!(paused[0]["organization_id"], *organization);
    assert_eq!(
        (&paused[0]["by"], &paused[0]["why"]),
        (&"asha".into(), &"the account there is empty".into())
    );
    assert_eq!(
        (&paused[1]["channel"], &paused[1]["organization_id"]),
        (&"email".into(), &serde_json::Value::Null)
    );

    let wrong = ["resume", "channel", "whatsapp", "--why", "it is full again"];
    assert_eq!(stage.run(&wrong).status.code(), Some(1));
    for scope in scopes {
        let why = ["--why", "it is full again", "--by", "ravi"];
        let done = stage.json(&[&["resume"], scope, &why].concat());
        assert_eq!(done["action"], "resumed");
    }
    assert_eq!(stage.json(&["paused"])["data"].as_array().unwrap().len(), 0);
    let over = stage.json(&["paused", "--ended", "2"]);
    let over = over["data"].as_array().unwrap();
    assert_eq!(over.len(), 2);
    assert_eq!(
        (&over[0]["ended_by"], &over[0]["ended_why"]),
        (&"ravi".into(), &"it is full again".into())
    );
}

#[tokio::test]
async fn a_pause_of_an_organization_is_in_its_audit_log() {
    let stage = Stage::new().await;
    let written = stage
        .written("shop", "ORDER-1001", "asha@example.com")
        .await;
    let organization = &*written.tenant.organization().to_string();
    stage.json(&["pause", "organization", organization, "--why", "they asked"]);
    stage.json(&[
        "resume",
        "organization",
        organization,
        "--why",
        "they asked again",
    ]);
    for (action, why) in [
        ("hold.placed", "they asked"),
        ("hold.lifted", "they asked again"),
    ] {
        let noted = format!(
            "audit_log WHERE organization_id = '{}' AND action = '{action}'
             AND actor = 'operator:asha' AND detail ->> 'why' = '{why}'",
            written.tenant.organization().uuid()
        );
        assert_eq!(stage.count(&noted).await, 1, "{action}");
    }
}

#[tokio::test]
async fn nothing_is_paused_without_a_reason_or_for_an_organization_that_is_not_there() {
    let stage = Stage::new().await;
    let nobody = "org_00000000000070008000000000000000";
    for arguments in [
        &["pause", "everything"][..],
        &["pause", "everything", "--why", " "],
        &["pause", "channel", "pigeon", "--why", "x"],
        &["pause", "organization", nobody, "--why", "x"],
        &[
            "pause",
            "channel",
            "sms",
            "--organization",
            nobody,
            "--why",
            "x",
        ],
    ] {
        let output = stage.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
    assert_eq!(stage.count("holds").await, 0);
}
