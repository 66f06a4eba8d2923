//! The load: merchants whose payments fail, and payers who do something about it or don't.
//!
//! It is open-loop: cases begin at their times however slowly the system answers. A case is one
//! payer with one failed payment; what it does is its [`Story`], what came of it is in the journal,
//! and what must come of it is the oracle's business.

mod batch;
mod client;
mod payer;
mod play;
mod story;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

pub use story::{Case, Story};

use crate::ground::Ground;
use crate::journal::Journal;
use batch::Batcher;
use client::Client;

/// Told to nobody else, so that the load's randomness is not the faults'.
const LOAD: u64 = 0x10AD;

/// What every case needs.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) ground: Arc<Ground>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) client: Client,
    batcher: Arc<Batcher>,
    cases: Cases,
}

/// Every case of which it is known how its payment is called.
#[derive(Debug, Clone, Default)]
pub struct Cases(Arc<Mutex<Vec<Case>>>);

impl Cases {
    /// Notes one.
    pub(crate) fn note(&self, case: &Case) {
        let mut cases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cases.push(case.clone());
    }

    /// All so far.
    pub fn all(&self) -> Vec<Case> {
        let cases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cases.clone()
    }
}

/// How much of a load, and how it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Dose {
    /// Cases that begin in a second.
    pub per_second: f64,
    /// Whether no request may fail.
    pub is_strict: bool,
}

/// A running load.
pub struct Load {
    stage: Stage,
    playing: JoinSet<()>,
    rng: StdRng,
    per_second: f64,
    next: u64,
}

impl Load {
    /// A load made from the seed.
    /// Where the load is strict, a request that fails is a promise not kept.
    pub fn new(ground: Arc<Ground>, journal: Arc<Journal>, seed: u64, dose: Dose) -> Self {
        let client = Client::new(ground.api_url.clone(), Arc::clone(&journal), dose.is_strict);
        let stage = Stage {
            ground,
            journal,
            client,
            batcher: Arc::default(),
            cases: Cases::default(),
        };
        Self {
            stage,
            playing: JoinSet::new(),
            rng: StdRng::seed_from_u64(seed ^ LOAD),
            per_second: dose.per_second,
            next: 0,
        }
    }

    /// Begins cases for so long.
    pub async fn run(&mut self, span: Duration) {
        let begun = Instant::now();
        let mut at = Duration::ZERO;
        loop {
            at += self.gap();
            if at >= span {
                return;
            }
            sleep_until(begun + at).await;
            self.begin_one();
            // What has ended need not be kept.
            while self.playing.try_join_next().is_some() {}
        }
    }

    /// Waits until every payer has done what they do, but no longer than `patience`; answers how
    /// many had not.
    pub async fn ended(&mut self, patience: Duration) -> usize {
        let all = async { while self.playing.join_next().await.is_some() {} };
        // Those that remain are counted below.
        let _ = tokio::time::timeout(patience, all).await;
        let remaining = self.playing.len();
        self.playing.shutdown().await;
        remaining
    }

    /// Every case that was begun, and is yet to be.
    pub fn cases(&self) -> Cases {
        self.stage.cases.clone()
    }

    /// Arrivals of a crowd: the gaps are exponential.
    #[expect(clippy::float_arithmetic, reason = "a logarithm")]
    fn gap(&mut self) -> Duration {
        let uniform: f64 = self.rng.random_range(1e-6..1.0);
        Duration::from_secs_f64(-uniform.ln() / self.per_second)
    }

    fn begin_one(&mut self) {
        let number = self.next;
        self.next += 1;
        let organization = self
            .rng
            .random_range(0..self.stage.ground.organizations.len());
        let case = Case::new(number, organization, Story::draw(&mut self.rng));
        let rng = StdRng::seed_from_u64(self.rng.random());
        let stage = self.stage.clone();
        self.playing.spawn(play::play(stage, case, rng));
    }
}

impl Stage {
    /// Notes a case once it is known how its payment is called.
    pub(crate) fn note(&self, case: &Case) {
        self.cases.note(case);
    }
}
