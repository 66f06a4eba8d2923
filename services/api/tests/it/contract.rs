//! What frontends of the earlier system know, against the document: route, fields of the
//! request, status and fields of the answer. New fields may come beside them; none of
//! these may go.

use serde_json::Value;

/// Of each field of a request: is it taken? Of each field of an answer: is it there?
/// A field of a field is written with a dot.
struct Known {
    route: &'static str,
    /// Fields of the body, or of the query where there is none.
    takes: &'static str,
    status: u16,
    answers: &'static str,
}

const fn known(
    route: &'static str,
    takes: &'static str,
    status: u16,
    answers: &'static str,
) -> Known {
    Known {
        route,
        takes,
        status,
        answers,
    }
}

const POLICY: &str = "id name max_retries initial_delay_minutes backoff_multiplier \
                      max_delay_minutes enabled_channels is_active";
const WINDOW: &str = "from to";

const KNOWN: &[Known] = &[
    known("GET /", "", 307, ""),
    known("GET /healthz", "", 200, "ok"),
    known("GET /readyz", "", 200, "ready"),
    known(
        "POST /v1/events/payment_failed",
        "transaction_ref amount currency gateway failure_reason occurred_at metadata \
         customer.email customer.phone Idempotency-Key",
        201,
        "id transaction_id",
    ),
    known(
        "GET /v1/events/by_ref/{ref}",
        "",
        200,
        "id transaction_id gateway reason occurred_at created_at meta",
    ),
    known(
        "POST /v1/classify",
        "code message",
        200,
        "ok data.category data.recommendation data.alt data.cooldown_seconds data.hardness",
    ),
    known(
        "POST /v1/recoveries/by_ref/{ref}/link",
        "ttl_hours channel",
        201,
        "attempt_id transaction_id token url expires_at",
    ),
    known("GET /v1/recoveries/by_ref/{ref}", "", 200, "token url"),
    known(
        "GET /v1/recoveries/by_token/{token}",
        "",
        200,
        "ok error data.transaction_ref data.status data.attempt_id",
    ),
    known(
        "POST /v1/recoveries/by_token/{token}/open",
        "",
        200,
        "ok error data.status data.opened_at",
    ),
    known(
        "PATCH /v1/recoveries/{id}/next_retry_at",
        "next_retry_at",
        200,
        "attempt_id next_retry_at status",
    ),
    known(
        "POST /v1/retry/policies",
        "name max_retries initial_delay_minutes backoff_multiplier max_delay_minutes \
         enabled_channels channels",
        200,
        POLICY,
    ),
    known("GET /v1/retry/policies", "", 200, POLICY),
    known("GET /v1/retry/policies/active", "", 200, POLICY),
    known("DELETE /v1/retry/policies/{id}", "", 200, "message"),
    known(
        "GET /v1/retry/stats",
        "",
        200,
        "total_attempts pending_retries sent_count completed_count failed_count avg_retry_count",
    ),
    known(
        "GET /v1/retry/attempts/{id}/notifications",
        "",
        200,
        "id channel recipient status provider sent_at delivered_at failed_at error_message \
         created_at",
    ),
    known(
        "POST /v1/retry/attempts/{id}/retry-now",
        "",
        200,
        "message attempt_id",
    ),
    known(
        "POST /v1/retry/trigger-due",
        "",
        200,
        "ok processed timestamp",
    ),
    known("GET /v1/analytics/revenue_recovered", WINDOW, 200, ""),
    known("GET /v1/analytics/recovery_rate", WINDOW, 200, ""),
    known("GET /v1/analytics/attempts_summary", WINDOW, 200, ""),
    known("GET /v1/analytics/summary", WINDOW, 200, ""),
    known("GET /v1/analytics/funnel", WINDOW, 200, ""),
    known("POST /v1/recon/run", "days", 200, "checked ok mismatches"),
    known(
        "GET /v1/schedule/suggested_windows",
        "ref hours_ahead",
        200,
        "ref hours_ahead slots.start slots.end slots.score",
    ),
    known(
        "POST /v1/maintenance/partition/ensure_current",
        "",
        200,
        "ok created",
    ),
    known(
        "POST /v1/maintenance/partitions/prune",
        "months",
        200,
        "ok pruned",
    ),
    known("GET /v1/customer/profile", "", 200, ""),
    known("GET /v1/customer/transactions", "limit offset", 200, ""),
    known(
        "POST /v1/customer/transactions",
        "transaction_ref amount currency customer_email customer_phone",
        200,
        "transaction_ref amount currency",
    ),
    known(
        "GET /v1/customer/transactions/{ref}",
        "",
        200,
        "transaction_ref amount currency",
    ),
    known("GET /v1/customer/api-key/usage", "", 200, ""),
    known("GET /v1/customer/organization/stats", "", 200, ""),
    known(
        "POST /v1/auth/register",
        // And `account_type`, which says nothing here: it may come, and is not read.
        "email password full_name org_name org_slug api_key_name api_scopes",
        201,
        "access_token token_type user organization",
    ),
    known(
        "POST /v1/auth/login",
        "email password",
        200,
        "access_token token_type user organization",
    ),
    known("POST /v1/auth/login/request-otp", "", 202, ""),
    known("POST /v1/auth/login/verify-otp", "", 200, ""),
    known("POST /v1/auth/api-keys", "", 201, ""),
    known("GET /v1/auth/api-keys", "", 200, ""),
    known("DELETE /v1/auth/api-keys/{id}", "", 204, ""),
    known("GET /v1/auth/me", "", 200, ""),
    known("GET /v1/auth/org", "", 200, ""),
    known("POST /v1/auth/roles/assign", "", 200, ""),
    known("POST /v1/webhooks/stripe", "", 200, ""),
    known("POST /v1/webhooks/razorpay", "", 200, ""),
];

/// Whether values of the schema may have the field, looking into what it refers to, what
/// it is made of and, of a list, its items.
fn has(document: &Value, schema: &Value, field: &str) -> bool {
    let (first, rest) = field
        .split_once('.')
        .map_or((field, None), |(a, b)| (a, Some(b)));
    if let Some(to) = schema["$ref"].as_str() {
        let there = document.pointer(to.trim_start_matches('#'));
        return has(document, there.unwrap(), field);
    }
    let own = schema["properties"].get(first);
    if own.is_some_and(|own| rest.is_none_or(|rest| has(document, own, rest))) {
        return true;
    }
    let parts = ["allOf", "oneOf", "anyOf"].map(|name| schema[name].as_array());
    let mut parts = parts.into_iter().flatten().flatten();
    parts.any(|part| has(document, part, field))
        || schema
            .get("items")
            .is_some_and(|items| has(document, items, field))
}

#[test]
fn no_route_and_no_field_that_frontends_know_has_gone() {
    let document: Value = serde_json::from_str(&api::openapi::json()).unwrap();
    let mut missing = Vec::new();
    for known in KNOWN {
        let (method, path) = known.route.split_once(' ').unwrap();
        let operation = &document["paths"][path][method.to_lowercase()];
        let answer = &operation["responses"][known.status.to_string()];
        if operation.is_null() || answer.is_null() {
            missing.push(format!("{}: {}", known.route, known.status));
            continue;
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let parameters = operation["parameters"].as_array();
        for field in known.takes.split_whitespace() {
            let mut named = parameters.into_iter().flatten();
            if !has(&document, body, field) && !named.any(|it| it["name"] == field) {
                missing.push(format!("{} takes no {field}", known.route));
            }
        }
        let body = &answer["content"]["application/json"]["schema"];
        for field in known.answers.split_whitespace() {
            if !has(&document, body, field) {
                missing.push(format!("{} answers no {field}", known.route));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
