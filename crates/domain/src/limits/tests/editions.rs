use super::*;
use crate::limits::rule::Rule;

fn first() -> RulePack {
    RulePack::named("2026-11-24").unwrap()
}

#[test]
fn editions_are_found_by_name_and_in_order() {
    for pack in RulePack::all() {
        assert_eq!(RulePack::named(pack.id()), Some(*pack));
    }
    assert!(RulePack::all().is_sorted());
    assert!(RulePack::all().is_sorted_by_key(|pack| pack.id()));
    assert_eq!(RulePack::all().last(), Some(&RulePack::current()));
    assert_eq!(RulePack::named("2026-11-26"), None);
}

#[test]
fn a_rule_added_later_is_not_seen_by_an_earlier_edition() {
    let advised = ChargeCase {
        last_advice_code: Some("03"),
        ..case(Some(CardNetwork::Mastercard), &[])
    };
    assert_eq!(first().earliest_charge(&advised, day(1)), Ceiling::Allowed);
    assert!(waits(&advised, day(1)).is_some());
    let india = RulePack::current().rule("india-hours").unwrap();
    assert!(india.known_to(RulePack::current()) && !india.known_to(first()));
}

#[test]
fn a_date_that_was_put_right_stays_wrong_in_the_edition_that_had_it() {
    let start = at("2025-05-01T00:00:00Z");
    let tries = declines((0..=15).map(|n| start + TimeDelta::hours(n)));
    let visa = case(Some(CardNetwork::Visa), &tries);
    let asked = start + TimeDelta::days(5);
    assert_eq!(first().earliest_charge(&visa, asked), Ceiling::Allowed);
    assert!(waits(&visa, asked).is_some());
}

#[test]
fn within_an_edition_a_day_has_one_rule_of_a_name_and_no_day_between_is_left_out() {
    for pack in RulePack::all() {
        let mut ids: Vec<&str> = pack.rules().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let mut rows: Vec<&Rule> = pack.rules().filter(|rule| rule.id == id).collect();
            rows.sort_by_key(|rule| rule.since);
            for pair in rows.windows(2) {
                assert_eq!(pair[0].until, Some(pair[1].since), "{id} in {}", pack.id());
            }
            assert_eq!(pack.rule(id), rows.last().copied());
        }
    }
}

#[test]
fn every_rule_has_words_a_source_and_a_day() {
    for pack in RulePack::all() {
        for rule in pack.rules() {
            assert!(!rule.words.is_empty() && !rule.source.title.is_empty());
            assert!(rule.source.to_string().contains("read 20"), "{}", rule.id);
            assert!(rule.until.is_none_or(|until| rule.since < until));
            assert!(rule.words.len() < 140, "{} is too long to read", rule.id);
        }
    }
}

#[test]
fn a_source_is_told_with_its_address_if_it_has_one() {
    let mut source = rule::Source {
        title: "A circular",
        url: "https://example.com/7",
        read: "2026-11",
    };
    assert_eq!(
        source.to_string(),
        "A circular, https://example.com/7 (read 2026-11)"
    );
    source.url = "";
    assert_eq!(source.to_string(), "A circular (read 2026-11)");
}

#[test]
fn a_rule_that_is_not_known_to_an_edition_is_not_told_by_it() {
    assert_eq!(first().rule("india-hours"), None);
    assert_eq!(first().rule("no-such-rule"), None);
    let reattempts = |pack: RulePack| pack.rule("visa-reattempts").unwrap().since.to_string();
    assert_eq!(reattempts(first()), "2025-05-01");
    assert_eq!(reattempts(RulePack::current()), "2025-05-19");
}

#[test]
fn every_window_is_covered_by_the_look_back() {
    for pack in RulePack::all() {
        for rule in pack.rules() {
            if let rule::Binds::Tries { window_hours, .. } = rule.binds {
                assert!(
                    TimeDelta::hours(2 * window_hours) <= LOOK_BACK,
                    "{}",
                    rule.id
                );
            }
        }
    }
}

/// What an edition knew stays as it was for ever: when this fails, an old row was
/// edited. Add an edition instead, as the module's documentation says.
#[test]
fn editions_never_change() {
    for pack in RulePack::all() {
        let rows: Vec<String> = pack
            .rules()
            .map(|rule| {
                let until = rule.until.map_or_else(String::new, |day| day.to_string());
                format!("{} {}..{until} {:?}", rule.id, rule.since, rule.binds)
            })
            .collect();
        insta::assert_snapshot!(format!("edition_{}", pack.id()), rows.join("\n"));
    }
}
