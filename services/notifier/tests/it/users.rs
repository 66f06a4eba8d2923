//! Mails to merchants' people: once for each code, and only while it is open.

use contracts::Message;
use db::user_codes::{self, NewCode};
use db::users::{self, NewUser};
use db::{Tenant, organizations};
use domain::id::UserCodeId;
use domain::token::LinkKey;
use domain::user_code::{OneTimeCode, UserToken};
use domain::{CodePurpose, Role};
use serde_json::json;
use testkit::eventually;

use crate::harness::{LINK_KEY, SOON, Stage};

const ADDRESS: &str = "ravi@shop.example";

/// A code or link that was made, with its mail asked for.
#[derive(Clone, Copy)]
struct Made {
    tenant: Tenant,
    id: UserCodeId,
}

impl Made {
    fn code(self) -> OneTimeCode {
        OneTimeCode::derive(&LinkKey::new(LINK_KEY), self.id)
    }

    fn token(self) -> UserToken {
        UserToken::derive(&LinkKey::new(LINK_KEY), self.id)
    }
}

impl Stage {
    async fn make(&self, purpose: CodePurpose) -> Made {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        let (tenant, _) = organizations::ensure(&mut tx, "Chai & Sons", "chai")
            .await
            .unwrap();
        let id = tx.new_id();
        let hash = UserToken::derive(&LinkKey::new(LINK_KEY), id).hash();
        let token_hash = purpose.is_link().then_some(&hash);
        let new = NewCode {
            id,
            purpose,
            token_hash,
        };
        if purpose == CodePurpose::Invitation {
            let whom = (ADDRESS, Role::Operator);
            user_codes::invitations::make(&mut tx, tenant, whom, "test", &new)
                .await
                .unwrap();
        } else {
            let user = NewUser {
                email: ADDRESS,
                full_name: Some("Ravi"),
                role: Role::Operator,
                password_hash: None,
            };
            users::add(&mut tx, tenant, &user).await.unwrap();
            user_codes::make_for_address(&mut tx, (ADDRESS, None), true, &new)
                .await
                .unwrap()
                .unwrap();
        }
        tx.emit(tenant, Message::UserMailRequested { code: id });
        tx.commit().await.unwrap();
        Made { tenant, id }
    }

    async fn ask_again(&self, made: Made) {
        let mut tx = self.backbone.db.begin(self.backbone.cause()).await.unwrap();
        tx.emit(made.tenant, Message::UserMailRequested { code: made.id });
        tx.commit().await.unwrap();
    }

    async fn mail_state(&self, made: Made) -> String {
        let text = "SELECT mail_state FROM user_codes WHERE id = $1::text::uuid";
        let id = made.id.uuid().to_string();
        self.client.query_one(text, &[&id]).await.unwrap().get(0)
    }

    async fn mail_becomes(&self, made: Made, state: &str) {
        eventually(SOON, async || self.mail_state(made).await == state).await;
    }
}

#[tokio::test]
async fn a_code_arrives_once_and_the_row_says_so() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let made = stage.make(CodePurpose::Login).await;
    let mail = stage.received("email").await;
    stage.mail_becomes(made, "sent").await;
    stage.ask_again(made).await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 1);

    assert_eq!(mail["to"], ADDRESS);
    for part in ["text", "html"] {
        let words = mail[part].as_str().unwrap();
        assert!(words.contains(made.code().expose()), "{words}");
    }
    let headers = &mail["headers"];
    assert_eq!(
        headers["Message-ID"],
        format!("<{}@tinko.example>", made.id)
    );
    assert_eq!(headers["From"], "Tinko <recovery@tinko.example>");
    assert!(headers.get("List-Unsubscribe").is_none(), "{headers}");
    running.stop().await;
}

#[tokio::test]
async fn links_lead_to_the_merchants_frontend() {
    let mut stage = Stage::new().await;
    stage.set("TINKO__CONSOLE_URL", "https://console.example.com/app/");
    let running = stage.start().await;
    for (purpose, page) in [
        (CodePurpose::Invitation, "invitation"),
        (CodePurpose::PasswordReset, "reset-password"),
    ] {
        let made = stage.make(purpose).await;
        stage.mail_becomes(made, "sent").await;
        let wanted = format!(
            "https://console.example.com/app/{page}?token={}",
            made.token().expose()
        );
        let mails = stage.inbox("email").await;
        let links = |mail: &serde_json::Value| mail["links"].as_array().unwrap().clone();
        assert!(
            mails
                .iter()
                .any(|mail| links(mail).contains(&json!(wanted))),
            "{wanted} in {mails:?}"
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn a_code_that_was_replaced_before_its_mail_left_is_not_mailed() {
    let stage = Stage::new().await;
    let older = stage.make(CodePurpose::Login).await;
    let newer = stage.make(CodePurpose::Login).await;
    let running = stage.start().await;
    stage.mail_becomes(older, "withdrawn").await;
    stage.mail_becomes(newer, "sent").await;
    stage.all_settled().await;
    let mails = stage.inbox("email").await;
    assert_eq!(mails.len(), 1);
    assert!(
        mails[0]["text"]
            .as_str()
            .unwrap()
            .contains(newer.code().expose())
    );
    running.stop().await;
}

#[tokio::test]
async fn two_copies_at_two_notifiers_at_once_mail_one_code() {
    let stage = Stage::new().await;
    let first = stage.start().await;
    let second = stage.start().await;
    let slow = json!({ "target": "smtp", "mode": "slow", "ms": 300 });
    stage.fault(slow).await;
    let made = stage.make(CodePurpose::Login).await;
    stage.ask_again(made).await;
    stage.mail_becomes(made, "sent").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_mail_refused_for_now_is_sent_later_and_one_refused_for_good_fails() {
    let stage = Stage::new().await;
    let running = stage.start().await;
    let busy = json!({ "target": "smtp", "mode": "fail", "status": 451, "times": 2 });
    stage.fault(busy).await;
    let made = stage.make(CodePurpose::Login).await;
    stage.mail_becomes(made, "sent").await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    let gone = json!({ "target": "smtp", "mode": "fail", "status": 550 });
    stage.fault(gone).await;
    let made = stage.make(CodePurpose::Login).await;
    stage.mail_becomes(made, "failed").await;
    stage.all_settled().await;
    // Whom payers' messages must not reach says nothing of a merchant's own people.
    assert_eq!(stage.suppressions().await, []);
    running.stop().await;
}

#[tokio::test]
async fn a_mail_whose_answer_is_lost_is_unconfirmed_and_not_sent_again() {
    let stage = Stage::new().await;
    let lost = json!({ "target": "smtp", "mode": "timeout_after_acting", "ms": 20 });
    stage.fault(lost).await;
    let running = stage.start().await;
    let made = stage.make(CodePurpose::Login).await;
    stage.mail_becomes(made, "unconfirmed").await;
    stage.ask_again(made).await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_notifier_killed_in_a_hand_over_leaves_the_mail_unconfirmed() {
    let stage = Stage::new().await;
    let slow = json!({ "target": "smtp", "mode": "slow", "ms": 600 });
    stage.fault(slow).await;
    let first = stage.start().await;
    let made = stage.make(CodePurpose::PasswordReset).await;
    stage.mail_becomes(made, "handing_over").await;
    first.kill().await;
    let second = stage.start().await;
    stage.mail_becomes(made, "unconfirmed").await;
    stage.all_settled().await;
    assert_eq!(stage.inbox("email").await.len(), 1);
    second.stop().await;
}
