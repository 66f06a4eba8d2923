//! What the PSP says of a recovery's payments. Read-only, at a pace.

use std::collections::HashMap;
use std::time::Duration;

use db::recon::{Member, MemberCheckout};
use db::{DbError, Tenant};
use domain::id::{ConnectionId, RecoveryLinkId};
use domain::reconciliation::Seen;
use domain::{Provider, RecoveryState};
use psp::{CheckoutStatus, PaymentRef, PaymentStatus, Psp, PspError};
use tokio::time::Instant;

use super::pace::Pace;
use crate::Worker;

/// The longest rest that a PSP's wish is followed for before it is asked once
/// more; below the lease with room to spare.
const LONGEST_REST: Duration = Duration::from_secs(20);
/// The rest where the PSP names none.
const USUAL_REST: Duration = Duration::from_secs(1);
/// Most other payments of a transaction that are looked at.
const OTHERS: i64 = 10;

/// Which payment an answer is about.
#[derive(Debug)]
pub(super) struct Found {
    /// The payment, or the checkout that has none yet.
    pub(super) payment: PaymentRef,
    /// The charge that went through.
    pub(super) charge: Option<String>,
    /// The link by which the payer came to the checkout it was paid at.
    pub(super) link: Option<RecoveryLinkId>,
}

/// All that the PSP said of a recovery.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// What it said of each payment.
    pub(super) seen: Vec<Seen>,
    /// Which these are, in the same order.
    pub(super) found: Vec<Found>,
    /// Why something was not told, if it was not.
    pub(super) trouble: Option<String>,
}

impl Looked {
    /// Nothing was told.
    pub(super) fn untold(why: &str) -> Self {
        Self {
            trouble: Some(why.to_owned()),
            ..Self::default()
        }
    }

    fn add(&mut self, seen: Seen, found: Found) {
        self.seen.push(seen);
        self.found.push(found);
    }

    fn paid(&self) -> bool {
        let paid = |seen: &Seen| matches!(seen, Seen::Paid { .. });
        self.seen.iter().any(paid)
    }

    fn knows(&self, id: &str) -> bool {
        self.found.iter().any(|found| found.payment.id == id)
    }

    fn knows_charge(&self, charge: Option<&str>) -> bool {
        charge.is_some()
            && self
                .found
                .iter()
                .any(|found| found.charge.as_deref() == charge)
    }
}

/// Asks, for the recoveries of one organization.
pub(super) struct Looker<'a> {
    worker: &'a Worker,
    pace: &'a Pace,
    tenant: Tenant,
    /// The PSPs opened in this turn; none for a connection that cannot be used.
    psps: HashMap<ConnectionId, Option<Psp>>,
}

impl<'a> Looker<'a> {
    pub(super) fn new(worker: &'a Worker, pace: &'a Pace, tenant: Tenant) -> Self {
        Self {
            worker,
            pace,
            tenant,
            psps: HashMap::new(),
        }
    }

    /// Looks at the merchant's own payment and the payer's checkout; for what is
    /// recovered and paid at neither, at the transaction's other payments too.
    pub(super) async fn look(&mut self, member: &Member) -> Result<Looked, DbError> {
        let mut looked = Looked::default();
        if let Some((connection, payment)) = &member.payment {
            self.payment(&mut looked, *connection, payment, None)
                .await?;
        }
        if let Some(checkout) = &member.checkout {
            self.checkout(&mut looked, checkout).await?;
        }
        let recovered = member.state == RecoveryState::Recovered;
        if recovered && !looked.paid() && looked.trouble.is_none() {
            self.others(&mut looked, member).await?;
        }
        Ok(looked)
    }

    async fn payment(
        &mut self,
        looked: &mut Looked,
        connection: ConnectionId,
        id: &str,
        link: Option<RecoveryLinkId>,
    ) -> Result<(), DbError> {
        let Some(psp) = self.open(looked, connection).await? else {
            return Ok(());
        };
        if looked.knows(id) {
            return Ok(());
        }
        let payment = PaymentRef {
            provider: psp.provider(),
            id: id.to_owned(),
        };
        let status = self.ask(connection, || psp.payment_status(&payment)).await;
        let (seen, charge) = match status {
            Ok(PaymentStatus::Succeeded { charge, amount }) => {
                if looked.knows_charge(charge.as_deref()) {
                    return Ok(());
                }
                let refunded = self
                    .refunded(looked, connection, &psp, charge.as_deref())
                    .await;
                (Seen::Paid { amount, refunded }, charge)
            }
            Ok(PaymentStatus::Failed { .. }) => (Seen::Unpaid, None),
            Ok(PaymentStatus::Pending) => (Seen::Pending, None),
            Ok(PaymentStatus::Cancelled) => (Seen::Cancelled, None),
            Err(error) => {
                looked.trouble = Some(error.to_string());
                return Ok(());
            }
        };
        let found = Found {
            payment,
            charge,
            link,
        };
        looked.add(seen, found);
        Ok(())
    }

    async fn refunded(
        &self,
        looked: &mut Looked,
        connection: ConnectionId,
        psp: &Psp,
        charge: Option<&str>,
    ) -> Option<domain::Money> {
        let charge = charge?;
        let refunded = self.ask(connection, || psp.refunded(charge)).await;
        refunded.unwrap_or_else(|error| {
            looked.trouble = Some(error.to_string());
            None
        })
    }

    async fn checkout(
        &mut self,
        looked: &mut Looked,
        checkout: &MemberCheckout,
    ) -> Result<(), DbError> {
        let Some(psp) = self.open(looked, checkout.connection).await? else {
            return Ok(());
        };
        let reference = &checkout.reference;
        let status = self.ask(checkout.connection, || psp.checkout_status(reference));
        let seen = match status.await {
            Ok(CheckoutStatus::Paid { payment }) => {
                let link = Some(checkout.link);
                return self
                    .payment(looked, checkout.connection, &payment.id, link)
                    .await;
            }
            Ok(CheckoutStatus::PaymentUnderway) => Seen::Pending,
            Ok(CheckoutStatus::Open | CheckoutStatus::Expired) => Seen::Unpaid,
            Err(error) => {
                looked.trouble = Some(error.to_string());
                return Ok(());
            }
        };
        let found = Found {
            payment: PaymentRef {
                provider: checkout.provider,
                id: reference.clone(),
            },
            charge: None,
            link: Some(checkout.link),
        };
        looked.add(seen, found);
        Ok(())
    }

    /// What was recovered elsewhere may have been paid by a payment of which only
    /// its webhook told.
    async fn others(&mut self, looked: &mut Looked, member: &Member) -> Result<(), DbError> {
        let own = member.payment.as_ref().map(|(connection, _)| *connection);
        let theirs = member.checkout.as_ref().map(|checkout| checkout.connection);
        let Some(connection) = own.or(theirs) else {
            return Ok(());
        };
        let Some(psp) = self.open(looked, connection).await? else {
            return Ok(());
        };
        let provider = psp.provider();
        let mut conn = self.worker.backbone.db.read().await?;
        let transaction = member.transaction;
        let objects =
            db::transactions::objects_of(&mut conn, self.tenant, transaction, provider, OTHERS);
        let objects = objects.await?;
        drop(conn);
        for id in objects.iter().filter(|id| is_payment(provider, id)) {
            self.payment(looked, connection, id, None).await?;
            if looked.paid() {
                break;
            }
        }
        Ok(())
    }

    /// The PSP of a connection; why there is none is noted.
    async fn open(
        &mut self,
        looked: &mut Looked,
        id: ConnectionId,
    ) -> Result<Option<Psp>, DbError> {
        if !self.psps.contains_key(&id) {
            let conn = self.worker.backbone.db.read().await?;
            let connection = db::connections::find(&conn, self.tenant, Some(id)).await?;
            let psp = connection.map(|connection| self.worker.psps.open(&connection));
            if let Some(Err(error)) = &psp {
                let error = error as &dyn std::error::Error;
                tracing::error!(error, connection.id = %id, "connection unusable");
            }
            self.psps.insert(id, psp.and_then(Result::ok));
        }
        let psp = self.psps.get(&id).cloned().flatten();
        if psp.is_none() {
            looked.trouble = Some("the connection to the PSP cannot be used".to_owned());
        }
        Ok(psp)
    }

    /// Asks at the connection's pace; once more if the PSP wants a rest.
    async fn ask<T, F>(
        &self,
        connection: ConnectionId,
        question: impl Fn() -> F,
    ) -> Result<T, PspError>
    where
        F: Future<Output = Result<T, PspError>>,
    {
        self.pace.turn(connection).await;
        match question().await {
            Err(PspError::RateLimited { retry_after }) => {
                let rest = retry_after.unwrap_or(USUAL_REST).min(LONGEST_REST);
                self.pace.rest(connection, rest, Instant::now());
                self.pace.turn(connection).await;
                question().await
            }
            answer => answer,
        }
    }
}

/// Whether the PSP can be asked where this object's payment stands: checkouts
/// have a look-up of their own.
fn is_payment(provider: Provider, id: &str) -> bool {
    let kinds: &[&str] = match provider {
        Provider::Stripe => &["pi_", "in_", "ch_", "py_"],
        Provider::Razorpay => &["pay_", "order_"],
    };
    kinds.iter().any(|kind| id.starts_with(kind))
}
