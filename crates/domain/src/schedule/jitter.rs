//! Jitter: how much later than its delay a step falls.

use chrono::TimeDelta;

/// Jitter of `0..=most`, by a fixed function of a recovery's seed and the
/// step's number: one output of `SplitMix64` (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", 2014) at the state `seed +
/// number × 0x9E3779B97F4A7C15`, scaled to milliseconds by taking the high half
/// of its product with their count. It may never change: decisions that were
/// recorded are derived again by it.
pub(super) fn jitter(seed: u64, number: u32, most: TimeDelta) -> TimeDelta {
    let Ok(most) = u64::try_from(most.num_milliseconds()) else {
        return TimeDelta::zero();
    };
    let state = seed.wrapping_add(u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let scaled = (u128::from(mix(state)) * (u128::from(most) + 1)) >> 64;
    TimeDelta::milliseconds(i64::try_from(scaled).unwrap_or(0))
}

const fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_stay_what_they_are() {
        // The first outputs of SplitMix64 from 1234567, as its authors' test
        // vectors have them.
        let golden = 0x9E37_79B9_7F4A_7C15u64;
        let outputs: Vec<_> = (1..=3u64)
            .map(|n| mix(1_234_567u64.wrapping_add(n.wrapping_mul(golden))))
            .collect();
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
        let hour = TimeDelta::hours(1);
        assert_eq!(jitter(1_234_567, 1, hour).num_milliseconds(), 1_260_286);
    }

    #[test]
    fn it_spreads_over_all_that_it_may() {
        let most = TimeDelta::milliseconds(9);
        let mut seen = [0u32; 10];
        for seed in 0..10_000u64 {
            let drawn = jitter(seed, 3, most).num_milliseconds();
            seen[usize::try_from(drawn).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|count| (880..1_120).contains(count)),
            "{seen:?}"
        );
        assert_eq!(jitter(7, 1, TimeDelta::zero()), TimeDelta::zero());
        assert_eq!(jitter(7, 1, TimeDelta::seconds(-1)), TimeDelta::zero());
    }
}
