//! Whether a payer may be written to, and how that came about.

use chrono::TimeDelta;
use db::consents::{self, NewConsent};
use db::contacts::{self, Wanted};
use db::{Tenant, Tx, reach, suppressions};
use domain::consent::{Bar, PayerAddress};
use domain::{Channel, ConsentState, SuppressionReason};

use crate::stage::Stage;

fn email() -> PayerAddress {
    PayerAddress::parse(Channel::Email, "payer@example.com").unwrap()
}

fn whatsapp() -> PayerAddress {
    PayerAddress::parse(Channel::WhatsApp, "+14155550100").unwrap()
}

fn consent(address: &PayerAddress, state: ConsentState, tx: &Tx) -> NewConsent<'static> {
    NewConsent {
        // A test's addresses are few.
        address: Box::leak(Box::new(address.clone())),
        state,
        source: "checkout",
        evidence: Some("form 7"),
        at: tx.now(),
    }
}

async fn bar(tx: &mut Tx, tenant: Tenant, address: &PayerAddress) -> Option<Bar> {
    let bars = reach::bars(tx.conn(), tenant, std::slice::from_ref(address)).await;
    bars.unwrap().pop().unwrap()
}

#[tokio::test]
async fn whatsapp_needs_an_opt_in_and_email_does_not_until_the_organization_says_otherwise() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    assert_eq!(bar(&mut tx, tenant, &email()).await, None);
    assert_eq!(bar(&mut tx, tenant, &whatsapp()).await, Some(Bar::NoOptIn));
    consents::require_opt_in(&mut tx, tenant, &[Channel::Email])
        .await
        .unwrap();
    assert_eq!(bar(&mut tx, tenant, &email()).await, Some(Bar::NoOptIn));
    assert_eq!(bar(&mut tx, tenant, &whatsapp()).await, None);
    let granted = consent(&email(), ConsentState::Granted, &tx);
    assert!(consents::put(&mut tx, tenant, &granted).await.unwrap());
    assert_eq!(bar(&mut tx, tenant, &email()).await, None);
}

#[tokio::test]
async fn a_withdrawn_consent_bars_a_channel_that_needs_none() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    let withdrawn = consent(&email(), ConsentState::Withdrawn, &tx);
    assert!(consents::put(&mut tx, tenant, &withdrawn).await.unwrap());
    assert_eq!(bar(&mut tx, tenant, &email()).await, Some(Bar::Withdrawn));
    // Neither an older word nor a report overrules it.
    let older = NewConsent {
        at: tx.now() - TimeDelta::days(1),
        ..consent(&email(), ConsentState::Granted, &tx)
    };
    assert!(!consents::put(&mut tx, tenant, &older).await.unwrap());
    let reported = consents::grant_unless_known(&mut tx, tenant, &[email()], "report").await;
    assert_eq!(reported.unwrap(), 0);
    assert_eq!(bar(&mut tx, tenant, &email()).await, Some(Bar::Withdrawn));
}

#[tokio::test]
async fn lifting_one_reason_leaves_the_others_and_each_change_is_in_the_book_once() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let other = stage.tenant("other").await;
    let mut tx = stage.tx().await;
    let address = email();
    let (gone, stop) = (SuppressionReason::HardBounce, SuppressionReason::OptedOut);
    for (reason, new) in [(gone, true), (stop, true), (gone, false)] {
        let added = suppressions::add(&mut tx, tenant, &address, reason, None).await;
        assert_eq!(added.unwrap(), new, "{reason}");
    }
    let upper = PayerAddress::parse(Channel::Email, "PAYER@example.com").unwrap();
    let barred = Some(Bar::Suppressed(gone));
    assert_eq!(bar(&mut tx, tenant, &upper).await, barred);
    assert_eq!(bar(&mut tx, other, &address).await, None);

    let stored = suppressions::find(tx.conn(), tenant, &address, gone).await;
    let id = stored.unwrap().unwrap().id;
    assert!(!suppressions::lift(&mut tx, other, id).await.unwrap());
    assert!(suppressions::lift(&mut tx, tenant, id).await.unwrap());
    assert!(!suppressions::lift(&mut tx, tenant, id).await.unwrap());
    let barred = Some(Bar::Suppressed(stop));
    assert_eq!(bar(&mut tx, tenant, &address).await, barred);

    let wanted = Wanted {
        limit: 10,
        ..Wanted::default()
    };
    let book = contacts::changes(tx.conn(), tenant, &wanted).await.unwrap();
    let book: Vec<_> = book
        .iter()
        .map(|it| (it.change.as_str(), it.reason.as_str(), it.actor.as_str()))
        .collect();
    assert_eq!(
        book,
        [
            ("lifted", "hard_bounce", "test"),
            ("suppressed", "opted_out", "test"),
            ("suppressed", "hard_bounce", "test"),
        ]
    );
    let book = contacts::changes(tx.conn(), other, &wanted).await.unwrap();
    assert!(book.is_empty());
}

#[tokio::test]
async fn rows_of_an_older_release_hold_as_they_were_given() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let client = stage.database.connect().await;
    let old = format!(
        "INSERT INTO suppressions (organization_id, channel, address, reason, created_at)
         VALUES ('{}', 'email', 'Payer@example.com', 'unsubscribed', now()) ON CONFLICT DO NOTHING",
        tenant.organization().uuid()
    );
    client.batch_execute(&old).await.unwrap();
    client.batch_execute(&old).await.unwrap();
    let mut tx = stage.tx().await;
    let address = PayerAddress::parse(Channel::Email, "Payer@example.com").unwrap();
    let barred = Some(Bar::Suppressed(SuppressionReason::Unsubscribed));
    assert_eq!(bar(&mut tx, tenant, &address).await, barred);
    assert_eq!(stage.count("suppressions").await, 1);
}

#[tokio::test]
async fn the_last_migration_can_be_taken_back_with_rows_in_its_tables() {
    let stage = Stage::new().await;
    let tenant = stage.tenant("shop").await;
    let mut tx = stage.tx().await;
    for reason in [SuppressionReason::HardBounce, SuppressionReason::OptedOut] {
        suppressions::add(&mut tx, tenant, &email(), reason, None)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let client = stage.database.connect().await;
    let down = include_str!("../../../../migrations/2026-11-25-000011_consents/down.sql");
    let up = include_str!("../../../../migrations/2026-11-25-000011_consents/up.sql");
    client.batch_execute(down).await.unwrap();
    assert_eq!(stage.count("suppressions").await, 1);
    client.batch_execute(up).await.unwrap();
}
