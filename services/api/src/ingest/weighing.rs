//! Reports weighed in memory, and the rows that follow: what [`super::batch`] and
//! [`super::together`] share.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use db::failures::at_once::{Earlier, NewEvent};
use db::policies::StoredPolicy;
use db::recoveries::{NewRecovery, StoredRecovery};
use db::timeline::NewEntry;
use db::transactions::{self, Report, StoredTransaction};
use db::{DbError, Tenant, Trace, Tx, card_tries, policies, recoveries, timeline, unknown_codes};
use domain::classification::{Category, FailureSource, Hardness};
use domain::consent::PayerAddress;
use domain::id::{FailureEvent, FailureEventId, Recovery, RecoveryId, Transaction, TransactionId};
use domain::{RecoveryState, TransactionRef};

use super::batch::{Consents, Item, OfAnother, Refused};
use super::failure::{ask_for_plan, count_unknown, is_settled, opening, stricter};
use super::{Effect, FailureReport, Ingested, ReportFault, told, tried};

/// What is known before the first item, locked.
#[derive(Default)]
pub(super) struct Known {
    active: Option<StoredPolicy>,
    /// Reports that came under the items' keys before.
    earlier: HashMap<String, Earlier>,
    transactions: HashMap<TransactionRef, StoredTransaction>,
    recoveries: HashMap<TransactionId, StoredRecovery>,
}

impl Known {
    /// Nothing but the rules that hold.
    pub(super) async fn nothing(tx: &mut Tx, tenant: Tenant) -> Result<Self, DbError> {
        let active = policies::active(tx.conn(), tenant).await?;
        Ok(Self {
            active,
            ..Self::default()
        })
    }

    pub(super) async fn read<C>(
        tx: &mut Tx,
        tenant: Tenant,
        items: &[Item<C>],
    ) -> Result<Self, DbError> {
        let source = FailureSource::Api.as_str();
        let chosen = items.iter().filter(|item| item.may_repeat);
        let keys: Vec<&str> = chosen.map(|item| item.report.key.as_str()).collect();
        let earlier = db::failures::at_once::earlier(tx, tenant, source, &keys).await?;
        let references: HashSet<&TransactionRef> =
            items.iter().map(|item| &item.report.reference).collect();
        let references: Vec<&TransactionRef> = references.into_iter().collect();
        let transactions = transactions::at_once::lock(tx, tenant, &references).await?;
        let ids: Vec<TransactionId> = transactions.values().map(|known| known.id).collect();
        Ok(Self {
            active: policies::active(tx.conn(), tenant).await?,
            earlier,
            recoveries: recoveries::at_once::newest(tx, tenant, &ids).await?,
            transactions,
        })
    }
}

/// The recovery that a report meets.
#[derive(Clone, Copy)]
struct Current {
    id: RecoveryId,
    state: RecoveryState,
    as_of: (Category, Hardness),
    /// Its place among those that this batch opens, if it does.
    opened_here: Option<usize>,
}

/// Items weighed so far, and the rows that follow.
pub(super) struct Weighing<'a> {
    /// Who reports all of them.
    source: FailureSource,
    known: Known,
    /// Transactions that no other request knows of yet.
    made: HashSet<TransactionRef>,
    learned: HashSet<TransactionRef>,
    current: HashMap<TransactionId, Current>,
    /// Keys of this batch, with what came of them.
    keys: HashMap<&'a str, (Ingested, &'a TransactionRef)>,
    claimed: Vec<(&'a str, FailureEventId)>,
    opened: Vec<(RecoveryId, NewRecovery, &'a Trace)>,
    newer: HashMap<RecoveryId, (Category, Hardness)>,
    events: Vec<(FailureEventId, TransactionId, RecoveryId, &'a FailureReport)>,
    entries: Vec<(NewEntry, &'a Trace, Option<FailureEventId>)>,
    tries: Vec<(card_tries::Card, card_tries::Reported<'a>)>,
    /// By what tells addresses apart, so that two batches take turns in one order.
    pub(super) consents: BTreeMap<String, PayerAddress>,
}

impl<'a> Weighing<'a> {
    pub(super) fn new(source: FailureSource, known: Known) -> Self {
        let current = known.recoveries.iter().map(|(transaction, recovery)| {
            let current = Current {
                id: recovery.id,
                state: recovery.state,
                as_of: (recovery.category, recovery.hardness),
                opened_here: None,
            };
            (*transaction, current)
        });
        Self {
            source,
            current: current.collect(),
            known,
            made: HashSet::new(),
            learned: HashSet::new(),
            keys: HashMap::new(),
            claimed: Vec::new(),
            opened: Vec::new(),
            newer: HashMap::new(),
            events: Vec::new(),
            entries: Vec::new(),
            tries: Vec::new(),
            consents: BTreeMap::new(),
        }
    }

    /// One item, after those before it.
    pub(super) fn weigh<C: Consents>(
        &mut self,
        tx: &mut Tx,
        item: &'a Item<C>,
    ) -> Result<Result<Ingested, Refused<C::Fault>>, DbError> {
        let report = &item.report;
        if let Some(repeated) = self.repeated(report, item.may_repeat) {
            return Ok(repeated.map_err(|OfAnother| Refused::KeyReused));
        }
        let transaction = match self.transaction(tx, report) {
            Ok(transaction) => transaction,
            Err(refused) => return Ok(Err(Refused::Report(refused))),
        };
        match item.consent.addresses(&transaction.known) {
            Ok(addresses) => self.consents.extend(addresses.into_iter().map(|address| {
                let apart = format!("{}:{}", address.channel(), address.key());
                (apart, address)
            })),
            Err(fault) => return Ok(Err(Refused::Consent(fault))),
        }
        let id = tx.new_id::<FailureEvent>();
        let (recovery, effect) = self.effect_on(tx, &transaction, id, item)?;
        self.tries
            .extend(tried::of_report(&transaction, report, effect));
        let ingested = Ingested {
            failure: id,
            transaction: transaction.id,
            recovery: Some(recovery),
            effect,
        };
        self.keys.insert(&report.key, (ingested, &report.reference));
        self.claimed.push((&report.key, id));
        self.events.push((id, transaction.id, recovery, report));
        self.keep(transaction);
        Ok(Ok(ingested))
    }

    /// What came of the report under this key before, here or in an earlier
    /// request.
    fn repeated(
        &self,
        report: &FailureReport,
        may_repeat: bool,
    ) -> Option<Result<Ingested, OfAnother>> {
        if !may_repeat {
            return None;
        }
        if let Some((before, reference)) = self.keys.get(report.key.as_str()) {
            let same = *reference == &report.reference;
            let effect = Effect::Duplicate;
            return Some(
                same.then_some(Ingested { effect, ..*before })
                    .ok_or(OfAnother),
            );
        }
        let before = self.known.earlier.get(&report.key)?;
        let transaction = self.known.transactions.get(&report.reference);
        let same = transaction.is_some_and(|known| known.id == before.transaction);
        let before = Ingested {
            failure: before.failure,
            transaction: before.transaction,
            recovery: Some(before.recovery),
            effect: Effect::Duplicate,
        };
        Some(same.then_some(before).ok_or(OfAnother))
    }

    /// The transaction as it is with what the report tells; nothing is kept yet.
    fn transaction(
        &self,
        tx: &mut Tx,
        report: &FailureReport,
    ) -> Result<StoredTransaction, ReportFault> {
        let known = self.known.transactions.get(&report.reference);
        let amount = report.amount.or_else(|| known.map(|known| known.amount));
        let amount = amount.ok_or(ReportFault::Missing {
            field: "amount",
            reason: "no transaction with this transaction_ref is known yet",
        })?;
        let mut transaction = known.cloned().unwrap_or_else(|| StoredTransaction {
            id: tx.new_id::<Transaction>(),
            transaction_ref: report.reference.clone(),
            amount,
            known: Report::default(),
        });
        if transaction.amount != amount {
            return Err(ReportFault::AmountDiffers {
                stored: transaction.amount,
                reported: amount,
            });
        }
        transaction.learn(&report.about);
        Ok(transaction)
    }

    fn keep(&mut self, transaction: StoredTransaction) {
        let reference = transaction.transaction_ref.clone();
        let transactions = &mut self.known.transactions;
        if transactions
            .insert(reference.clone(), transaction)
            .is_none()
        {
            self.made.insert(reference);
        } else if !self.made.contains(&reference) {
            self.learned.insert(reference);
        }
    }

    /// As a single report's effect: what it does to the newest recovery.
    fn effect_on(
        &mut self,
        tx: &mut Tx,
        transaction: &StoredTransaction,
        id: FailureEventId,
        item: &'a Item<impl Sized>,
    ) -> Result<(RecoveryId, Effect), DbError> {
        match self.current.get(&transaction.id).copied() {
            Some(open) if open.state.is_open() => {
                self.join(transaction.id, open, id, item);
                Ok((open.id, Effect::Joined))
            }
            Some(ended) if is_settled(ended.state) => {
                let entry = told::late(ended.id, id);
                self.entries.push((entry, &item.trace, None));
                Ok((ended.id, Effect::Late))
            }
            _ => {
                let recovery = self.open(tx, transaction, id, item)?;
                Ok((recovery, Effect::Opened))
            }
        }
    }

    fn join(
        &mut self,
        transaction: TransactionId,
        open: Current,
        id: FailureEventId,
        item: &'a Item<impl Sized>,
    ) {
        let report = &item.report;
        let as_of = stricter(open.as_of, &report.classification);
        match open
            .opened_here
            .and_then(|place| self.opened.get_mut(place))
        {
            Some((_, new, _)) => (new.category, new.hardness) = as_of,
            None => {
                self.newer.insert(open.id, as_of);
            }
        }
        self.current.insert(transaction, Current { as_of, ..open });
        let entry = told::joined(open.id, id, as_of, report);
        self.entries.push((entry, &item.trace, Some(id)));
    }

    fn open(
        &mut self,
        tx: &mut Tx,
        transaction: &StoredTransaction,
        id: FailureEventId,
        item: &'a Item<impl Sized>,
    ) -> Result<RecoveryId, DbError> {
        let report = &item.report;
        let recovery = tx.new_id::<Recovery>();
        let now: DateTime<Utc> = tx.now();
        let active = self.known.active.as_ref();
        let new = opening(active, transaction, &report.classification, now)?;
        let entry = told::opened(recovery, id, transaction, &new.assigned, report);
        self.entries.push((entry, &item.trace, Some(id)));
        let current = Current {
            id: recovery,
            state: RecoveryState::Open,
            as_of: (new.category, new.hardness),
            opened_here: Some(self.opened.len()),
        };
        self.current.insert(transaction.id, current);
        self.opened.push((recovery, new, &item.trace));
        Ok(recovery)
    }

    /// Writes all rows. False if another request was there meanwhile.
    pub(super) async fn write(&mut self, tx: &mut Tx, tenant: Tenant) -> Result<bool, DbError> {
        if !self.write_transactions(tx, tenant).await? {
            return Ok(false);
        }
        let source = self.source.as_str();
        if !db::failures::at_once::claim(tx, tenant, source, &self.claimed).await? {
            return Ok(false);
        }
        recoveries::at_once::open(tx, tenant, &self.opened).await?;
        let newer = self.newer.iter();
        let newer: Vec<_> = newer.map(|(id, as_of)| (*id, as_of.0, as_of.1)).collect();
        recoveries::at_once::reclassify(tx, tenant, &newer).await?;
        self.write_events(tx, tenant).await?;
        self.write_tries(tx, tenant).await?;
        for (entry, trace, failure) in &self.entries {
            let Some(failure) = failure else {
                timeline::add_under(tx, tenant, trace, entry.clone());
                continue;
            };
            timeline::announce_under(tx, tenant, trace, entry.clone());
            ask_for_plan(tx, tenant, trace, (entry.recovery, *failure));
        }
        Ok(true)
    }

    async fn write_transactions(&self, tx: &mut Tx, tenant: Tenant) -> Result<bool, DbError> {
        let of = |references: &HashSet<TransactionRef>| -> Vec<&StoredTransaction> {
            let all = references.iter();
            all.filter_map(|it| self.known.transactions.get(it))
                .collect()
        };
        if !transactions::at_once::make(tx, tenant, &of(&self.made)).await? {
            return Ok(false);
        }
        transactions::at_once::store(tx, tenant, &of(&self.learned)).await?;
        let mut objects = Vec::new();
        for (_, transaction, _, report) in &self.events {
            let Some((provider, names)) = &report.objects else {
                continue;
            };
            objects.extend(
                names
                    .iter()
                    .map(|name| (*provider, name.as_str(), *transaction)),
            );
        }
        transactions::at_once::claim_objects(tx, tenant, &objects).await?;
        Ok(true)
    }

    /// Nothing can know the only try of a transaction that is made here.
    async fn write_tries(&mut self, tx: &mut Tx, tenant: Tenant) -> Result<(), DbError> {
        let made = self
            .made
            .iter()
            .filter_map(|it| self.known.transactions.get(it));
        let made: HashSet<TransactionId> = made.map(|it| it.id).collect();
        let mut of_each: HashMap<TransactionId, usize> = HashMap::new();
        for (_, tried) in &self.tries {
            *of_each.entry(tried.transaction).or_default() += 1;
        }
        let is_first = |(_, tried): &(card_tries::Card, card_tries::Reported<'_>)| {
            made.contains(&tried.transaction) && of_each.get(&tried.transaction) == Some(&1)
        };
        let (first, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.tries)
            .into_iter()
            .partition(is_first);
        card_tries::record_first(tx, tenant, &first).await?;
        card_tries::record_all(tx, tenant, &later).await
    }

    async fn write_events(&self, tx: &mut Tx, tenant: Tenant) -> Result<(), DbError> {
        let reports = self.events.iter().map(|(.., report)| *report);
        let unknown: Vec<_> = reports
            .filter(|report| !report.classification.known)
            .inspect(|report| count_unknown(report))
            .map(|report| (report.failure.signals(), &report.classification.heard))
            .collect();
        unknown_codes::note_all(tx, tenant, &unknown).await?;
        let event = |(id, transaction, recovery, report): &(_, _, _, &'a FailureReport)| NewEvent {
            id: *id,
            transaction: *transaction,
            recovery: *recovery,
            failure: &report.failure,
            classification: &report.classification,
        };
        let events: Vec<NewEvent<'_>> = self.events.iter().map(event).collect();
        db::failures::at_once::add(tx, tenant, &events).await
    }
}
