//! What the desks of all channels hold alike.

use std::sync::Arc;

use backbone::Backbone;
use chrono::{DateTime, TimeDelta, Utc};
use circuit::Circuit;
use db::notifications::{self, Letter};
use db::templates::StoredTemplate;
use db::{DbError, Tenant};
use domain::Channel;
use domain::id::NotificationId;
use domain::token::LinkKey;
use url::Url;
use uuid::Uuid;
use wording::Link;

use crate::desk::Desk;
use crate::facts;
use crate::holds::Holds;

/// What every channel's desk holds alike.
#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) backbone: Backbone,
    pub(crate) link_key: Arc<LinkKey>,
    pub(crate) public_base_url: Url,
    /// Who hands over: new at each start.
    pub(crate) worker: Uuid,
    /// How long a marked hand-over is believed to be under way.
    pub(crate) lease: TimeDelta,
    /// How long a message that is refused for now is tried.
    pub(crate) patience: TimeDelta,
    /// What operators have paused.
    pub(crate) holds: Arc<Holds>,
}

impl Office {
    /// The desk of one channel.
    pub(crate) fn desk<C>(&self, channel: Channel, courier: C, circuit: Arc<Circuit>) -> Desk<C> {
        Desk {
            office: self.clone(),
            channel,
            courier,
            circuit,
        }
    }

    /// A message with what it takes to write it.
    pub(crate) async fn letter(
        &self,
        tenant: Tenant,
        id: NotificationId,
    ) -> Result<Option<Letter>, DbError> {
        let mut conn = self.backbone.db.read().await?;
        notifications::letter(&mut conn, tenant, id).await
    }

    /// Marks that its hand-over starts now. False if it must not.
    pub(crate) async fn mark(&self, letter: &Letter) -> Result<bool, DbError> {
        let mut conn = self.backbone.db.read().await?;
        let now = self.now();
        let until = now + self.lease;
        notifications::begin_hand_over(&mut conn, letter, self.worker, now, until).await
    }

    /// The organization's own template for it, if there is one.
    pub(crate) async fn own(&self, letter: &Letter) -> Result<Option<StoredTemplate>, DbError> {
        let mut conn = self.backbone.db.read().await?;
        facts::own(&mut conn, letter).await
    }

    /// The link that it holds.
    pub(crate) fn link(&self, letter: &Letter) -> Link {
        facts::link(letter, &self.link_key, &self.public_base_url)
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.backbone.clock.now()
    }

    /// By the message's id, which holds when it was asked for.
    pub(crate) fn is_out_of_patience(&self, letter: &Letter) -> bool {
        let asked = letter.id.uuid().get_timestamp().and_then(|timestamp| {
            let (seconds, nanoseconds) = timestamp.to_unix();
            DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
        });
        asked.is_some_and(|asked| self.now() - asked > self.patience)
    }
}
