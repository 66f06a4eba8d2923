//! `tinkoctl pause`, `resume` and `paused`: work put aside for as long as somebody wants.
//!
//! What is paused waits as it is and costs nothing: no attempt, no try. Failures are
//! still recorded, and payers still pay through their links.

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use db::Db;
use db::holds::{self, Holder, Put, Scope, StoredHold};
use domain::Channel;
use domain::id::{HoldId, OrganizationId};
use serde::Serialize;

use crate::print::Print;
use crate::remedy::{self, Remedy};

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// An organization: its charges and its messages to payers.
    Organization {
        /// Which one.
        id: OrganizationId,
        #[command(flatten)]
        remedy: Remedy,
    },
    /// A channel: messages to payers by it.
    Channel {
        /// email, sms or whatsapp.
        channel: Channel,
        /// Of this organization alone; else of all.
        #[arg(long)]
        organization: Option<OrganizationId>,
        #[command(flatten)]
        remedy: Remedy,
    },
    /// Everything: charges and messages to payers, of all organizations.
    Everything {
        #[command(flatten)]
        remedy: Remedy,
    },
}

impl What {
    const fn scope(&self) -> Scope {
        let (organization, channel) = match self {
            Self::Organization { id, .. } => (Some(*id), None),
            Self::Channel {
                channel,
                organization,
                ..
            } => (*organization, Some(*channel)),
            Self::Everything { .. } => (None, None),
        };
        Scope {
            organization,
            channel,
        }
    }

    const fn remedy(&self) -> &Remedy {
        match self {
            Self::Organization { remedy, .. }
            | Self::Channel { remedy, .. }
            | Self::Everything { remedy } => remedy,
        }
    }
}

/// What was done.
#[derive(Serialize)]
struct Done {
    action: &'static str,
    hold_id: HoldId,
    organization_id: Option<OrganizationId>,
    channel: Option<Channel>,
}

/// What is paused, or was.
#[derive(Serialize)]
struct Shown {
    hold_id: HoldId,
    organization_id: Option<OrganizationId>,
    channel: Option<Channel>,
    since: DateTime<Utc>,
    by: String,
    why: String,
    ended_at: Option<DateTime<Utc>>,
    ended_by: Option<String>,
    ended_why: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    data: Vec<Shown>,
}

impl From<StoredHold> for Shown {
    fn from(hold: StoredHold) -> Self {
        Self {
            hold_id: hold.id,
            organization_id: hold.scope.organization,
            channel: hold.scope.channel,
            since: hold.since,
            by: hold.by,
            why: hold.why,
            ended_at: hold.ended.as_ref().map(|it| it.at),
            ended_by: hold.ended.as_ref().map(|it| it.by.clone()),
            ended_why: hold.ended.map(|it| it.why),
        }
    }
}

pub(crate) async fn pause(what: What, db: &Db, print: Print) -> anyhow::Result<()> {
    let (scope, by) = (what.scope(), what.remedy().by()?);
    let holder = Holder {
        by: &by,
        why: what.remedy().why()?,
    };
    let mut tx = db.begin(remedy::cause()).await?;
    let hold_id = match holds::put(&mut tx, scope, holder).await? {
        Put::Held(id) => id,
        Put::Before => bail!("it is paused already: tinkoctl paused tells since when"),
        Put::NoOrganization => bail!("there is no such organization"),
    };
    tx.commit().await?;
    done("paused", hold_id, scope, print)
}

pub(crate) async fn resume(what: What, db: &Db, print: Print) -> anyhow::Result<()> {
    let (scope, by) = (what.scope(), what.remedy().by()?);
    let holder = Holder {
        by: &by,
        why: what.remedy().why()?,
    };
    let mut tx = db.begin(remedy::cause()).await?;
    let lifted = holds::lift(&mut tx, scope, holder).await?;
    tx.commit().await?;
    let hold_id = lifted.context("just this is not paused: tinkoctl paused lists what is")?;
    done("resumed", hold_id, scope, print)
}

fn done(action: &'static str, hold_id: HoldId, scope: Scope, print: Print) -> anyhow::Result<()> {
    let done = Done {
        action,
        hold_id,
        organization_id: scope.organization,
        channel: scope.channel,
    };
    print.answer(&done, || {
        let what = covered(scope.organization, scope.channel);
        format!("{action} {what}  {hold_id}")
    })
}

/// Lists what is paused, and the last `ended` that are over.
pub(crate) async fn list(ended: i64, db: &Db, print: Print) -> anyhow::Result<()> {
    let mut conn = db.read().await?;
    let found = holds::list(&mut conn, ended).await?;
    let data = found.into_iter().map(Shown::from).collect();
    let listed = Listed { data };
    print.answer(&listed, || {
        let in_force = listed.data.iter().filter(|it| it.ended_at.is_none());
        let mut lines = vec![format!("{} paused", in_force.count())];
        lines.extend(listed.data.iter().map(line));
        lines.join("\n")
    })
}

fn line(it: &Shown) -> String {
    let what = covered(it.organization_id, it.channel);
    let since = it.since.format("%F %T");
    let over = match (it.ended_at, &it.ended_by, &it.ended_why) {
        (Some(at), Some(by), Some(why)) => format!("  until {} by {by}: {why}", at.format("%F %T")),
        _ => String::new(),
    };
    format!("{what}  since {since} by {}: {}{over}", it.by, it.why)
}

fn covered(organization: Option<OrganizationId>, channel: Option<Channel>) -> String {
    let whose = organization.map_or_else(|| "all organizations".to_owned(), |id| id.to_string());
    match channel {
        Some(channel) => format!("{channel} of {whose}"),
        None => format!("charges and messages of {whose}"),
    }
}
