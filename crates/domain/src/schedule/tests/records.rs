//! Decisions as they are kept.

use super::*;

#[test]
fn a_kept_decision_is_derived_again_from_its_record_alone() {
    let policy = RetryPolicy::default();
    let case = case("insufficient_funds");
    let decision = decide(&policy, case.pack, &case.facts);
    let record = DecisionRecord::new(&policy, case.pack, case.facts, decision.clone());
    let kept = serde_json::to_string(&record).unwrap();
    let read: DecisionRecord = serde_json::from_str(&kept).unwrap();
    assert_eq!(read, record);
    assert_eq!(read.replay(), Ok(decision));
}

#[test]
fn a_record_that_cannot_be_followed_says_so() {
    let policy = RetryPolicy::default();
    let case = case("insufficient_funds");
    let decision = decide(&policy, case.pack, &case.facts);
    let record = DecisionRecord::new(&policy, case.pack, case.facts, decision);
    let with = |change: fn(&mut DecisionRecord)| {
        let mut changed = record.clone();
        change(&mut changed);
        changed.replay().map_err(|error| error.to_string())
    };
    assert_eq!(
        with(|record| record.format = 2).unwrap_err(),
        "the record has format 2, and this release knows formats up to 1"
    );
    let unknown = with(|record| record.rule_pack = "2001-01-01".to_owned());
    assert!(unknown.unwrap_err().contains("2001-01-01"));
    let broken = with(|record| record.policy.max_retries = 99);
    assert_eq!(
        broken.unwrap_err(),
        "the record's policy cannot be followed"
    );
    let clocks = |record: &mut DecisionRecord| record.time_zones = "2019a".to_owned();
    assert!(
        with(clocks).is_ok(),
        "the same decision, whatever the clocks"
    );
    let otherwise = with(|record| {
        record.time_zones = "2019a".to_owned();
        record.decision.words.clear();
    });
    assert!(otherwise.unwrap_err().contains("time zones of 2019a"));
}
