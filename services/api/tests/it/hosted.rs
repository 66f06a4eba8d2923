//! The payer's pages, up to the PSP's own and back.

use reqwest::Method;
use sandbox::Sandbox;
use serde_json::{Value, json};

use crate::psps::{stripe_failed, stripe_paid};
use crate::stage::{Answer, Shop, Stage};

/// A stage whose PSPs are the sandbox's.
async fn with_psps() -> (Stage, Sandbox) {
    runtime::tls::install_ring();
    let sandbox = Sandbox::start(sandbox::Settings {
        http: "127.0.0.1:0".parse().unwrap(),
        smtp: "127.0.0.1:0".parse().unwrap(),
        public_url: None,
        seed: 1,
    })
    .await
    .unwrap();
    let stripe = format!("http://{}/stripe", sandbox.http());
    let razorpay = format!("http://{}/razorpay", sandbox.http());
    let more = [
        ("TINKO__STRIPE_BASE_URL", stripe.as_str()),
        ("TINKO__RAZORPAY_BASE_URL", razorpay.as_str()),
    ];
    let stage = Stage::with(&more).await;
    let account = json!({ "key": "sk_test_shop", "account_id": "acct_shop" });
    let url = format!("http://{}/_control/stripe/accounts", sandbox.http());
    let opened = Answer::of(stage.client.post(url).json(&account)).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    (stage, sandbox)
}

/// A recovery with a link: the recovery's id and the link's token.
async fn owed(stage: &Stage, shop: &Shop) -> (String, String) {
    let event = stripe_failed("evt_1", "pi_1", "ch_1", "insufficient_funds");
    stage.stripe("shop", shop, &event).await;
    let recoveries = stage.recoveries(shop).await;
    let id = recoveries[0]["id"].as_str().unwrap().to_owned();
    let token = stage.link(shop, "order%20of%20pi_1").await;
    (id, token)
}

async fn checkout(stage: &Stage, token: &str) -> Answer {
    let path = format!("/pay/{token}/checkout");
    Answer::of(
        stage
            .request(Method::POST, &path)
            .header("sec-fetch-site", "same-origin"),
    )
    .await
}

/// Pays at the sandbox's checkout; where it sends the payer then.
async fn pay(stage: &Stage, url: &str) -> String {
    let form = [
        ("card_number", "4242 4242 4242 4242"),
        ("expiry", "12 / 34"),
        ("cvc", "123"),
    ];
    let paid = Answer::of(stage.client.post(url).form(&form)).await;
    assert_eq!(paid.status, 303, "{}", paid.text);
    paid.header("location").to_owned()
}

#[tokio::test]
async fn the_page_says_what_is_owed_why_it_failed_and_what_to_do() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (id, token) = owed(&stage, &shop).await;
    let page = stage.browse(&format!("/pay/{token}")).await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    let shown = page.text.replace(&token, "[token]");
    let until = shown
        .lines()
        .find(|line| line.contains("UTC</dd>"))
        .unwrap()
        .to_owned();
    insta::assert_snapshot!("the_page_of_a_link", shown.replace(&until, "[until]"));
    assert!(!page.text.contains("lena@example.com") && !page.text.contains("<script"));
    assert_eq!(
        stage.timeline(&shop, &id).await.last().unwrap(),
        "link.opened"
    );
    stage.browse(&format!("/pay/{token}")).await;
    let opened = stage.timeline(&shop, &id).await;
    assert_eq!(
        opened.iter().filter(|kind| *kind == "link.opened").count(),
        1
    );
}

#[tokio::test]
async fn previews_and_probes_do_not_count_as_opening() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (id, token) = owed(&stage, &shop).await;
    let path = format!("/pay/{token}");
    let head = Answer::of(
        stage
            .request(Method::HEAD, &path)
            .header("user-agent", "Mozilla/5.0"),
    )
    .await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let preview = stage
        .request(Method::GET, &path)
        .header("user-agent", "WhatsApp/2.23.20.0 A");
    assert_eq!(Answer::of(preview).await.status, 200);
    assert!(
        !stage
            .timeline(&shop, &id)
            .await
            .contains(&"link.opened".to_owned())
    );
}

#[tokio::test]
async fn a_link_that_cannot_be_paid_says_so_and_nothing_else() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    for path in ["/pay/unknown", "/pay/zZ9rxknmw7uyb0LTsydcTWLArNpW-4UE"] {
        let unknown = stage.browse(path).await;
        assert_eq!(unknown.status, 404);
        assert!(unknown.text.contains("This link is not valid"));
    }
    let (id, token) = owed(&stage, &shop).await;
    let path = format!("/pay/{token}");
    let says = |page: Answer, status: u16, words: &str| {
        assert_eq!(page.status, status, "{}", page.text);
        assert!(page.text.contains(words), "{}", page.text);
        for secret in ["49.00", "Sons", "example.com", "order of"] {
            assert!(!page.text.contains(secret), "{secret}: {}", page.text);
        }
    };
    stage.later(chrono::TimeDelta::hours(25));
    says(stage.browse(&path).await, 410, "This link has expired");
    says(checkout(&stage, &token).await, 410, "This link has expired");
    stage.later(chrono::TimeDelta::hours(-25));
    stage
        .post(&shop, &format!("/v1/recoveries/{id}/cancel"), &Value::Null)
        .await;
    says(
        stage.browse(&path).await,
        410,
        "nothing to pay here any more",
    );
    says(
        checkout(&stage, &token).await,
        410,
        "nothing to pay here any more",
    );
    stage
        .stripe("shop", &shop, &stripe_paid("evt_2", "pi_1"))
        .await;
    says(stage.browse(&path).await, 200, "Payment received");
    says(checkout(&stage, &token).await, 200, "Payment received");
    says(
        stage.browse(&format!("{path}/done")).await,
        200,
        "Payment received",
    );
}

#[tokio::test]
async fn the_payer_pays_at_the_psp_and_sees_success_before_the_webhook_has_come() {
    let (stage, sandbox) = with_psps().await;
    let shop = stage.shop("shop").await;
    let (id, token) = owed(&stage, &shop).await;
    let begun = checkout(&stage, &token).await;
    assert_eq!(begun.status, 303, "{}", begun.text);
    let page = begun.header("location").to_owned();
    // A second tab reaches the same page.
    assert_eq!(checkout(&stage, &token).await.header("location"), page);
    assert_eq!(stage.counts().await["checkouts"], 1);

    // Not paid yet: back to the link's own page.
    let done = format!("/pay/{token}/done");
    let early = stage.browse(&done).await;
    assert_eq!(
        early.header("location"),
        format!("https://pay.example.com/pay/{token}")
    );

    let back = pay(&stage, &page).await;
    assert_eq!(back, format!("https://pay.example.com{done}"));
    let seen = stage.browse(&done).await;
    assert_eq!(seen.status, 200);
    assert!(seen.text.contains("Payment received"), "{}", seen.text);
    let recovery = stage.recovery(&shop, &id).await;
    assert_eq!(recovery["state"], "recovered");
    assert_eq!(
        (&recovery["recovered_by"], &recovery["recovered_amount"]),
        (&json!("link"), &json!(4_900))
    );
    let links = stage
        .get(&shop, "/v1/recoveries/by_ref/order%20of%20pi_1")
        .await;
    assert_eq!(links.json()[0]["status"], "completed");
    let kinds = stage.timeline(&shop, &id).await;
    assert_eq!(
        kinds,
        [
            "recovery.opened",
            "link.created",
            "checkout.started",
            "recovery.recovered"
        ]
    );
    sandbox.stop().await;
}

#[tokio::test]
async fn no_checkout_begins_while_a_charge_is_under_way() {
    let (stage, sandbox) = with_psps().await;
    let shop = stage.shop("shop").await;
    let (_, token) = owed(&stage, &shop).await;
    let insert = "INSERT INTO open_charges (recovery_id, organization_id, attempt_id, opened_at)
         SELECT id, organization_id, gen_random_uuid(), now() FROM recoveries";
    stage.database.execute(insert, &[]).await.unwrap();
    let busy = checkout(&stage, &token).await;
    assert_eq!(busy.status, 409);
    assert!(busy.text.contains("A payment is being tried right now"));
    assert_eq!(stage.counts().await["checkouts"], 0);
    stage
        .database
        .execute("DELETE FROM open_charges", &[])
        .await
        .unwrap();
    assert_eq!(checkout(&stage, &token).await.status, 303);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_psp_that_is_away_is_said_and_tried_again() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (id, token) = owed(&stage, &shop).await;
    let away = checkout(&stage, &token).await;
    assert_eq!((away.status, away.header("retry-after")), (503, "30"));
    assert!(
        away.text.contains("can&#x27;t be opened right now")
            || away.text.contains("can't be opened right now")
    );
    let page = stage.browse(&format!("/pay/{token}")).await;
    assert_eq!(page.status, 200);
    assert_eq!(stage.recovery(&shop, &id).await["state"], "open");
}

#[tokio::test]
async fn a_cancelled_recoverys_checkout_is_closed_at_the_psp() {
    let (stage, sandbox) = with_psps().await;
    let shop = stage.shop("shop").await;
    let (id, token) = owed(&stage, &shop).await;
    let page = checkout(&stage, &token).await.header("location").to_owned();
    stage
        .post(&shop, &format!("/v1/recoveries/{id}/cancel"), &Value::Null)
        .await;
    let form = [
        ("card_number", "4242 4242 4242 4242"),
        ("expiry", "12 / 34"),
        ("cvc", "123"),
    ];
    let paid = Answer::of(stage.client.post(page).form(&form)).await;
    assert_ne!(paid.status, 303, "nobody can pay there any more");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_form_of_another_site_begins_nothing() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (_, token) = owed(&stage, &shop).await;
    let path = format!("/pay/{token}/checkout");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let answer = Answer::of(stage.request(Method::POST, &path).header(name, value)).await;
        assert_eq!(answer.status, 403);
    }
    assert_eq!(stage.counts().await["checkouts"], 0);
}

#[tokio::test]
async fn unsubscribing_asks_first_and_then_holds() {
    let stage = Stage::new().await;
    let shop = stage.shop("shop").await;
    let (id, token) = owed(&stage, &shop).await;
    let path = format!("/unsubscribe/{token}");
    let asked = stage.browse(&path).await;
    assert_eq!(asked.status, 200);
    assert!(asked.text.contains("Stop email"), "{}", asked.text);
    assert_eq!(
        stage.counts().await["suppressions"],
        0,
        "a visit alone stops nothing"
    );
    for _ in 0..2 {
        // As a mail program's one click: from anywhere, without a cookie.
        let request = stage
            .request(Method::POST, &path)
            .header("sec-fetch-site", "cross-site");
        let done = Answer::of(request.body("List-Unsubscribe=One-Click")).await;
        assert_eq!(done.status, 200);
    }
    let row = "SELECT channel, address, reason FROM suppressions";
    let row = stage.database.query_one(row, &[]).await.unwrap();
    let row: [String; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(row, ["email", "lena@example.com", "unsubscribed"]);
    assert_eq!(
        stage.timeline(&shop, &id).await.last().unwrap(),
        "payer.unsubscribed"
    );
    let unknown = stage.request(Method::POST, "/unsubscribe/unknown");
    assert_eq!(Answer::of(unknown).await.status, 200);
}

#[tokio::test]
async fn the_style_sheet_is_served() {
    let stage = Stage::new().await;
    let style = stage.browse("/assets/pay.css").await;
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, "text/css; charset=utf-8")
    );
}
