//! A recovery with all that happened to it, as one document.
//!
//! Without what could be misused: no address, no link's token, no payload of a payer's.

use backbone::dead_letters::Shown;
use chrono::{DateTime, Utc};
use db::attempts::StoredAttempt;
use db::dead_letters::Choice;
use db::failures::StoredFailure;
use db::links::StoredLink;
use db::lookup::Found;
use db::notifications::{StoredNotification, Wanted};
use db::timeline::Entry;
use db::{Conn, DbError, Tenant};
use domain::id::{
    AttemptId, MessageTemplateId, NotificationId, OrganizationId, RecoveryId, RecoveryLinkId,
    TransactionId,
};
use domain::{Channel, Money};
use runtime::trace::TraceContext;
use serde::Serialize;

/// Most rows of a kind that are shown.
const MOST: i64 = 1_000;
/// Most messages that are shown; of links and attempts as many are read.
const MOST_MESSAGES: i64 = 200;

/// Where traces are shown: an address with a place for the trace's id.
#[derive(Debug, Clone)]
pub(crate) struct TracesUrl(String);

impl TracesUrl {
    const PLACE: &str = "{trace_id}";

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(Self::PLACE) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("it must hold {} where the id goes", Self::PLACE))
        }
    }

    fn of(&self, trace_id: &str) -> String {
        self.0.replace(Self::PLACE, trace_id)
    }
}

#[derive(Serialize)]
pub(crate) struct Story {
    pub(crate) recovery_id: RecoveryId,
    pub(crate) organization_id: OrganizationId,
    pub(crate) organization: String,
    pub(crate) transaction_id: TransactionId,
    pub(crate) transaction_ref: String,
    pub(crate) state: &'static str,
    pub(crate) amount: Money,
    pub(crate) category: &'static str,
    pub(crate) hardness: &'static str,
    pub(crate) opened_at: DateTime<Utc>,
    pub(crate) closes_at: DateTime<Utc>,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    pub(crate) end_reason: Option<String>,
    pub(crate) recovered: Option<Money>,
    pub(crate) recovered_by: Option<String>,
    /// Since when the merchant lets it rest.
    pub(crate) paused_at: Option<DateTime<Utc>>,
    /// Whether no step is left to plan.
    pub(crate) plan_done: bool,
    /// The newest report.
    pub(crate) failure: Option<Failure>,
    pub(crate) timeline: Vec<Happened>,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) messages: Vec<Message>,
    pub(crate) links: Vec<Link>,
    pub(crate) dead_letters: Vec<Shown>,
    pub(crate) traces: Vec<Trace>,
}

#[derive(Serialize)]
pub(crate) struct Failure {
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) source: String,
    pub(crate) reason: String,
    pub(crate) code: Option<String>,
    pub(crate) advice_code: Option<String>,
    pub(crate) network_decline_code: Option<String>,
    pub(crate) message: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Happened {
    pub(crate) at: DateTime<Utc>,
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) why: String,
    pub(crate) trace_id: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) number: u32,
    pub(crate) kind: &'static str,
    pub(crate) state: &'static str,
    pub(crate) channels: Vec<Channel>,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
    /// How often a worker took it.
    pub(crate) claims: u32,
    pub(crate) charge_ref: Option<String>,
    /// The PSP's code.
    pub(crate) code: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) why: String,
    pub(crate) trace_id: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Message {
    pub(crate) id: NotificationId,
    /// The step that asked for it.
    pub(crate) step: Option<u32>,
    pub(crate) channel: Channel,
    pub(crate) state: &'static str,
    /// The organization's template; none for Tinko's own words.
    pub(crate) template_id: Option<MessageTemplateId>,
    pub(crate) template_version: Option<i32>,
    pub(crate) language: Option<String>,
    pub(crate) tries: u32,
    pub(crate) provider: Option<String>,
    pub(crate) provider_message_id: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) asked_at: DateTime<Utc>,
    pub(crate) sent_at: Option<DateTime<Utc>>,
    pub(crate) delivered_at: Option<DateTime<Utc>>,
    pub(crate) failed_at: Option<DateTime<Utc>>,
}

/// A way to pay, without the token that opens it.
#[derive(Serialize)]
pub(crate) struct Link {
    pub(crate) id: RecoveryLinkId,
    pub(crate) state: &'static str,
    pub(crate) channel: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) opened_at: Option<DateTime<Utc>>,
    pub(crate) expires_at: DateTime<Utc>,
}

#[derive(Serialize)]
pub(crate) struct Trace {
    pub(crate) trace_id: String,
    pub(crate) url: Option<String>,
}

/// What happened to a recovery; none if it is not there.
pub(crate) async fn of(
    conn: &mut Conn,
    found: &Found,
    id: RecoveryId,
    traces_url: Option<&TracesUrl>,
) -> Result<Option<Story>, DbError> {
    let tenant = found.tenant;
    let Some(recovery) = db::recoveries::find(conn, tenant, id).await? else {
        return Ok(None);
    };
    let failure = db::failures::newest(conn, tenant, id).await?;
    let timeline = db::timeline::of_recovery(conn, tenant, id, MOST).await?;
    let attempts = db::attempts::of_recovery(conn, tenant, id).await?;
    let about = Wanted {
        recovery: Some(id),
        limit: MOST_MESSAGES,
        ..Wanted::default()
    };
    let mut messages = db::notifications::list(conn, tenant, &about).await?;
    messages.reverse();
    let links = db::links::of_recovery(conn, tenant, id).await?;
    let mut story = Story {
        recovery_id: id,
        organization_id: tenant.organization(),
        organization: found.organization.clone(),
        transaction_id: recovery.transaction,
        transaction_ref: found.transaction_ref.clone(),
        state: recovery.state.as_str(),
        amount: recovery.amount,
        category: recovery.category.as_str(),
        hardness: recovery.hardness.as_str(),
        opened_at: recovery.opened_at,
        closes_at: recovery.closes_at,
        closed_at: recovery.closed_at,
        end_reason: recovery.end_reason,
        recovered: recovery.recovered,
        recovered_by: recovery.recovered_by,
        paused_at: recovery.paused_at,
        plan_done: recovery.plan_done,
        failure: failure.map(Into::into),
        messages: messages
            .into_iter()
            .map(|it| message(it, &attempts))
            .collect(),
        timeline: timeline.into_iter().map(Into::into).collect(),
        attempts: attempts.into_iter().map(Into::into).collect(),
        links: links.into_iter().map(Into::into).collect(),
        dead_letters: dead_letters(conn, tenant, id).await?,
        traces: Vec::new(),
    };
    story.traces = traces(&story, trace_id(recovery.traceparent), traces_url);
    Ok(Some(story))
}

/// Those that name the recovery, of the organization's oldest: all, but in a flood of them.
async fn dead_letters(
    conn: &mut Conn,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<Vec<Shown>, DbError> {
    let choice = Choice {
        organization: Some(tenant.organization()),
        limit: MOST,
        ..Choice::default()
    };
    let letters = db::dead_letters::list(conn, &choice).await?;
    let letters = letters.into_iter().map(Shown::from);
    Ok(letters.filter(|it| it.recovery_id == Some(id)).collect())
}

/// Every trace that the story names, once, in its order.
fn traces(story: &Story, opened: Option<String>, url: Option<&TracesUrl>) -> Vec<Trace> {
    let timeline = story.timeline.iter().filter_map(|it| it.trace_id.clone());
    let attempts = story.attempts.iter().filter_map(|it| it.trace_id.clone());
    let letters = story.dead_letters.iter();
    let letters = letters.filter_map(|it| it.trace_id.clone());
    let all = opened.into_iter().chain(timeline).chain(attempts);
    let mut distinct: Vec<Trace> = Vec::new();
    for trace_id in all.chain(letters) {
        if !distinct.iter().any(|it| it.trace_id == trace_id) {
            let url = url.map(|url| url.of(&trace_id));
            distinct.push(Trace { trace_id, url });
        }
    }
    distinct
}

fn trace_id(traceparent: Option<String>) -> Option<String> {
    let context = TraceContext {
        traceparent,
        tracestate: None,
    };
    context.trace_id().map(str::to_owned)
}

fn message(stored: StoredNotification, attempts: &[StoredAttempt]) -> Message {
    let written = stored.written;
    let template = written.as_ref().and_then(|it| it.template);
    let step = attempts.iter().find(|it| it.id == stored.attempt);
    Message {
        id: stored.id,
        step: step.map(|it| it.number),
        channel: stored.channel,
        state: stored.state.as_str(),
        template_id: template.map(|(id, _)| id),
        template_version: template.map(|(_, version)| version),
        language: written.map(|it| it.language),
        tries: stored.tries,
        provider: stored.provider,
        provider_message_id: stored.message_id,
        error: stored.error,
        asked_at: stored.created_at,
        sent_at: stored.sent_at,
        delivered_at: stored.delivered_at,
        failed_at: stored.failed_at,
    }
}

impl From<StoredFailure> for Failure {
    fn from(stored: StoredFailure) -> Self {
        let report = stored.report;
        Self {
            occurred_at: report.occurred_at,
            source: report.source,
            reason: report.reason,
            code: report.code,
            advice_code: report.advice_code,
            network_decline_code: report.network_decline_code,
            message: report.message,
        }
    }
}

impl From<Entry> for Happened {
    fn from(entry: Entry) -> Self {
        Self {
            at: entry.at,
            kind: entry.kind,
            actor: entry.actor,
            why: entry.why,
            trace_id: entry.trace_id,
        }
    }
}

impl From<StoredAttempt> for Attempt {
    fn from(stored: StoredAttempt) -> Self {
        Self {
            id: stored.id,
            number: stored.number,
            kind: stored.kind.as_str(),
            state: stored.state.as_str(),
            channels: stored.channels,
            due_at: stored.due_at,
            ended_at: stored.state.is_final().then_some(stored.updated_at),
            claims: stored.claims,
            charge_ref: stored.charge_ref,
            code: stored.outcome_code,
            outcome: stored.outcome,
            why: stored.why,
            trace_id: trace_id(stored.traceparent),
        }
    }
}

impl From<StoredLink> for Link {
    fn from(stored: StoredLink) -> Self {
        Self {
            id: stored.id,
            state: stored.state.as_str(),
            channel: stored.channel,
            created_at: stored.created_at,
            opened_at: stored.opened_at,
            expires_at: stored.expires_at,
        }
    }
}
