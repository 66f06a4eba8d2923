//! Three years of months come and go, and nothing that is still wanted goes with them.

use chrono::{DateTime, Datelike, Months, TimeDelta, TimeZone, Utc};
use db::retention::{self, Kept, Keys, Kind};
use uuid::Uuid;

use crate::stage::{Stage, cause};

const KEPT: Kept = Kept {
    history: Some(12),
    psp_events: Some(3),
    partners: Some(6),
    audit: None,
};
/// Born at `$1`, of recovery `$2`: a row of each partitioned table, with its keys.
const ROWS: &[(&str, &str)] = &[
    (
        "failure_events",
        "(id, organization_id, transaction_id, recovery_id, source, reason, category, hardness,
          decided_by, occurred_at, created_at)
         VALUES ($1, $2, $2, $2, 'api', 'x', 'x', 'soft', 'x', $3, $3)",
    ),
    (
        "attempts",
        "(id, organization_id, recovery_id, number, kind, state, why, due_at, created_at, updated_at)
         VALUES ($1, $2, $2, 1, 'charge', 'succeeded', 'x', $3, $3, $3)",
    ),
    (
        "notifications",
        "(id, organization_id, recovery_id, attempt_id, link_id, channel, address, state,
          created_at, updated_at)
         VALUES ($1, $2, $2, $2, $2, 'email', 'x', 'sent', $3, $3)",
    ),
    (
        "timeline",
        "(id, organization_id, recovery_id, at, kind, actor, why) VALUES ($1, $2, $2, $3, 'x', 'x', 'x')",
    ),
    (
        "decisions",
        "(id, organization_id, recovery_id, at, outcome, rule_pack, words, record)
         VALUES ($1, $2, $2, $3, 'wait', 'x', 'x', '{}')",
    ),
    (
        "psp_events",
        "(id, organization_id, connection_id, provider, provider_event_id, kind, body, outcome, received_at)
         VALUES ($1, $2, $2, 'stripe', 'x', 'x', '{}', 'x', $3)",
    ),
    (
        "audit_log",
        "(id, organization_id, at, actor, action, detail) VALUES ($1, $2, $3, 'x', 'x', '{}')",
    ),
    (
        "card_tries",
        "(id, organization_id, card_key, transaction_id, at, tried_by, outcome, amount_minor, currency, updated_at)
         VALUES ($1, $2, 'x', $2, $3, 'us', 'declined', 1, 'EUR', $3)",
    ),
    (
        "unknown_codes",
        "(id, organization_id, source, signal, code, seen_at) VALUES ($1, $2, 'api', 'x', 'x', $3)",
    ),
    (
        "partner_events",
        "(id, organization_id, event_type, payload, occurred_at) VALUES ($1, $2, 'x', '{}', $3)",
    ),
    (
        "partner_tries",
        "(id, organization_id, delivery_id, number, at) VALUES ($1, $2, $2, 1, $3)",
    ),
    (
        "failure_keys",
        "(organization_id, source, key, failure_event_id, created_at) VALUES ($2, 'api', $1::uuid::text, $1, $3)",
    ),
    (
        "psp_event_keys",
        "(organization_id, connection_id, provider_event_id, psp_event_id, received_at)
         VALUES ($2, $2, $1::uuid::text, $1, $3)",
    ),
];

/// The first day of a month, some hours in.
fn month(number: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2030, 1, 3, 12, 0, 0).unwrap() + Months::new(number)
}

fn partition(table: &str, at: DateTime<Utc>) -> String {
    format!("{table}_{}_{:02}", at.year(), at.month())
}

struct Years {
    stage: Stage,
    client: tokio_postgres::Client,
}

impl Years {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let client = stage.database.connect().await;
        Self { stage, client }
    }

    /// One of each table, as a month brings.
    async fn write(&self, at: DateTime<Utc>, recovery: Uuid) {
        for (table, values) in ROWS {
            let milliseconds = u64::try_from(at.timestamp_millis()).unwrap();
            let random: [u8; 10] = rand::random();
            let id = uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid();
            let values = values
                .replace("$1", &format!("'{id}'"))
                .replace("$2", &format!("'{recovery}'"))
                .replace("$3", &format!("'{}'", at.to_rfc3339()));
            let text = format!("INSERT INTO {table} {values}");
            self.client.batch_execute(&text).await.unwrap();
        }
    }

    /// What housekeepers do once a while, at `now`; answers what was dropped.
    async fn keep_house(&self, now: DateTime<Utc>) -> Vec<String> {
        let db = &self.stage.db;
        let mut conn = db.read().await.unwrap();
        db::ensure_partitions(&mut conn, now, 3).await.unwrap();
        let begin = async || {
            let cause = db::Cause { at: now, ..cause() };
            db.begin(cause).await.unwrap()
        };
        for (kind, months) in KEPT.kinds() {
            loop {
                let mut tx = begin().await;
                let detached = retention::detach_one(&mut tx, kind, months).await.unwrap();
                tx.commit().await.unwrap();
                if detached.is_none() {
                    break;
                }
            }
        }
        let mut dropped = Vec::new();
        loop {
            let mut tx = begin().await;
            let one = retention::drop_one(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            let Some(one) = one else { break };
            dropped.push(one);
        }
        retention::forget_keys(&mut conn, Keys::Failures, now, 12, 1_000)
            .await
            .unwrap();
        retention::forget_keys(&mut conn, Keys::PspEvents, now, 3, 1_000)
            .await
            .unwrap();
        dropped
    }

    async fn months(&self, table: &str) -> Vec<String> {
        let text = "SELECT inhrelid::regclass::text FROM pg_inherits
             WHERE inhparent = $1::text::regclass AND inhrelid::regclass::text ~ '[0-9]$' ORDER BY 1";
        let rows = self.client.query(text, &[&table]).await.unwrap();
        let all: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        // The template has those of the real today.
        all.into_iter()
            .filter(|name| name.contains("_203"))
            .collect()
    }

    async fn set_state(&self, recovery: Uuid, state: &str) {
        let text = format!(
            "UPDATE recoveries SET state = '{state}',
               closed_at = CASE WHEN '{state}' = 'open' THEN NULL ELSE opened_at END
             WHERE id = '{recovery}'"
        );
        self.client.batch_execute(&text).await.unwrap();
    }
}

#[tokio::test]
async fn thirty_six_months_with_rows_in_each_come_and_go() {
    let years = Years::new().await;
    for number in 0..36 {
        let now = month(number);
        // Housekeepers were away for half a year: rows come all the same.
        if !(20..26).contains(&number) {
            years.keep_house(now).await;
        }
        years.write(now, Uuid::from_u128(7)).await;
        if (23..26).contains(&number) {
            assert!(years.stage.count("timeline_default").await > 0);
        }
    }
    let end = month(36);
    let dropped = years.keep_house(end).await;
    assert!(
        dropped.contains(&partition("timeline", month(23))),
        "{dropped:?}"
    );
    assert_eq!(years.keep_house(end).await, Vec::<String>::new());

    for (table, kept) in [
        ("failure_events", 12),
        ("attempts", 12),
        ("notifications", 12),
        ("timeline", 12),
        ("decisions", 12),
        ("psp_events", 3),
        ("partner_events", 6),
        ("partner_tries", 6),
        // Not retired at all.
        ("audit_log", 36),
        // What the tables themselves say.
        ("card_tries", 9),
        ("unknown_codes", 6),
    ] {
        let wanted: Vec<String> = (36 - kept..36)
            .map(month)
            .map(|at| partition(table, at))
            .collect();
        let months = years.months(table).await;
        let past: Vec<_> = months
            .iter()
            .filter(|name| **name < partition(table, end))
            .collect();
        assert_eq!(past, wanted.iter().collect::<Vec<_>>(), "{table}");
        assert_eq!(months.len(), past.len() + 4, "{table}: {months:?}");
        assert_eq!(years.stage.count(table).await, i64::from(kept), "{table}");
        assert_eq!(
            years.stage.count(&format!("{table}_default")).await,
            0,
            "{table}"
        );
    }
    // A month longer than what they are about.
    assert_eq!(years.stage.count("failure_keys").await, 13);
    assert_eq!(years.stage.count("psp_event_keys").await, 4);
}

#[tokio::test]
async fn an_open_recovery_keeps_the_months_that_tell_of_it_until_it_is_closed() {
    let years = Years::new().await;
    let tenant = years.stage.tenant("shop").await;
    years.keep_house(month(0)).await;
    let recovery = years.stage.recovery(tenant, "order").await.1.uuid();
    years.write(month(0) + TimeDelta::days(1), recovery).await;
    years
        .write(month(0) + TimeDelta::days(1), Uuid::from_u128(7))
        .await;

    let later = month(20);
    let dropped = years.keep_house(later).await;
    assert!(
        dropped.contains(&partition("psp_events", month(0))),
        "{dropped:?}"
    );
    for table in [
        "timeline",
        "attempts",
        "notifications",
        "decisions",
        "failure_events",
    ] {
        assert!(!dropped.contains(&partition(table, month(0))), "{table}");
        let its = format!("{table} WHERE recovery_id = '{recovery}'");
        assert!(years.stage.count(&its).await >= 1, "{table}");
    }
    years.set_state(recovery, "expired").await;
    let dropped = years.keep_house(later).await;
    assert!(
        dropped.contains(&partition("timeline", month(0))),
        "{dropped:?}"
    );
}

#[tokio::test]
async fn a_charge_in_doubt_and_a_webhook_on_its_way_keep_their_month() {
    let years = Years::new().await;
    let tenant = years.stage.tenant("shop").await;
    years.keep_house(month(0)).await;
    let recovery = years.stage.recovery(tenant, "order").await.1.uuid();
    years.write(month(0), recovery).await;
    years.set_state(recovery, "expired").await;
    let doubt = format!(
        "INSERT INTO open_charges (recovery_id, organization_id, attempt_id, opened_at)
         SELECT '{recovery}', organization_id, id, created_at FROM attempts"
    );
    years.client.batch_execute(&doubt).await.unwrap();
    let pending = "INSERT INTO webhook_endpoints (id, organization_id, url, event_types, signature, key_sealed,
                                        created_at, updated_at)
         SELECT id, id, 'https://example.com', '{*}', 'hmac', '', now(), now() FROM organizations;
         INSERT INTO partner_deliveries (id, organization_id, endpoint_id, event_id, event_type, cause,
                                         state, due_at, created_at, updated_at)
         SELECT a.id, o.id, o.id, a.id, 'x', 'event', 'pending', now(), now(), now()
         FROM attempts AS a, organizations AS o";
    years.client.batch_execute(pending).await.unwrap();
    let dropped = years.keep_house(month(20)).await;
    assert!(
        dropped.contains(&partition("timeline", month(0))),
        "{dropped:?}"
    );
    let kept = ["attempts", "partner_deliveries"].map(|table| partition(table, month(0)));
    for part in &kept {
        assert!(!dropped.contains(part), "{dropped:?}");
    }
    let over = "DELETE FROM open_charges;
        UPDATE partner_deliveries SET state = 'delivered', finished_at = now()";
    years.client.batch_execute(over).await.unwrap();
    assert_eq!(years.keep_house(month(20)).await, kept);
}

/// Whoever reads the table goes before; nothing is waited for, and nothing is lost.
#[tokio::test]
async fn a_month_that_is_being_read_is_detached_later() {
    let years = Years::new().await;
    years.keep_house(month(0)).await;
    years.write(month(0), Uuid::from_u128(7)).await;
    let reader = years.stage.database.connect().await;
    reader
        .batch_execute("BEGIN; SELECT count(*) FROM psp_events")
        .await
        .unwrap();
    let cause = db::Cause {
        at: month(20),
        ..cause()
    };
    let mut tx = years.stage.db.begin(cause).await.unwrap();
    let refused = retention::detach_one(&mut tx, Kind::PspEvents, Some(3)).await;
    assert!(
        refused.unwrap_err().to_string().contains("statement"),
        "told as a failure"
    );
    tx.roll_back().await.unwrap();
    reader.batch_execute("COMMIT").await.unwrap();
    let dropped = years.keep_house(month(20)).await;
    assert!(
        dropped.contains(&partition("psp_events", month(0))),
        "{dropped:?}"
    );
}
