//! Every target over its seeds, and over small changes of them.

use fuzzing::{TARGETS, seeds};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[test]
fn every_target_has_seeds_and_holds_for_them() {
    for target in TARGETS {
        let seeds = seeds(target.name).unwrap();
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for seed in seeds {
            (target.run)(&seed.bytes);
            (target.run)(&seed.bytes[..seed.bytes.len() / 2]);
        }
    }
}

#[test]
fn every_target_has_a_program_for_libfuzzer() {
    let manifest = include_str!("../../../fuzz/Cargo.toml");
    for target in TARGETS {
        let name = format!("name = \"{}\"", target.name);
        assert!(manifest.contains(&name), "fuzz/Cargo.toml lacks {name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_target_holds_for_changed_seeds(
        target in 0..TARGETS.len(),
        seed in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let target = &TARGETS[target];
        let seeds = seeds(target.name).unwrap();
        let mut bytes = seed.get(&seeds).bytes.clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        (target.run)(&bytes);
    }

    #[test]
    fn every_target_holds_for_any_bytes(target in 0..TARGETS.len(), bytes in vec(any::<u8>(), 0..400)) {
        (TARGETS[target].run)(&bytes);
    }
}
