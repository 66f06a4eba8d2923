//! Messages that there is no more reason to send, or that others left behind.

use db::consents::NewConsent;
use db::{consents, recoveries, suppressions};
use domain::{Category, Channel, ConsentState, Currency, Money, PayerAddress, SuppressionReason};

use crate::harness::{EMAIL, PHONE, Stage};

#[tokio::test]
async fn a_payment_before_the_hand_over_withdraws_the_message() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage
        .ask_after(
            Channel::Email,
            Category::InsufficientFunds,
            async |tx, asked| {
                let amount = Money::new(129_950, Currency::parse("INR").unwrap()).unwrap();
                let by = recoveries::RecoveredBy::Elsewhere;
                let reason = "paid at the merchant's";
                let (tenant, id) = (asked.tenant, asked.recovery);
                assert!(
                    recoveries::recover(tx, tenant, id, amount, by, reason)
                        .await
                        .unwrap()
                );
            },
        )
        .await;
    stage.becomes(&asked, "withdrawn").await;
    stage.all_settled().await;
    let (kind, why) = stage.timeline(&asked).await.pop().unwrap();
    assert_eq!(kind, "message.withdrawn");
    assert!(
        why.ends_with("was not sent: the recovery is recovered already"),
        "{why}"
    );
    assert_eq!(stage.inbox("email").await.len(), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_message_of_a_recovery_that_is_paused_before_the_hand_over_is_withdrawn() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage
        .ask_after(
            Channel::Email,
            Category::InsufficientFunds,
            async |tx, asked| {
                let (tenant, id) = (asked.tenant, asked.recovery);
                let recovery = recoveries::lock(tx, tenant, id).await.unwrap().unwrap();
                assert!(db::pausing::pause(tx, &recovery, "not now").await.unwrap());
            },
        )
        .await;
    stage.becomes(&asked, "withdrawn").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_suppressed_address_gets_nothing() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage
        .ask_after(
            Channel::Email,
            Category::InsufficientFunds,
            async |tx, asked| {
                let address = PayerAddress::parse(Channel::Email, EMAIL).unwrap();
                let reason = SuppressionReason::Unsubscribed;
                suppressions::add(tx, asked.tenant, &address, reason, None)
                    .await
                    .unwrap();
            },
        )
        .await;
    stage.becomes(&asked, "withdrawn").await;
    stage.all_settled().await;
    let (_, why) = stage.timeline(&asked).await.pop().unwrap();
    assert!(
        why.ends_with("was not sent: the payer has unsubscribed"),
        "{why}"
    );
    assert_eq!(stage.inbox("email").await.len(), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_consent_that_was_withdrawn_meanwhile_withdraws_the_message() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage
        .ask_after(
            Channel::WhatsApp,
            Category::InsufficientFunds,
            async |tx, asked| {
                let new = NewConsent {
                    address: &PayerAddress::parse(Channel::WhatsApp, PHONE).unwrap(),
                    state: ConsentState::Withdrawn,
                    source: "support",
                    evidence: None,
                    at: tx.now(),
                };
                assert!(consents::put(tx, asked.tenant, &new).await.unwrap());
            },
        )
        .await;
    stage.becomes(&asked, "withdrawn").await;
    stage.all_settled().await;
    let (kind, why) = stage.timeline(&asked).await.pop().unwrap();
    assert_eq!(kind, "message.withdrawn");
    assert!(
        why.ends_with("was not sent: the payer's consent was withdrawn"),
        "{why}"
    );
    assert_eq!(stage.inbox("whatsapp").await.len(), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_failure_that_must_not_be_named_is_not() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    stage
        .ask_after(Channel::Email, Category::DoNotRetry, async |_, _| {})
        .await;
    let mail = stage.received("email").await;
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("did not go through.\r\n"), "{text}");
    running.stop().await;
}

#[tokio::test]
async fn a_hand_over_left_by_a_dead_process_is_unconfirmed_and_not_sent_again() {
    let stage = Stage::new().await;
    let asked = stage.ask(Channel::Email).await;
    let left = "UPDATE notifications SET state = 'handing_over', claimed_by = gen_random_uuid(),
                lease_until = now() - interval '1 second', tries = 1";
    stage.client.execute(left, &[]).await.unwrap();
    let running = stage.start().await;
    stage.becomes(&asked, "unconfirmed").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 0);
    running.stop().await;
}

#[tokio::test]
async fn a_hand_over_that_another_process_is_at_is_left_alone_while_its_lease_runs() {
    let stage = Stage::new().await;
    let asked = stage.ask(Channel::Email).await;
    let held = "UPDATE notifications SET state = 'handing_over', claimed_by = gen_random_uuid(),
                lease_until = now() + interval '2 seconds', tries = 1";
    stage.client.execute(held, &[]).await.unwrap();
    let until = stage.column(&asked, "lease_until").await;
    let running = stage.start().await;
    stage.becomes(&asked, "unconfirmed").await;
    let kept = "SELECT updated_at >= $1::text::timestamptz FROM notifications";
    let row = stage.client.query_one(kept, &[&until]).await.unwrap();
    assert!(
        row.get::<_, bool>(0),
        "it was taken before its lease was over"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_message_that_is_gone_is_settled() {
    let stage = Stage::new().await;
    stage.ask(Channel::Email).await;
    stage
        .client
        .execute("DELETE FROM notifications", &[])
        .await
        .unwrap();
    let running = stage.start().await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 0);
    running.stop().await;
}
