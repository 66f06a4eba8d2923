//! Many failures at once, each as if it had come alone and in this order.
//!
//! What is known is read and locked first, by a few statements however many items
//! there are; then each item is weighed in memory by the functions that weigh a
//! report alone; then the rows that follow are written, by a few statements again.
//! An item that is refused leaves nothing behind. A test holds what comes of a
//! batch against what comes of the same reports one by one.
//!
//! Locks are taken in the order of a single report, transactions before their
//! recoveries, and among transactions by their references.

use db::transactions::Report;
use db::{DbError, Tenant, Trace, Tx};
use domain::classification::FailureSource;
use domain::consent::PayerAddress;

use super::weighing::{Known, Weighing};
use super::{FailureReport, Ingested, ReportFault};

/// One report of a batch.
pub(crate) struct Item<C> {
    /// What is reported. Its key makes two reports the same failure.
    pub(crate) report: FailureReport,
    /// Whether the key is one that the partner chose, which may have come before.
    pub(crate) may_repeat: bool,
    /// What is said of the payer's consent.
    pub(crate) consent: C,
    /// Under which trace it was reported.
    pub(crate) trace: Trace,
}

/// What a batch asks of the consents that come with its items.
pub(crate) trait Consents {
    /// Why one cannot be kept.
    type Fault;
    /// The addresses that it is of, by what is known of the transaction.
    fn addresses(&self, known: &Report) -> Result<Vec<PayerAddress>, Self::Fault>;
}

/// Why an item has no effect.
pub(crate) enum Refused<F> {
    /// As a single report would be.
    Report(ReportFault),
    /// Its consent is of no address that is known.
    Consent(F),
    /// Its key came with another transaction before.
    KeyReused,
}

/// The report's key was another transaction's before.
pub(super) struct OfAnother;

/// What came of a batch.
pub(crate) struct Batched<F> {
    /// What came of each item, in order.
    pub(crate) items: Vec<Result<Ingested, Refused<F>>>,
    /// The addresses whose consent the items told of.
    pub(crate) consents: Vec<PayerAddress>,
}

/// Records failures in this transaction. `None`, and the caller has to roll back
/// and begin anew, if another request made one of the transactions, or reserved one
/// of the keys, at the same time.
pub(crate) async fn failures<C: Consents>(
    tx: &mut Tx,
    tenant: Tenant,
    items: &[Item<C>],
) -> Result<Option<Batched<C::Fault>>, DbError> {
    let known = Known::read(tx, tenant, items).await?;
    let mut weighing = Weighing::new(FailureSource::Api, known);
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        results.push(weighing.weigh(tx, item)?);
    }
    if !weighing.write(tx, tenant).await? {
        return Ok(None);
    }
    Ok(Some(Batched {
        items: results,
        consents: weighing.consents.into_values().collect(),
    }))
}
