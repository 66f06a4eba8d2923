//! The payer: reads their mail, follows the link, pays at the PSP's page.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::redirect::Policy;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Case, Stage};
use crate::journal::Happening;

/// How long a payer looks for a message.
const WAITS_FOR_MAIL: Duration = Duration::from_mins(1);
/// How long one looks for a text message who means to answer it.
const WAITS_FOR_TEXT: Duration = Duration::from_secs(20);
/// One look into the inbox.
const LOOK_MS: u64 = 5_000;
/// How long a payer tries to pay.
const TRIES_TO_PAY: Duration = Duration::from_secs(25);
const PAUSE: Duration = Duration::from_millis(800);

/// Waits for the first mail, and pays by its link. A payer who does not come through gives up.
pub(super) async fn pays(stage: &Stage, case: &Case) {
    let Some(link) = link(stage, case).await else {
        return;
    };
    let deadline = Instant::now() + TRIES_TO_PAY;
    while Instant::now() < deadline {
        match try_to_pay(&link).await {
            Ok(()) => {
                let reference = case.reference.clone();
                stage.journal.write(Happening::Paid { reference });
                return;
            }
            Err(error) if is_failure(&error) => {
                stage
                    .client
                    .failed("the payer's page", &format!("{error:#}"));
            }
            // The page says why it cannot be paid there any more.
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

/// Whether there was no answer, or one that tells of the server's own trouble.
fn is_failure(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<reqwest::Error>()
        .is_some_and(|error| error.status().is_none_or(|status| status.is_server_error()))
}

/// Waits for the first text message.
pub(super) async fn gets_a_text(stage: &Stage, case: &Case) {
    let deadline = Instant::now() + WAITS_FOR_TEXT;
    let phone = case.phone.replace('+', "%2B");
    let path = format!("/inbox/wait?to={phone}&count=1&timeout_ms={LOOK_MS}");
    while Instant::now() < deadline && stage.ground.sandbox.get(&path).await.is_err() {}
}

async fn link(stage: &Stage, case: &Case) -> Option<String> {
    let deadline = Instant::now() + WAITS_FOR_MAIL;
    let path = format!("/inbox/wait?to={}&count=1&timeout_ms={LOOK_MS}", case.email);
    while Instant::now() < deadline {
        if let Ok(messages) = stage.ground.sandbox.get(&path).await {
            return pay_link(&messages);
        }
    }
    None
}

/// The first link to pay in these messages.
fn pay_link(messages: &Value) -> Option<String> {
    let messages = messages.as_array().into_iter().flatten();
    let links = messages.flat_map(|message| message["links"].as_array().into_iter().flatten());
    let mut links = links.filter_map(Value::as_str);
    links.find(|link| link.contains("/pay/")).map(str::to_owned)
}

/// As a browser without JavaScript does it.
async fn try_to_pay(link: &str) -> anyhow::Result<()> {
    let browser = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .redirect(Policy::limited(5))
        .build()?;
    browser.get(link).send().await?.error_for_status()?;
    let checkout = browser.post(format!("{link}/checkout")).send().await?;
    let checkout = checkout.error_for_status()?;
    let page = checkout.url().clone();
    let form: &[(&str, &str)] = match page.path() {
        path if path.starts_with("/stripe/") => &[("card_number", "4242424242424242")],
        path if path.starts_with("/razorpay/") => &[("method", "upi"), ("vpa", "payer@upi")],
        path => anyhow::bail!("led to {path}"),
    };
    let paid = browser
        .post(page)
        .form(form)
        .send()
        .await
        .context("the PSP's page")?;
    let paid = paid.error_for_status()?;
    ensure!(
        paid.url().path().starts_with("/pay/"),
        "landed on {}",
        paid.url().path()
    );
    Ok(())
}
