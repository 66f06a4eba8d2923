//! Which of the providers' error codes are about the address and not about the
//! message or the moment: only those suppress it.

use super::SuppressionReason;

/// What a Twilio error says of the number, when it refuses a message or reports
/// one undelivered (<https://www.twilio.com/docs/api/errors>, read 2026-11-25).
///
/// 30003 (handset unreachable: off, roaming), 30004 (blocked), 30007 (filtered)
/// and 30008 (unknown) may pass or are about the message: they suppress nothing.
pub const fn twilio_suppression(code: u32) -> Option<SuppressionReason> {
    match code {
        // The payer has answered STOP.
        21_610 => Some(SuppressionReason::OptedOut),
        // Not a number; not a valid one; not one that takes text messages.
        21_211 | 21_217 | 21_614 => Some(SuppressionReason::InvalidNumber),
        // Unknown or out of service; a landline or a carrier without text messages.
        30_005 | 30_006 => Some(SuppressionReason::UnreachableNumber),
        _ => None,
    }
}

/// What a WhatsApp error says of the number
/// (<https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>,
/// read 2026-11-25).
///
/// 131047 (more than 24 hours since the payer wrote: free text only), 131049
/// (held back by Meta for the payer's sake, this time) and 131056 (too many to
/// one payer) pass: they suppress nothing.
pub const fn whatsapp_suppression(code: u32) -> Option<SuppressionReason> {
    match code {
        // Not on WhatsApp, or cannot be reached there.
        131_026 => Some(SuppressionReason::NotOnWhatsApp),
        // Has told WhatsApp to stop such messages.
        131_050 => Some(SuppressionReason::OptedOut),
        _ => None,
    }
}

/// Whether an enhanced status code means that there is no such mailbox (RFC 3463,
/// 3.2 and 3.3: bad mailbox, bad domain, bad syntax, moved, null MX of RFC 7505,
/// disabled). A mail refused for its content or its sender (5.7.x) or for want of
/// room (5.2.2) says nothing of the kind: a block-listed sender must not cost a
/// merchant every address.
pub fn mailbox_is_gone(enhanced: &str) -> bool {
    matches!(
        enhanced,
        "5.1.0" | "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.2.1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_address_suppresses_it() {
        for passing in [30_001, 30_003, 30_004, 30_007, 30_008, 20_429] {
            assert_eq!(twilio_suppression(passing), None, "{passing}");
        }
        for passing in [130_429, 131_047, 131_049, 131_056] {
            assert_eq!(whatsapp_suppression(passing), None, "{passing}");
        }
        assert!(mailbox_is_gone("5.1.1"));
        for other in ["4.1.1", "5.2.2", "5.7.1", "5.0.0", ""] {
            assert!(!mailbox_is_gone(other), "{other}");
        }
    }
}
