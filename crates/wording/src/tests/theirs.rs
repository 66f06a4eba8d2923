//! An organization's own words.

use std::time::{Duration, Instant};

use domain::{Category, Contact};
use proptest::prelude::*;
use serde_json::json;

use super::{email, facts, language, own, shown, sms, wording};
use crate::own::{Content, Dlt, Own, SmsTemplate, WhatsAppTemplate};
use crate::{Facts, Written};

const LINKED: &str = "{{ link }}";

fn faults(content: &Content) -> Vec<String> {
    let checked = wording().check(content, &language("en"));
    let faults = checked.err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

fn email_faults(text: &str, html: Option<&str>) -> Vec<String> {
    faults(&Content::Email(email(text, html)))
}

#[test]
fn an_organizations_email_is_filled_in_and_has_a_page_made_for_it() {
    let template = email(
        "Servus {{ payer | default('liebe Kundin, lieber Kunde') }},\n\n{{ amount }} an {{ merchant }} sind noch offen{% if reason %}: {{ reason }}{% endif %}.\n{{ advice | default('') }}\n\n{{ link }}\n\nGilt bis {{ link_ends }}. {{ reference }}\n\nAbmelden: {{ unsubscribe }}\n",
        None,
    );
    let content = Content::Email(template);
    assert_eq!(wording().check(&content, &language("de-AT")), Ok(()));
    let written = wording()
        .email(&facts("de-AT"), own("de", content))
        .unwrap();
    assert!(written.used.own);
    assert_eq!(written.used.language.as_str(), "de-AT");
    insta::assert_snapshot!("own_email", shown(&written.words));
}

#[test]
fn an_organizations_whatsapp_template_gets_its_parameters_in_order() {
    let template = WhatsAppTemplate {
        name: "payment_failed_v2".to_owned(),
        language_code: "it".to_owned(),
        parameters: ["{{ payer }}", "{{ amount }}\n di {{ merchant }}", LINKED]
            .map(str::to_owned)
            .into(),
    };
    let content = Content::WhatsApp(template);
    assert_eq!(wording().check(&content, &language("it")), Ok(()));
    let Written { words, used } = wording()
        .whatsapp(&facts("it-IT"), own("it", content), &[])
        .unwrap();
    assert!(used.own);
    assert_eq!(words.template.as_deref(), Some("payment_failed_v2"));
    assert_eq!(words.parameters[0], "Asha");
    assert_eq!(
        words.parameters[1].replace('\u{a0}', " "),
        "129.950,00 ₹ di Anna's Yoga & Tea"
    );
}

#[test]
fn faults_name_the_part_the_line_and_what_is_wrong() {
    for (text, wanted) in [
        ("Hello\n{{ link }\n", "text, line 2: does not read:"),
        (
            "{{ link }}\n\n{{ payer_email }}",
            "text, line 3: there is no variable payer_email; there are merchant,",
        ),
        (
            "{{ link }}\n{{ payer | shout }}",
            "text, line 2: filter shout is unknown; the filters are upper,",
        ),
        (
            "{{ link }} {{ range(3) }}",
            "text, line 1: there is no variable range",
        ),
        (
            "{{ link }}{% include 'en/email.txt' %}",
            "text, line 1: does not take include; the statements are if,",
        ),
        ("Please pay", "text: must hold {{ link }}"),
        (
            "{% if payer %}{{ link }}{% endif %}",
            "text: must hold {{ link }}",
        ),
        (
            "{{ link }}{{ merchant.name }}",
            "text, line 1: uses a value that is not there",
        ),
        ("{{ link }}{{ [1, 2] }}", "text, line 1: takes no lists"),
    ] {
        let found = email_faults(text, None);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(wanted), "{text}: {found:?}");
    }
    let two = email_faults("{{ a }}", Some("{% if %}"));
    assert_eq!(two.len(), 2, "{two:?}");
    let html = email_faults(LINKED, Some("<p>\n<a title={{ payer }} href='{{ link }}'>"));
    assert!(
        html[0].starts_with("html, line 2: the attribute title needs quotes"),
        "{html:?}"
    );
}

#[test]
fn a_text_message_and_a_whatsapp_template_are_looked_at_in_every_field() {
    let template = SmsTemplate {
        sender: Some("a b".to_owned()),
        dlt: Some(Dlt {
            template_id: "12".to_owned(),
            entity_id: "1".repeat(19),
        }),
        ..sms("{{ link }}")
    };
    let found = faults(&Content::Sms(template));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("sender: ") && found[1].starts_with("dlt.template_id: "));
    let long = faults(&Content::Sms(sms(&format!(
        "{LINKED}{}",
        "a".repeat(1_600)
    ))));
    assert_eq!(
        long,
        ["text: is longer than 1600 characters when it is filled in"]
    );
    let template = WhatsAppTemplate {
        name: "Payment Failed".to_owned(),
        language_code: "pt-br".to_owned(),
        parameters: vec!["{{ nobody }}".to_owned()],
    };
    assert_eq!(faults(&Content::WhatsApp(template.clone())).len(), 3);
    let template = WhatsAppTemplate {
        name: "payment_failed".to_owned(),
        language_code: "pt_BR".to_owned(),
        parameters: vec![LINKED.to_owned(), "{{ reason }}".to_owned()],
    };
    let found = faults(&Content::WhatsApp(template));
    assert!(
        found[0].starts_with("parameters[1]: is empty in some messages"),
        "{found:?}"
    );
}

#[test]
fn escaping_cannot_be_switched_off() {
    let facts = Facts {
        merchant: "<b>\"'&".to_owned(),
        ..facts("en")
    };
    for html in [
        "{{ merchant }}",
        "{% autoescape false %}{{ merchant }}{% endautoescape %}",
        "{% autoescape 'none' %}{% set x %}{{ merchant }}{% endset %}{{ x }}{% endautoescape %}",
        "{% set x %}{{ merchant }}{% endset %}{{ x }}",
        "{% set x %}{{ merchant }}{% endset %}{{ x | upper }}",
        "{% set x %}{{ merchant }}{% endset %}{{ x ~ merchant }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(merchant) }}",
        "{{ merchant | default('') | trim }}{{ merchant | truncate(3) }}",
        "{{ '<b>' }}{{ '<b' ~ '>' }}",
    ] {
        let html = format!("<a href=\"{LINKED}\">{html}</a>");
        let content = Content::Email(email(LINKED, Some(&html)));
        let written = wording().email(&facts, own("en", content)).unwrap();
        let is_taken = !html.contains("autoescape") && !html.contains("macro");
        assert_eq!(
            written.used.own, is_taken,
            "{html}: {:?}",
            written.used.fault
        );
        let lower = written.words.html.to_lowercase();
        assert!(!lower.contains("<b>"), "{html}: {lower}");
    }
}

#[test]
fn a_template_that_does_not_end_is_a_fault_and_no_hang() {
    let nested = |last: &str| {
        let doubled = "{% set x = [x, x] %}".repeat(60);
        format!("{{% set x = [1] %}}{doubled}{last}{LINKED}")
    };
    let grown = |last: &str| {
        let doubled = "{% set x = x ~ x %}".repeat(13);
        format!(
            "{{% set x = 'aaaaaaaa' %}}{doubled}{}{LINKED}",
            last.repeat(400)
        )
    };
    for text in [
        grown("{% if x in x %}{% endif %}"),
        grown("{% if x == x ~ '' %}{% endif %}"),
        grown("{{ x | upper | title | truncate(1) }}"),
        "{% for a in 'aaaaaaaaaa' * 100 %}{% for b in 'aaaaaaaaaa' * 100 %}{% for c in 'aaaaaaaaaa' * 100 %}.{% endfor %}{% endfor %}{% endfor %}{{ link }}".to_owned(),
        format!("{{% set x = 'aaaaaaaa' %}}{}{{{{ x }}}}{LINKED}", "{% set x = x ~ x %}".repeat(60)),
        "{{ 'a' * 999999999999 }}{{ link }}".to_owned(),
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}{{ link }}".to_owned(),
        nested("{{ x }}"),
        nested("{{ x ~ '' }}"),
        nested("{{ x == [x] }}"),
        nested("{% if x == x[0] %}{% endif %}"),
        nested("{% if x in [x] %}{% endif %}"),
        nested("{% set m = {x: 1} %}"),
        nested("{% if x < [x] %}{% endif %}"),
        nested("{{ x | upper }}"),
        format!("{{{{ {}1{} }}}}{LINKED}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}{LINKED}", "{% if payer %}".repeat(3_000)),
        format!("{}{}{LINKED}", "{% if payer %}".repeat(99), "{% endif %}".repeat(99)),
        format!("{{% if payer %}}{}{{% endif %}}{LINKED}", "{% elif reason %}x".repeat(190)),
        format!("{{{{ {}1{} }}}}{LINKED}", "(".repeat(48), ")".repeat(48)),
        format!("{{{{ {} payer }}}}{LINKED}", "not ".repeat(97)),
        format!("{{{{ payer {} }}}}{LINKED}", "| trim ".repeat(48)),
        format!("{{{{ {} 1 }}}}{LINKED}", "-".repeat(20_000)),
        format!("{{{{ {} true }}}}{LINKED}", "not ".repeat(12_000)),
        format!("{{{{ 1 {} }}}}{LINKED}", "+ 1 ".repeat(12_000)),
    ] {
        let began = Instant::now();
        let found = email_faults(&text, None);
        let took = began.elapsed();
        let shown: String = text.chars().take(60).collect();
        assert!(took < Duration::from_secs(5), "{shown}: {took:?}");
        assert!(found.len() <= 1, "{shown}: {found:?}");
    }
}

#[test]
fn a_template_that_fails_gives_way_to_tinkos_own_with_its_fault() {
    let broken = [
        Content::Email(email("{{ nothing }}", None)),
        Content::Email(email("no link", None)),
        Content::Sms(sms(LINKED)),
    ];
    let ours = wording().email(&facts("de"), None).unwrap();
    for content in broken {
        let written = wording().email(&facts("de"), own("de", content)).unwrap();
        assert_eq!(written.words, ours.words);
        assert!(!written.used.own && written.used.fault.is_some());
    }
    let unreadable = Own::read("de", &json!({ "fax": {} })).unwrap_err();
    let written = wording().sms(&facts("de"), Some(Err(unreadable))).unwrap();
    assert!(written.used.fault.unwrap().fault.contains("does not read"));
}

#[test]
fn under_the_neutral_rule_no_template_is_told_the_reason() {
    let text = "{{ reason }}{{ advice }}{{ category }}{{ link }}";
    let facts = Facts {
        category: Category::InsufficientFunds,
        contact: Contact::Neutral,
        ..facts("en")
    };
    let written = wording()
        .sms(&facts, own("en", Content::Sms(sms(text))))
        .unwrap();
    assert_eq!(written.words.text, facts.link.pay);
}

#[test]
fn what_is_stored_reads_back() {
    let content = Content::WhatsApp(WhatsAppTemplate {
        name: "a".to_owned(),
        language_code: "en".to_owned(),
        parameters: vec![],
    });
    let stored = serde_json::to_value(&content).unwrap();
    assert_eq!(stored["whatsapp"]["name"], "a");
    assert_eq!(Own::read("en", &stored).unwrap().content, content);
}

/// Text that looks like a template more often than not.
fn templates() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{ link }}".to_owned()),
        Just("{% for a in merchant %}".to_owned()),
        Just("{% endfor %}".to_owned()),
        Just("{% if payer %}".to_owned()),
        Just("{% else %}{% endif %}".to_owned()),
        Just("{% set x = [x, merchant] %}".to_owned()),
        Just("{% set x %}{{ payer }}{% endset %}".to_owned()),
        Just("{{ x }}".to_owned()),
        Just("{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}".to_owned()),
        Just("<a title=\"{{ merchant }}\" href='{{ link }}'>".to_owned()),
        Just("{#".to_owned()),
        "\\{\\{ [a-z_]{1,9}( ?[|*~+.-] ?[a-z0-9_()']{1,9}){0,3} \\}\\}",
        "[ -~]{0,12}",
        "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_template_panics_hangs_or_loses_the_message(source in templates(), as_html: bool) {
        let facts = facts("en");
        let began = Instant::now();
        let html = as_html.then_some(source.as_str());
        let text = if as_html { LINKED } else { source.as_str() };
        let content = Content::Email(email(text, html));
        let is_good = wording().check(&content, &language("en")).is_ok();
        let written = wording().email(&facts, own("en", content)).unwrap();
        prop_assert!(written.words.text.contains(&facts.link.pay));
        prop_assert!(written.words.html.contains(&facts.link.pay));
        // What was kept as good makes its message.
        prop_assert!(!is_good || written.used.own, "{:?}", written.used.fault);
        let text = wording().sms(&facts, own("en", Content::Sms(sms(&source)))).unwrap().words.text;
        prop_assert!(text.contains(&facts.link.pay));
        prop_assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn no_data_breaks_a_page_of_their_own(name in "\\PC{0,80}|[\\x00-\\x20a<>\"'&`=]{0,40}") {
        let html = "<p title='{{ payer }}'>{{ merchant }} <a title=\"{{ reference }}\" href=\"{{ link }}\">x</a></p>";
        let content = Content::Email(email(LINKED, Some(html)));
        let facts = Facts { merchant: name.clone(), payer: Some(name.clone()), reference: name, ..facts("en") };
        let own_words = wording().email(&facts, own("en", content)).unwrap();
        prop_assume!(own_words.used.own);
        let html = own_words.words.html;
        prop_assert_eq!(html.matches('<').count(), 4, "{}", html);
        prop_assert_eq!(html.matches('>').count(), 4, "{}", html);
        prop_assert_eq!(html.matches('"').count(), 4, "{}", html);
        prop_assert_eq!(html.matches('\'').count(), 2, "{}", html);
    }
}
