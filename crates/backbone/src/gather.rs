//! Work that comes while other work of its lane is being committed, committed together.
//!
//! ```text
//! the first                    goes at once, alone
//! those that come meanwhile    wait for it, and go next, together
//! ```
//!
//! Nobody waits for company, so that a quiet day is no slower; under load the cost of a
//! commit, and of each statement, is shared by as many as came during the one before. Where
//! a little lateness is felt by nobody, commits keep a pace besides ([`Limits::every`]).
//! Lanes do not wait for each other.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

/// How work is gathered.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most pieces of one commit.
    pub most: usize,
    /// Commits of one lane that are under way at the same time: while one waits for the
    /// disk, another one's statements run.
    pub at_once: usize,
    /// From the beginning of one commit of a lane to that of the next, at least, unless
    /// [`Limits::most`] wait: zero, or as long as nobody minds after another one. A gatherer
    /// with a pace remembers every lane that it has had.
    pub every: Duration,
}

/// How many pieces a commit has, as a histogram wants it.
#[expect(clippy::cast_precision_loss, reason = "a commit has some dozens")]
pub const fn size(pieces: usize) -> f64 {
    pieces as f64
}

/// Who waits, and what is under way. `K` names a lane, `W` is what is to be committed in it,
/// and `O` what comes of that.
#[derive(Debug)]
pub struct Gatherer<K, W, O> {
    limits: Limits,
    lanes: Mutex<HashMap<K, Lane<W, O>>>,
}

#[derive(Debug)]
struct Lane<W, O> {
    under_way: usize,
    waiting: VecDeque<Waiting<W, O>>,
    /// When the next commit may begin.
    next_at: Instant,
    /// Told when there is enough for a commit.
    full: Arc<Notify>,
}

#[derive(Debug)]
struct Waiting<W, O> {
    work: W,
    tell: oneshot::Sender<O>,
}

impl<K: Copy + Eq + Hash, W, O> Gatherer<K, W, O> {
    /// With nobody in it.
    pub fn new(limits: Limits) -> Arc<Self> {
        let lanes = Mutex::default();
        Arc::new(Self { limits, lanes })
    }

    /// Has `work` committed with what comes to its lane at the same time, by `commit`, which
    /// is run on `home` and answers what came of each in their order. It goes on when the
    /// caller is given up. None if `commit` came to no end: then it is not known.
    pub async fn with_others<C, F>(
        self: &Arc<Self>,
        home: &Handle,
        lane: K,
        work: W,
        commit: C,
    ) -> Option<O>
    where
        K: Send + 'static,
        W: Send + 'static,
        O: Send + 'static,
        C: Fn(Vec<W>) -> F + Send + 'static,
        F: Future<Output = Vec<O>> + Send,
    {
        let (tell, told) = oneshot::channel();
        if let Some(mut mover) = self.line_up(lane, Waiting { work, tell }) {
            home.spawn(async move {
                while let Some(next) = mover.next().await {
                    let (work, tell): (Vec<W>, Vec<_>) =
                        next.into_iter().map(|it| (it.work, it.tell)).unzip();
                    for (tell, outcome) in tell.into_iter().zip(commit(work).await) {
                        // Whoever was given up does not listen.
                        let _heard = tell.send(outcome);
                    }
                }
            });
        }
        told.await.ok()
    }

    /// Lines up. Whoever is given a [`Mover`] has to see to it that the line moves.
    fn line_up(self: &Arc<Self>, key: K, waiting: Waiting<W, O>) -> Option<Mover<K, W, O>> {
        let mut lanes = self.lanes();
        let lane = lanes.entry(key).or_insert_with(|| Lane {
            under_way: 0,
            waiting: VecDeque::new(),
            next_at: Instant::now(),
            full: Arc::default(),
        });
        lane.waiting.push_back(waiting);
        if lane.waiting.len() >= self.limits.most {
            lane.full.notify_one();
        }
        if lane.under_way >= self.limits.at_once {
            return None;
        }
        lane.under_way += 1;
        Some(Mover {
            gatherer: Arc::clone(self),
            key,
            done: false,
        })
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<K, Lane<W, O>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, key: K) -> Next<W, O> {
        let mut lanes = self.lanes();
        let Some(lane) = lanes.get_mut(&key) else {
            return Next::Nobody;
        };
        let many = self.limits.most.min(lane.waiting.len());
        if many == 0 {
            self.leave(&mut lanes, key);
            return Next::Nobody;
        }
        let now = Instant::now();
        if many < self.limits.most && now < lane.next_at {
            return Next::NotYet(lane.next_at, Arc::clone(&lane.full));
        }
        lane.next_at = now + self.limits.every;
        Next::These(lane.waiting.drain(..many).collect())
    }

    fn leave(&self, lanes: &mut HashMap<K, Lane<W, O>>, key: K) {
        let Some(lane) = lanes.get_mut(&key) else {
            return;
        };
        lane.under_way -= 1;
        if lane.under_way > 0 {
            return;
        }
        // Somebody waits only where the last mover was given up: nobody would move them.
        lane.waiting.clear();
        if self.limits.every.is_zero() {
            lanes.remove(&key);
        }
    }
}

enum Next<W, O> {
    These(Vec<Waiting<W, O>>),
    NotYet(Instant, Arc<Notify>),
    Nobody,
}

/// Sees to it that a line moves. Dropped before [`Mover::next`] has answered that nobody
/// waits, it leaves those who wait to the lane's other movers, and where there is none it
/// drops them.
struct Mover<K: Copy + Eq + Hash, W, O> {
    gatherer: Arc<Gatherer<K, W, O>>,
    key: K,
    /// Whether nobody waited any more.
    done: bool,
}

impl<K: Copy + Eq + Hash, W, O> Mover<K, W, O> {
    /// Those who go next, when it is time for them. None if nobody waits: then whoever comes
    /// next moves the line.
    async fn next(&mut self) -> Option<Vec<Waiting<W, O>>> {
        loop {
            match self.gatherer.next(self.key) {
                Next::These(these) => return Some(these),
                Next::NotYet(at, full) => {
                    tokio::select! {
                        () = sleep_until(at) => {}
                        () = full.notified() => {}
                    }
                }
                Next::Nobody => {
                    self.done = true;
                    return None;
                }
            }
        }
    }
}

impl<K: Copy + Eq + Hash, W, O> Drop for Mover<K, W, O> {
    fn drop(&mut self) {
        if !self.done {
            self.gatherer.leave(&mut self.gatherer.lanes(), self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Duration = Duration::from_millis(20);

    fn gatherer(at_once: usize, every: Duration) -> Arc<Gatherer<u8, u32, ()>> {
        let most = 3;
        Gatherer::new(Limits {
            most,
            at_once,
            every,
        })
    }

    fn work(work: u32) -> Waiting<u32, ()> {
        let tell = oneshot::channel().0;
        Waiting { work, tell }
    }

    impl Mover<u8, u32, ()> {
        async fn numbers(&mut self) -> Option<Vec<u32>> {
            let these = self.next().await?;
            Some(these.into_iter().map(|it| it.work).collect())
        }
    }

    #[tokio::test]
    async fn the_first_goes_at_once_and_those_that_come_meanwhile_go_together() {
        let gatherer = gatherer(1, Duration::ZERO);
        let mut mover = gatherer.line_up(0, work(1)).unwrap();
        assert_eq!(mover.numbers().await, Some(vec![1]));
        for late in 2..7 {
            assert!(gatherer.line_up(0, work(late)).is_none());
        }
        assert_eq!(mover.numbers().await, Some(vec![2, 3, 4]));
        assert_eq!(mover.numbers().await, Some(vec![5, 6]));
        assert_eq!(mover.numbers().await, None);
        assert!(gatherer.lanes().is_empty(), "nothing is left of a lane");
        assert!(gatherer.line_up(0, work(7)).is_some());
    }

    #[tokio::test]
    async fn lanes_do_not_wait_for_each_other_and_one_has_as_many_movers_as_it_may() {
        let gatherer = gatherer(2, Duration::ZERO);
        let first = gatherer.line_up(0, work(1));
        assert!(first.is_some());
        let second = gatherer.line_up(0, work(2));
        assert!(second.is_some());
        assert!(gatherer.line_up(0, work(3)).is_none());
        assert!(gatherer.line_up(1, work(4)).is_some());
    }

    #[tokio::test]
    async fn with_a_pace_the_next_waits_and_the_first_does_not() {
        let gatherer = gatherer(1, PACE);
        let began = Instant::now();
        let mut mover = gatherer.line_up(0, work(1)).unwrap();
        assert_eq!(mover.numbers().await, Some(vec![1]));
        assert_eq!(mover.numbers().await, None);

        let mut mover = gatherer.line_up(0, work(2)).unwrap();
        assert_eq!(mover.numbers().await, Some(vec![2]));
        assert!(began.elapsed() >= PACE, "the pace outlives the mover");
    }

    #[tokio::test]
    async fn a_full_commit_waits_for_nothing() {
        let gatherer = gatherer(1, Duration::from_hours(1));
        let mut mover = gatherer.line_up(0, work(1)).unwrap();
        assert_eq!(mover.numbers().await, Some(vec![1]));
        assert!(gatherer.line_up(0, work(2)).is_none());
        let waiting = tokio::spawn(async move { mover.numbers().await });
        tokio::task::yield_now().await;
        for late in 3..5 {
            assert!(gatherer.line_up(0, work(late)).is_none());
        }
        let next = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        assert_eq!(next.unwrap().unwrap(), Some(vec![2, 3, 4]));
    }

    #[tokio::test]
    async fn each_hears_what_came_of_it_and_nobody_waits_for_what_has_failed() {
        let limits = Limits {
            most: 64,
            at_once: 1,
            every: PACE,
        };
        let gatherer = Gatherer::new(limits);
        let home = Handle::current();
        let doubled = async |number: u32| {
            let double = |all: Vec<u32>| async move {
                assert!(!all.contains(&13), "it fails");
                all.iter().map(|it| it * 2).collect()
            };
            gatherer.with_others(&home, (), number, double).await
        };
        assert_eq!(tokio::join!(doubled(1), doubled(2)), (Some(2), Some(4)));
        assert_eq!(doubled(13).await, None);
        assert_eq!(doubled(3).await, Some(6), "the line moves on");
    }
}
