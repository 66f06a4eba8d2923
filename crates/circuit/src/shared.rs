//! A breaker that its process shares, with its metrics and log lines.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::breaker::{Breaker, Closed, Heard, Limits, Pass, Position};

/// What a circuit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything of a company: its gauge shows where it stands.
    Company,
    /// One account there, of many: they are counted, not named.
    Account,
}

impl Scope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Account => "account",
        }
    }
}

/// A breaker that its process shares.
#[derive(Debug)]
pub struct Circuit {
    provider: &'static str,
    scope: Scope,
    breaker: Mutex<Breaker>,
}

impl Circuit {
    /// A closed one, towards `provider` as metrics name it.
    pub fn new(provider: &'static str, scope: Scope, limits: Limits) -> Self {
        let circuit = Self {
            provider,
            scope,
            breaker: Mutex::new(Breaker::new(limits)),
        };
        if scope == Scope::Company {
            circuit.show(Position::Closed);
        }
        circuit
    }

    /// Asks for leave for one request.
    pub fn enter(&self) -> Result<Passage<'_>, Closed> {
        match self.change(Breaker::ask) {
            Ok(pass) => Ok(Passage {
                circuit: self,
                pass: Some(pass),
            }),
            Err(closed) => {
                metrics::counter!(
                    "tinko_circuit_held_back_total",
                    "provider" => self.provider, "scope" => self.scope.as_str(),
                )
                .increment(1);
                Err(closed)
            }
        }
    }

    /// Until a request may go through; none if one may now. Nothing is taken.
    pub fn pause(&self) -> Option<Duration> {
        self.lock().pause(Instant::now().into_std())
    }

    /// Waits until a request may go through. Another may be quicker then.
    pub async fn passable(&self) {
        while let Some(pause) = self.pause() {
            tokio::time::sleep(pause).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, act: impl FnOnce(&mut Breaker, std::time::Instant) -> T) -> T {
        let now = Instant::now().into_std();
        let (before, after, pause, answer) = {
            let mut breaker = self.lock();
            let before = breaker.position();
            let answer = act(&mut breaker, now);
            (before, breaker.position(), breaker.pause(now), answer)
        };
        if before != after {
            self.told(before, after, pause);
        }
        answer
    }

    fn told(&self, before: Position, after: Position, pause: Option<Duration>) {
        let (provider, scope) = (self.provider, self.scope.as_str());
        metrics::counter!(
            "tinko_circuit_transitions_total",
            "provider" => provider, "scope" => scope, "to" => after.as_str(),
        )
        .increment(1);
        match self.scope {
            Scope::Company => self.show(after),
            Scope::Account => self.count(before, after),
        }
        match after {
            Position::Open => {
                tracing::warn!(provider, scope, ?pause, "it is not well and is left alone");
            }
            Position::HalfOpen => {
                tracing::info!(provider, scope, "it is tried again by a few requests");
            }
            Position::Closed => tracing::info!(provider, scope, "it is well again"),
        }
    }

    /// 0 closed, 1 half-open, 2 open.
    fn show(&self, position: Position) {
        let value = match position {
            Position::Closed => 0.0,
            Position::HalfOpen => 1.0,
            Position::Open => 2.0,
        };
        metrics::gauge!("tinko_circuit_state", "provider" => self.provider).set(value);
    }

    /// Counts an account that is left alone, or no longer is.
    fn count(&self, before: Position, after: Position) {
        let gauge = metrics::gauge!(
            "tinko_circuit_accounts_paused", "provider" => self.provider,
        );
        if before == Position::Closed {
            gauge.increment(1.0);
        } else if after == Position::Closed {
            gauge.decrement(1.0);
        }
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        let position = self.lock().position();
        if self.scope == Scope::Account && position != Position::Closed {
            self.count(position, Position::Closed);
        }
    }
}

/// Leave for one request. Dropped without a word, it tells nothing.
#[derive(Debug)]
#[must_use = "what the request heard is to be told"]
pub struct Passage<'a> {
    circuit: &'a Circuit,
    pass: Option<Pass>,
}

impl Passage<'_> {
    /// Tells what the request heard.
    pub fn tell(mut self, heard: Heard) {
        self.end(heard);
    }

    fn end(&mut self, heard: Heard) {
        if let Some(pass) = self.pass.take() {
            self.circuit
                .change(|breaker, now| breaker.hear(pass, heard, now));
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.end(Heard::Nothing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Circuit {
        let limits = Limits {
            first_pause: Duration::from_millis(50),
            ..Limits::default()
        };
        Circuit::new("smtp", Scope::Company, limits)
    }

    #[tokio::test]
    async fn a_passage_dropped_without_a_word_gives_its_place_back() {
        let circuit = quick();
        circuit.enter().unwrap().tell(Heard::StayAway(None));
        assert!(circuit.enter().is_err());
        circuit.passable().await;
        let first = circuit.enter().unwrap();
        let second = circuit.enter().unwrap();
        assert!(circuit.enter().is_err(), "two probes at once are the most");
        drop((first, second));
        assert!(circuit.enter().is_ok());
    }

    #[tokio::test]
    async fn whoever_waits_goes_on_when_the_pause_is_over() {
        let circuit = quick();
        let began = Instant::now();
        let asked = Duration::from_millis(300);
        circuit.enter().unwrap().tell(Heard::StayAway(Some(asked)));
        circuit.passable().await;
        assert!(began.elapsed() >= asked);
        assert!(circuit.enter().is_ok());
    }
}
