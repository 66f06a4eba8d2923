//! No message twice, none after the end, none without its row, none after STOP.

use std::collections::BTreeMap;

use super::{Evidence, Mail, Recovery, Violation};
use crate::faults::Step;
use crate::journal::Happening;

pub(super) fn judge(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut found = twice(evidence);
    let mut by_payer: BTreeMap<&str, Vec<&Mail>> = BTreeMap::new();
    for mail in &evidence.facts.mails {
        by_payer.entry(&mail.to).or_default().push(mail);
    }
    for case in evidence.cases.values() {
        let recoveries = evidence.facts.recoveries.get(&case.reference);
        let Some([recovery]) = recoveries.map(Vec::as_slice) else {
            continue;
        };
        let mails: Vec<&Mail> = [&case.email, &case.phone]
            .into_iter()
            .filter_map(|address| by_payer.get(address.as_str()))
            .flatten()
            .copied()
            .collect();
        found.extend(after_the_end(evidence, recovery, &mails));
        found.extend(against_rows(evidence, recovery, &mails));
    }
    found.extend(after_stop(evidence, &by_payer));
    found.extend(unheard(evidence, &by_payer));
    found
}

/// Each message has a link of its own, so two with the same link are copies.
fn twice(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut copies: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
    for mail in &evidence.facts.mails {
        let message = (mail.to.as_str(), mail.channel.as_str(), mail.links.as_str());
        copies.entry(message).or_default().push(&mail.id);
    }
    let doubled = copies.into_iter().filter(|(_, ids)| ids.len() > 1);
    doubled
        .map(|((to, channel, _), ids)| {
            let what = format!("{channel} to {to}: {}", ids.join(", "));
            Violation::new("no message twice", what)
        })
        .collect()
}

fn after_the_end(evidence: &Evidence<'_>, recovery: &Recovery, mails: &[&Mail]) -> Vec<Violation> {
    let Some(end) = recovery.closed_at else {
        return Vec::new();
    };
    let end = evidence.end_of(&recovery.reference, end);
    let late = mails
        .iter()
        .filter(|mail| !evidence.may_be_under_way(Step::Message, end, mail.at));
    late.map(|mail| {
        let what = format!(
            "{} ({}): {} {} came {} ms after it",
            recovery.reference,
            recovery.id,
            mail.channel,
            mail.id,
            mail.at - end
        );
        Violation::new("no message after the end", what)
    })
    .collect()
}

/// What Postgres says was sent was received, and what it says was not sent was not.
fn against_rows(evidence: &Evidence<'_>, recovery: &Recovery, mails: &[&Mail]) -> Vec<Violation> {
    let rows = evidence.facts.notifications.get(&recovery.id);
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    let mut found = Vec::new();
    for channel in ["email", "sms", "whatsapp"] {
        let count = |states: &[&str]| {
            let of_channel = rows.iter().filter(|row| row.channel == channel);
            of_channel
                .filter(|row| states.contains(&row.state.as_str()))
                .count()
        };
        let came = mails.iter().filter(|mail| mail.channel == channel).count();
        let least = count(&["sent", "delivered"]);
        let most = least + count(&["unconfirmed", "bounced"]);
        if !(least..=most).contains(&came) {
            let what = format!(
                "{} ({}): {came} {channel} came, where Postgres has {least} to {most}",
                recovery.reference, recovery.id
            );
            found.push(Violation::new(
                "what is told as sent was sent, and nothing else",
                what,
            ));
        }
    }
    found
}

/// A payer who answered a text message with STOP is not written to there again, by anybody.
fn unheard(evidence: &Evidence<'_>, by_payer: &BTreeMap<&str, Vec<&Mail>>) -> Vec<Violation> {
    let mut found = Vec::new();
    for entry in evidence.entries {
        let Happening::Stopped { phone } = &entry.happening else {
            continue;
        };
        let mails = by_payer.get(phone.as_str()).into_iter().flatten();
        let mut before = mails.filter(|mail| mail.channel == "sms" && mail.at < entry.at);
        if before.next().is_some() && !evidence.facts.suppressed.contains(phone) {
            found.push(Violation::new("a STOP is heard", phone));
        }
    }
    found
}

fn after_stop(evidence: &Evidence<'_>, by_payer: &BTreeMap<&str, Vec<&Mail>>) -> Vec<Violation> {
    let mut found = Vec::new();
    for entry in evidence.entries {
        let Happening::Stopped { phone } = &entry.happening else {
            continue;
        };
        let mails = by_payer.get(phone.as_str()).into_iter().flatten();
        let late = mails.filter(|mail| mail.channel == "sms" && mail.at > entry.at + super::SLACK);
        found.extend(late.map(|mail| {
            let what = format!(
                "{phone}: {} came {} ms after it",
                mail.id,
                mail.at - entry.at
            );
            Violation::new("no text message after STOP", what)
        }));
    }
    found
}
