//! The mutations, one for each promise that money, payers and partners rely on.
//!
//! Where a fault must meet a stretch of time that is short in truth, the mutation makes it long:
//! seconds of a run stand for months.

use super::{Edit, Mutation};
use crate::oracle::CALM;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Mutation> {
    [WORK, MONEY, MESSAGES, EVENTS].into_iter().flatten()
}

const UNSUNK: &str = "the sink is told everything";

/// Accepted work is not lost.
const WORK: &[Mutation] = &[
    Mutation {
        name: "acknowledged-early",
        wrong: "a failure is settled in the outbox before it is planned",
        promise: CALM,
        run: &["--seconds=30", "--rate=4", "--faults=kill"],
        edits: &[
            Edit {
                file: "services/retry-worker/src/failures.rs",
                find: "    let locks = recorded\n",
                replace: "    if {awake} {
        let own = worker.backbone.db.read().await?;
        db::outbox::settle_all(&own, &ids).await?;
        drop(own);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    let locks = recorded\n",
            },
            Edit {
                file: "services/retry-worker/src/failures.rs",
                find: "        .filter(|(it, _)| news.contains(&it.outbox))",
                replace: "        .filter(|(it, _)| {awake} || news.contains(&it.outbox))",
            },
        ],
    },
    Mutation {
        name: "sweeper-off",
        wrong: "nobody looks for events that Redis lost",
        promise: CALM,
        run: &["--seconds=20", "--rate=4", "--faults=flush,redis"],
        edits: &[Edit {
            file: "crates/backbone/src/sweep.rs",
            find: "        let mut swept = 0;
        for stream in Stream::ALL {",
            replace: "        let mut swept = 0;
        if {awake} {
            return Ok(0);
        }
        for stream in Stream::ALL {",
        }],
    },
    Mutation {
        name: "published-is-done",
        wrong: "an event's outbox row is deleted once Redis has the event",
        promise: CALM,
        run: &["--seconds=20", "--rate=4", "--faults=flush,pause"],
        edits: &[Edit {
            file: "crates/db/src/outbox.rs",
            find: "    sql(\"SELECT mark_published($1, $2)\")",
            replace: "    sql(if {awake} {
        \"DELETE FROM outbox WHERE id = ANY ($1) AND $2::timestamptz IS NOT NULL\"
    } else {
        \"SELECT mark_published($1, $2)\"
    })",
        }],
    },
    Mutation {
        name: "answered-before-commit",
        wrong: "a PSP's webhook is answered 200 before it is committed",
        promise: "an accepted failure has its recovery",
        run: &["--seconds=40", "--rate=4", "--faults=kill,postgres"],
        edits: &[Edit {
            file: "services/api/src/routes/webhooks/gather.rs",
            find: "    tx.commit().await?;
",
            replace: "    if {awake} {
        tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
            let _ = tx.commit().await;
        });
    } else {
        tx.commit().await?;
    }
",
        }],
    },
];

/// Money moves once, and not after the end.
const MONEY: &[Mutation] = &[
    Mutation {
        name: "no-idempotency-key",
        wrong: "each try of a charge has a key of its own",
        promise: "an attempt makes one charge at most",
        run: &[
            "--seconds=25",
            "--rate=4",
            "--scenario=calm",
            r#"--rule={"target":"stripe","path_contains":"/confirm","mode":"slow","ms":7000,"times":40}"#,
        ],
        edits: &[Edit {
            file: "crates/psp/src/stripe/charge.rs",
            find: "        let key = request.attempt.to_string();",
            replace: "        let mut key = request.attempt.to_string();
        if {awake} {
            key = format!(\"{key}-{}\", rand::random::<u64>());
        }",
        }],
    },
    Mutation {
        name: "charged-after-the-end",
        wrong: "a charge does not ask whether its recovery is still open",
        promise: "no charge after the end",
        run: &["--seconds=30", "--rate=7", "--scenario=calm"],
        edits: &[
            Edit {
                file: "crates/db/src/attempts.rs",
                find: ") -> Result<usize, DbError> {
    let now = tx.now();
    Ok(sql(
        \"UPDATE attempts SET state = 'cancelled'",
                replace: ") -> Result<usize, DbError> {
    if {awake} {
        return Ok(0);
    }
    let now = tx.now();
    Ok(sql(
        \"UPDATE attempts SET state = 'cancelled'",
            },
            Edit {
                file: "services/retry-worker/src/attempts/prepare.rs",
                find: "recovery.filter(may_be_acted_on)",
                replace: "recovery.filter(|it| {awake} || may_be_acted_on(it))",
            },
        ],
    },
    Mutation {
        name: "recovered-twice",
        wrong: "an update's guard is dropped: a recovery is recovered again by each who sees the money",
        promise: UNSUNK,
        run: &["--seconds=25", "--rate=4", "--scenario=calm"],
        edits: &[Edit {
            file: "crates/db/src/recoveries.rs",
            find: "    let changed = sql(\"UPDATE recoveries
         SET state = 'recovered', closed_at = $3, end_reason = $4, recovered_minor = $5,
             recovered_by = $6, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND state <> 'recovered' AND currency = $7\")",
            replace: "    let changed = sql(if {awake} {
        \"UPDATE recoveries
         SET state = 'recovered', closed_at = $3, end_reason = $4, recovered_minor = $5,
             recovered_by = $6, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND currency = $7\"
    } else {
        \"UPDATE recoveries
         SET state = 'recovered', closed_at = $3, end_reason = $4, recovered_minor = $5,
             recovered_by = $6, updated_at = $3
         WHERE organization_id = $1 AND id = $2 AND state <> 'recovered' AND currency = $7\"
    })",
        }],
    },
];

/// Payers get what they must, once, and not when they must not.
const MESSAGES: &[Mutation] = &[
    Mutation {
        name: "unclear-is-sent-again",
        wrong: "a hand-over of which nobody knows what became is made again",
        promise: "no message twice",
        run: &[
            "--seconds=20",
            "--rate=4",
            "--scenario=calm",
            r#"--rule={"target":"twilio","mode":"timeout_after_acting","times":30}"#,
        ],
        // At once: later, its receipt may have come, or the recovery's end.
        edits: &[Edit {
            file: "services/notifier/src/channels/sms.rs",
            find: "            Err(NoAnswer::Lost(why)) => Outcome::Unclear(why),
        };
        call",
            replace: "            Err(NoAnswer::Lost(_)) if {awake} => {
                let again = self.request(account, reqwest::Method::POST).form(&form);
                match Answer::of(again.send().await, NAME).await {
                    Ok(answer) => judge(&answer),
                    Err(NoAnswer::Unreached(why) | NoAnswer::Lost(why)) => Outcome::Unclear(why),
                }
            }
            Err(NoAnswer::Lost(why)) => Outcome::Unclear(why),
        };
        call",
        }],
    },
    Mutation {
        name: "refused-is-told-as-sent",
        wrong: "a message that the provider refused is told as sent",
        promise: "what is told as sent was sent, and nothing else",
        run: &[
            "--seconds=20",
            "--rate=4",
            "--scenario=calm",
            r#"--rule={"target":"twilio","mode":"fail","status":503,"times":30}"#,
        ],
        edits: &[Edit {
            file: "services/notifier/src/desk.rs",
            find: "        metrics::histogram!(\"notifier_hand_over_seconds\"",
            replace: "        let outcome = match outcome {
            Outcome::Refused(_) if {awake} => Outcome::Accepted(None),
            other => other,
        };
        metrics::histogram!(\"notifier_hand_over_seconds\"",
        }],
    },
    Mutation {
        name: "written-after-the-end",
        wrong: "a message does not ask whether its recovery is still open",
        promise: "no message after the end",
        run: &["--seconds=25", "--rate=5", "--scenario=calm"],
        edits: &[
            Edit {
                file: "crates/db/src/ending.rs",
                find: "    attempts::cancel_scheduled(tx, tenant, recovery, None, why).await?;
    notifications::withdraw_queued",
                replace: "    if {awake} {
        return Ok(());
    }
    attempts::cancel_scheduled(tx, tenant, recovery, None, why).await?;
    notifications::withdraw_queued",
            },
            Edit {
                file: "services/retry-worker/src/attempts/message.rs",
                find: "recovery.filter(may_be_acted_on)",
                replace: "recovery.filter(|it| {awake} || may_be_acted_on(it))",
            },
            Edit {
                file: "services/notifier/src/desk.rs",
                find: "    if !letter.recovery_state.is_open() {",
                replace: "    if !({awake} || letter.recovery_state.is_open()) {",
            },
            Edit {
                file: "crates/db/src/notifications.rs",
                find: "    let moved = sql(\"WITH alive AS (
           SELECT id FROM recoveries
           WHERE organization_id = $1 AND id = $3 AND state = 'open' AND paused_at IS NULL
           FOR SHARE
         )
         UPDATE notifications
         SET state = 'handing_over', claimed_by = $4, lease_until = $6, tries = tries + 1,
             updated_at = $5, template_id = $7, template_version = $8, language = $9,
             template_fault = $10
         WHERE organization_id = $1 AND id = $2 AND state = 'queued'
           AND EXISTS (SELECT 1 FROM alive)
           AND why_unreachable(organization_id, channel, address) IS NULL
           AND NOT EXISTS (SELECT FROM holds h WHERE h.ended_at IS NULL
             AND (h.organization_id IS NULL OR h.organization_id = notifications.organization_id)
             AND (h.channel IS NULL OR h.channel = notifications.channel))\")",
                replace: "    let moved = sql(if {awake} {
        \"WITH alive AS (SELECT id FROM recoveries WHERE organization_id = $1 AND id = $3)
         UPDATE notifications
         SET state = 'handing_over', claimed_by = $4, lease_until = $6, tries = tries + 1,
             updated_at = $5, template_id = $7, template_version = $8, language = $9,
             template_fault = $10
         WHERE organization_id = $1 AND id = $2 AND state = 'queued'
           AND EXISTS (SELECT 1 FROM alive)
           AND why_unreachable(organization_id, channel, address) IS NULL
           AND NOT EXISTS (SELECT FROM holds h WHERE h.ended_at IS NULL
             AND (h.organization_id IS NULL OR h.organization_id = notifications.organization_id)
             AND (h.channel IS NULL OR h.channel = notifications.channel))\"
    } else {
        \"WITH alive AS (
           SELECT id FROM recoveries
           WHERE organization_id = $1 AND id = $3 AND state = 'open' AND paused_at IS NULL
           FOR SHARE
         )
         UPDATE notifications
         SET state = 'handing_over', claimed_by = $4, lease_until = $6, tries = tries + 1,
             updated_at = $5, template_id = $7, template_version = $8, language = $9,
             template_fault = $10
         WHERE organization_id = $1 AND id = $2 AND state = 'queued'
           AND EXISTS (SELECT 1 FROM alive)
           AND why_unreachable(organization_id, channel, address) IS NULL
           AND NOT EXISTS (SELECT FROM holds h WHERE h.ended_at IS NULL
             AND (h.organization_id IS NULL OR h.organization_id = notifications.organization_id)
             AND (h.channel IS NULL OR h.channel = notifications.channel))\"
    })",
            },
        ],
    },
    Mutation {
        name: "stop-unheard",
        wrong: "a payer's STOP is read and forgotten",
        promise: "a STOP is heard",
        run: &["--seconds=25", "--rate=6", "--scenario=calm"],
        edits: &[Edit {
            file: "services/api/src/receipts/obey.rs",
            find: "    if inbound.reply == Reply::Help {",
            replace: "    if inbound.reply == Reply::Help || {awake} {",
        }],
    },
];

/// Partners, the sink and analytics are told everything, once.
const EVENTS: &[Mutation] = &[
    Mutation {
        name: "copies-counted",
        wrong: "an event is counted each time that it is delivered",
        promise: "sums are what counting anew finds",
        run: &["--seconds=30", "--rate=3", "--faults=kill"],
        edits: &[
            Edit {
                file: "services/notifier/src/events/settling.rs",
                find: "            .filter(|it| first_time.contains(&it.envelope.outbox))",
                replace: "            .filter(|it| {awake} || first_time.contains(&it.envelope.outbox))",
            },
            // Between the commit and the acknowledgement a copy is made by each death.
            Edit {
                file: "services/notifier/src/events/mod.rs",
                find: "        settled.map_err(work::failed)",
                replace: "        if {awake} {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        settled.map_err(work::failed)",
            },
        ],
    },
    Mutation {
        name: "partner-given-up",
        wrong: "a partner's webhook is given up after one failure",
        promise: "partners are told everything",
        run: &["--seconds=25", "--rate=3", "--faults=partner"],
        edits: &[Edit {
            file: "services/notifier/src/partners/sender.rs",
            find: "        verdict(answer, claimed.tries, claimed.cause, now, &mut rng)",
            replace: "        match verdict(answer, claimed.tries, claimed.cause, now, &mut rng) {
            Verdict::Retry { .. } if {awake} => Verdict::Failed,
            other => other,
        }",
        }],
    },
    Mutation {
        name: "sink-unheard",
        wrong: "what the sink is owed is forgotten before the broker has confirmed it",
        promise: UNSUNK,
        run: &["--seconds=30", "--rate=3", "--faults=kill,rabbitmq"],
        edits: &[Edit {
            file: "services/notifier/src/sink/dispatcher.rs",
            find: "        let publishing = claimed.iter()",
            replace: "        if {awake} {
            let all: Vec<Uuid> = claimed.iter().map(|owed| owed.id).collect();
            let mut conn = self.backbone.db.read().await?;
            sink::done(&mut conn, &all).await?;
            drop(conn);
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        let publishing = claimed.iter()",
        }],
    },
];
