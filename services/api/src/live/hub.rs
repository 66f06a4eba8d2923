//! The one reader of a process, and whom it reads for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backbone::Backbone;
use db::feed::{self, Moved, Position};
use db::{DbError, Tenant};
use domain::id::OrganizationId;
use tokio::sync::{Notify, broadcast};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{FULL_PAGE, PAGE};

/// Between two looks at the timeline.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Entries that are kept for listeners which have not taken them yet; one that
/// falls further behind reads them from Postgres.
const KEPT: usize = 256;

/// What a listener hears.
#[derive(Debug, Clone)]
pub(crate) enum Heard {
    /// Something happened.
    Moved(Arc<Moved>),
    /// Nothing has, up to there.
    Nothing(Position),
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The organization has all that it may.
    Organization,
    /// The process has.
    Process,
}

struct Feed {
    tenant: Tenant,
    position: Position,
    listeners: usize,
    sender: broadcast::Sender<Heard>,
}

/// Who listens in this process.
pub struct Hub {
    feeds: Mutex<HashMap<OrganizationId, Feed>>,
    most: usize,
    most_of_one: usize,
    woken: Notify,
    /// Cancelled when the process is asked to end.
    pub(crate) closing: CancellationToken,
}

/// A listener's place in the hub; free again when it is dropped.
pub(crate) struct Seat {
    hub: Arc<Hub>,
    pub(crate) tenant: Tenant,
    /// What is heard lies after this.
    pub(crate) from: Position,
    pub(crate) heard: broadcast::Receiver<Heard>,
}

impl Hub {
    /// With so many seats, and so many of them for one organization.
    pub fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        Arc::new(Self {
            feeds: Mutex::default(),
            most,
            most_of_one,
            woken: Notify::new(),
            closing: CancellationToken::new(),
        })
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<OrganizationId, Feed>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for one who listens to `tenant`. `horizon` is where its feed begins
    /// if nobody has listened so far; it was read before this call.
    pub(crate) fn sit(self: &Arc<Self>, tenant: Tenant, horizon: Position) -> Result<Seat, Full> {
        let mut feeds = self.feeds();
        let sitting: usize = feeds.values().map(|feed| feed.listeners).sum();
        if sitting >= self.most {
            return Err(Full::Process);
        }
        let feed = feeds.entry(tenant.organization()).or_insert_with(|| Feed {
            tenant,
            position: horizon,
            listeners: 0,
            sender: broadcast::Sender::new(KEPT),
        });
        if feed.listeners >= self.most_of_one {
            return Err(Full::Organization);
        }
        feed.listeners += 1;
        metrics::gauge!("api_stream_listeners").increment(1.0);
        self.woken.notify_one();
        Ok(Seat {
            hub: Arc::clone(self),
            tenant,
            from: feed.position,
            heard: feed.sender.subscribe(),
        })
    }

    /// Reads for all who listen, until the process is asked to end. While nobody
    /// does, it costs nothing.
    pub(crate) async fn run(self: Arc<Self>, backbone: Backbone) {
        let reading = async {
            loop {
                let nobody = self.feeds().is_empty();
                if nobody {
                    self.woken.notified().await;
                }
                match self.read(&backbone).await {
                    Ok(true) => {}
                    Ok(false) => sleep(LOOK_AGAIN).await,
                    Err(error) => {
                        tracing::warn!(%error, "the timeline could not be followed; trying again");
                        sleep(LOOK_AGAIN).await;
                    }
                }
            }
        };
        self.closing.run_until_cancelled(reading).await;
    }

    /// Reads on once for all; true if there may be more right away.
    async fn read(&self, backbone: &Backbone) -> Result<bool, DbError> {
        let positions: Vec<_> = self
            .feeds()
            .values()
            .map(|feed| (feed.tenant, feed.position))
            .collect();
        let mut conn = backbone.db.read().await?;
        // Read before the entries: all that lies before it will be among them.
        let horizon = feed::horizon(&mut conn, backbone.clock.now()).await?;
        let moved = feed::after(&mut conn, &positions, PAGE).await?;
        drop(conn);
        let mut by_organization: HashMap<_, Vec<Moved>> = HashMap::new();
        for entry in moved {
            let entries = by_organization.entry(entry.organization);
            entries.or_default().push(entry);
        }
        let mut more = false;
        let mut feeds = self.feeds();
        for (tenant, asked_from) in positions {
            let entries = by_organization.remove(&tenant.organization());
            let entries = entries.unwrap_or_default();
            let Some(feed) = feeds.get_mut(&tenant.organization()) else {
                continue;
            };
            // The feed may have ended and begun anew meanwhile, further on.
            if feed.position != asked_from {
                continue;
            }
            let full = entries.len() >= FULL_PAGE;
            more |= full;
            for entry in entries {
                feed.position = entry.position;
                // Nobody left to hear it is no fault.
                let _unheard = feed.sender.send(Heard::Moved(Arc::new(entry)));
            }
            if !full && horizon > feed.position {
                feed.position = horizon;
                let _unheard = feed.sender.send(Heard::Nothing(horizon));
            }
        }
        Ok(more)
    }
}

impl Seat {
    pub(super) fn hub(&self) -> Arc<Hub> {
        Arc::clone(&self.hub)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::gauge!("api_stream_listeners").decrement(1.0);
        let mut feeds = self.hub.feeds();
        if let Some(feed) = feeds.get_mut(&self.tenant.organization()) {
            feed.listeners = feed.listeners.saturating_sub(1);
            if feed.listeners == 0 {
                feeds.remove(&self.tenant.organization());
            }
        }
    }
}
