//! What operators have paused is not taken, and stays as it is.

use db::attempts::{self, claim_due, next_due, waiting};
use db::holds::{self, Holder, Put, Scope};
use domain::{AttemptKind, Channel};
use uuid::Uuid;

use crate::notifications::{begin, letter, queued};
use crate::stage::{Stage, claim, now};

const HOLDER: Holder<'_> = Holder {
    by: "asha",
    why: "a test wants it",
};
const EVERYTHING: Scope = Scope {
    organization: None,
    channel: None,
};

impl Stage {
    async fn hold(&self, scope: Scope) -> Put {
        let mut tx = self.tx().await;
        let put = holds::put(&mut tx, scope, HOLDER).await.unwrap();
        tx.commit().await.unwrap();
        put
    }

    async fn go_on(&self, scope: Scope) {
        let mut tx = self.tx().await;
        let lifted = holds::lift(&mut tx, scope, HOLDER).await.unwrap();
        assert!(lifted.is_some());
        tx.commit().await.unwrap();
    }

    /// How many of ten due attempts a worker is given.
    async fn claimed(&self) -> usize {
        let mut conn = self.db.read().await.unwrap();
        let claim = claim(1, Uuid::nil(), 10, 10);
        claim_due(&mut conn, &claim).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_held_organizations_attempts_are_not_claimed_nor_counted_as_due_while_anothers_are() {
    let stage = Stage::new().await;
    let (held, other) = (stage.tenant("held").await, stage.tenant("other").await);
    let (_, recovery) = stage.recovery(held, "order-1").await;
    stage.due_attempt(held, recovery, AttemptKind::Charge).await;
    let scope = Scope {
        organization: Some(held.organization()),
        channel: None,
    };
    assert!(matches!(stage.hold(scope).await, Put::Held(_)));
    assert_eq!(stage.hold(scope).await, Put::Before);
    let mut conn = stage.db.read().await.unwrap();
    assert_eq!(next_due(&mut conn).await.unwrap(), None);
    assert_eq!(waiting(&mut conn, now()).await.unwrap().due, 0);
    assert_eq!(stage.claimed().await, 0);

    let (_, recovery) = stage.recovery(other, "order-1").await;
    let due = stage
        .due_attempt(other, recovery, AttemptKind::Charge)
        .await;
    let next = next_due(&mut conn).await.unwrap();
    let due = attempts::find(&mut conn, other, due)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next, Some(due.due_at));
    assert_eq!(waiting(&mut conn, now()).await.unwrap().due, 1);
    assert_eq!(stage.claimed().await, 1);

    stage.go_on(scope).await;
    assert_eq!(waiting(&mut conn, now()).await.unwrap().due, 1);
    assert_eq!(stage.claimed().await, 1);
    assert_eq!(stage.claimed().await, 0);
}

#[tokio::test]
async fn nothing_is_claimed_while_everything_is_held_and_all_while_a_channel_is() {
    let stage = Stage::new().await;
    for slug in ["one", "two"] {
        let tenant = stage.tenant(slug).await;
        let (_, recovery) = stage.recovery(tenant, "order-1").await;
        stage
            .due_attempt(tenant, recovery, AttemptKind::Charge)
            .await;
    }
    stage.hold(EVERYTHING).await;
    let mut conn = stage.db.read().await.unwrap();
    assert_eq!(next_due(&mut conn).await.unwrap(), None);
    assert_eq!(waiting(&mut conn, now()).await.unwrap().due, 0);
    assert_eq!(stage.claimed().await, 0);
    stage.go_on(EVERYTHING).await;
    let email = Scope {
        organization: None,
        channel: Some(Channel::Email),
    };
    stage.hold(email).await;
    assert_eq!(holds::channels(&mut conn).await.unwrap(), [Channel::Email]);
    assert!(next_due(&mut conn).await.unwrap().is_some());
    assert_eq!(stage.claimed().await, 2);
}

#[tokio::test]
async fn a_message_does_not_start_once_it_is_held_and_starts_once_it_is_not() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let (_, id) = queued(&stage, tenant, "order-1").await;
    let read = letter(&stage, tenant, id).await;
    assert!(!read.held);
    let organization = Some(tenant.organization());
    for (organization, channel) in [
        (None, None),
        (None, Some(Channel::Email)),
        (organization, None),
        (organization, Some(Channel::Email)),
    ] {
        let scope = Scope {
            organization,
            channel,
        };
        stage.hold(scope).await;
        assert!(letter(&stage, tenant, id).await.held, "{scope:?}");
        assert!(!begin(&stage, &read, 1).await, "{scope:?}");
        stage.go_on(scope).await;
    }
    let others = stage.tenant("other").await.organization();
    for (organization, channel) in [
        (None, Some(Channel::Sms)),
        (organization, Some(Channel::WhatsApp)),
        (Some(others), None),
    ] {
        stage
            .hold(Scope {
                organization,
                channel,
            })
            .await;
    }
    assert!(!letter(&stage, tenant, id).await.held);
    assert!(begin(&stage, &read, 1).await);
}
