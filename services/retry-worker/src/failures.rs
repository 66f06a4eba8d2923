//! A recorded failure is planned.

use backbone::work;
use contracts::Message;
use db::recoveries::StoredRecovery;
use db::{Conn, DbError, Tenant};
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
        let conn: &Conn = tx.conn();
        let (is_first, locked) = tokio::try_join!(
            db::outbox::settle(conn, delivery.envelope.outbox),
            db::recoveries::lock_on(conn, tenant, recovery),
        )?;
        if !is_first {
            // A copy was here before, and its effect has committed.
            return tx.roll_back().await;
        }
        let planned = match locked.filter(|recovery| recovery.state.is_open()) {
            Some(recovery) => self.plan_locked(&mut tx, &recovery).await?,
            None => Planned::Nothing,
        };
        tx.commit().await?;
        if planned == Planned::Scheduled {
            self.worker.planned.notify_one();
        }
        Ok(())
    }

    async fn plan_locked(
        &self,
        tx: &mut db::Tx,
        recovery: &StoredRecovery,
    ) -> Result<Planned, DbError> {
        let (tenant, id) = (recovery.tenant, recovery.id);
        if recovery.hardness == Hardness::Hard {
            // A newer report forbids what an older one had planned.
            let why = "a newer report says that this means will not do";
            db::attempts::cancel_scheduled(tx, tenant, id, Some(AttemptKind::Charge), why).await?;
        }
        let so_far = plan::so_far(tx.conn(), recovery).await?;
        if so_far.past.iter().any(|attempt| !attempt.state.is_final()) {
            // The step that is planned or under way stands; its end plans the next.
            return Ok(Planned::Nothing);
        }
        let Some(matter) = so_far.matter else {
            return Ok(Planned::Nothing);
        };
        let read = plan::read(tx, recovery, matter, &so_far.past).await?;
        message::plan_and_ask(tx, &self.worker, recovery, &so_far.followed, read).await
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
