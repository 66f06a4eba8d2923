//! The end of a recovery: everything that waited for it ends in the same transaction.
//!
//! Whoever ends one (a webhook, the worker's charge, the housekeeper, a
//! merchant) calls [`recovered`] or [`ended`], so that no end forgets a
//! scheduled charge, an unsent message or a link that still lets somebody pay.
//! Call them with the recovery's row locked.

use domain::id::{RecoveryId, RecoveryLinkId};
use domain::policy::FinalAction;
use domain::{CheckoutState, Money, RecoveryState};
use serde_json::json;

use crate::recoveries::RecoveredBy;
use crate::{DbError, Tenant, Tx, attempts, checkouts, links, notifications, recoveries, timeline};

/// Records that the money arrived, and ends whatever waited. False, and nothing
/// changes, if that was recorded before or the currency is another one.
///
/// `used_link` is the link that the payer paid through. A claimed charge and a
/// message that is being handed over are left to their workers, which look at
/// the recovery before they act.
pub async fn recovered(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    amount: Money,
    by: RecoveredBy,
    used_link: Option<RecoveryLinkId>,
    why: &str,
) -> Result<bool, DbError> {
    if !recoveries::recover(tx, tenant, recovery, amount, by, why).await? {
        return Ok(false);
    }
    let paid_there = by == RecoveredBy::Link;
    end_what_waits(tx, tenant, recovery, used_link, paid_there, why).await?;
    let detail = json!({
        "recovery_id": recovery,
        "amount": amount.minor(),
        "currency": amount.currency().code(),
        "by": by.as_str(),
        "link_id": used_link,
    });
    timeline::announce(tx, tenant, recovery, "recovery.recovered", why, detail);
    Ok(true)
}

/// Ends a recovery without money, and whatever waited. False, and nothing
/// changes, if it was not open.
pub async fn ended(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    state: RecoveryState,
    why: &str,
) -> Result<bool, DbError> {
    ended_asking(tx, tenant, recovery, state, why, FinalAction::None).await
}

/// As [`ended`], and asks the merchant's system for what the policy wants done
/// at the end, by an event of its own.
pub async fn ended_asking(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    state: RecoveryState,
    why: &str,
    asked: FinalAction,
) -> Result<bool, DbError> {
    if !recoveries::end(tx, tenant, recovery, state, why).await? {
        return Ok(false);
    }
    end_what_waits(tx, tenant, recovery, None, false, why).await?;
    let detail = json!({ "recovery_id": recovery, "state": state, "final_action": asked });
    let kind = format!("recovery.{state}");
    timeline::announce(tx, tenant, recovery, &kind, why, detail);
    if let Some(words) = words_of(asked) {
        let detail = json!({ "recovery_id": recovery, "final_action": asked, "state": state });
        timeline::announce(tx, tenant, recovery, "recovery.final_action", words, detail);
    }
    Ok(true)
}

/// What is asked of the merchant's system, in words; nothing for no action.
const fn words_of(asked: FinalAction) -> Option<&'static str> {
    match asked {
        FinalAction::None => None,
        FinalAction::NotifyMerchant => Some("The policy asks that the merchant be told"),
        FinalAction::CancelSubscription => {
            Some("The policy asks that the payer's subscription be cancelled")
        }
        FinalAction::MarkUncollectible => Some("The policy asks that the claim be written off"),
        FinalAction::PauseService => {
            Some("The policy asks that the service be paused until it is paid for")
        }
    }
}

async fn end_what_waits(
    tx: &mut Tx,
    tenant: Tenant,
    recovery: RecoveryId,
    used_link: Option<RecoveryLinkId>,
    paid_there: bool,
    why: &str,
) -> Result<(), DbError> {
    notifications::write(tx).await?;
    attempts::cancel_scheduled(tx, tenant, recovery, None, why).await?;
    notifications::withdraw_queued(tx, tenant, recovery, why).await?;
    links::end_all(tx, tenant, recovery, used_link).await?;
    if let Some(live) = checkouts::live(tx.conn(), tenant, recovery).await? {
        // A checkout that was only begun has no address at the PSP to have been paid at.
        let state = if paid_there && live.state == CheckoutState::Open {
            CheckoutState::Paid
        } else {
            CheckoutState::Closed
        };
        let now = tx.now();
        checkouts::end(tx.conn(), tenant, live.id, state, now).await?;
    }
    Ok(())
}
