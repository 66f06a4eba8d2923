//! A recorded failure is planned.

use backbone::work;
use contracts::Message;
use db::{DbError, Tenant};
use domain::AttemptKind;
use domain::classification::Hardness;
use domain::id::RecoveryId;
use streams::{Delivery, Failure, Handler};
use tracing::Instrument;

use crate::Worker;
use crate::attempts::message;
use crate::plan::{self, Planned};

/// Plans what `failures` carries.
pub struct FailurePlanner {
    worker: Worker,
}

impl FailurePlanner {
    /// A planner that works as `worker`.
    pub const fn new(worker: Worker) -> Self {
        Self { worker }
    }

    async fn plan(&self, delivery: &Delivery, recovery: RecoveryId) -> Result<(), DbError> {
        let tenant = Tenant::of_envelope(&delivery.envelope);
        let mut tx = self
            .worker
            .backbone
            .db
            .begin(self.worker.backbone.cause())
            .await?;
        if !db::outbox::settle(tx.conn(), delivery.envelope.outbox).await? {
            // A copy was here before, and its effect has committed.
            return tx.roll_back().await;
        }
        let planned = self.plan_locked(&mut tx, tenant, recovery).await?;
        tx.commit().await?;
        if planned == Planned::Scheduled {
            self.worker.planned.notify_one();
        }
        Ok(())
    }

    async fn plan_locked(
        &self,
        tx: &mut db::Tx,
        tenant: Tenant,
        id: RecoveryId,
    ) -> Result<Planned, DbError> {
        let Some(recovery) = db::recoveries::lock(tx, tenant, id).await? else {
            return Ok(Planned::Nothing);
        };
        if !recovery.state.is_open() {
            return Ok(Planned::Nothing);
        }
        if recovery.hardness == Hardness::Hard {
            // A newer report forbids what an older one had planned.
            let why = "a newer report says that this means will not do";
            db::attempts::cancel_scheduled(tx, tenant, id, Some(AttemptKind::Charge), why).await?;
        }
        let (followed, past) = plan::so_far(tx.conn(), &recovery).await?;
        if past.iter().any(|attempt| !attempt.state.is_final()) {
            // The step that is planned or under way stands; its end plans the next.
            return Ok(Planned::Nothing);
        }
        match plan::read(tx, &recovery, &past).await? {
            Some(read) => message::plan_and_ask(tx, &self.worker, &recovery, &followed, read).await,
            None => Ok(Planned::Nothing),
        }
    }
}

impl Handler for FailurePlanner {
    async fn handle(&self, delivery: &Delivery) -> Result<(), Failure> {
        let Message::FailureRecorded { recovery, .. } = delivery.envelope.message else {
            return Err(Failure::for_good(
                "this stream carries recorded failures only",
            ));
        };
        self.plan(delivery, recovery)
            .instrument(work::span(delivery))
            .await
            .map_err(work::failed)
    }

    async fn dead(&self, delivery: &Delivery, reason: &str) -> Result<(), String> {
        let backbone = &self.worker.backbone;
        work::bury(&backbone.db, &backbone.clock, delivery, reason).await
    }
}
