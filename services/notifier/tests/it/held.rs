//! What operators have paused is not sent, and is sent once when they resume.

use db::holds::{self, Holder, Scope};
use domain::Channel;

use crate::harness::Stage;

const HOLDER: Holder<'_> = Holder {
    by: "asha",
    why: "a test wants it",
};

impl Stage {
    async fn hold(&self, scope: Scope) {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        let put = holds::put(&mut tx, scope, HOLDER).await.unwrap();
        assert!(matches!(put, holds::Put::Held(_)));
        tx.commit().await.unwrap();
    }

    async fn go_on(&self, scope: Scope) {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        let lifted = holds::lift(&mut tx, scope, HOLDER).await.unwrap();
        assert!(lifted.is_some());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_held_channels_messages_wait_while_others_go_out_and_each_is_sent_once_afterwards() {
    let stage = Stage::new().await;
    let email = Scope {
        organization: None,
        channel: Some(Channel::Email),
    };
    stage.hold(email).await;
    let running = stage.start().await;
    let waits = [
        stage.ask(Channel::Email).await,
        stage.ask(Channel::Email).await,
    ];
    for _ in 0..3 {
        let passes = stage.ask(Channel::Sms).await;
        stage.becomes(&passes, "sent").await;
    }
    for asked in &waits {
        assert_eq!(stage.state(asked).await, "queued");
        assert_eq!(stage.column(asked, "tries").await.as_deref(), Some("0"));
        assert!(stage.kinds(asked).await.is_empty(), "nothing is told of it");
    }
    assert!(stage.inbox("email").await.is_empty());

    stage.go_on(email).await;
    for asked in &waits {
        stage.becomes(asked, "sent").await;
        assert_eq!(stage.column(asked, "tries").await.as_deref(), Some("1"));
    }
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 2);
    running.stop().await;
}

#[tokio::test]
async fn a_held_organizations_messages_wait_in_the_stream_and_let_the_others_pass() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let first = stage.ask_of("held", Channel::Email).await;
    stage.becomes(&first, "sent").await;
    let scope = Scope {
        organization: Some(first.tenant.organization()),
        channel: None,
    };
    stage.hold(scope).await;
    let waits = stage.ask_of("held", Channel::Email).await;
    // Behind it in the same stream.
    for _ in 0..3 {
        let passes = stage.ask_of("other", Channel::Email).await;
        stage.becomes(&passes, "sent").await;
    }
    assert_eq!(stage.state(&waits).await, "queued");
    let owed = "outbox WHERE stream = 'notifications:email' AND dead_at IS NULL";
    assert_eq!(stage.count(owed).await, 1);

    stage.go_on(scope).await;
    stage.becomes(&waits, "sent").await;
    stage.all_settled().await;
    assert_eq!(stage.column(&waits, "tries").await.as_deref(), Some("1"));
    assert_eq!(stage.inbox("email").await.len(), 5);
    running.stop().await;
}
