//! The collector, as it is made to be.

use std::net::SocketAddr;

use testkit::otlp::{Counter, Silence};

/// What there is to export to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing: no address is set, and no span leaves.
    Off,
    /// A collector that takes all spans.
    Alive,
    /// Nobody listens: connections are refused.
    Dead,
    /// Connections are taken, and nothing is ever answered.
    Silent,
}

impl Mode {
    pub(super) const ALL: [Self; 4] = [Self::Off, Self::Alive, Self::Dead, Self::Silent];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Off => "no collector set",
            Self::Alive => "collector alive",
            Self::Dead => "collector dead",
            Self::Silent => "collector silent",
        }
    }

    /// Its rate, in the last line.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Off => "off_per_s",
            Self::Alive => "alive_per_s",
            Self::Dead => "dead_per_s",
            Self::Silent => "silent_per_s",
        }
    }
}

/// One address, and who is at it.
#[derive(Debug)]
pub(super) struct Collector {
    address: SocketAddr,
    at_it: Option<AtIt>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "each lives for as long as it is held")]
enum AtIt {
    Counter(Counter),
    Silence(Silence),
}

impl Collector {
    pub(super) async fn start() -> Self {
        let counter = Counter::start().await;
        Self {
            address: counter.address(),
            at_it: Some(AtIt::Counter(counter)),
        }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Who was there before is killed.
    pub(super) async fn turn(&mut self, mode: Mode) {
        self.at_it = None;
        self.at_it = match mode {
            Mode::Off | Mode::Dead => None,
            Mode::Alive => Some(AtIt::Counter(Counter::at(self.address).await)),
            Mode::Silent => Some(AtIt::Silence(Silence::at(self.address).await)),
        };
    }
}
