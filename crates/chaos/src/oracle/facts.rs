//! What there is when calm has returned.

use std::collections::{BTreeMap, BTreeSet};

use devstack::stack::Sandbox;
use serde_json::Value;
use tokio_postgres::Client;

/// A recovery, as Postgres has it. Times are milliseconds since 1970.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// Its id.
    pub id: String,
    /// The merchant's reference.
    pub reference: String,
    /// Where it stands.
    pub state: String,
    /// How the money came, if it did.
    pub by: Option<String>,
    /// Its end.
    pub closed_at: Option<i64>,
}

/// A message, as Postgres has it.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Its id.
    pub id: String,
    /// Its recovery's id.
    pub recovery: String,
    /// The channel.
    pub channel: String,
    /// To whom.
    pub address: String,
    /// Where it stands.
    pub state: String,
}

/// A charge, as the PSP made it.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The PSP's id.
    pub id: String,
    /// The merchant's reference, where the PSP knows it.
    pub reference: Option<String>,
    /// `api`, `payer` or `merchant`.
    pub initiator: String,
    /// Whether money moved.
    pub succeeded: bool,
    /// When.
    pub at: i64,
}

/// A message, as a payer got it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The inbox's id.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// To whom.
    pub to: String,
    /// What tells it from every other: its links.
    pub links: String,
    /// When.
    pub at: i64,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// By reference.
    pub recoveries: BTreeMap<String, Vec<Recovery>>,
    /// By the recovery's id.
    pub notifications: BTreeMap<String, Vec<Notification>>,
    /// In the order in which they were made.
    pub charges: Vec<Charge>,
    /// How many charges each case's attempts may have made, by reference.
    pub charging: BTreeMap<String, i64>,
    /// In the order in which they came.
    pub mails: Vec<Mail>,
    /// PSPs' reports that were answered with success, by the event's id.
    pub taken_events: BTreeMap<String, bool>,
    /// What partners were to be told: id, type, state.
    pub partner_events: Vec<(String, String, String)>,
    /// Numbers that must not be written to.
    pub suppressed: BTreeSet<String>,
    /// Reasons of dead letters, by the outbox row's id.
    pub dead_letters: BTreeMap<String, Option<String>>,
}

/// Gathers all of it.
pub async fn gather(
    client: &Client,
    sandbox: &Sandbox,
    payments: &Payments,
) -> anyhow::Result<Facts> {
    let mut facts = Facts {
        charges: charges(sandbox, payments).await?,
        mails: mails(sandbox).await?,
        taken_events: taken_events(sandbox).await?,
        charging: charging(client).await?,
        ..Facts::default()
    };
    for recovery in recoveries(client).await? {
        let reference = recovery.reference.clone();
        facts
            .recoveries
            .entry(reference)
            .or_default()
            .push(recovery);
    }
    let rows = client
        .query(
            "SELECT id::text, recovery_id::text, channel, address, state FROM notifications ORDER BY id",
            &[],
        )
        .await?;
    for row in rows {
        let notification = Notification {
            id: row.try_get(0)?,
            recovery: row.try_get(1)?,
            channel: row.try_get(2)?,
            address: row.try_get(3)?,
            state: row.try_get(4)?,
        };
        let of = facts.notifications.entry(notification.recovery.clone());
        of.or_default().push(notification);
    }
    let rows = client
        .query(
            "SELECT d.event_id::text, d.event_type, d.state FROM partner_deliveries d ORDER BY d.id",
            &[],
        )
        .await?;
    for row in rows {
        facts
            .partner_events
            .push((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?));
    }
    let rows = client
        .query(
            "SELECT id::text, dead_reason FROM outbox WHERE dead_at IS NOT NULL",
            &[],
        )
        .await?;
    for row in rows {
        facts.dead_letters.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let suppressed = "SELECT address FROM suppressions WHERE channel = 'sms'";
    for row in client.query(suppressed, &[]).await? {
        facts.suppressed.insert(row.try_get(0)?);
    }
    Ok(facts)
}

/// An attempt that nobody ever claimed has made none.
const CHARGING: &str = "
    SELECT t.transaction_ref, count(*) FROM attempts a
    JOIN recoveries r ON r.id = a.recovery_id JOIN transactions t ON t.id = r.transaction_id
    WHERE a.kind = 'charge' AND a.claims > 0 GROUP BY 1";

/// The merchant's reference of each payment that the driver made at a PSP.
pub type Payments = BTreeMap<String, String>;

async fn charging(client: &Client) -> anyhow::Result<BTreeMap<String, i64>> {
    let rows = client.query(CHARGING, &[]).await?;
    let count = |row: &tokio_postgres::Row| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(count).collect()
}

async fn recoveries(client: &Client) -> anyhow::Result<Vec<Recovery>> {
    let rows = client
        .query(
            "SELECT r.id::text, t.transaction_ref, r.state, r.recovered_by,
                    (1000 * extract(epoch FROM r.closed_at))::int8
             FROM recoveries r JOIN transactions t ON t.id = r.transaction_id ORDER BY r.id",
            &[],
        )
        .await?;
    let recovery = |row: &tokio_postgres::Row| {
        Ok(Recovery {
            id: row.try_get(0)?,
            reference: row.try_get(1)?,
            state: row.try_get(2)?,
            by: row.try_get(3)?,
            closed_at: row.try_get(4)?,
        })
    };
    rows.iter().map(recovery).collect()
}

async fn charges(sandbox: &Sandbox, payments: &Payments) -> anyhow::Result<Vec<Charge>> {
    let ledger = sandbox.get("/_control/ledger").await?;
    let charge = |entry: &Value| {
        let text = |field: &str| entry[field].as_str().map(str::to_owned);
        let named = entry["metadata"]["transaction_ref"].as_str();
        let made = text("payment").and_then(|payment| payments.get(&payment).cloned());
        Charge {
            id: text("charge").unwrap_or_default(),
            reference: named
                .map(str::to_owned)
                .or(made)
                .or_else(|| text("reference")),
            initiator: text("initiator").unwrap_or_default(),
            succeeded: entry["succeeded"] == true,
            at: milliseconds(&entry["at"]),
        }
    };
    Ok(ledger
        .as_array()
        .into_iter()
        .flatten()
        .map(charge)
        .collect())
}

async fn mails(sandbox: &Sandbox) -> anyhow::Result<Vec<Mail>> {
    let inbox = sandbox.get("/inbox/messages").await?;
    let mail = |message: &Value| {
        let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
        Mail {
            id: text("id"),
            channel: text("channel"),
            to: text("to"),
            links: message["links"].to_string(),
            at: milliseconds(&message["received_at"]),
        }
    };
    Ok(inbox.as_array().into_iter().flatten().map(mail).collect())
}

/// Whether each report of a failed payment was answered with success at least once.
async fn taken_events(sandbox: &Sandbox) -> anyhow::Result<BTreeMap<String, bool>> {
    let events = sandbox.get("/_control/events").await?;
    let taken = |event: &Value| {
        let deliveries = event["deliveries"].as_array().into_iter().flatten();
        let accepted: u64 = deliveries.filter_map(|it| it["accepted"].as_u64()).sum();
        (
            event["id"].as_str().unwrap_or_default().to_owned(),
            accepted > 0,
        )
    };
    Ok(events.as_array().into_iter().flatten().map(taken).collect())
}

/// A time of RFC 3339.
fn milliseconds(time: &Value) -> i64 {
    let text = time.as_str().unwrap_or_default();
    let parsed = chrono::DateTime::parse_from_rfc3339(text);
    parsed.map_or(0, |at| at.timestamp_millis())
}
