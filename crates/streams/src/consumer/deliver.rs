//! One delivery, from its turn to what becomes of the entry.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use contracts::Envelope;
use domain::id::OrganizationId;
use futures_util::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, SemaphorePermit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::acknowledge::Settled;
use super::seats::{self, Seated};
use super::shard::Shard;
use crate::config::millis;
use crate::dead_letters::{DELIVERIES, REASON};
use crate::entry::{Entry, Unreadable};
use crate::{Delivery, Failure, Handler, StreamsError, telemetry};

/// What becomes of an entry.
enum Fate {
    /// Its effect has committed.
    Done,
    /// It was not begun, and comes back after a pause.
    NotNow { pause: Duration },
    /// It comes back after the back-off, which is that of the given delivery.
    Again { counted: u64 },
    /// It is a dead letter; everyone who must know knows.
    Dead { reason: String },
}

/// Waits for its turn, has the entry handled and sees to what becomes of it.
pub(super) async fn deliver<H: Handler>(
    shard: Arc<Shard<H>>,
    entry: Entry,
    deliveries: u64,
    mut room: OwnedSemaphorePermit,
    shutdown: CancellationToken,
) {
    let envelope = entry.envelope(shard.stream);
    let organization = envelope.as_ref().ok().map(|it| it.organization);
    let turn = tokio::select! {
        biased;
        () = shutdown.cancelled() => Err(Duration::ZERO),
        turn = turn(&shard, organization, &mut room) => turn,
    };
    let turn = match turn {
        Ok(turn) => turn,
        Err(pause) => {
            // Not begun: due after that, for anyone, and this delivery does not count.
            shard.release(entry.id);
            rest(&shard, &entry, pause, deliveries.saturating_sub(1)).await;
            return;
        }
    };
    let fate = decide(&shard, &entry, envelope, deliveries).await;
    drop(turn);
    match fate {
        Fate::Done => {
            let settled = Settled { id: entry.id, room };
            // The receiver outlives all deliveries; were it gone, the entry would come back.
            let _ = shard.done.send(settled);
        }
        Fate::NotNow { pause } => {
            telemetry::count(telemetry::PUT_BACK, shard.stream, 1);
            shard.release(entry.id);
            let pause = pause.min(shard.config.take_over_after);
            rest(&shard, &entry, pause, deliveries.saturating_sub(1)).await;
        }
        Fate::Again { counted } => {
            telemetry::count(telemetry::RETRIED, shard.stream, 1);
            shard.release(entry.id);
            rest(&shard, &entry, shard.config.back_off(counted), counted).await;
        }
        Fate::Dead { reason } => {
            let buried = bury(&shard, &entry, &reason, deliveries).await;
            shard.release(entry.id);
            if let Err(error) = buried {
                tracing::warn!(stream = %shard.stream, entry = %entry.id, %error,
                    "a dead letter could not be put aside; it comes back");
            }
        }
    }
}

/// The right to run: of its organization's share, and of all.
struct Turn<'a> {
    _seat: Option<OwnedSemaphorePermit>,
    _running: SemaphorePermit<'a>,
}

/// Waits for a turn, which an entry of no organization gets as well. An error is the
/// pause after which it is worth trying again.
async fn turn<'a, H: Handler>(
    shard: &'a Shard<H>,
    organization: Option<OrganizationId>,
    room: &mut OwnedSemaphorePermit,
) -> Result<Turn<'a>, Duration> {
    let seats = organization.and_then(|it| shard.running.seats.of(it));
    let seat = match seats::seat(seats, &shard.aside, room).await {
        Seated::Now(seat) => seat,
        Seated::Crowded => {
            telemetry::count(telemetry::PUT_BACK, shard.stream, 1);
            return Err(shard.config.retry_after.min(shard.config.take_over_after));
        }
    };
    let Ok(running) = shard.running.all.acquire().await else {
        return Err(Duration::ZERO);
    };
    shard.handler.ready().await;
    Ok(Turn {
        _seat: seat,
        _running: running,
    })
}

async fn decide<H: Handler>(
    shard: &Shard<H>,
    entry: &Entry,
    envelope: Result<Envelope, Unreadable>,
    deliveries: u64,
) -> Fate {
    let envelope = match envelope {
        Ok(envelope) => envelope,
        Err(error) => {
            return Fate::Dead {
                reason: error.to_string(),
            };
        }
    };
    let delivery = Delivery {
        envelope,
        stream: shard.stream,
        entry: entry.id.to_string(),
        published_at: entry.id.at().unwrap_or_default(),
        deliveries,
    };
    if deliveries > shard.config.max_deliveries.max(1) {
        // Its last delivery had no outcome: the process died of it, or with it.
        let reason = format!(
            "given out {} times and never answered for; its handling may kill the process",
            deliveries - 1
        );
        return give_up(shard, &delivery, reason).await;
    }
    match handle(shard, &delivery).await {
        Ok(()) => Fate::Done,
        Err(Failure::Final(reason)) => give_up(shard, &delivery, reason).await,
        Err(Failure::NotNow { why, pause }) => {
            tracing::debug!(stream = %shard.stream, entry = %entry.id, %why, ?pause,
                "a delivery was not begun");
            Fate::NotNow { pause }
        }
        Err(Failure::Retry(source)) => {
            let reason = with_causes(&*source);
            tracing::warn!(
                stream = %shard.stream, entry = %entry.id, deliveries, %reason,
                outbox.id = %delivery.envelope.outbox,
                organization.id = %delivery.envelope.organization,
                recovery.id = delivery.envelope.message.recovery().map(tracing::field::display),
                "a delivery failed",
            );
            if deliveries < shard.config.max_deliveries {
                return Fate::Again {
                    counted: deliveries,
                };
            }
            give_up(shard, &delivery, reason).await
        }
    }
}

/// Calls the handler, times it, and makes a panic a failure.
async fn handle<H: Handler>(shard: &Shard<H>, delivery: &Delivery) -> Result<(), Failure> {
    let began = Instant::now();
    let outcome = AssertUnwindSafe(shard.handler.handle(delivery))
        .catch_unwind()
        .await;
    telemetry::handled(shard.stream, began.elapsed());
    outcome.unwrap_or_else(|panic| Err(Failure::retry(panic_sentence(&*panic))))
}

/// Has the death recorded. Where that fails, Postgres is away, which was likely
/// the reason of the last failures too: the entry comes back to the handler, and
/// this delivery is not held against it.
async fn give_up<H: Handler>(shard: &Shard<H>, delivery: &Delivery, reason: String) -> Fate {
    let recording = AssertUnwindSafe(shard.handler.dead(delivery, &reason))
        .catch_unwind()
        .await;
    let recorded = recording.unwrap_or_else(|panic| Err(panic_sentence(&*panic)));
    match recorded {
        Ok(()) => Fate::Dead { reason },
        Err(error) => {
            tracing::warn!(stream = %shard.stream, entry = %delivery.entry, %reason, %error,
                "a dead letter could not be recorded; it comes back");
            let last = shard.config.max_deliveries.saturating_sub(1);
            Fate::Again {
                counted: delivery.deliveries.min(last),
            }
        }
    }
}

/// Lets an entry be due again after `pause`, its deliveries counted as `counted`.
/// Redis cannot be told a time to come, but the idle time that is still missing.
async fn rest<H: Handler>(shard: &Shard<H>, entry: &Entry, pause: Duration, counted: u64) {
    let idle = shard.config.take_over_after.saturating_sub(pause);
    let mut claim = shard.claim(0, &[entry.id]);
    claim.arg("IDLE").arg(millis(idle));
    claim.arg("RETRYCOUNT").arg(counted).arg("JUSTID");
    let rested: Result<redis::Value, _> = shard
        .streams
        .command("set when an entry is due again", &claim)
        .await;
    if let Err(error) = rested {
        tracing::debug!(stream = %shard.stream, entry = %entry.id, %error,
            "an entry comes back after the take-over time instead of its back-off");
    }
}

/// Moves an entry to the dead letters, in one step.
async fn bury<H: Handler>(
    shard: &Shard<H>,
    entry: &Entry,
    reason: &str,
    deliveries: u64,
) -> Result<(), StreamsError> {
    let mut pipe = redis::pipe();
    pipe.atomic();
    pipe.cmd("XADD").arg(&shard.dead_key);
    pipe.arg("MAXLEN")
        .arg("~")
        .arg(shard.streams.dead_letters_kept);
    pipe.arg("*")
        .arg(REASON)
        .arg(reason)
        .arg(DELIVERIES)
        .arg(deliveries);
    for (field, value) in &entry.fields {
        pipe.arg(field).arg(value);
    }
    pipe.ignore();
    pipe.cmd("XACK")
        .arg(&shard.key)
        .arg(&shard.config.group)
        .arg(entry.id)
        .ignore();
    pipe.cmd("XDEL").arg(&shard.key).arg(entry.id).ignore();
    let () = shard
        .streams
        .pipeline("put a dead letter aside", &pipe)
        .await?;
    telemetry::count(telemetry::DEAD, shard.stream, 1);
    tracing::error!(stream = %shard.stream, entry = %entry.id, %reason, deliveries,
        "an entry was given up as a dead letter");
    Ok(())
}

/// An error and what caused it, in one line.
fn with_causes(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Many errors repeat their source in their own sentence.
        if !sentence.contains(&text) {
            sentence = format!("{sentence}: {text}");
        }
        cause = error.source();
    }
    sentence
}

fn panic_sentence(panic: &(dyn std::any::Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with no message");
    format!("the handler panicked: {message}")
}
