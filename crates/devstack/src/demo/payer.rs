//! The payer: follows a link from a message and pays at the PSP's page, as a
//! browser without JavaScript would.

use reqwest::Client;

use super::{DemoError, patient};

/// The PSP's page that the payer has been led to.
pub(super) struct CheckoutPage {
    http: Client,
    url: reqwest::Url,
}

/// Opens Tinko's page by its link, presses its button, and lands at the PSP.
pub(super) async fn follow(http: &Client, link: &str) -> Result<CheckoutPage, DemoError> {
    patient::send(http, "the payer's page", http.get(link)).await?;
    let checkout = http.post(format!("{link}/checkout"));
    let landed = patient::send(http, "the checkout", checkout).await?;
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
        let paid = self.http.post(self.url.clone()).form(form);
        let landed = patient::send(&self.http, "the PSP's page", paid).await?;
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
