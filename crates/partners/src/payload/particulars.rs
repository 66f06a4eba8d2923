//! What each type of event says besides which recovery it is about.
//!
//! Ids are texts with their prefix, amounts are in the currency's minor unit. A
//! field that may be absent is null.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! particulars {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub struct $name { $($(#[$field_doc])* #[serde(default)] pub $field: $kind),* }
    )*};
}

particulars! {
    /// Why the payment failed.
    RecoveryOpened {
        /// The failure that opened it.
        failure_event_id: Option<String>,
        /// Who reported it: `stripe`, `razorpay` or `api`.
        source: Option<String>,
        /// Why it failed, by Tinko's classification, such as `insufficient_funds`.
        category: Option<String>,
        /// `soft` if the same means may do later, else `hard`.
        hardness: Option<String>,
        /// The arm of the policy's experiment that it is in.
        variant: Option<String>,
        /// Whether it is watched and never acted on.
        hold_out: bool,
    }
    /// How the money arrived.
    RecoveryRecovered {
        /// What was paid, in the currency's minor unit.
        #[serde(rename(serialize = "recovered_amount", deserialize = "amount"))]
        recovered_amount: Option<i64>,
        /// By what: `charge`, `link` or `elsewhere`.
        by: Option<String>,
        /// The link that the payer paid through.
        link_id: Option<String>,
    }
    /// How it ended without money.
    RecoveryEnded {
        /// `exhausted`, `cancelled` or `expired`.
        state: Option<String>,
        /// What the policy asks the merchant's system to do: `none`, `notify_merchant`,
        /// `cancel_subscription`, `mark_uncollectible` or `pause_service`.
        final_action: Option<String>,
    }
    /// Why the payment failed once more.
    FailureRecorded {
        /// The failure.
        failure_event_id: Option<String>,
        /// What holds of the recovery now, by Tinko's classification.
        category: Option<String>,
        /// `soft` if the same means may do later, else `hard`.
        hardness: Option<String>,
    }
    /// A charge that went through.
    AttemptSucceeded {
        /// The step.
        attempt_id: Option<String>,
        /// Which step of the recovery, from 1.
        number: Option<u32>,
        /// The charge at the PSP.
        charge: Option<String>,
    }
    /// A charge that was declined.
    AttemptDeclined {
        /// The step.
        attempt_id: Option<String>,
        /// Which step of the recovery, from 1.
        number: Option<u32>,
        /// The PSP's code.
        code: Option<String>,
        /// Why, by Tinko's classification.
        category: Option<String>,
        /// `soft` if the same means may do later, else `hard`.
        hardness: Option<String>,
    }
    /// A message to the payer. It holds neither address nor text.
    Notification {
        /// The message.
        notification_id: Option<String>,
        /// The step that it belongs to.
        attempt_id: Option<String>,
        /// `email`, `sms` or `whatsapp`.
        channel: Option<String>,
        /// Who carried it: `smtp`, `twilio`, `whatsapp`.
        provider: Option<String>,
        /// Why it did not arrive.
        reason: Option<String>,
        /// The reason under which the address is not written to any more.
        suppressed: Option<String>,
    }
    /// A link to pay by. It holds no token.
    Link {
        /// The link.
        link_id: Option<String>,
        /// The channel that it was made for.
        channel: Option<String>,
        /// Until when it can be paid through.
        expires_at: Option<DateTime<Utc>>,
    }
    /// A visit to the PSP's payment page.
    CheckoutStarted {
        /// The visit.
        checkout_id: Option<String>,
        /// `stripe` or `razorpay`.
        provider: Option<String>,
    }
    /// A channel that the payer does not want to be written to on.
    PayerUnsubscribed {
        /// `email`, `sms` or `whatsapp`.
        channel: Option<String>,
    }
}

/// An endpoint that was disabled because deliveries to it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndpointDisabled {
    /// The endpoint.
    pub endpoint_id: String,
    /// Why, in words.
    pub reason: String,
}

/// An endpoint that is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndpointTest {
    /// The endpoint.
    pub endpoint_id: String,
    /// Some words.
    pub message: String,
}
