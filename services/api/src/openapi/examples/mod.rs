//! A body for each operation that takes one. `tests/it/examples.rs` sends each of them to
//! the real service; what names a thing of the caller's own is replaced there by what the
//! test has.

mod told;

use serde_json::{Value, json};

/// The example of an operation's body; none where it takes none.
pub(super) fn of(method: &str, path: &str) -> Option<Value> {
    login(method, path)
        .or_else(|| people(method, path))
        .or_else(|| operations(method, path))
        .or_else(|| payments(method, path))
        .or_else(|| recoveries(method, path))
        .or_else(|| consents(method, path))
        .or_else(|| policies(method, path))
        .or_else(|| templates(method, path))
        .or_else(|| connections(method, path))
        .or_else(|| told::of(path).filter(|_| method == "POST"))
}

fn login(method: &str, path: &str) -> Option<Value> {
    let token = "3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    Some(match (method, path) {
        ("POST", "/v1/auth/register") => json!({
            "email": "asha@shop.example",
            "password": "correct horse battery",
            "full_name": "Asha Rao",
            "org_name": "Shop & Sons",
            "org_slug": "shop-and-sons",
            "api_key_name": "shop backend",
            "api_scopes": ["read", "write"],
        }),
        ("POST", "/v1/auth/login") => json!({
            "email": "asha@shop.example",
            "password": "correct horse battery",
        }),
        ("POST", "/v1/auth/login/request-otp" | "/v1/auth/password/request-reset") => {
            json!({ "email": "asha@shop.example" })
        }
        ("POST", "/v1/auth/login/verify-otp") => {
            json!({ "email": "asha@shop.example", "code": "012345" })
        }
        ("POST", "/v1/auth/refresh" | "/v1/auth/logout") => json!({ "refresh_token": "rt_…" }),
        ("POST", "/v1/auth/password/change") => json!({
            "old_password": "correct horse battery",
            "new_password": "a quiet river at noon",
        }),
        ("POST", "/v1/auth/password/reset") => {
            json!({ "token": token, "password": "a quiet river at noon" })
        }
        ("POST", "/v1/auth/invitations/accept") => json!({
            "token": token,
            "password": "a quiet river at noon",
            "full_name": "Ravi Iyer",
        }),
        _ => return None,
    })
}

fn people(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("POST", "/v1/auth/api-keys") => json!({
            "name": "shop backend",
            "scopes": ["read", "write"],
        }),
        ("POST", "/v1/auth/api-keys/{id}/rotate") => json!({ "overlap_hours": 24 }),
        ("POST", "/v1/auth/roles/assign") => json!({
            "user_id": "usr_0199c0de5eed7000a000000000000001",
            "role": "operator",
        }),
        ("POST", "/v1/users/invitations") => {
            json!({ "email": "ravi@shop.example", "role": "operator" })
        }
        ("PATCH", "/v1/users/me") => json!({ "full_name": "Asha Rao" }),
        ("PATCH", "/v1/organization") => json!({
            "name": "Shop & Sons",
            "time_zone": "Asia/Kolkata",
            "country": "IN",
            "support_contact": "help@shop.example",
        }),
        _ => return None,
    })
}

fn operations(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("POST", "/v1/recon/run") => json!({ "days": 7 }),
        ("POST", "/v1/classify") => json!({
            "code": "insufficient_funds",
            "message": "Your card has insufficient funds.",
            "source": "stripe",
            "network": "visa",
        }),
        ("POST", "/v1/maintenance/partitions/prune") => json!({ "months": 6 }),
        ("POST", "/v1/maintenance/dead-letters/replay") => json!({
            "stream": "failures",
            "reason": "stored retry_policies.document does not read",
            "limit": 100,
            "by": "asha",
            "why": "mended in 1.4.2",
        }),
        (
            "POST",
            "/v1/maintenance/dead-letters/{id}/replay"
            | "/v1/maintenance/dead-letters/{id}/discard",
        ) => json!({ "by": "asha", "why": "mended in 1.4.2" }),
        _ => return None,
    })
}

fn customer() -> Value {
    json!({
        "email": "asha@example.com",
        "phone": "+919812341234",
        "name": "Asha Rao",
        "locale": "en-IN",
        "time_zone": "Asia/Kolkata",
    })
}

fn payments(method: &str, path: &str) -> Option<Value> {
    let customer = customer();
    Some(match (method, path) {
        ("POST", "/v1/events/payment_failed") => json!({
            "transaction_ref": "ORDER-1001",
            "amount": 129_950,
            "currency": "INR",
            "gateway": "payu",
            "failure_reason": "insufficient_funds",
            "occurred_at": "2026-11-25T10:00:00Z",
            "customer": customer,
            "payment": { "rail": "card", "card_country": "IN" },
            "metadata": { "basket": "B-77" },
        }),
        ("POST", "/v1/events/payment_failed/batch") => json!({ "events": [
            {
                "transaction_ref": "ORDER-1002",
                "amount": 49_900,
                "currency": "INR",
                "failure_reason": "do_not_honor",
                "customer": { "email": "ravi@example.com" },
                "idempotency_key": "order-1002-failed",
            },
            {
                "transaction_ref": "ORDER-1003",
                "amount": 4_900,
                "currency": "EUR",
                "failure_reason": "Your card has expired.",
            },
        ] }),
        ("POST", "/v1/transactions") => json!({
            "transaction_ref": "ORDER-1004",
            "amount": 129_950,
            "currency": "INR",
            "customer": customer,
        }),
        ("POST", "/v1/customer/transactions") => json!({
            "transaction_ref": "order-1042",
            "amount": 129_950,
            "currency": "INR",
            "customer_email": "asha@example.com",
        }),
        _ => return None,
    })
}

fn recoveries(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("POST", "/v1/recoveries/by_ref/{ref}/link") => {
            json!({ "ttl_hours": 24, "channel": "link" })
        }
        ("PATCH", "/v1/recoveries/{id}/next_retry_at") => {
            json!({ "next_retry_at": "2030-11-29T09:00:00+05:30" })
        }
        _ => return None,
    })
}

fn consents(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("PUT", "/v1/consents") => json!({
            "channel": "whatsapp",
            "address": "+919812341234",
            "state": "granted",
            "source": "checkout",
            "evidence": "the box in the checkout of order 1001",
        }),
        ("PUT", "/v1/consents/required") => json!({ "channels": ["sms", "whatsapp"] }),
        ("POST", "/v1/suppressions") => json!({
            "channel": "email",
            "address": "asha@example.com",
            "evidence": "asked for it on the telephone",
        }),
        _ => return None,
    })
}

fn policies(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("POST", "/v1/retry/policies") => json!({
            "name": "Patient",
            "max_retries": 4,
            "initial_delay_minutes": 120,
            "backoff_multiplier": 2,
            "max_delay_minutes": 2_880,
            "enabled_channels": ["email", "sms"],
        }),
        ("POST", "/v1/retry/policies/simulate") => json!({
            "policy": { "document": {
                "name": "Draft",
                "enabled_channels": ["email", "sms"],
                "steps": [
                    { "delay_seconds": 3_600, "action": "charge" },
                    { "delay_seconds": 36_000, "action": "message", "channels": ["email"] },
                ],
                "quiet_hours": { "sms": { "from": "09:00", "until": "20:00" } },
            } },
            "failures": [{
                "transaction_ref": "ORDER-1001",
                "amount": 129_950,
                "currency": "INR",
                "code": "insufficient_funds",
                "source": "stripe",
                "occurred_at": "2026-11-25T10:00:00Z",
                "country": "IN",
                "can_charge": true,
                "channels": ["email", "sms"],
            }],
        }),
        _ => return None,
    })
}

fn templates(method: &str, path: &str) -> Option<Value> {
    let email = json!({
        "subject": "{{ amount }} is still open",
        "text": "Your payment of {{ amount }} to {{ merchant }} did not go through. Pay here: {{ link }}",
    });
    Some(match (method, path) {
        ("POST", "/v1/templates") => json!({ "language": "en", "email": email }),
        ("POST", "/v1/templates/preview") => json!({
            "language": "en",
            "email": email,
            "payer_name": "Asha Rao",
            "amount": 129_950,
            "currency": "INR",
        }),
        ("PUT", "/v1/templates/{id}") => json!({ "version": 1, "email": email }),
        ("PUT", "/v1/templates/settings") => json!({
            "default_language": "en",
            "support_contact": "help@shop.example",
        }),
        _ => return None,
    })
}

fn connections(method: &str, path: &str) -> Option<Value> {
    Some(match (method, path) {
        ("POST", "/v1/psp-connections") => json!({
            "provider": "stripe",
            "account_id": "acct_1NcXyz2eZvKYlo2C",
            "name": "Shop in Pune",
            "credentials": { "secret_key": "sk_test_example" },
            "webhook_secret": "whsec_example_secret",
        }),
        ("PATCH", "/v1/psp-connections/{id}") => json!({ "name": "Shop in Mumbai" }),
        ("POST", "/v1/psp-connections/{id}/rotate") => json!({
            "webhook_secret": "whsec_example_newer",
            "overlap_hours": 24,
        }),
        ("POST", "/v1/webhook-endpoints") => json!({
            "url": "https://partner.example/webhooks",
            "description": "the shop's back office",
            "event_types": ["recovery.*"],
            "signature": "hmac",
        }),
        ("PATCH", "/v1/webhook-endpoints/{id}") => json!({
            "event_types": ["recovery.*", "link.opened"],
            "enabled": true,
        }),
        ("POST", "/v1/webhook-endpoints/{id}/rotate-secret") => {
            json!({ "overlap_hours": 24, "signature": "ed25519" })
        }
        ("POST", "/v1/webhook-endpoints/{id}/replay") => json!({
            "from": "2026-11-27T00:00:00Z",
            "to": "2026-11-28T00:00:00Z",
            "event_types": ["recovery.recovered"],
        }),
        _ => return None,
    })
}
