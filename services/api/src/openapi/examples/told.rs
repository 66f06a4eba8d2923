//! What PSPs and messaging providers send, in their words.

use serde_json::{Value, json};

/// The example of what comes to a path.
pub(super) fn of(path: &str) -> Option<Value> {
    Some(match path {
        "/v1/webhooks/stripe" | "/v1/webhooks/stripe/{connection_id}" => stripe(),
        "/v1/webhooks/razorpay" | "/v1/webhooks/razorpay/{connection_id}" => razorpay(),
        "/v1/webhooks/twilio/status" => json!({
            "MessageSid": "SM0123456789abcdef0123456789abcdef",
            "MessageStatus": "delivered",
        }),
        "/v1/webhooks/twilio/inbound" => json!({
            "MessageSid": "SM0123456789abcdef0123456789abcdef",
            "From": "+919812341234",
            "To": "+15005550006",
            "Body": "STOP",
        }),
        "/v1/webhooks/whatsapp" => json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "0", "changes": [{ "field": "messages", "value": {
                "statuses": [{ "id": "wamid.HBgM", "status": "delivered" }],
            } }] }],
        }),
        "/v1/webhooks/email/bounces" => Value::from(BOUNCE),
        _ => return None,
    })
}

/// RFC 3464.
const BOUNCE: &str = "\
From: MAILER-DAEMON@mx.example\r\n\
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
--b\r\nContent-Type: message/delivery-status\r\n\r\n\
Reporting-MTA: dns; mx.example\r\n\r\n\
Final-Recipient: rfc822; asha@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
--b\r\nContent-Type: message/rfc822\r\n\r\n\
Message-ID: <ntf_0199c0de5eed7000a000000000000001@tinko.example>\r\n\r\n\
text\r\n--b--\r\n";

fn stripe() -> Value {
    json!({
        "id": "evt_3Q0001",
        "object": "event",
        "type": "payment_intent.payment_failed",
        "created": 1_790_000_000,
        "livemode": false,
        "account": "acct_1NcXyz2eZvKYlo2C",
        "data": { "object": {
            "id": "pi_3Q0001",
            "object": "payment_intent",
            "amount": 4_900,
            "currency": "eur",
            "customer": "cus_1",
            "latest_charge": "ch_3Q0001",
            "metadata": { "transaction_ref": "ORDER-1005" },
            "payment_method_types": ["card"],
            "last_payment_error": {
                "charge": "ch_3Q0001",
                "code": "card_declined",
                "decline_code": "insufficient_funds",
                "message": "Your card has insufficient funds.",
                "payment_method": {
                    "id": "pm_1",
                    "type": "card",
                    "customer": "cus_1",
                    "card": { "brand": "visa", "country": "DE" },
                    "billing_details": { "email": "lena@example.com", "name": "Lena" },
                },
            },
        } },
    })
}

fn razorpay() -> Value {
    json!({
        "entity": "event",
        "account_id": "acc_BFQ7uQEaa7j2z7",
        "event": "payment.failed",
        "created_at": 1_790_000_000,
        "payload": { "payment": { "entity": {
            "id": "pay_DESlfW9H8K9uqM",
            "order_id": "order_DESlLckIVRkHWj",
            "amount": 50_000,
            "currency": "INR",
            "status": "failed",
            "method": "upi",
            "email": "asha@example.com",
            "contact": "+919812341234",
            "notes": { "transaction_ref": "ORDER-1006" },
            "error_code": "BAD_REQUEST_ERROR",
            "error_reason": "payment_timed_out",
            "error_description": "Payment was not completed on time.",
            "error_source": "customer",
            "error_step": "payment_authentication",
        } } },
    })
}
