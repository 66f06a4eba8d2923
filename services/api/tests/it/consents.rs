//! Consents and suppressions over REST.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Answer, Shop, Stage, steady};

impl Stage {
    async fn put(&self, shop: &Shop, path: &str, body: &Value) -> Answer {
        let request = self.request(Method::PUT, path).bearer_auth(&shop.key);
        Answer::of(request.json(body)).await
    }

    /// A key of the shop that may write and no more.
    async fn clerk(&self, shop: &Shop) -> Shop {
        let body = json!({ "name": "clerk", "scopes": ["read", "write"] });
        let made = self.post(shop, "/v1/auth/api-keys", &body).await.json();
        Shop {
            key: made["key"].as_str().unwrap().to_owned(),
            stripe: shop.stripe.clone(),
            razorpay: shop.razorpay.clone(),
        }
    }
}

fn granted(channel: &str, address: &str) -> Value {
    json!({
        "channel": channel, "address": address, "state": "granted",
        "source": "checkout", "evidence": "box ticked, form 7",
    })
}

#[tokio::test]
async fn a_consent_is_put_once_however_often_and_its_history_says_who() {
    let stage = Stage::new().await;
    let shop = stage.shop("anna").await;
    let body = granted("whatsapp", "+91 98123 41234");
    let first = stage.put(&shop, "/v1/consents", &body).await;
    assert_eq!(first.status, 200, "{}", first.text);
    insta::assert_json_snapshot!("a_consent", steady(&first.json()));
    let again = stage.put(&shop, "/v1/consents", &body).await;
    assert_eq!(again.json()["updated_at"], first.json()["updated_at"]);

    let mut withdrawn = body.clone();
    withdrawn["state"] = "withdrawn".into();
    let answer = stage.put(&shop, "/v1/consents", &withdrawn).await;
    assert_eq!(answer.json()["state"], "withdrawn");
    let book = stage.get(&shop, "/v1/consents/changes").await;
    insta::assert_json_snapshot!("changes_of_consents", steady(&book.json()));
}

#[tokio::test]
async fn addresses_are_masked_for_all_but_administrators() {
    let stage = Stage::new().await;
    let shop = stage.shop("anna").await;
    let clerk = stage.clerk(&shop).await;
    let body = granted("email", "Asha@example.com");
    let own = stage.put(&clerk, "/v1/consents", &body).await;
    assert_eq!(own.json()["address"], "a***@example.com");
    let suppressed = json!({ "channel": "sms", "address": "+919812341234" });
    stage.post(&clerk, "/v1/suppressions", &suppressed).await;
    for (path, whole, masked) in [
        ("/v1/consents", "asha@example.com", "a***@example.com"),
        ("/v1/suppressions", "+919812341234", "+91******1234"),
    ] {
        let row = |answer: Answer| answer.json()["data"][0]["address"].clone();
        assert_eq!(row(stage.get(&shop, path).await), whole);
        assert_eq!(row(stage.get(&clerk, path).await), masked);
    }
    let book = stage.get(&clerk, "/v1/consents/changes").await.text;
    assert!(
        !book.contains("asha") && !book.contains("9812341234"),
        "{book}"
    );
}

#[tokio::test]
async fn a_suppression_is_added_once_listed_by_pages_and_lifted_by_administrators() {
    let stage = Stage::new().await;
    let shop = stage.shop("anna").await;
    let body = json!({ "channel": "email", "address": "asha@example.com" });
    let first = stage.post(&shop, "/v1/suppressions", &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    insta::assert_json_snapshot!("a_suppression", steady(&first.json()));
    let again = stage.post(&shop, "/v1/suppressions", &body).await;
    assert_eq!((again.status, again.json()), (200, first.json()));
    for place in 0..4 {
        let body = json!({ "channel": "sms", "address": format!("+91981234000{place}") });
        assert_eq!(
            stage.post(&shop, "/v1/suppressions", &body).await.status,
            201
        );
    }
    let page = stage
        .get(&shop, "/v1/suppressions?channel=sms&limit=3")
        .await;
    let next = page.header("link").to_owned();
    let (url, _) = next.trim_start_matches('<').split_once('>').unwrap();
    let path = url.strip_prefix("https://pay.example.com").unwrap();
    let rest = stage.get(&shop, path).await.json();
    let rows = |page: &Value| -> Vec<String> {
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["address"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        rows(&page.json()),
        ["+919812340003", "+919812340002", "+919812340001"]
    );
    assert_eq!(
        (rows(&rest), &rest["next_cursor"]),
        (vec!["+919812340000".to_owned()], &Value::Null)
    );
    let one = stage
        .get(&shop, "/v1/suppressions?address=ASHA%40example.com")
        .await;
    assert_eq!(rows(&one.json()), ["asha@example.com"]);

    let path = format!("/v1/suppressions/{}", first.json()["id"].as_str().unwrap());
    let clerk = stage.clerk(&shop).await;
    let lift = async |shop: &Shop| {
        Answer::of(stage.request(Method::DELETE, &path).bearer_auth(&shop.key)).await
    };
    assert_eq!(lift(&clerk).await.status, 403);
    assert_eq!(lift(&shop).await.status, 204);
    assert_eq!(lift(&shop).await.status, 404);
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_named_and_nothing_changes() {
    let stage = Stage::new().await;
    let shop = stage.shop("anna").await;
    let before = stage.counts().await;
    for (body, fault) in [
        (
            granted("whatsapp", "9812341234"),
            "address: expected a phone number",
        ),
        (
            granted("email", "+919812341234"),
            "address: expected one email address",
        ),
        (
            granted("fax", "+919812341234"),
            "channel: unknown variant `fax`",
        ),
        (
            json!({ "channel": "sms", "address": "+919812341234", "state": "perhaps" }),
            "state: unknown variant `perhaps`",
        ),
        (
            json!({ "channel": "sms", "address": "+919812341234", "state": "granted",
                    "source": " ", "at": "2999-01-01T00:00:00Z" }),
            "source: must have 1 to 64 characters",
        ),
    ] {
        let answer = stage.put(&shop, "/v1/consents", &body).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(
            answer.faults()[0].starts_with(fault),
            "{:?}",
            answer.faults()
        );
    }
    let body = json!({ "channel": "sms", "address": "12", "reason": "manual" });
    let answer = stage.post(&shop, "/v1/suppressions", &body).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let query = "channel=fax&address=x&cursor=y&limit=0";
    let answer = stage.get(&shop, &format!("/v1/suppressions?{query}")).await;
    assert_eq!(answer.faults().len(), 4, "{}", answer.text);
    assert_eq!(stage.counts().await, before);
}

#[tokio::test]
async fn one_shops_consents_are_nothing_to_another() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    stage
        .put(&anna, "/v1/consents", &granted("email", "asha@example.com"))
        .await;
    let body = json!({ "channel": "email", "address": "asha@example.com" });
    let made = stage.post(&anna, "/v1/suppressions", &body).await.json();
    for path in ["/v1/consents", "/v1/consents/changes", "/v1/suppressions"] {
        assert_eq!(
            stage.get(&bert, path).await.json()["data"],
            json!([]),
            "{path}"
        );
        assert_eq!(
            Answer::of(stage.request(Method::GET, path)).await.status,
            401
        );
    }
    let path = |id: &str| format!("/v1/suppressions/{id}");
    let unknown = "sup_0193a5b0000070008000000000000000";
    let lift = async |id: &str| {
        Answer::of(
            stage
                .request(Method::DELETE, &path(id))
                .bearer_auth(&bert.key),
        )
        .await
    };
    // Another's and nobody's answer the same.
    let others = lift(made["id"].as_str().unwrap()).await;
    let nobodys = lift(unknown).await;
    assert_eq!(others.status, 404);
    assert_eq!(
        (others.status, others.json()["detail"].clone()),
        (nobodys.status, nobodys.json()["detail"].clone())
    );
    assert_eq!(
        stage.get(&anna, "/v1/suppressions").await.json()["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn an_organization_says_which_channels_need_an_opt_in() {
    let stage = Stage::new().await;
    let (anna, bert) = (stage.shop("anna").await, stage.shop("bert").await);
    let path = "/v1/consents/required";
    assert_eq!(
        stage.get(&anna, path).await.json(),
        json!({ "channels": ["whatsapp"] })
    );
    let wanted = json!({ "channels": ["whatsapp", "sms", "sms"] });
    let clerk = stage.clerk(&anna).await;
    assert_eq!(stage.put(&clerk, path, &wanted).await.status, 403);
    let answer = stage.put(&anna, path, &wanted).await;
    assert_eq!(answer.json(), json!({ "channels": ["sms", "whatsapp"] }));
    assert_eq!(stage.get(&anna, path).await.json(), answer.json());
    assert_eq!(
        stage.get(&bert, path).await.json(),
        json!({ "channels": ["whatsapp"] })
    );
    let wrong = stage
        .put(&anna, path, &json!({ "channels": ["fax"] }))
        .await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
}

#[tokio::test]
async fn a_report_says_on_which_channels_the_payer_opted_in() {
    let stage = Stage::new().await;
    let shop = stage.shop("anna").await;
    let report = |reference: &str, customer: Value| {
        json!({
            "transaction_ref": reference, "amount": 100, "currency": "INR",
            "failure_reason": "insufficient_funds", "customer": customer,
        })
    };
    let path = "/v1/events/payment_failed";
    let customer = json!({ "phone": "+919812341234", "consent": ["whatsapp", "sms", "whatsapp"] });
    for _ in 0..2 {
        let answer = stage
            .post(&shop, path, &report("order-1", customer.clone()))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let book = stage.get(&shop, "/v1/consents/changes").await.json();
    assert_eq!(book["data"].as_array().unwrap().len(), 2, "{book}");
    assert_eq!(book["data"][0]["reason"], "report");

    let before = stage.counts().await;
    for (customer, fault) in [
        (
            json!({ "consent": ["whatsapp"] }),
            "customer.consent: names whatsapp, and no phone number of the payer is known",
        ),
        (
            json!({ "consent": ["email", "fax"] }),
            "customer.consent[1]: \"fax\" is not a channel",
        ),
        (
            json!({ "consent": "email" }),
            "customer.consent: invalid type: a string, expected a sequence",
        ),
    ] {
        let answer = stage.post(&shop, path, &report("order-2", customer)).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert_eq!(answer.faults(), [fault]);
    }
    assert_eq!(stage.counts().await, before);
}
