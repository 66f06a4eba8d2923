//! What is used and left of the windows that bind a card.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::case::ChargeCase;
use super::pack::RulePack;
use super::rule::Binds;
use super::rules;
use super::window::{Window, in_order};

/// How much of one window is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Room {
    /// The rule's name.
    pub rule: &'static str,
    /// Tries that it counts, open ones among them.
    pub used: u32,
    /// The most that it allows.
    pub most: u32,
    /// When there is room again; nothing while there is, or when there never will be.
    pub free_at: Option<DateTime<Utc>>,
}

impl Room {
    /// Charges that may still be made now.
    pub const fn left(&self) -> u32 {
        self.most.saturating_sub(self.used)
    }
}

impl RulePack {
    /// What is used and left at `at` of each window that binds a card or mandate.
    pub fn room(self, case: &ChargeCase<'_>, at: DateTime<Utc>) -> Vec<Room> {
        let tries = in_order(case.tries);
        rules::CHARGES
            .iter()
            .flat_map(|table| table.iter())
            .filter(|rule| rule.known_to(self) && rule.binds(case) && rule.holds(at))
            .filter_map(|rule| match rule.binds {
                Binds::Tries {
                    counts,
                    window_hours,
                    most,
                    ..
                } => {
                    let window = Window::new(counts, window_hours, case);
                    Some(Room {
                        rule: rule.id,
                        used: window.used(&tries, at),
                        most,
                        free_at: window.full_until(&tries, most).filter(|free| *free > at),
                    })
                }
                Binds::Charges { most, .. } => Some(Room {
                    rule: rule.id,
                    used: case.recovery_charges,
                    most,
                    free_at: None,
                }),
                _ => None,
            })
            .collect()
    }
}
