//! How long recoveries took, as a histogram.
//!
//! Bounds grow by a quarter of an octave (by 2^¼, 19 %) from a minute to three
//! months. A quantile is read from within its bucket, so it is off by less than
//! the bucket is wide: by less than 19 %. Buckets are added up over any window,
//! which quantiles cannot be. Bounds never change: what was summed by them stays.

/// Seconds of the lowest bound; what is quicker is in bucket 0.
const LOWEST: i64 = 60;
/// Doublings up to the highest bound, 91 days.
const OCTAVES: usize = 17;
/// 2^0, 2^¼, 2^½ and 2^¾, in thousandths.
const QUARTERS: [i64; 4] = [1_000, 1_189, 1_414, 1_682];
const BOUNDS: usize = OCTAVES * QUARTERS.len() + 1;

/// The bounds in seconds, rising. A time is in bucket `n` if it is not under the
/// `n`th bound, counted from 1, and under the next; Postgres' `width_bucket` says so.
pub fn bounds() -> [i64; BOUNDS] {
    let mut bounds = [0; BOUNDS];
    for (index, bound) in bounds.iter_mut().enumerate() {
        let octave = LOWEST << (index / QUARTERS.len());
        let quarter = QUARTERS
            .get(index % QUARTERS.len())
            .copied()
            .unwrap_or(1_000);
        *bound = octave * quarter / 1_000;
    }
    bounds
}

/// The time in seconds that `percent` of a hundred of the recoveries took at
/// most; none if there are none. `counts` are buckets and how many are in each.
pub fn quantile(counts: &[(usize, u64)], percent: u8) -> Option<i64> {
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    let total: u64 = counts.iter().map(|(_, number)| *number).sum();
    if total == 0 {
        return None;
    }
    // The rank from 1 of the one that is asked for (the nearest-rank method).
    let rank = (u128::from(total) * u128::from(percent.min(100)))
        .div_ceil(100)
        .max(1);
    let mut below = 0u128;
    for (bucket, number) in counts {
        let number = u128::from(number);
        if below + number >= rank {
            return Some(within(bucket, rank - below, number));
        }
        below += number;
    }
    None
}

/// Where in its bucket the `rank`th of `number` lies, if they lie evenly.
fn within(bucket: usize, rank: u128, number: u128) -> i64 {
    let bounds = bounds();
    let bound = |at: usize| bounds.get(at).copied();
    let low = bucket.checked_sub(1).map_or(Some(0), bound);
    let (Some(low), Some(high)) = (low, bound(bucket)) else {
        // Past the last bound nothing is known but that.
        return bounds.last().copied().unwrap_or_default();
    };
    let width = u128::try_from(high - low).unwrap_or_default();
    let into = width * rank / number.max(1);
    low + i64::try_from(into).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `width_bucket` counts.
    fn bucket_of(seconds: i64) -> usize {
        bounds().iter().filter(|bound| **bound <= seconds).count()
    }

    #[test]
    fn bounds_rise_from_a_minute_to_three_months() {
        let bounds = bounds();
        assert_eq!((bounds[0], bounds[1], bounds[4]), (60, 71, 120));
        assert_eq!(bounds.last(), Some(&7_864_320));
        assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(quantile(&[], 50), None);
        assert_eq!(quantile(&[(3, 0)], 50), None);
    }

    #[test]
    fn what_took_longer_than_all_bounds_is_told_as_the_last_of_them() {
        assert_eq!(quantile(&[(BOUNDS, 5)], 50), Some(7_864_320));
    }

    proptest! {
        #[test]
        fn a_quantile_is_off_by_less_than_its_bucket(
            mut times in proptest::collection::vec(60..7_800_000i64, 1..200),
            percent in 1..=100u8,
        ) {
            let counts: Vec<_> = times.iter().map(|time| (bucket_of(*time), 1)).collect();
            let mut summed = std::collections::BTreeMap::new();
            for (bucket, number) in counts {
                *summed.entry(bucket).or_insert(0) += number;
            }
            let summed: Vec<_> = summed.into_iter().collect();
            times.sort_unstable();
            let rank = (times.len() * usize::from(percent)).div_ceil(100).max(1);
            let exact = times[rank - 1];
            let told = quantile(&summed, percent).unwrap();
            prop_assert!((told - exact).abs() * 100 <= exact * 20, "{told} for {exact}");
        }
    }
}
