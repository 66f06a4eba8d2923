//! `tinkoctl queues`: what waits where, and since when.

use serde_json::Value;
use testkit::TestRedis;

use crate::stage::Stage;

async fn with_redis() -> (Stage, TestRedis) {
    let mut stage = Stage::new().await;
    let redis = TestRedis::create().await;
    stage.set("REDIS_URL", redis.url());
    stage.set("TINKO__STREAM_PREFIX", redis.prefix());
    (stage, redis)
}

fn named<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    let list = list.as_array().unwrap();
    list.iter().find(|it| it[key] == name).unwrap()
}

#[tokio::test]
async fn what_waits_is_counted_with_the_age_of_the_oldest() {
    let (stage, redis) = with_redis().await;
    stage
        .written("shop", "ORDER-1001", "asha@example.com")
        .await;
    stage
        .written("shop", "ORDER-1002", "asha@example.com")
        .await;
    stage
        .execute("UPDATE outbox SET published_at = now() WHERE id = (SELECT id FROM outbox ORDER BY id LIMIT 1)")
        .await;
    let queues = stage.json(&["queues"]);
    let due = named(&queues["waiting"], "what", "attempts due");
    assert_eq!(due["count"], 2);
    assert!(due["oldest_seconds"].as_i64().unwrap() > 86_400, "{due}");
    let dead = named(&queues["waiting"], "what", "dead letters");
    assert_eq!(dead["count"], 0);
    let emails = named(&queues["streams"], "stream", "notifications:email");
    assert_eq!(
        (&emails["unpublished"], &emails["unsettled"]),
        (&1.into(), &1.into())
    );
    assert!(emails["oldest_unsettled_seconds"].as_i64().unwrap() > 86_400);
    assert_eq!(emails["redis"]["length"], 0);
    assert_eq!(emails["redis"]["exists"], false);

    // Two entries, of which the group has read one.
    let key = format!("{}:notifications:email", redis.prefix());
    let mut connection = redis.connect().await;
    for command in [
        "XADD KEY * e 1",
        "XADD KEY * e 2",
        "XGROUP CREATE KEY notifier 0",
        "XREADGROUP GROUP notifier reader COUNT 1 STREAMS KEY >",
    ] {
        let mut words = command.split(' ');
        let mut call = redis::cmd(words.next().unwrap());
        for word in words {
            call.arg(if word == "KEY" { &*key } else { word });
        }
        let _answer: redis::Value = call.query_async(&mut connection).await.unwrap();
    }
    let queues = stage.json(&["queues"]);
    let emails = &named(&queues["streams"], "stream", "notifications:email")["redis"];
    assert_eq!(emails["group"], "notifier");
    assert_eq!(emails["exists"], true);
    assert_eq!(
        (&emails["length"], &emails["pending"]),
        (&2.into(), &1.into())
    );
    assert_eq!(emails["lag"], 1);

    let text = String::from_utf8(stage.run(&["queues"]).stdout).unwrap();
    assert!(
        text.contains("attempts due") && text.contains("notifications:email"),
        "{text}"
    );
}

#[tokio::test]
async fn while_redis_is_away_what_postgres_knows_is_told_and_the_command_fails() {
    let stage = Stage::new().await;
    stage
        .written("shop", "ORDER-1001", "asha@example.com")
        .await;
    let output = stage.run(&["queues", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Redis could not be reached"), "{said}");
    let queues: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        named(&queues["waiting"], "what", "attempts due")["count"],
        1
    );
    let emails = named(&queues["streams"], "stream", "notifications:email");
    assert_eq!(
        (&emails["unpublished"], &emails["redis"]),
        (&1.into(), &Value::Null)
    );
    assert!(queues["redis_trouble"].is_string());

    let output = stage.run(&["queues"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("attempts due") && text.contains("not known"),
        "{text}"
    );
}
