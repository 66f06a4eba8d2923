//! When a breaker opens and closes.
//!
//! ```text
//! closed ──(so many failures on end, or half of the last twenty)──> open
//!   ^  └──(told to stay away)─────────────────────────────────────> open
//!   │                                                              │ the pause is over
//!   └──(as many probes answered well)── half-open <────────────────┘
//!                                           └──(a probe failed)──> open, twice as long
//! ```
//!
//! A pass is of the time between two moves in which it was given: what an older one
//! hears is no news. So a request that was under way when the breaker opened neither
//! closes it nor keeps it open.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Outcomes that the rate of failures is taken of.
const RECENT: u32 = 20;
/// So many failures of [`RECENT`] open the breaker: half.
const TOO_MANY: u32 = RECENT / 2;
/// How long to wait while all probes are under way.
const UNTIL_A_PROBE_ENDS: Duration = Duration::from_millis(250);
/// The longest pause that the other side may ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// How patient a breaker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Failures on end that open it.
    pub failures_in_a_row: NonZeroU32,
    /// Its first pause, which doubles with each failed probe.
    pub first_pause: Duration,
    /// Its longest pause.
    pub longest_pause: Duration,
    /// Most requests that try it at once after a pause; as many good answers close it.
    pub probes: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        const FIVE: NonZeroU32 = NonZeroU32::new(5).unwrap();
        const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
        Self {
            failures_in_a_row: FIVE,
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_mins(1),
            probes: TWO,
        }
    }
}

/// What a request told of the other side's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It answered, whatever it said.
    Well,
    /// It is not well: no connection, no answer in time, an error of its own.
    Trouble,
    /// It asked to be left alone, for so long if it said so; or nothing but a refusal
    /// can come of asking on.
    StayAway(Option<Duration>),
    /// Nothing: the request was not made, or was given up.
    Nothing,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Requests go through.
    Closed,
    /// A few go through, to see.
    HalfOpen,
    /// None goes through.
    Open,
}

impl Position {
    /// As metrics name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

/// The way is closed: nothing is to be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is left alone for a while, since it was not well")]
pub struct Closed {
    /// Until it may be asked again.
    pub pause: Duration,
}

/// Leave for one request; what it hears is told with it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a probe whose outcome is not told keeps its place"]
pub struct Pass {
    /// The move after which it was given.
    moves: u64,
}

/// The newest outcomes, a bit each, failures set.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    bits: u32,
    count: u32,
}

impl Recent {
    fn push(&mut self, failed: bool) {
        self.bits = ((self.bits << 1) | u32::from(failed)) & ((1 << RECENT) - 1);
        self.count = (self.count + 1).min(RECENT);
    }

    const fn is_bad(self) -> bool {
        self.count == RECENT && self.bits.count_ones() >= TOO_MANY
    }
}

#[derive(Debug)]
enum State {
    Closed { in_a_row: u32, recent: Recent },
    Open { until: Instant },
    HalfOpen { under_way: u32, well: u32 },
}

/// One breaker.
#[derive(Debug)]
pub struct Breaker {
    limits: Limits,
    state: State,
    /// How often it has opened since it was last closed.
    openings: u32,
    /// How often it has moved.
    moves: u64,
}

impl Breaker {
    /// A closed one.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: CLOSED,
            openings: 0,
            moves: 0,
        }
    }

    /// Where it stands.
    pub const fn position(&self) -> Position {
        match self.state {
            State::Closed { .. } => Position::Closed,
            State::HalfOpen { .. } => Position::HalfOpen,
            State::Open { .. } => Position::Open,
        }
    }

    /// Until a request may go through; none if one may now. Nothing is taken.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Closed { .. } => None,
            State::Open { until } => {
                let left = until.saturating_duration_since(now);
                (!left.is_zero()).then_some(left)
            }
            State::HalfOpen { under_way, .. } => {
                (under_way >= self.limits.probes.get()).then_some(UNTIL_A_PROBE_ENDS)
            }
        }
    }

    /// Asks for leave for one request.
    pub fn ask(&mut self, now: Instant) -> Result<Pass, Closed> {
        if let Some(pause) = self.pause(now) {
            return Err(Closed { pause });
        }
        if let State::Open { .. } = self.state {
            self.turn(State::HalfOpen {
                under_way: 0,
                well: 0,
            });
        }
        if let State::HalfOpen { under_way, .. } = &mut self.state {
            *under_way += 1;
        }
        Ok(Pass { moves: self.moves })
    }

    /// Takes in what a request heard.
    #[expect(clippy::needless_pass_by_value, reason = "a request is heard of once")]
    pub fn hear(&mut self, pass: Pass, heard: Heard, now: Instant) {
        if pass.moves != self.moves {
            return;
        }
        let limits = self.limits;
        match (&mut self.state, heard) {
            (State::Open { .. }, _) | (State::Closed { .. }, Heard::Nothing) => {}
            (State::HalfOpen { under_way, .. }, Heard::Nothing) => *under_way -= 1,
            (_, Heard::StayAway(asked)) => self.open(now, asked.unwrap_or_default()),
            (State::HalfOpen { .. }, Heard::Trouble) => self.open(now, Duration::ZERO),
            (State::HalfOpen { under_way, well }, Heard::Well) => {
                *under_way -= 1;
                *well += 1;
                if *well >= limits.probes.get() {
                    self.openings = 0;
                    self.turn(CLOSED);
                }
            }
            (State::Closed { in_a_row, recent }, Heard::Well) => {
                *in_a_row = 0;
                recent.push(false);
            }
            (State::Closed { in_a_row, recent }, Heard::Trouble) => {
                *in_a_row += 1;
                recent.push(true);
                if *in_a_row >= limits.failures_in_a_row.get() || recent.is_bad() {
                    self.open(now, Duration::ZERO);
                }
            }
        }
    }

    /// Opens for its own pause, or for what it was asked for if that is longer.
    fn open(&mut self, now: Instant, asked: Duration) {
        let doubled = 2u32.saturating_pow(self.openings.min(20));
        let own = self.limits.first_pause.saturating_mul(doubled);
        let pause = own
            .min(self.limits.longest_pause)
            .max(asked.min(LONGEST_ASKED));
        self.openings = self.openings.saturating_add(1);
        self.turn(State::Open { until: now + pause });
    }

    fn turn(&mut self, state: State) {
        self.moves += 1;
        self.state = state;
    }
}

const CLOSED: State = State::Closed {
    in_a_row: 0,
    recent: Recent { bits: 0, count: 0 },
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> Limits {
        Limits {
            failures_in_a_row: NonZeroU32::new(3).unwrap(),
            first_pause: SECOND,
            longest_pause: 8 * SECOND,
            probes: NonZeroU32::new(2).unwrap(),
        }
    }

    fn tell(breaker: &mut Breaker, heard: Heard, now: Instant) {
        let pass = breaker.ask(now).unwrap();
        breaker.hear(pass, heard, now);
    }

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(limits());
        for _ in 0..3 {
            tell(&mut breaker, Heard::Trouble, now);
        }
        assert_eq!(breaker.position(), Position::Open);
        breaker
    }

    #[test]
    fn failures_on_end_open_it_and_an_answer_in_between_starts_the_count_anew() {
        let now = Instant::now();
        let mut breaker = Breaker::new(limits());
        for heard in [Heard::Trouble, Heard::Trouble, Heard::Well].repeat(3) {
            tell(&mut breaker, heard, now);
            assert_eq!(breaker.position(), Position::Closed);
        }
        assert_eq!(opened(now).pause(now), Some(SECOND));
    }

    #[test]
    fn half_of_the_last_twenty_open_it_though_never_three_failed_on_end() {
        let now = Instant::now();
        let mut breaker = Breaker::new(limits());
        let mut told = 0;
        while breaker.position() == Position::Closed {
            let heard = [Heard::Trouble, Heard::Well][told % 2];
            tell(&mut breaker, heard, now);
            told += 1;
            assert!(told <= 21, "it never opened");
        }
        assert!(told >= 20, "{told} are too few to tell a rate");
    }

    #[test]
    fn a_failed_probe_doubles_the_pause_up_to_the_longest() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        for seconds in [1, 2, 4, 8, 8] {
            assert_eq!(breaker.pause(now), Some(seconds * SECOND));
            now += seconds * SECOND;
            tell(&mut breaker, Heard::Trouble, now);
        }
    }

    #[test]
    fn it_stays_away_for_as_long_as_it_is_asked_to() {
        let now = Instant::now();
        let mut breaker = Breaker::new(limits());
        tell(&mut breaker, Heard::StayAway(Some(30 * SECOND)), now);
        assert_eq!(breaker.pause(now), Some(30 * SECOND));
        let far = Heard::StayAway(Some(Duration::from_hours(90)));
        tell(&mut breaker, far, now + 30 * SECOND);
        assert_eq!(breaker.pause(now + 30 * SECOND), Some(LONGEST_ASKED));
    }

    #[test]
    fn a_request_from_before_it_opened_neither_closes_nor_reopens_it() {
        let now = Instant::now();
        let mut breaker = Breaker::new(limits());
        let (late, later) = (breaker.ask(now).unwrap(), breaker.ask(now).unwrap());
        for _ in 0..3 {
            tell(&mut breaker, Heard::Trouble, now);
        }
        breaker.hear(late, Heard::Well, now);
        let after = now + SECOND;
        let probe = breaker.ask(after).unwrap();
        breaker.hear(later, Heard::Trouble, after);
        assert_eq!(breaker.position(), Position::HalfOpen);
        breaker.hear(probe, Heard::Well, after);
        tell(&mut breaker, Heard::Well, after);
        assert_eq!(breaker.position(), Position::Closed);
    }

    #[test]
    fn a_probe_that_was_given_up_leaves_its_place_to_another() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let after = now + SECOND;
        let (first, _second) = (breaker.ask(after).unwrap(), breaker.ask(after).unwrap());
        assert!(breaker.ask(after).is_err());
        breaker.hear(first, Heard::Nothing, after);
        assert!(breaker.ask(after).is_ok());
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Ask,
        Hear(usize, Heard),
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let heard = prop_oneof![
            Just(Heard::Well),
            Just(Heard::Trouble),
            Just(Heard::Nothing),
            (0u32..20).prop_map(|s| Heard::StayAway(Some(s * SECOND))),
        ];
        let step = prop_oneof![
            3 => Just(Step::Ask),
            3 => (any::<usize>(), heard).prop_map(|(which, heard)| Step::Hear(which, heard)),
            1 => (0u64..10_000).prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 1..300)
    }

    /// Plays a history; answers the breaker, the passes that are out, and the time.
    fn play(steps: &[Step], mut look: impl FnMut(&Breaker, Instant)) -> (Breaker, Instant) {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(limits());
        let mut out: Vec<Pass> = Vec::new();
        for step in steps {
            match *step {
                Step::Ask => {
                    let paused = breaker.pause(now);
                    match breaker.ask(now) {
                        Ok(pass) => {
                            assert_eq!(paused, None, "let through while it was closed");
                            out.push(pass);
                        }
                        Err(closed) => assert_eq!(paused, Some(closed.pause)),
                    }
                }
                Step::Hear(which, heard) if !out.is_empty() => {
                    let pass = out.swap_remove(which % out.len());
                    breaker.hear(pass, heard, now);
                }
                Step::Hear(..) => {}
                Step::Wait(millis) => now += Duration::from_millis(millis),
            }
            if breaker.position() == Position::HalfOpen {
                let probes = out.iter().filter(|it| it.moves == breaker.moves).count();
                assert!(probes <= 2, "{probes} probes at once");
            }
            look(&breaker, now);
        }
        (breaker, now)
    }

    proptest! {
        #[test]
        fn no_history_lets_more_probes_through_than_allowed_or_any_while_it_is_open(
            steps in steps(),
        ) {
            play(&steps, |breaker, now| {
                if let Some(pause) = breaker.pause(now) {
                    assert!(pause <= 20 * SECOND, "{pause:?} was neither its own nor asked for");
                }
            });
        }

        #[test]
        fn after_any_history_a_side_that_is_well_again_is_used_again(steps in steps()) {
            let (mut breaker, now) = play(&steps, |_, _| {});
            // Whoever holds a pass lets go of it in the end: none is counted any more.
            let mut now = now;
            if let State::HalfOpen { under_way, .. } = &mut breaker.state {
                *under_way = 0;
            }
            for _ in 0..3 {
                now += breaker.pause(now).unwrap_or_default();
                tell(&mut breaker, Heard::Well, now);
            }
            prop_assert_eq!(breaker.position(), Position::Closed);
        }

        #[test]
        fn what_always_answers_is_never_left_alone(count in 1usize..500) {
            let now = Instant::now();
            let mut breaker = Breaker::new(limits());
            for _ in 0..count {
                tell(&mut breaker, Heard::Well, now);
            }
            prop_assert_eq!(breaker.position(), Position::Closed);
        }
    }
}
