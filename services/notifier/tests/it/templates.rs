//! Messages in an organization's own words.

use db::templates::{self, Added, Slot};
use db::{Tenant, Tx};
use domain::id::MessageTemplateId;
use domain::payer::Language;
use domain::{Category, Channel};
use serde_json::{Value, json};

use crate::harness::{PHONE, Stage};

async fn template(
    tx: &mut Tx,
    tenant: Tenant,
    (channel, language, kind): (Channel, &str, &str),
    content: Value,
) -> MessageTemplateId {
    let language = &Language::parse(language).unwrap();
    let slot = Slot {
        channel,
        language,
        kind,
    };
    match templates::add(tx, tenant, &slot, &content).await.unwrap() {
        Added::Now(id) => id,
        other => panic!("{other:?}"),
    }
}

fn email(text: &str) -> Value {
    json!({ "email": { "subject": "{{ merchant }} wrote this", "text": text } })
}

#[tokio::test]
async fn the_organizations_words_for_the_payers_language_and_the_failure_are_used() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let mut id = None;
    let asked = stage
        .ask_after(Channel::Email, Category::ExpiredCard, async |tx, asked| {
            let mut make = async |language, kind, text| {
                let slot = (Channel::Email, language, kind);
                template(tx, asked.tenant, slot, email(text)).await
            };
            make("en", "default", "default {{ link }}").await;
            id = Some(make("en", "expired_card", "A new card, {{ payer }}: {{ link }}").await);
            make("de", "expired_card", "neue Karte {{ link }}").await;
            make("en", "neutral", "neutral {{ link }}").await;
        })
        .await;
    let mail = stage.received("email").await;
    stage.becomes(&asked, "sent").await;
    assert_eq!(mail["subject"], "Anna's Yoga & Tea wrote this");
    let text = mail["text"].as_str().unwrap();
    assert_eq!(text.trim(), format!("A new card, Asha: {}", asked.pay));
    assert!(
        mail["html"].as_str().unwrap().contains("<p>A new card"),
        "{mail}"
    );
    let kept = stage.column(&asked, "template_id").await;
    assert_eq!(kept, Some(id.unwrap().uuid().to_string()));
    assert_eq!(
        stage.column(&asked, "template_version").await.as_deref(),
        Some("1")
    );
    assert_eq!(
        stage.column(&asked, "language").await.as_deref(),
        Some("en-IN")
    );
    running.stop().await;
}

#[tokio::test]
async fn a_template_that_fails_gives_way_to_tinkos_and_the_message_goes_out_once() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage
        .ask_after(Channel::Sms, Category::ExpiredCard, async |tx, asked| {
            let content = json!({ "sms": { "text": "{{ link }}\n{{ of_an_older_release }}" } });
            let slot = (Channel::Sms, "en-IN", "default");
            template(tx, asked.tenant, slot, content).await;
        })
        .await;
    let sms = stage.received("sms").await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    assert_eq!(sms["links"], json!([asked.pay]));
    assert_eq!(stage.inbox("sms").await.len(), 1);
    assert_eq!(stage.column(&asked, "template_id").await, None);
    let fault = stage.column(&asked, "template_fault").await.unwrap();
    let wanted = "the en-IN template for default, version 1: text, line 2: ";
    assert!(fault.starts_with(wanted), "{fault}");
    let (kind, why) = stage.timeline(&asked).await.pop().unwrap();
    assert_eq!(kind, "message.sent");
    assert!(
        why.contains(&format!("in Tinko's own words, since {fault}")),
        "{why}"
    );
    running.stop().await;
}

#[tokio::test]
async fn an_organizations_sender_and_whatsapp_template_are_handed_to_the_provider() {
    let stage = Stage::new().await;
    let approved = json!({
        "phone_number_id": "100000000000000", "name": "renewal_v2", "language": "en_US",
        "body": "{{1}} owes {{2}}: {{3}}",
    });
    stage.control("whatsapp/templates", approved).await;
    let running = stage.start().await;
    let whatsapp = stage
        .ask_after(
            Channel::WhatsApp,
            Category::ExpiredCard,
            async |tx, asked| {
                let content = json!({ "whatsapp": {
                "name": "renewal_v2", "language_code": "en_US",
                "parameters": ["{{ payer }}", "{{ amount }}", "{{ link }}"],
            } });
                let slot = (Channel::WhatsApp, "en", "default");
                template(tx, asked.tenant, slot, content).await;
            },
        )
        .await;
    let message = stage.received("whatsapp").await;
    assert_eq!(
        message["text"],
        format!("Asha owes ₹1,299.50: {}", whatsapp.pay)
    );
    stage
        .ask_after(Channel::Sms, Category::ExpiredCard, async |tx, asked| {
            let dlt = json!({ "template_id": "1".repeat(19), "entity_id": "2".repeat(19) });
            let content =
                json!({ "sms": { "text": "{{ link }}", "sender": "ANNTEA", "dlt": dlt } });
            let slot = (Channel::Sms, "en", "default");
            template(tx, asked.tenant, slot, content).await;
        })
        .await;
    let sms = stage.received("sms").await;
    assert_eq!(
        (&sms["to"], &sms["from"]),
        (&json!(PHONE), &json!("ANNTEA")),
        "{sms}"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_payer_without_a_template_in_their_language_gets_the_organizations_default_one() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let asked = stage
        .ask_after(Channel::Email, Category::DoNotRetry, async |tx, asked| {
            let french = Language::parse("fr").unwrap();
            let contact = Some("aide@anna.example");
            templates::set(tx, asked.tenant, Some(&french), contact)
                .await
                .unwrap();
            let text = "{{ reason }}{{ link }} {{ support_contact }}";
            template(
                tx,
                asked.tenant,
                (Channel::Email, "fr", "neutral"),
                email(text),
            )
            .await;
            template(
                tx,
                asked.tenant,
                (Channel::Email, "fr", "do_not_retry"),
                email(text),
            )
            .await;
        })
        .await;
    let mail = stage.received("email").await;
    let text = mail["text"].as_str().unwrap();
    assert_eq!(text.trim(), format!("{} aide@anna.example", asked.pay));
    running.stop().await;
}

#[tokio::test]
async fn a_whatsapp_template_that_meta_refuses_gives_way_to_the_operators() {
    let stage = Stage::new().await;
    let approved = json!({
        "phone_number_id": "100000000000000", "name": "payment_recovery", "language": "en",
        "body": "Hi {{1}}, your payment to {{2}} of {{3}} failed. Pay here: {{4}}",
    });
    stage.control("whatsapp/templates", approved).await;
    let running = stage.start().await;
    let asked = stage
        .ask_after(
            Channel::WhatsApp,
            Category::ExpiredCard,
            async |tx, asked| {
                let content = json!({ "whatsapp": {
                "name": "never_approved", "language_code": "en", "parameters": ["{{ link }}"],
            } });
                template(
                    tx,
                    asked.tenant,
                    (Channel::WhatsApp, "en", "default"),
                    content,
                )
                .await;
            },
        )
        .await;
    let message = stage.received("whatsapp").await;
    stage.becomes(&asked, "sent").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("whatsapp").await.len(), 1);
    assert!(message.to_string().contains(&asked.pay), "{message}");
    assert_eq!(stage.column(&asked, "template_id").await, None);
    let fault = stage.column(&asked, "template_fault").await.unwrap();
    assert!(
        fault.contains("version 1: whatsapp: WhatsApp error 132001"),
        "{fault}"
    );
    running.stop().await;
}
