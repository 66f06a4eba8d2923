//! What every part of the worker holds.

use std::sync::Arc;

use backbone::Backbone;
use connections::Opener;
use domain::token::LinkKey;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::places::Places;

/// What every part of the worker holds. Cheap to clone.
#[derive(Clone)]
pub struct Worker {
    /// Postgres, the streams, the clock.
    pub backbone: Backbone,
    /// The PSPs, by connection.
    pub psps: Opener,
    /// Derives link tokens.
    pub link_key: Arc<LinkKey>,
    /// Who claims: new at each start.
    pub id: Uuid,
    /// How long a claim is believed.
    pub lease: chrono::TimeDelta,
    /// What attempts hold that are under way.
    pub places: Arc<Places>,
    /// Wakes the scheduler when a step was planned.
    pub planned: Arc<Notify>,
}
