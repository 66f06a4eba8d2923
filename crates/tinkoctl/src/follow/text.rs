//! A recovery's story in lines for people.

use std::fmt::Display;

use chrono::{DateTime, Utc};

use super::Match;
use super::story::{Attempt, Failure, Happened, Link, Message, Story, Trace};

/// The matches, a line each.
pub(super) fn matches(matches: &[Match]) -> String {
    let line = |it: &Match| {
        let id = it
            .recovery_id
            .map_or(it.transaction_id.to_string(), |id| id.to_string());
        let opened = it.opened_at.map(at).unwrap_or_default();
        let state = it.state;
        let (reference, whose) = (one_line(&it.transaction_ref), one_line(&it.organization));
        format!(
            "{id}  {state:<10}  {opened:<19}  {reference}  {}  {whose}",
            it.organization_id
        )
    };
    matches.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The story.
pub(super) fn story(story: &Story) -> String {
    let mut lines = vec![
        format!(
            "{}  {}  {}  {}",
            story.recovery_id,
            story.state,
            story.amount,
            one_line(&story.transaction_ref)
        ),
        pair(
            "organization",
            format!(
                "{}  {}",
                story.organization_id,
                one_line(&story.organization)
            ),
        ),
        pair("transaction", story.transaction_id),
        pair(
            "declined",
            format!("{} ({})", story.category, story.hardness),
        ),
    ];
    lines.extend(
        story
            .failure
            .as_ref()
            .map(|it| pair("reported", failure(it))),
    );
    let closes = if story.plan_done {
        "closes, no step left to plan"
    } else {
        "closes"
    };
    lines.push(pair("opened", at(story.opened_at)));
    if let Some(since) = story.paused_at {
        lines.push(pair("paused", at(since)));
    }
    match (story.closed_at, &story.end_reason) {
        (Some(ended), why) => {
            let why = one_line(why.as_deref().unwrap_or_default());
            lines.push(pair("ended", format!("{}  {why}", at(ended))));
        }
        (None, _) => lines.push(pair(closes, at(story.closes_at))),
    }
    if let (Some(amount), Some(by)) = (story.recovered, &story.recovered_by) {
        lines.push(pair("recovered", format!("{amount} by {by}")));
    }
    section(&mut lines, "timeline", &story.timeline, happened);
    section(&mut lines, "attempts", &story.attempts, attempt);
    section(&mut lines, "messages", &story.messages, message);
    section(&mut lines, "links", &story.links, link);
    section(&mut lines, "dead letters", &story.dead_letters, |it| {
        format!("{}  {}  {}", it.id, it.stream, one_line(&it.reason))
    });
    section(&mut lines, "traces", &story.traces, trace);
    lines.join("\n")
}

fn section<T>(lines: &mut Vec<String>, title: &str, of: &[T], line: impl Fn(&T) -> String) {
    if of.is_empty() {
        return;
    }
    lines.push(format!("\n{title}"));
    lines.extend(of.iter().map(|it| format!("  {}", line(it))));
}

fn failure(it: &Failure) -> String {
    let codes = [&it.code, &it.advice_code, &it.network_decline_code];
    let codes: Vec<&str> = codes.into_iter().flatten().map(String::as_str).collect();
    let said = it.message.as_deref().unwrap_or_default();
    let text = format!(
        "{}  {} by {}  {}  {said}",
        at(it.occurred_at),
        it.reason,
        it.source,
        codes.join(", ")
    );
    one_line(&text)
}

fn happened(it: &Happened) -> String {
    let trace = it.trace_id.as_deref().unwrap_or_default();
    let text = format!(
        "{}  {:<24}  {:<12}  {}  {trace}",
        at(it.at),
        it.kind,
        it.actor,
        it.why
    );
    one_line(&text)
}

fn attempt(it: &Attempt) -> String {
    let channels: Vec<&str> = it.channels.iter().map(|it| it.as_str()).collect();
    let kind = if channels.is_empty() {
        it.kind.to_owned()
    } else {
        format!("{} ({})", it.kind, channels.join(", "))
    };
    let ended = it
        .ended_at
        .map(|ended| format!("ended {}", at(ended)))
        .unwrap_or_default();
    let said = [&it.code, &it.charge_ref, &it.outcome];
    let said: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
    let text = format!(
        "{}  {kind}  {}  due {}  {ended}  claimed {} times  {}",
        it.number,
        it.state,
        at(it.due_at),
        it.claims,
        said.join(", ")
    );
    one_line(&text)
}

fn message(it: &Message) -> String {
    let step = it
        .step
        .map(|number| format!("step {number}"))
        .unwrap_or_default();
    let words = match (it.template_id, it.template_version) {
        (Some(id), Some(version)) => format!("{id} version {version}"),
        _ => "Tinko's words".to_owned(),
    };
    let language = it.language.as_deref().unwrap_or("not written yet");
    let when = [
        ("asked", Some(it.asked_at)),
        ("sent", it.sent_at),
        ("delivered", it.delivered_at),
        ("failed", it.failed_at),
    ];
    let when = when
        .iter()
        .filter_map(|(word, time)| Some(format!("{word} {}", at((*time)?))));
    let when: Vec<String> = when.collect();
    let error = it.error.as_deref().unwrap_or_default();
    let (channel, state) = (it.channel, it.state);
    let text = format!(
        "{channel}  {state}  {step}  {words} ({language})  {}  tried {} times  {error}",
        when.join(", "),
        it.tries
    );
    one_line(&text)
}

fn link(it: &Link) -> String {
    let opened = it
        .opened_at
        .map(|opened| format!("opened {}", at(opened)))
        .unwrap_or_default();
    let text = format!(
        "{}  {}  {}  made {}  {opened}  expires {}",
        it.id,
        it.state,
        it.channel,
        at(it.created_at),
        at(it.expires_at)
    );
    one_line(&text)
}

fn trace(it: &Trace) -> String {
    it.url.clone().unwrap_or_else(|| it.trace_id.clone())
}

fn pair(name: &str, value: impl Display) -> String {
    format!("{name:<14} {value}")
}

/// In UTC, as logs and the database have it.
fn at(time: DateTime<Utc>) -> String {
    time.format("%F %T").to_string()
}

/// What others wrote may hold anything: controls would move the cursor.
fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.trim_end().to_owned()
}
