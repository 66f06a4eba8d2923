//! Who may do what: one row for every method of every path.
//!
//! The types that handlers take ([`super::ReadAccess`] and its like) are what
//! keeps callers out; this table says what they must amount to. A test walks it
//! against the list of routes and, with every kind of caller, against the running
//! service, so a route without a row, or with another access than its row says,
//! fails. Every change that a caller makes is in the audit log under the action
//! that its row names; a test sees that too.

use domain::Role;

use super::scope::Scope;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing, or a proof of its own: a signature, a token in the path or body.
    NoCaller,
    /// A key with this scope or a greater one, or a person of the role that has it.
    Scope(Scope),
    /// A person, in any role; a key is refused.
    Person,
}

/// One row: what a method of a path needs, and what it does.
#[derive(Debug, Clone, Copy)]
pub struct Permission {
    /// The method.
    pub method: &'static str,
    /// The path's pattern, as `app` has it.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// The action under which the audit log has it; none for what changes
    /// nothing of the caller's organization.
    pub action: Option<&'static str>,
}

impl Permission {
    /// The least role of a person who may call it; none if nobody needs to be one.
    pub const fn least_role(&self) -> Option<Role> {
        match self.needs {
            Needs::NoCaller => None,
            Needs::Scope(scope) => Some(scope.least_role()),
            Needs::Person => Some(Role::Analyst),
        }
    }
}

const OPEN: Needs = Needs::NoCaller;
const READ: Needs = Needs::Scope(Scope::Read);
const WRITE: Needs = Needs::Scope(Scope::Write);
const ADMIN: Needs = Needs::Scope(Scope::Admin);
const PERSON: Needs = Needs::Person;

const fn row(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    action: Option<&'static str>,
) -> Permission {
    Permission {
        method,
        path,
        needs,
        action,
    }
}

/// Every method of every path. Sorted as `app` lists the routes.
pub const PERMISSIONS: &[Permission] = &[
    row("POST", "/v1/webhooks/stripe", OPEN, None),
    row("POST", "/v1/webhooks/stripe/{connection_id}", OPEN, None),
    row("POST", "/v1/webhooks/razorpay", OPEN, None),
    row("POST", "/v1/webhooks/razorpay/{connection_id}", OPEN, None),
    row("POST", "/v1/webhooks/twilio/status", OPEN, None),
    row("POST", "/v1/webhooks/twilio/inbound", OPEN, None),
    row("GET", "/v1/webhooks/whatsapp", OPEN, None),
    row("POST", "/v1/webhooks/whatsapp", OPEN, None),
    row("POST", "/v1/webhooks/email/bounces", OPEN, None),
    row("GET", "/v1/me", READ, None),
    row("GET", "/v1/auth/me", PERSON, None),
    row("GET", "/v1/auth/org", READ, None),
    row("GET", "/v1/organization", READ, None),
    row(
        "PATCH",
        "/v1/organization",
        ADMIN,
        Some("organization.changed"),
    ),
    row("POST", "/v1/auth/register", OPEN, None),
    row("POST", "/v1/auth/login", OPEN, None),
    row("POST", "/v1/auth/login/request-otp", OPEN, None),
    row("POST", "/v1/auth/login/verify-otp", OPEN, None),
    row(
        "POST",
        "/v1/auth/password/change",
        PERSON,
        Some("user.password_changed"),
    ),
    row("POST", "/v1/auth/password/request-reset", OPEN, None),
    row("POST", "/v1/auth/password/reset", OPEN, None),
    row("POST", "/v1/auth/invitations/accept", OPEN, None),
    row("POST", "/v1/auth/refresh", OPEN, None),
    row("POST", "/v1/auth/logout", PERSON, Some("session.ended")),
    row("GET", "/v1/auth/sessions", PERSON, None),
    row(
        "DELETE",
        "/v1/auth/sessions/{id}",
        PERSON,
        Some("session.ended"),
    ),
    row("GET", "/v1/users", ADMIN, None),
    row("PATCH", "/v1/users/me", PERSON, Some("user.renamed")),
    row("GET", "/v1/users/invitations", ADMIN, None),
    row("POST", "/v1/users/invitations", ADMIN, Some("user.invited")),
    row(
        "DELETE",
        "/v1/users/invitations/{id}",
        ADMIN,
        Some("user.invitation_revoked"),
    ),
    row(
        "POST",
        "/v1/users/{id}/disable",
        ADMIN,
        Some("user.disabled"),
    ),
    row("POST", "/v1/users/{id}/enable", ADMIN, Some("user.enabled")),
    row(
        "POST",
        "/v1/auth/roles/assign",
        ADMIN,
        Some("user.role_assigned"),
    ),
    row("GET", "/v1/audit", ADMIN, None),
    row(
        "POST",
        "/v1/events/payment_failed",
        WRITE,
        Some("failure.reported"),
    ),
    row(
        "POST",
        "/v1/events/payment_failed/batch",
        WRITE,
        Some("failure.reported"),
    ),
    row("GET", "/v1/events/by_ref/{ref}", READ, None),
    row("GET", "/v1/transactions", READ, None),
    row("POST", "/v1/transactions", WRITE, Some("transaction.made")),
    row("GET", "/v1/transactions/by_ref/{ref}", READ, None),
    row("GET", "/v1/transactions/{id}", READ, None),
    row("POST", "/v1/classify", READ, None),
    row("GET", "/v1/classify/unknown", READ, None),
    row("GET", "/v1/stream", READ, None),
    row("GET", "/v1/recoveries", READ, None),
    row("GET", "/v1/recoveries/by_token/{token}", OPEN, None),
    row("POST", "/v1/recoveries/by_token/{token}/open", OPEN, None),
    row("GET", "/v1/recoveries/by_ref/{ref}", READ, None),
    row(
        "POST",
        "/v1/recoveries/by_ref/{ref}/link",
        WRITE,
        Some("link.made"),
    ),
    row("GET", "/v1/recoveries/{id}", READ, None),
    row("GET", "/v1/recoveries/{id}/timeline", READ, None),
    row("GET", "/v1/recoveries/{id}/attempts", READ, None),
    row("GET", "/v1/recoveries/{id}/decisions", READ, None),
    row(
        "POST",
        "/v1/recoveries/{id}/cancel",
        WRITE,
        Some("recovery.cancelled"),
    ),
    row(
        "POST",
        "/v1/recoveries/{id}/pause",
        WRITE,
        Some("recovery.paused"),
    ),
    row(
        "POST",
        "/v1/recoveries/{id}/resume",
        WRITE,
        Some("recovery.resumed"),
    ),
    row(
        "POST",
        "/v1/recoveries/{id}/retry-now",
        WRITE,
        Some("recovery.retried"),
    ),
    // The payer may choose the time as well, with the token of a link to it.
    row(
        "PATCH",
        "/v1/recoveries/{id}/next_retry_at",
        WRITE,
        Some("recovery.rescheduled"),
    ),
    row("GET", "/v1/auth/api-keys", ADMIN, None),
    row("POST", "/v1/auth/api-keys", ADMIN, Some("api_key.made")),
    row(
        "DELETE",
        "/v1/auth/api-keys/{id}",
        ADMIN,
        Some("api_key.revoked"),
    ),
    row(
        "POST",
        "/v1/auth/api-keys/{id}/rotate",
        ADMIN,
        Some("api_key.rotated"),
    ),
    row("GET", "/v1/retry/policies", READ, None),
    row(
        "POST",
        "/v1/retry/policies",
        ADMIN,
        Some("policy.activated"),
    ),
    row("POST", "/v1/retry/policies/simulate", READ, None),
    row("GET", "/v1/retry/policies/active", READ, None),
    row("GET", "/v1/retry/policies/{id}", READ, None),
    row(
        "DELETE",
        "/v1/retry/policies/{id}",
        ADMIN,
        Some("policy.retired"),
    ),
    row("GET", "/v1/psp-connections", READ, None),
    row(
        "POST",
        "/v1/psp-connections",
        ADMIN,
        Some("psp_connection.made"),
    ),
    row("GET", "/v1/psp-connections/{id}", READ, None),
    row(
        "PATCH",
        "/v1/psp-connections/{id}",
        ADMIN,
        Some("psp_connection.changed"),
    ),
    row(
        "DELETE",
        "/v1/psp-connections/{id}",
        ADMIN,
        Some("psp_connection.ended"),
    ),
    row(
        "POST",
        "/v1/psp-connections/{id}/test",
        ADMIN,
        Some("psp_connection.tested"),
    ),
    row(
        "POST",
        "/v1/psp-connections/{id}/rotate",
        ADMIN,
        Some("psp_connection.rotated"),
    ),
    row("GET", "/v1/links", READ, None),
    row("POST", "/v1/links/{id}/revoke", WRITE, Some("link.revoked")),
    row("GET", "/v1/notifications", READ, None),
    row("GET", "/v1/notifications/{id}", READ, None),
    row("GET", "/v1/attempts", READ, None),
    row("GET", "/v1/attempts/{id}", READ, None),
    row("GET", "/v1/schedule/suggested_windows", READ, None),
    row(
        "POST",
        "/v1/maintenance/partition/ensure_current",
        OPEN,
        None,
    ),
    row("POST", "/v1/maintenance/partitions/prune", OPEN, None),
    row("GET", "/v1/maintenance/dead-letters", OPEN, None),
    row("POST", "/v1/maintenance/dead-letters/replay", OPEN, None),
    row("GET", "/v1/maintenance/dead-letters/{id}", OPEN, None),
    row(
        "POST",
        "/v1/maintenance/dead-letters/{id}/replay",
        OPEN,
        None,
    ),
    row(
        "POST",
        "/v1/maintenance/dead-letters/{id}/discard",
        OPEN,
        None,
    ),
    row("GET", "/v1/customer/profile", READ, None),
    row("GET", "/v1/customer/transactions", READ, None),
    row(
        "POST",
        "/v1/customer/transactions",
        WRITE,
        Some("customer_transaction.made"),
    ),
    row("GET", "/v1/customer/transactions/{ref}", READ, None),
    row("GET", "/v1/customer/api-key/usage", READ, None),
    row("GET", "/v1/customer/organization/stats", READ, None),
    row("GET", "/v1/retry/stats", READ, None),
    row("POST", "/v1/retry/trigger-due", ADMIN, None),
    row("GET", "/v1/retry/attempts/{id}/notifications", READ, None),
    row(
        "POST",
        "/v1/retry/attempts/{id}/retry-now",
        ADMIN,
        Some("recovery.retried"),
    ),
    row("GET", "/v1/templates", READ, None),
    row("POST", "/v1/templates", WRITE, Some("template.made")),
    row("GET", "/v1/templates/variables", READ, None),
    row("POST", "/v1/templates/preview", READ, None),
    row("GET", "/v1/templates/settings", READ, None),
    row(
        "PUT",
        "/v1/templates/settings",
        WRITE,
        Some("template.settings_changed"),
    ),
    row("GET", "/v1/templates/{id}", READ, None),
    row("PUT", "/v1/templates/{id}", WRITE, Some("template.changed")),
    row(
        "DELETE",
        "/v1/templates/{id}",
        WRITE,
        Some("template.retired"),
    ),
    row("POST", "/v1/recon/run", WRITE, Some("comparison.begun")),
    row("GET", "/v1/recon/runs", READ, None),
    row("GET", "/v1/recon/runs/{id}", READ, None),
    row("GET", "/v1/recon/runs/{id}/results", READ, None),
    row("GET", "/v1/consents", READ, None),
    row("PUT", "/v1/consents", WRITE, Some("consent.recorded")),
    row("GET", "/v1/consents/changes", READ, None),
    row("GET", "/v1/consents/required", READ, None),
    row(
        "PUT",
        "/v1/consents/required",
        ADMIN,
        Some("consent.requirement_changed"),
    ),
    row("GET", "/v1/suppressions", READ, None),
    row("POST", "/v1/suppressions", WRITE, Some("suppression.added")),
    row(
        "DELETE",
        "/v1/suppressions/{id}",
        ADMIN,
        Some("suppression.lifted"),
    ),
    row("GET", "/", OPEN, None),
    row("GET", "/v1/event-types", READ, None),
    row("GET", "/v1/webhook-endpoints", READ, None),
    row(
        "POST",
        "/v1/webhook-endpoints",
        ADMIN,
        Some("webhook_endpoint.made"),
    ),
    row("GET", "/v1/webhook-endpoints/{id}", READ, None),
    row(
        "PATCH",
        "/v1/webhook-endpoints/{id}",
        ADMIN,
        Some("webhook_endpoint.changed"),
    ),
    row(
        "DELETE",
        "/v1/webhook-endpoints/{id}",
        ADMIN,
        Some("webhook_endpoint.deleted"),
    ),
    row(
        "POST",
        "/v1/webhook-endpoints/{id}/rotate-secret",
        ADMIN,
        Some("webhook_endpoint.secret_rotated"),
    ),
    row(
        "POST",
        "/v1/webhook-endpoints/{id}/test",
        WRITE,
        Some("webhook_endpoint.tested"),
    ),
    row("GET", "/v1/webhook-endpoints/{id}/deliveries", READ, None),
    row(
        "POST",
        "/v1/webhook-endpoints/{id}/replay",
        WRITE,
        Some("webhook_endpoint.replayed"),
    ),
    row("GET", "/v1/webhook-deliveries/{id}", READ, None),
    row(
        "POST",
        "/v1/webhook-deliveries/{id}/replay",
        WRITE,
        Some("webhook_delivery.replayed"),
    ),
    row("GET", "/v1/analytics/summary", READ, None),
    row("GET", "/v1/analytics/revenue_recovered", READ, None),
    row("GET", "/v1/analytics/recovery_rate", READ, None),
    row("GET", "/v1/analytics/attempts_summary", READ, None),
    row("GET", "/v1/analytics/funnel", READ, None),
    row("GET", "/v1/analytics/by_category", READ, None),
    row("GET", "/v1/analytics/by_code", READ, None),
    row("GET", "/v1/analytics/by_channel", READ, None),
    row("GET", "/v1/analytics/time_to_recovery", READ, None),
    row("GET", "/v1/analytics/experiments/{id}", READ, None),
    row("GET", "/v1/exports/recoveries.csv", READ, None),
    row("GET", "/healthz", OPEN, None),
    row("GET", "/readyz", OPEN, None),
    row("GET", "/openapi.json", OPEN, None),
    row("GET", "/docs", OPEN, None),
    row("GET", "/docs/{file}", OPEN, None),
    row("GET", "/assets/pay.css", OPEN, None),
    row("GET", "/pay/{token}", OPEN, None),
    row("HEAD", "/pay/{token}", OPEN, None),
    row("POST", "/pay/{token}/checkout", OPEN, None),
    row("GET", "/pay/{token}/done", OPEN, None),
    row("GET", "/unsubscribe/{token}", OPEN, None),
    row("POST", "/unsubscribe/{token}", OPEN, None),
];
