//! One client of the stream.

use std::time::Duration;

use actix_web::web::Bytes;
use backbone::Backbone;
use chrono::{DateTime, Utc};
use db::DbError;
use db::feed::{self, Moved, Position};
use domain::id::{RecoveryId, TimelineEntryId};
use rand::RngExt;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::hub::Heard;
use super::{FULL_PAGE, PAGE, Seat};

/// Between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client may take nothing before it is cut off.
const SLOW: Duration = Duration::from_secs(10);
/// Pieces that wait for a client.
const WAITING: usize = 32;
/// Milliseconds after which clients come back; the second is added by chance, so
/// that those of a process that has ended do not come all at once.
const COME_BACK: u64 = 1_000;
const SPREAD: u64 = 4_000;

/// What a client wants to hear.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Kinds of entry; all if empty. `recovery.*` stands for all that begin so.
    pub(crate) kinds: Vec<String>,
    /// One recovery alone.
    pub(crate) recovery: Option<RecoveryId>,
}

impl Wanted {
    fn fits(&self, moved: &Moved) -> bool {
        let kind = moved.entry.kind.as_str();
        let fits = |wanted: &String| match wanted.strip_suffix('*') {
            Some(start) => kind.starts_with(start),
            None => kind == wanted,
        };
        self.recovery.is_none_or(|wanted| wanted == moved.recovery)
            && (self.kinds.is_empty() || self.kinds.iter().any(fits))
    }
}

/// An entry as clients see it.
#[derive(Serialize)]
struct EventView<'a> {
    id: TimelineEntryId,
    recovery_id: RecoveryId,
    at: DateTime<Utc>,
    kind: &'a str,
    actor: &'a str,
    why: &'a str,
    detail: &'a Value,
    trace_id: Option<&'a str>,
}

/// Serves a client from `position` on until `ends`; what is sent comes out of the
/// receiver, and the seat is given back when either side is done.
pub(crate) fn serve(
    backbone: Backbone,
    seat: Seat,
    wanted: Wanted,
    position: Option<Position>,
    ends: Instant,
) -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let listener = Listener {
        position: position.unwrap_or(seat.from),
        behind: position.is_some(),
        backbone,
        seat,
        wanted,
        sender,
    };
    let ended = async move {
        let reason = listener.run(ends).await;
        metrics::counter!("api_streams_ended_total", "reason" => reason).increment(1);
    };
    tokio::spawn(ended);
    receiver
}

/// The client is gone or takes nothing.
struct Cut(&'static str);

struct Listener {
    backbone: Backbone,
    seat: Seat,
    wanted: Wanted,
    /// Up to there it has been sent everything.
    position: Position,
    /// Whether more may lie behind what is heard.
    behind: bool,
    sender: mpsc::Sender<Bytes>,
}

impl Listener {
    async fn run(mut self, ends: Instant) -> &'static str {
        match self.converse(ends).await {
            Ok(reason) | Err(Cut(reason)) => reason,
        }
    }

    async fn converse(&mut self, ends: Instant) -> Result<&'static str, Cut> {
        let hub = self.seat.hub();
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The place comes first: who is cut off before anything happened has one.
        let hello = format!("retry: {COME_BACK}\nid: {}\n\n", self.position);
        self.send(hello).await?;
        loop {
            if self.behind {
                self.catch_up().await?;
            }
            let sender = self.sender.clone();
            tokio::select! {
                heard = self.seat.heard.recv() => match heard {
                    Ok(Heard::Moved(moved)) => self.tell(&moved).await?,
                    Ok(Heard::Nothing(up_to)) => self.position = self.position.max(up_to),
                    Err(RecvError::Lagged(_)) => self.behind = true,
                    Err(RecvError::Closed) => return Ok("feed"),
                },
                _ = heartbeat.tick() => {
                    let beat = format!(": heartbeat\nid: {}\n\n", self.position);
                    self.send(beat).await?;
                }
                () = hub.closing.cancelled() => {
                    let after = COME_BACK + self.backbone.db.fork_rng().random_range(0..SPREAD);
                    self.send(format!(": goodbye\nretry: {after}\n\n")).await?;
                    return Ok("shutdown");
                }
                () = sleep_until(ends) => return Ok("expired"),
                () = sender.closed() => return Ok("left"),
            }
        }
    }

    /// Reads on from Postgres until there is no more. What is heard meanwhile lies
    /// before its end, or is kept, or makes it read again.
    async fn catch_up(&mut self) -> Result<(), Cut> {
        self.behind = false;
        loop {
            let page = self.page().await.map_err(|error| {
                tracing::warn!(%error, "a stream was cut off: it can't be read on");
                Cut("postgres")
            })?;
            for moved in &page {
                self.tell(moved).await?;
            }
            if page.len() < FULL_PAGE {
                return Ok(());
            }
        }
    }

    async fn page(&self) -> Result<Vec<Moved>, DbError> {
        let mut conn = self.backbone.db.read().await?;
        feed::after(&mut conn, &[(self.seat.tenant, self.position)], PAGE).await
    }

    async fn tell(&mut self, moved: &Moved) -> Result<(), Cut> {
        if moved.position <= self.position {
            return Ok(());
        }
        self.position = moved.position;
        if !self.wanted.fits(moved) {
            return Ok(());
        }
        self.send(written(moved)).await
    }

    async fn send(&self, text: String) -> Result<(), Cut> {
        match timeout(SLOW, self.sender.send(text.into())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_gone)) => Err(Cut("left")),
            Err(_) => Err(Cut("slow")),
        }
    }
}

/// As `text/event-stream` has it (HTML, section 9.2.6). JSON has no line ends.
fn written(moved: &Moved) -> String {
    let entry = &moved.entry;
    let view = EventView {
        id: entry.id,
        recovery_id: moved.recovery,
        at: entry.at,
        kind: &entry.kind,
        actor: &entry.actor,
        why: &entry.why,
        detail: &entry.detail,
        trace_id: entry.trace_id.as_deref(),
    };
    let data = serde_json::to_string(&view).unwrap_or_default();
    format!(
        "id: {}\nevent: {}\ndata: {data}\n\n",
        moved.position, entry.kind
    )
}
