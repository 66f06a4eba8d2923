//! Off-session charges.
//!
//! The merchant's own intent is confirmed again with the saved means; without
//! one an intent is made and confirmed in one request. An invoice is paid as
//! an invoice: an intent beside it would leave it open, and Stripe's own
//! retries would charge it a second time.

use domain::id::AttemptId;
use domain::{Money, Provider};

use super::form::Form;
use super::wire::{Page, Reference, Refusal, WireError, WireIntent};
use super::{Stripe, amount};
use crate::http::Answer;
use crate::metadata::{ATTEMPT_KEY, RECOVERY_KEY, TRANSACTION_KEY, born};
use crate::{ChargeOutcome, ChargeRequest, Decline, FoundCharge, PaymentRef, PspError};

/// Clocks differ: intents made this many seconds before the attempt's own
/// birth are looked at too.
const CLOCK_SKEW: i64 = 300;
/// Pages of a hundred intents that are looked through for one attempt.
const MAX_PAGES: usize = 10;

/// What a charge is made on.
pub(super) enum Target<'a> {
    Intent(&'a str),
    Invoice(&'a str),
    New,
}

impl<'a> Target<'a> {
    pub(super) fn of(payment: Option<&'a PaymentRef>) -> Result<Self, PspError> {
        let Some(payment) = payment else {
            return Ok(Self::New);
        };
        let kind = payment.id.split_once('_').map(|(kind, _)| kind);
        match (payment.provider, kind) {
            (Provider::Stripe, Some("pi")) => Ok(Self::Intent(&payment.id)),
            (Provider::Stripe, Some("in")) => Ok(Self::Invoice(&payment.id)),
            // A charge without an intent can't be tried again itself.
            (Provider::Stripe, Some("ch" | "py")) => Ok(Self::New),
            _ => Err(PspError::bad_reference(&payment.id)),
        }
    }
}

impl Stripe {
    pub(crate) async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, PspError> {
        let key = request.attempt.to_string();
        let method = &request.saved_means.payment_method;
        match Target::of(request.payment_ref.as_ref())? {
            Target::Intent(id) => {
                let form = Form::default()
                    .with("payment_method", method)
                    .with("off_session", "true");
                let path = ["v1", "payment_intents", id, "confirm"];
                let answer = self.post("confirm", &path, &form, &key).await?;
                self.outcome(answer, Some(id)).await
            }
            Target::Invoice(id) => self.pay_invoice(id, method, &key).await,
            Target::New => {
                let form = new_intent(request)?;
                let path = ["v1", "payment_intents"];
                let answer = self.post("create", &path, &form, &key).await?;
                self.outcome(answer, None).await
            }
        }
    }

    async fn outcome(&self, answer: Answer, id: Option<&str>) -> Result<ChargeOutcome, PspError> {
        if answer.status.is_success() {
            return outcome_of(answer.read()?);
        }
        let error = answer.read::<Refusal>()?.error;
        match (error.code.as_deref(), id) {
            (Some("payment_intent_unexpected_state"), Some(id)) => {
                // Somebody was quicker, or it is under way: only its own state tells.
                outcome_of(self.intent(id).await?)
            }
            _ => refused_charge(&answer, error, id),
        }
    }

    pub(crate) async fn find_charge(
        &self,
        attempt: AttemptId,
        customer: Option<&str>,
    ) -> Result<Option<FoundCharge>, PspError> {
        let found = match customer {
            Some(customer) => self.find_by_customer(attempt, customer).await?,
            None => self.find_by_search(attempt).await?,
        };
        found
            .map(|intent| {
                Ok(FoundCharge {
                    payment: PaymentRef::stripe(&intent.id),
                    status: super::status::status_of(intent)?,
                })
            })
            .transpose()
    }

    /// Exact: a customer's intents are listed as soon as they are made.
    async fn find_by_customer(
        &self,
        attempt: AttemptId,
        customer: &str,
    ) -> Result<Option<WireIntent>, PspError> {
        let wanted = attempt.to_string();
        let mut query = vec![
            ("customer", customer.to_owned()),
            ("created[gte]", (born(attempt) - CLOCK_SKEW).to_string()),
            ("limit", "100".to_owned()),
        ];
        for _ in 0..MAX_PAGES {
            let path = ["v1", "payment_intents"];
            let page: Page<WireIntent> = self.fetch("find", &path, &query).await?;
            let last = page.data.last().map(|intent| intent.id.clone());
            let made = |intent: &WireIntent| {
                let metadata = intent.metadata.as_ref();
                metadata.and_then(|entries| entries.get(ATTEMPT_KEY)) == Some(&wanted)
            };
            if let Some(found) = page.data.into_iter().find(made) {
                return Ok(Some(found));
            }
            let (true, Some(last)) = (page.has_more, last) else {
                return Ok(None);
            };
            query.retain(|(name, _)| *name != "starting_after");
            query.push(("starting_after", last));
        }
        Err(PspError::unclear(
            "the customer has more payments than are looked through",
        ))
    }

    async fn find_by_search(&self, attempt: AttemptId) -> Result<Option<WireIntent>, PspError> {
        let query = [("query", format!("metadata['{ATTEMPT_KEY}']:'{attempt}'"))];
        let path = ["v1", "payment_intents", "search"];
        let page: Page<WireIntent> = self.fetch("find", &path, &query).await?;
        Ok(page.data.into_iter().next())
    }
}

fn new_intent(request: &ChargeRequest) -> Result<Form, PspError> {
    let (minor, currency) = wire_amount(request.amount)?;
    Ok(Form::default()
        .with("amount", minor.to_string())
        .with("currency", currency)
        .with_some("customer", request.saved_means.customer.as_deref())
        .with("payment_method", &request.saved_means.payment_method)
        .with("confirm", "true")
        .with("off_session", "true")
        .with_entry("metadata", RECOVERY_KEY, request.recovery.to_string())
        .with_entry("metadata", ATTEMPT_KEY, request.attempt.to_string())
        .with_entry("metadata", TRANSACTION_KEY, &request.transaction_ref))
}

pub(super) fn wire_amount(money: Money) -> Result<(i64, String), PspError> {
    amount::to_wire(money).map_err(|fault| PspError::Refused {
        status: None,
        code: Some("invalid_amount".to_owned()),
        message: format!("Stripe cannot charge {money}: {fault}"),
    })
}

/// What a refusal of a charge means for it.
pub(super) fn refused_charge(
    answer: &Answer,
    error: WireError,
    id: Option<&str>,
) -> Result<ChargeOutcome, PspError> {
    if error.r#type.as_deref() == Some("idempotency_error") {
        // The key was used for a request with other fields, which may have acted.
        return Err(PspError::unclear(
            "the attempt's idempotency key was used for another request before",
        ));
    }
    let code = error.code.as_deref();
    let payer = code == Some("invoice_payment_intent_requires_action")
        || code == Some("authentication_required")
        || error.decline_code.as_deref() == Some("authentication_required");
    if !payer && answer.status.as_u16() != 402 {
        return Err(answer.refusal());
    }
    let decline = error.into_decline(id.map(str::to_owned));
    Ok(if payer {
        ChargeOutcome::PayerNeeded(decline)
    } else {
        ChargeOutcome::Declined(decline)
    })
}

/// What an intent's state means for the charge that was made on it.
pub(super) fn outcome_of(intent: WireIntent) -> Result<ChargeOutcome, PspError> {
    let payment = PaymentRef::stripe(&intent.id);
    match intent.status.as_str() {
        "succeeded" => Ok(ChargeOutcome::Succeeded {
            payment,
            charge: intent.latest_charge.map(Reference::into_id),
        }),
        "processing" | "requires_capture" => Ok(ChargeOutcome::Pending { payment }),
        "requires_action" | "requires_confirmation" => {
            Ok(ChargeOutcome::PayerNeeded(decline_of(intent)))
        }
        "requires_payment_method" => Ok(ChargeOutcome::Declined(decline_of(intent))),
        "canceled" => Err(PspError::Refused {
            status: None,
            code: Some("payment_cancelled".to_owned()),
            message: "the payment was cancelled at Stripe and can't be charged".to_owned(),
        }),
        other => Err(PspError::malformed(format!(
            "a PaymentIntent in state {other:?}"
        ))),
    }
}

pub(super) fn decline_of(intent: WireIntent) -> Decline {
    let latest = intent.latest_charge.map(Reference::into_id);
    let mut decline = intent
        .last_payment_error
        .unwrap_or_default()
        .into_decline(Some(intent.id));
    decline.charge = decline.charge.or(latest);
    decline
}
