//! What operators have paused is not charged, and is charged once when they resume.

use db::Tenant;
use db::holds::{self, Holder, Scope};
use domain::id::RecoveryId;
use domain::{AttemptState, RecoveryState};
use serde_json::json;

use crate::failed_payment::{Payment, Shop, charges};
use crate::stage::{PATIENCE, Stage};

const HOLDER: Holder<'_> = Holder {
    by: "asha",
    why: "a test wants it",
};

fn all_of(tenant: Tenant) -> Scope {
    Scope {
        organization: Some(tenant.organization()),
        channel: None,
    }
}

impl Stage {
    async fn hold(&self, scope: Scope) {
        let mut tx = self.tx().await;
        let put = holds::put(&mut tx, scope, HOLDER).await.unwrap();
        assert!(matches!(put, holds::Put::Held(_)));
        tx.commit().await.unwrap();
    }

    async fn go_on(&self, scope: Scope) {
        let mut tx = self.tx().await;
        let lifted = holds::lift(&mut tx, scope, HOLDER).await.unwrap();
        assert!(lifted.is_some());
        tx.commit().await.unwrap();
    }

    /// A recovery whose first step is due, and waits to be claimed, whatever it is: it was
    /// planned while its organization was held.
    pub(crate) async fn waiting(&self, shop: &Shop) -> (Payment, RecoveryId) {
        self.hold(all_of(shop.tenant)).await;
        let (payment, recovery) = self.planned(shop).await;
        let states = self.states(shop.tenant, recovery).await;
        assert_eq!(states, [AttemptState::Scheduled]);
        self.go_on(all_of(shop.tenant)).await;
        (payment, recovery)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_organization_is_not_charged_while_another_is_and_is_charged_once_afterwards() {
    let stage = Stage::new().await;
    let held = stage.shop_named("held", &charges(1)).await;
    let other = stage.shop_named("other", &charges(1)).await;
    stage.hold(all_of(held.tenant)).await;
    let worker = stage.worker();
    let (payment, recovery) = stage.failed(&held, "insufficient_funds", &["ok"]).await;
    // Planned all the same, and due.
    testkit::eventually(PATIENCE, async || {
        stage.states(held.tenant, recovery).await == [AttemptState::Scheduled]
    })
    .await;
    for _ in 0..3 {
        let (_, recovery) = stage.failed(&other, "insufficient_funds", &["ok"]).await;
        let recovered = RecoveryState::Recovered;
        stage.until(other.tenant, recovery, recovered).await;
    }
    let waits = stage.attempts(held.tenant, recovery).await;
    assert_eq!(
        (waits[0].state, waits[0].claims),
        (AttemptState::Scheduled, 0)
    );
    assert!(waits[0].due_at <= stage.now(), "it has been due");
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());

    stage.go_on(all_of(held.tenant)).await;
    let recovered = RecoveryState::Recovered;
    stage.until(held.tenant, recovery, recovered).await;
    assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
    let made = stage.attempts(held.tenant, recovery).await;
    assert_eq!(
        (made.len(), made[0].id, made[0].claims),
        (1, waits[0].id, 1)
    );
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_while_the_psp_is_asked_keeps_the_charge_from_being_sent_and_costs_it_no_attempt() {
    let stage = Stage::new().await;
    let shop = stage.shop(&charges(1)).await;
    let (payment, recovery) = stage.planned(&shop).await;
    // The worker has reserved its charge, and asks how the payment stands.
    let slowly = json!({ "mode": "slow", "ms": 1_500 });
    stage.fault("/payment_intents/", 1, slowly).await;
    let parts = stage.parts();
    let act = async {
        stage.act(&parts).await;
    };
    let everything = Scope {
        organization: None,
        channel: None,
    };
    let hold = async {
        testkit::eventually(PATIENCE, async || stage.count("open_charges").await == 1).await;
        stage.hold(everything).await;
    };
    tokio::join!(act, hold);
    assert!(stage.charges_by_us(&payment.intent).await.is_empty());
    assert_eq!(stage.count("open_charges").await, 0);
    assert_eq!(stage.count("card_tries WHERE outcome = 'open'").await, 0);
    let states = stage.states(shop.tenant, recovery).await;
    assert_eq!(states, [AttemptState::Scheduled]);

    stage.go_on(everything).await;
    let worker = stage.worker();
    let recovered = RecoveryState::Recovered;
    stage.until(shop.tenant, recovery, recovered).await;
    assert_eq!(stage.charges_by_us(&payment.intent).await.len(), 1);
    assert_eq!(stage.attempts(shop.tenant, recovery).await.len(), 1);
    worker.stop().await;
}
