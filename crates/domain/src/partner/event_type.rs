//! What partners hear of.

use crate::state::named;

named! {
    /// The kind of an event that partners hear of. Once published, a name and the
    /// meaning of its fields stay.
    EventType, "event type" {
        /// A payment failed, and a recovery of it began.
        RecoveryOpened = "recovery.opened",
        /// The money arrived.
        RecoveryRecovered = "recovery.recovered",
        /// Every step was taken, and the payer's time to pay is over.
        RecoveryExhausted = "recovery.exhausted",
        /// The recovery was stopped.
        RecoveryCancelled = "recovery.cancelled",
        /// The recovery's time ran out with steps left.
        RecoveryExpired = "recovery.expired",
        /// What the policy asks the merchant's system to do at the end.
        RecoveryFinalAction = "recovery.final_action",
        /// The payment failed again while its recovery was open.
        FailureRecorded = "failure.recorded",
        /// A charge went through.
        AttemptSucceeded = "attempt.succeeded",
        /// A charge was declined.
        AttemptDeclined = "attempt.declined",
        /// A message was taken by its provider.
        NotificationSent = "notification.sent",
        /// A message arrived, by its provider's word.
        NotificationDelivered = "notification.delivered",
        /// A message could not be delivered, by its provider's word.
        NotificationBounced = "notification.bounced",
        /// A message could not be sent.
        NotificationFailed = "notification.failed",
        /// A link was made to pass on to the payer.
        LinkCreated = "link.created",
        /// The payer opened the link, for the first time.
        LinkOpened = "link.opened",
        /// The payer went to the PSP's payment page.
        CheckoutStarted = "checkout.started",
        /// The payer does not want to be written to on a channel.
        PayerUnsubscribed = "payer.unsubscribed",
        /// An endpoint was disabled because deliveries to it failed.
        EndpointDisabled = "endpoint.disabled",
        /// Sent when an endpoint is tried.
        EndpointTest = "endpoint.test",
    }
}

named! {
    /// How the webhooks of an endpoint are signed.
    SignatureKind, "kind of signature" {
        /// HMAC-SHA256 with a secret that both sides have (`v1`).
        Hmac = "hmac",
        /// Ed25519 with a key that Tinko alone has (`v1a`).
        Ed25519 = "ed25519",
    }
}

impl EventType {
    /// The type under which partners hear of an event on the stream; none if it is
    /// not for them. Messages to payers are notifications to partners, as in the API.
    pub fn of_kind(kind: &str) -> Option<Self> {
        match kind.strip_prefix("message.") {
            Some(rest) => format!("notification.{rest}").parse().ok(),
            None => kind
                .parse()
                .ok()
                .filter(|it: &Self| !it.is_about_endpoint()),
        }
    }

    /// Whether it is about an endpoint, and not about a recovery.
    pub const fn is_about_endpoint(self) -> bool {
        matches!(self, Self::EndpointDisabled | Self::EndpointTest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_notification_to_partners() {
        let sent = EventType::of_kind("message.sent");
        assert_eq!(sent, Some(EventType::NotificationSent));
        assert_eq!(EventType::of_kind("message.withdrawn"), None);
    }

    #[test]
    fn what_is_not_published_is_no_event_for_partners() {
        for kind in ["attempt.scheduled", "payment.underway", "endpoint.test", ""] {
            assert_eq!(EventType::of_kind(kind), None, "{kind}");
        }
    }
}
