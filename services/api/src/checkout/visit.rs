//! What a link's token leads to.

use db::DbError;
use db::links::{self, StoredLink};
use db::recoveries::{self, StoredRecovery};
use db::transactions::{self, StoredTransaction};
use domain::classification::{Classification, FailureSource, Signals, classify};
use domain::limits::Rail;
use domain::token::{self, LinkToken};
use domain::{CardNetwork, LinkState, RecoveryState};

use crate::app::Api;
use crate::conduct::observe;

/// What the visitor of a link may see.
pub(crate) enum Visit {
    /// No link has this token.
    Unknown,
    /// It is paid.
    Paid,
    /// The link's time has passed.
    Expired,
    /// The merchant asks for no payment any more.
    Over,
    /// The merchant took the link back, and still asks for the payment.
    Withdrawn,
    /// It can be paid.
    Owed(Box<Owed>),
}

/// Something that can be paid through a link.
pub(crate) struct Owed {
    /// The link.
    pub(crate) link: StoredLink,
    /// Its token.
    pub(crate) token: LinkToken,
    /// The recovery, open.
    pub(crate) recovery: StoredRecovery,
    /// What is owed for.
    pub(crate) transaction: StoredTransaction,
    /// The merchant's name.
    pub(crate) merchant: String,
    /// Why the payment failed.
    pub(crate) classification: Classification,
}

/// Looks a token up. What it leads to decides what is shown: nothing of a link
/// that cannot be paid through.
pub(crate) async fn visit(api: &Api, token: &str) -> Result<Visit, DbError> {
    let Ok(token) = LinkToken::parse(token) else {
        return Ok(Visit::Unknown);
    };
    let mut conn = api.backbone.db.read().await?;
    let Some(link) = links::by_token_hash(&mut conn, &token::hash(&token)).await? else {
        return Ok(Visit::Unknown);
    };
    let tenant = link.tenant;
    observe::about_organization(tenant.organization());
    observe::about_recovery(link.recovery);
    let Some(recovery) = recoveries::find(&mut conn, tenant, link.recovery).await? else {
        return Ok(Visit::Unknown);
    };
    if recovery.state == RecoveryState::Recovered || link.state == LinkState::Used {
        return Ok(Visit::Paid);
    }
    if link.state == LinkState::Expired || link.expires_at <= api.backbone.clock.now() {
        return Ok(Visit::Expired);
    }
    if !recovery.state.is_open() {
        return Ok(Visit::Over);
    }
    if link.state == LinkState::Revoked {
        return Ok(Visit::Withdrawn);
    }
    let Some(transaction) = transactions::find(&conn, tenant, recovery.transaction).await? else {
        return Ok(Visit::Unknown);
    };
    let merchant = db::organizations::name(&mut conn, tenant).await?;
    let failure = db::failures::newest(&conn, tenant, recovery.id).await?;
    let classification = classified(failure.as_ref(), &transaction);
    Ok(Visit::Owed(Box::new(Owed {
        link,
        token,
        recovery,
        transaction,
        merchant,
        classification,
    })))
}

/// What the newest report means, by today's tables.
fn classified(
    failure: Option<&db::failures::StoredFailure>,
    transaction: &StoredTransaction,
) -> Classification {
    let Some(failure) = failure else {
        return classify(&Signals::new(FailureSource::Api));
    };
    let report = &failure.report;
    let source = report.source.parse().unwrap_or(FailureSource::Api);
    let network = transaction.known.network.as_deref();
    classify(&Signals {
        gateway: report.gateway.as_deref(),
        code: report.code.as_deref(),
        advice_code: report.advice_code.as_deref(),
        network: network.map(CardNetwork::from_psp),
        network_decline_code: report.network_decline_code.as_deref(),
        network_advice_code: report.network_advice_code.as_deref(),
        message: report.message.as_deref(),
        rail: transaction
            .known
            .payment_kind
            .as_deref()
            .map(Rail::from_psp)
            .filter(|rail| *rail != Rail::Unknown),
        failed_on: Some(report.occurred_at.date_naive()),
        ..Signals::new(source)
    })
}
