//! The organization's own failures, as they were when their recoveries opened:
//! what a draft policy is played over. A fixed number of statements, however many.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::id::{ConnectionId, RecoveryId, TransactionId};
use domain::schedule::Facts;
use domain::{Channel, Hardness, PayerAddress};

use super::{Charges, at_opening, contacts};
use crate::failures::StoredFailure;
use crate::recoveries::StoredRecovery;
use crate::transactions::StoredTransaction;
use crate::{
    Conn, DbError, Tenant, card_tries, connections, failures, reach, recoveries, transactions,
};

/// Which of the organization's failures are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Of recoveries that opened since then.
    pub since: DateTime<Utc>,
    /// At most so many, the newest ones.
    pub limit: i64,
}

/// A failure with all that its recovery's first step is decided from.
#[derive(Debug, Clone)]
pub struct OwnFailure {
    /// What was owed: by it arms are dealt.
    pub transaction: TransactionId,
    /// The merchant's name for it.
    pub reference: String,
    /// What is the same for tries of one card; none for what is no card.
    pub card: Option<String>,
    /// As they were when the recovery opened. The payer's channels are those of
    /// today, and no arm is dealt yet.
    pub facts: Facts,
}

/// The failures that opened the organization's recoveries, the newest first.
/// Recoveries of which something is missing are left out.
pub async fn sample(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Sample,
    charges: Charges,
) -> Result<Vec<OwnFailure>, DbError> {
    let opened = recoveries::opened_since(conn, tenant, wanted.since, wanted.limit).await?;
    let ids: Vec<RecoveryId> = opened.iter().map(|recovery| recovery.id).collect();
    let failures = failures::first_of(conn, tenant, &ids, wanted.since).await?;
    let ids: Vec<TransactionId> = opened.iter().map(|recovery| recovery.transaction).collect();
    let transactions = transactions::many(conn, tenant, &ids).await?;
    let chargeable: HashSet<ConnectionId> = connections::providers(conn, tenant)
        .await?
        .into_iter()
        .filter_map(|(id, provider)| charges(provider).then_some(id))
        .collect();
    let reachable = reachable(conn, tenant, &transactions).await?;
    let cards: Vec<_> = transactions
        .values()
        .filter_map(|transaction| Some((transaction.id, transaction.card()?)))
        .collect();
    let tries = card_tries::of_many(conn, tenant, &cards, wanted.since).await?;
    let of = |recovery: &StoredRecovery| {
        let transaction = transactions.get(&recovery.transaction)?;
        let failure = failures.get(&recovery.id)?;
        let at = recovery.opened_at;
        let known = tries.get(&transaction.id);
        Some(OwnFailure {
            transaction: transaction.id,
            reference: transaction.transaction_ref.as_str().to_owned(),
            card: known.map(|known| known.card.clone()),
            facts: Facts {
                reachable: reachable.get(&transaction.id).cloned().unwrap_or_default(),
                can_charge: can_charge(failure, transaction, &chargeable),
                tries: known.map_or_else(Vec::new, |known| known.until(at)),
                ..at_opening(recovery, &failure.report, transaction)
            },
        })
    };
    Ok(opened.iter().filter_map(of).collect())
}

/// As the planner asks it when a recovery opens.
fn can_charge(
    failure: &StoredFailure,
    transaction: &StoredTransaction,
    chargeable: &HashSet<ConnectionId>,
) -> bool {
    let connection = transaction.known.connection;
    failure.hardness == Hardness::Soft
        && transaction.has_saved_means()
        && connection.is_some_and(|id| chargeable.contains(&id))
}

async fn reachable(
    conn: &mut Conn,
    tenant: Tenant,
    transactions: &HashMap<TransactionId, StoredTransaction>,
) -> Result<HashMap<TransactionId, Vec<Channel>>, DbError> {
    let mut owners = Vec::new();
    let mut addresses: Vec<PayerAddress> = Vec::new();
    for transaction in transactions.values() {
        for address in contacts(transaction, Channel::ALL) {
            owners.push((transaction.id, address.channel()));
            addresses.push(address);
        }
    }
    let bars = reach::bars(conn, tenant, &addresses).await?;
    let mut reachable: HashMap<TransactionId, Vec<Channel>> = HashMap::new();
    for ((owner, channel), bar) in owners.into_iter().zip(bars) {
        if bar.is_none() {
            reachable.entry(owner).or_default().push(channel);
        }
    }
    Ok(reachable)
}
