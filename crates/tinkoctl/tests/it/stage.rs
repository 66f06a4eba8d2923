//! An installation's database, and the command run beside it.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use contracts::Message;

use db::notifications::NewMessage;
use db::recoveries::{Assigned, NewRecovery};
use db::transactions::Report;
use db::{Cause, Db, DbConfig, LeaveToSweeper, Tenant, Tx};
use domain::id::{NotificationId, RecoveryId, RecoveryLink, TransactionId};
use domain::schedule::Step;
use domain::{AttemptKind, Category, Channel, Currency, Hardness, Money, TransactionRef};
use serde_json::Value;
use testkit::TestDatabase;

/// The trace in which everything of a test happens.
pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// Any time that is past, in seconds of Unix time.
const PAST: i64 = 1_764_000_000;
/// Where nobody answers.
pub(crate) const NOWHERE: &str = "redis://127.0.0.1:9/0";

pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) db: Db,
    /// Transactions that began, a second after each other.
    began: AtomicI64,
    /// Besides Postgres, what the command finds in its environment.
    variables: Vec<(&'static str, String)>,
}

/// A recovery with a message that waits to be sent.
pub(crate) struct Written {
    pub(crate) tenant: Tenant,
    pub(crate) transaction: TransactionId,
    pub(crate) recovery: RecoveryId,
    pub(crate) notification: NotificationId,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let config = DbConfig {
            url: database.url().clone(),
            max_connections: 2,
            acquire_timeout: Duration::from_mins(1),
        };
        let db = Db::new(&config, Arc::new(LeaveToSweeper));
        Self {
            database,
            db,
            began: AtomicI64::new(0),
            variables: vec![("REDIS_URL", NOWHERE.to_owned())],
        }
    }

    /// Adds or changes a variable of the commands that are run after it.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    pub(crate) async fn tx(&self) -> Tx {
        let cause = Cause {
            at: DateTime::from_timestamp(PAST + self.began.fetch_add(1, Relaxed), 0).unwrap(),
            actor: "test".to_owned(),
            traceparent: Some(format!("00-{TRACE}-00f067aa0ba902b7-01")),
            tracestate: None,
        };
        self.db.begin(cause).await.unwrap()
    }

    /// An organization's failed payment, about which its payer is to be written to.
    pub(crate) async fn written(&self, slug: &str, reference: &str, email: &str) -> Written {
        let mut tx = self.tx().await;
        let (tenant, _) = db::organizations::ensure(&mut tx, slug, slug)
            .await
            .unwrap();
        let transaction = transaction(&mut tx, tenant, reference, email).await;
        let recovery = open(&mut tx, tenant, transaction).await;
        let notification = ask(&mut tx, tenant, recovery, email).await;
        let why = "the account had no money in it";
        db::timeline::add(
            &mut tx,
            tenant,
            recovery,
            "recovery.opened",
            why,
            Value::Null,
        );
        let channel = Channel::Email;
        let asked = Message::NotificationRequested {
            notification,
            recovery,
            channel,
        };
        tx.emit(tenant, asked);
        tx.commit().await.unwrap();
        Written {
            tenant,
            transaction,
            recovery,
            notification,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tinkoctl"));
        command
            .args(arguments)
            .env("DATABASE_URL", self.database.plain_url())
            // A service's own, which stands beside them.
            .env("TINKO__PUBLIC_BASE_URL", "https://pay.example.com")
            .env("USER", "asha")
            .envs(self.variables.iter().map(|(name, value)| (*name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs it with so much on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        use std::io::Write as _;
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    /// What it answers as JSON; it has to succeed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) async fn execute(&self, text: &str) {
        self.database
            .connect()
            .await
            .execute(text, &[])
            .await
            .unwrap();
    }

    pub(crate) async fn count(&self, text: &str) -> i64 {
        let client = self.database.connect().await;
        let text = format!("SELECT count(*) FROM {text}");
        client.query_one(&text, &[]).await.unwrap().get(0)
    }
}

async fn open(tx: &mut Tx, tenant: Tenant, transaction: TransactionId) -> RecoveryId {
    let new = NewRecovery {
        transaction,
        amount: money(),
        category: Category::InsufficientFunds,
        hardness: Hardness::Soft,
        policy: None,
        assigned: Assigned::default(),
        closes_at: tx.now() + TimeDelta::days(7),
    };
    db::recoveries::open(tx, tenant, &new).await.unwrap()
}

/// A step that is due, its link and its message.
async fn ask(tx: &mut Tx, tenant: Tenant, recovery: RecoveryId, email: &str) -> NotificationId {
    let (channel, due_at) = (Channel::Email, tx.now());
    let step = Step {
        number: 1,
        kind: AttemptKind::Message,
        channels: vec![channel],
        why: "the payer is written to".to_owned(),
        due_at,
    };
    let attempt = db::attempts::schedule(tx, tenant, recovery, &step);
    let attempt = attempt.await.unwrap().unwrap();
    let link = tx.new_id::<RecoveryLink>();
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(link.uuid().as_bytes());
    let asked = NewMessage {
        recovery,
        attempt,
        link,
        token_hash: hash,
        expires_at: due_at + TimeDelta::days(7),
        channel,
        address: email.to_owned(),
    };
    db::notifications::ask(tx, tenant, asked)
}

fn money() -> Money {
    Money::new(129_950, Currency::parse("INR").unwrap()).unwrap()
}

async fn transaction(tx: &mut Tx, tenant: Tenant, reference: &str, email: &str) -> TransactionId {
    let report = Report {
        payer_email: Some(email.to_owned()),
        ..Report::default()
    };
    let reference = TransactionRef::parse(reference).unwrap();
    let stored = db::transactions::upsert(tx, tenant, &reference, money(), &report);
    stored.await.unwrap().id
}
