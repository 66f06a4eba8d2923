//! Parts of a process's places, as settings tell them.

use serde::Deserialize;

/// A part of some places, from 1 to 100 percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct Percent(u8);

/// A number that is no such part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be a whole number from 1 to 100")]
pub struct NoPercent;

impl TryFrom<u8> for Percent {
    type Error = NoPercent;

    fn try_from(percent: u8) -> Result<Self, NoPercent> {
        if (1..=100).contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(NoPercent)
        }
    }
}

impl Percent {
    /// That part of `places`, rounded up.
    pub const fn of(self, places: usize) -> usize {
        places.saturating_mul(self.0 as usize).div_ceil(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_places_is_at_least_one_and_all_of_them_at_the_most() {
        let of = |percent: u8, places| Percent::try_from(percent).unwrap().of(places);
        assert_eq!(
            [of(50, 64), of(50, 1), of(1, 16), of(100, 16)],
            [32, 1, 1, 16]
        );
        for wrong in [0, 101, 255] {
            assert_eq!(Percent::try_from(wrong), Err(NoPercent));
        }
    }
}
