//! The payer: follows a link from a message and pays at the PSP's page, as a
//! browser without JavaScript would.

use reqwest::{Client, Response};

use super::DemoError;

/// The PSP's page that the payer has been led to.
pub(super) struct CheckoutPage {
    http: Client,
    url: reqwest::Url,
}

/// Opens Tinko's page by its link, presses its button, and lands at the PSP.
pub(super) async fn follow(http: &Client, link: &str) -> Result<CheckoutPage, DemoError> {
    let page = http.get(link).send().await;
    expect_ok("the payer's page", page)?;
    let checkout = http.post(format!("{link}/checkout")).send().await;
    let landed = expect_ok("the checkout", checkout)?;
    Ok(CheckoutPage {
        http: http.clone(),
        url: landed.url().clone(),
    })
}

impl CheckoutPage {
    /// Pays by card at Stripe's page, and lands on Tinko's page that says so.
    pub(super) async fn pay_by_card(&self, number: &str) -> Result<(), DemoError> {
        self.submit(&[("card_number", number)]).await
    }

    /// Pays by UPI at Razorpay's page.
    pub(super) async fn pay_by_upi(&self, vpa: &str) -> Result<(), DemoError> {
        self.submit(&[("method", "upi"), ("vpa", vpa)]).await
    }

    async fn submit(&self, form: &[(&str, &str)]) -> Result<(), DemoError> {
        let paid = self.http.post(self.url.clone()).form(form).send().await;
        let landed = expect_ok("the PSP's page", paid)?;
        if landed.url().path().starts_with("/pay/") {
            Ok(())
        } else {
            Err(DemoError::Answer(format!(
                "having paid, the payer landed on {}",
                landed.url().path()
            )))
        }
    }
}

fn expect_ok(what: &str, answer: Result<Response, reqwest::Error>) -> Result<Response, DemoError> {
    answer
        .and_then(Response::error_for_status)
        .map_err(|source| DemoError::Http {
            what: what.to_owned(),
            source,
        })
}
