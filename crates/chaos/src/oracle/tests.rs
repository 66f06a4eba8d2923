use super::*;

fn fault(at: i64, what: &str, holds_up: Vec<Step>) -> Entry {
    let what = what.to_owned();
    let happening = Happening::Fault {
        what,
        holds_up,
        outlasts_ms: 0,
    };
    Entry { at, happening }
}

fn undone(at: i64, what: &str) -> Entry {
    let what = what.to_owned();
    let happening = Happening::Undone { what };
    Entry { at, happening }
}

fn may_be_under_way(entries: &[Entry], step: Step, end: i64, at: i64) -> bool {
    let facts = Facts::default();
    Evidence::new(&facts, &[], entries).may_be_under_way(step, end, at)
}

#[test]
fn without_faults_a_step_is_over_after_its_time_outs() {
    assert!(may_be_under_way(&[], Step::Charge, 1_000, 1_000 + SLACK));
    assert!(!may_be_under_way(&[], Step::Charge, 1_000, 1_001 + SLACK));
}

#[test]
fn a_fault_that_held_the_step_up_gives_it_time_and_another_does_not() {
    let entries = [
        fault(2_000, "pause notifier", vec![Step::Message]),
        undone(20_000, "pause notifier"),
    ];
    assert!(may_be_under_way(
        &entries,
        Step::Message,
        1_000,
        20_000 + SLACK
    ));
    assert!(!may_be_under_way(
        &entries,
        Step::Message,
        1_000,
        20_001 + SLACK
    ));
    assert!(!may_be_under_way(&entries, Step::Charge, 1_000, 20_000));
}

#[test]
fn a_fault_that_began_when_the_step_was_over_gives_no_time() {
    let entries = [
        fault(1_001 + SLACK, "pause notifier", vec![Step::Message]),
        undone(20_000, "pause notifier"),
    ];
    assert!(!may_be_under_way(&entries, Step::Message, 1_000, 20_000));
}

#[test]
fn a_request_that_met_a_slow_provider_is_slow_though_the_provider_no_longer_is() {
    let mut slow = fault(500, "provider slow", vec![Step::Message]);
    if let Happening::Fault { outlasts_ms, .. } = &mut slow.happening {
        *outlasts_ms = 6_000;
    }
    let entries = [slow, undone(2_000, "provider slow")];
    let until = 8_000 + SLACK;
    assert!(may_be_under_way(&entries, Step::Message, 1_000, until));
    assert!(!may_be_under_way(&entries, Step::Message, 1_000, until + 1));
}

#[test]
fn a_cancellation_is_the_end_when_it_was_answered() {
    let cancelled = Entry {
        at: 6_000,
        happening: Happening::Cancelled {
            reference: "c1".to_owned(),
        },
    };
    let (facts, entries) = (Facts::default(), [cancelled]);
    let evidence = Evidence::new(&facts, &[], &entries);
    assert_eq!(evidence.end_of("c1", 1_000), 6_000);
    assert_eq!(evidence.end_of("c1", 7_000), 7_000);
    assert_eq!(evidence.end_of("c2", 1_000), 1_000);
}
