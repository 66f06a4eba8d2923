//! The places of a worker, and who may hold how many of them.
//!
//! ```text
//! claimed ─> a place, of the worker's and of its organization's share
//!              │ the charge's provider is known
//!              ├─(its share has room)──> at the provider
//!              └─(none)─> aside: the place is given back, the organization's share is not
//!                           ├─(room in time)──> a place again, at the provider
//!                           └─(none)──────────> put back, as the attempt that it is
//! ```
//!
//! An organization's share is kept to when attempts are claimed: what exceeds it stays
//! where it is. A provider is known only to whoever has read the charge. So that no more
//! are claimed than can be made, organizations with accounts at a provider alone for
//! which charges wait aside are passed over (`Places::crowded`).
//!
//! An account belongs to one organization, so that what hangs there holds no more than
//! that organization's share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Provider;
use domain::id::OrganizationId;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How many places there are.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In all.
    pub in_all: usize,
    /// Most of one organization.
    pub per_organization: usize,
    /// Most of charges over one provider.
    pub per_provider: usize,
    /// The longest that a charge waits aside. Its lease runs meanwhile.
    pub aside: Duration,
}

/// All places of a worker.
#[derive(Debug)]
pub struct Places {
    limits: Limits,
    free: Arc<Semaphore>,
    lanes: [Lane; 2],
    /// Attempts under way by organization; none of those without any.
    held: Mutex<HashMap<OrganizationId, usize>>,
    /// Told whenever a place is given back.
    freed: Notify,
}

/// What charges over one provider may hold.
#[derive(Debug)]
struct Lane {
    provider: Provider,
    free: Arc<Semaphore>,
    /// For those that wait for one.
    aside: Arc<Semaphore>,
}

impl Places {
    /// All of them free.
    pub fn new(limits: Limits) -> Arc<Self> {
        let in_all = limits.in_all.max(1);
        let lane = |provider| Lane {
            provider,
            free: Arc::new(Semaphore::new(limits.per_provider.clamp(1, in_all))),
            aside: Arc::new(Semaphore::new(in_all)),
        };
        Arc::new(Self {
            limits: Limits {
                in_all,
                per_organization: limits.per_organization.clamp(1, in_all),
                ..limits
            },
            free: Arc::new(Semaphore::new(in_all)),
            lanes: [lane(Provider::Stripe), lane(Provider::Razorpay)],
            held: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Most that one organization may hold.
    pub const fn per_organization(&self) -> usize {
        self.limits.per_organization
    }

    /// Waits until a place is free, and takes all that are.
    pub(crate) async fn all_free(&self) -> Vec<Unclaimed> {
        // Never closed.
        let first = Arc::clone(&self.free).acquire_owned().await.ok();
        let more = std::iter::from_fn(|| Arc::clone(&self.free).try_acquire_owned().ok());
        first.into_iter().chain(more).map(Unclaimed).collect()
    }

    /// How many attempts of which organizations are under way.
    pub(crate) fn held(&self) -> HashMap<OrganizationId, usize> {
        self.organizations().clone()
    }

    /// Providers for which charges wait aside.
    pub(crate) fn crowded(&self) -> Vec<Provider> {
        let in_all = self.limits.in_all;
        let waited_for = |lane: &&Lane| lane.aside.available_permits() < in_all;
        let lanes = self.lanes.iter().filter(waited_for);
        lanes.map(|lane| lane.provider).collect()
    }

    /// Whether something due may have to wait for its share, though places are free.
    pub(crate) fn any_full(&self) -> bool {
        !self.crowded().is_empty() || self.most_held() >= self.limits.per_organization
    }

    /// How many attempts are under way of the organization with the most.
    fn most_held(&self) -> usize {
        let held = self.organizations();
        held.values().copied().max().unwrap_or(0)
    }

    /// Waits until a claim is worth its cost: an eighth of all places is free, and of each
    /// organization's share.
    pub(crate) async fn roomy(&self) {
        let (in_all, most) = (self.limits.in_all, self.limits.per_organization);
        while self.free.available_permits() < in_all / 8 || self.most_held() > most - most / 8 {
            self.freed().await;
        }
    }

    /// Waits until a place is given back. One that was since the last time counts.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
    }

    fn lane(&self, provider: Provider) -> &Lane {
        match provider {
            Provider::Stripe => &self.lanes[0],
            Provider::Razorpay => &self.lanes[1],
        }
    }

    fn organizations(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A free place for which nothing was claimed yet.
#[derive(Debug)]
pub(crate) struct Unclaimed(OwnedSemaphorePermit);

/// One attempt's place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    organization: OrganizationId,
    /// None while it waits aside.
    held: Option<OwnedSemaphorePermit>,
    /// At which provider it counts.
    at: Option<(Provider, OwnedSemaphorePermit)>,
}

impl Place {
    /// Of an organization whose attempt was claimed.
    pub(crate) fn of(
        places: &Arc<Places>,
        Unclaimed(place): Unclaimed,
        organization: OrganizationId,
    ) -> Self {
        Self::counted(places, Some(place), organization)
    }

    /// Of an attempt that is acted on by hand, when there is one.
    pub async fn next(places: &Arc<Places>, organization: OrganizationId) -> Self {
        // Never closed.
        let place = Arc::clone(&places.free).acquire_owned().await.ok();
        Self::counted(places, place, organization)
    }

    fn counted(
        places: &Arc<Places>,
        held: Option<OwnedSemaphorePermit>,
        organization: OrganizationId,
    ) -> Self {
        *places.organizations().entry(organization).or_default() += 1;
        Self {
            places: Arc::clone(places),
            organization,
            held,
            at: None,
        }
    }

    /// Counts at a provider, if its share has room or it counts there already.
    pub(crate) fn try_at(&mut self, provider: Provider) -> bool {
        if self.at.as_ref().is_some_and(|(at, _)| *at == provider) {
            return true;
        }
        let lane = self.places.lane(provider);
        let permit = Arc::clone(&lane.free).try_acquire_owned().ok();
        self.at = permit.map(|permit| (provider, permit));
        self.at.is_some()
    }

    /// Gives its place to others, and waits until the provider's share has room.
    /// False if there was none in time, or as many wait as may.
    pub(crate) async fn wait_aside_for(&mut self, provider: Provider) -> bool {
        let places = Arc::clone(&self.places);
        let lane = places.lane(provider);
        let Ok(_aside) = lane.aside.try_acquire() else {
            return false;
        };
        metrics::counter!("attempts_aside_total", "provider" => provider.as_str()).increment(1);
        self.held = None;
        places.freed.notify_one();
        let room = Arc::clone(&lane.free).acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(places.limits.aside, room).await else {
            return false;
        };
        self.at = Some((provider, permit));
        self.held = Arc::clone(&places.free).acquire_owned().await.ok();
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.organizations();
        if let Some(count) = held.get_mut(&self.organization) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.organization);
            }
        }
        drop(held);
        // Before it is told, so that whoever hears it finds the place.
        (self.held, self.at) = (None, None);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use domain::Id;
    use uuid::Uuid;

    use super::*;

    fn places(aside: Duration) -> Arc<Places> {
        Places::new(Limits {
            in_all: 4,
            per_organization: 2,
            per_provider: 3,
            aside,
        })
    }

    fn organization(number: u128) -> OrganizationId {
        Id::from_uuid(Uuid::from_u128(number))
    }

    async fn at_stripe(places: &Arc<Places>, number: u128) -> Place {
        let mut place = Place::next(places, organization(number)).await;
        assert!(place.try_at(Provider::Stripe));
        place
    }

    #[tokio::test]
    async fn what_waits_for_a_provider_gives_its_place_to_others_and_goes_on_in_its_turn() {
        let places = places(Duration::from_secs(20));
        let mut there = Vec::new();
        for number in 0..3 {
            there.push(at_stripe(&places, number).await);
        }
        let mut fourth = Place::next(&places, organization(3)).await;
        assert!(!fourth.try_at(Provider::Stripe));
        let waiting = tokio::spawn(async move {
            let went_on = fourth.wait_aside_for(Provider::Stripe).await;
            (went_on, fourth)
        });
        let other = Place::next(&places, organization(4)).await;
        assert_eq!(places.crowded(), [Provider::Stripe]);
        there.pop();
        let (went_on, fourth) = waiting.await.unwrap();
        assert!(went_on && places.crowded().is_empty());
        drop((other, fourth, there));
        assert!(places.held().is_empty());
        assert_eq!(places.all_free().await.len(), 4);
    }

    #[tokio::test]
    async fn a_claim_is_worth_its_cost_once_an_eighth_of_a_share_is_free() {
        let places = Places::new(Limits {
            in_all: 64,
            per_organization: 16,
            per_provider: 64,
            aside: Duration::ZERO,
        });
        let mut held = Vec::new();
        for _ in 0..15 {
            held.push(Place::next(&places, organization(0)).await);
        }
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.roomy().await }
        });
        tokio::task::yield_now().await;
        assert!(
            !waiting.is_finished(),
            "one place of 16 is free, and two are an eighth"
        );
        held.pop();
        waiting.await.unwrap();
        places.roomy().await;
    }

    #[tokio::test]
    async fn whoever_waits_aside_in_vain_is_told_so() {
        let places = places(Duration::from_millis(20));
        let _there = [
            at_stripe(&places, 0).await,
            at_stripe(&places, 1).await,
            at_stripe(&places, 2).await,
        ];
        let mut fourth = Place::next(&places, organization(3)).await;
        assert!(!fourth.wait_aside_for(Provider::Stripe).await);
        assert!(fourth.try_at(Provider::Razorpay));
    }

    #[tokio::test]
    async fn an_organization_is_full_at_its_share_and_no_longer_when_one_ends() {
        let places = places(Duration::ZERO);
        let first = Place::next(&places, organization(1)).await;
        assert!(!places.any_full());
        let second = Place::next(&places, organization(1)).await;
        assert!(places.any_full());
        assert_eq!(places.held()[&organization(1)], 2);
        drop(first);
        assert!(!places.any_full());
        drop(second);
    }
}
