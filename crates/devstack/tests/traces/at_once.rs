//! Webhooks that come at once are committed together; each goes on under a trace of its own.

use futures_util::future::join_all;
use serde_json::json;
use testkit::eventually;
use testkit::otlp::Receiver;

use crate::stage::{PATIENCE, Stage};

/// More than are committed at a time, so that most of them share a commit.
const MANY: i64 = 40;

#[tokio::test]
async fn what_comes_of_webhooks_that_share_a_commit_is_told_in_the_trace_of_each() {
    let receiver = Receiver::start().await;
    let steps = json!([{ "delay_seconds": 0, "action": "message" }]);
    let stage = Stage::start(receiver.endpoint(), &steps).await;
    let names: Vec<String> = (0..MANY).map(|n| format!("together-{n}")).collect();
    let failed = join_all(names.iter().map(|name| stage.fail_payment(name))).await;
    join_all(failed.iter().map(|failed| stage.messages(failed, 1))).await;

    let text = "SELECT count(*), count(DISTINCT p.trace_id)
         FROM psp_events p
         JOIN transactions t
           ON t.transaction_ref = p.body #>> '{data,object,metadata,transaction_ref}'
         JOIN recoveries r
           ON r.transaction_id = t.id AND split_part(r.traceparent, '-', 2) = p.trace_id
         JOIN timeline opened
           ON opened.recovery_id = r.id AND opened.kind = 'recovery.opened'
              AND opened.trace_id = p.trace_id
         JOIN timeline sent
           ON sent.recovery_id = r.id AND sent.kind = 'message.sent' AND sent.trace_id = p.trace_id";
    let agree = async || {
        let row = stage.database.query_one(text, &[]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1)) == (MANY, MANY)
    };
    eventually(PATIENCE, agree).await;
    stage.stack.stop().await;
}
