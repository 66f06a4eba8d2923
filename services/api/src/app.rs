//! What handlers work with, and the one list of all routes.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use actix_web::Resource;
use actix_web::web::{
    self, PathConfig, QueryConfig, ServiceConfig, delete, get, head, patch, post, put,
};
use anyhow::Context;
use backbone::Backbone;
use chrono::TimeDelta;
use domain::token::LinkKey;
use partners::Guard;
use runtime::settings::Environment;
use seal::Keyring;
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use url::Url;
use wording::Wording;

use crate::auth::access_token::AccessTokens;
use crate::auth::operator::OperatorToken;
use crate::auth::password::Passwords;
use crate::checkout::page::Pages;
use crate::conduct::methods;
use crate::conduct::rate::Limiter;
use crate::live::Hub;
use crate::problem::{self, Problem};
use crate::receipts::secrets::Secrets;
use crate::routes::webhooks::gather::{self, Gatherer};
use crate::routes::{
    analytics, api_keys, attempts, audit, classify, consents, customer, docs, event_types, events,
    exports, hosted, invitations, links, login, maintenance, me, notifications, organization,
    passwords, policies, probes, psp_connections, recon, recoveries, retry, schedule, sessions,
    stream, suppressions, templates, transactions, unsubscribe, users, webhook_deliveries,
    webhook_endpoints, webhooks,
};
use crate::settings::Settings;
use crate::vault::Vault;

/// What handlers work with; one a process.
pub struct Api {
    /// Postgres, the streams, the clock.
    pub backbone: Backbone,
    /// Opens the PSPs' secrets.
    pub vault: Vault,
    /// Judges where partner webhooks may go.
    pub(crate) guard: Guard,
    /// Seals the keys that they are signed with.
    pub(crate) keyring: Keyring,
    /// Seals and opens answers that hold secrets and are kept for `Idempotency-Key`.
    pub(crate) kept_answers: Keyring,
    /// Derives link tokens.
    pub link_key: LinkKey,
    /// Writes messages, and looks organizations' templates over.
    pub wording: Wording,
    /// The hosted pages.
    pub pages: Pages,
    /// Where payers reach this service.
    pub public_base_url: Url,
    /// What proves that receipts are genuine.
    pub(crate) receipts: Secrets,
    /// What kind of API keys are made.
    pub environment: Environment,
    /// Largest body, in bytes.
    pub body_limit: usize,
    /// The longest that a request is worked on.
    pub request_timeout: Duration,
    /// How long a request waits for the comparison that it began.
    pub recon_wait: Duration,
    /// Makes and reads users' access tokens.
    pub access_tokens: AccessTokens,
    /// Hashes users' passwords.
    pub passwords: Passwords,
    /// How long a session lives in which nothing happens.
    pub session_life: TimeDelta,
    /// Whether anybody may register an organization.
    pub open_registration: bool,
    /// What an operator of the installation says.
    pub operator: OperatorToken,
    /// How many proxies of ours stand in front.
    pub proxies: usize,
    /// Counts requests.
    pub limiter: Limiter,
    /// Webhooks that are committed together.
    pub(crate) gatherer: Arc<Gatherer>,
    /// Where connections to Postgres live.
    pub(crate) home: Handle,
    /// Who follows the stream.
    pub live: Arc<Hub>,
    /// For requests that are worked on at the same time.
    pub(crate) room: Arc<Semaphore>,
    /// Exports that may be written at the same time.
    pub(crate) exports: Arc<Semaphore>,
}

impl Api {
    /// By the settings, which are found to be wrong here if they are.
    pub fn new(settings: &Settings, backbone: Backbone) -> anyhow::Result<Arc<Self>> {
        let timeout = Duration::from_millis(settings.checkout_timeout_ms);
        let opener = settings
            .connections
            .opener(timeout, settings.circuit.limits())?;
        let keep_for = TimeDelta::seconds(i64::from(settings.webhook_secret_cache_seconds));
        let shared = backbone.streams.rates(settings.conduct.rate_patience())?;
        let limiter = Limiter::new(&settings.conduct, shared);
        Ok(Arc::new(Self {
            backbone,
            wording: Wording::new()?,
            pages: Pages::new(&settings.connections.endpoints(), &settings.public_base_url)?,
            vault: Vault::new(opener, keep_for),
            guard: settings.guard.guard(settings.common.environment)?,
            keyring: settings.connections.keyring()?,
            kept_answers: kept_answers(&settings.connections.master_key)?,
            link_key: link_key(&settings.link_key)?,
            public_base_url: settings.public_base_url.clone(),
            receipts: Secrets::of(settings),
            environment: settings.common.environment,
            body_limit: settings.body_limit_bytes,
            request_timeout: settings.request_timeout(),
            recon_wait: settings.recon_wait(),
            access_tokens: access_tokens(settings)?,
            passwords: Passwords::new(processors()),
            session_life: TimeDelta::days(settings.session_days.into()),
            open_registration: settings.open_registration,
            operator: OperatorToken::new(settings.operator_token.as_ref())?,
            proxies: settings.proxies,
            limiter,
            gatherer: Gatherer::new(gather::LIMITS),
            home: Handle::current(),
            live: Hub::new(
                settings.conduct.stream_listeners,
                settings.conduct.stream_listeners_per_organization,
            ),
            room: Arc::new(Semaphore::new(settings.requests_at_once.get().into())),
            exports: Arc::new(Semaphore::new(exports::AT_ONCE)),
        }))
    }

    /// The address of `path` (which starts with a slash) as payers see it.
    pub fn public_url(&self, path: &str) -> Url {
        let mut url = self.public_base_url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }
}

fn link_key(secret: &SecretString) -> anyhow::Result<LinkKey> {
    LinkKey::parse(secret.expose_secret()).context("TINKO__LINK_KEY is not usable")
}

fn kept_answers(master_key: &SecretString) -> anyhow::Result<Keyring> {
    Keyring::parse(master_key).context("TINKO__MASTER_KEY is not usable")
}

fn access_tokens(settings: &Settings) -> anyhow::Result<AccessTokens> {
    let lifetime = TimeDelta::seconds(settings.access_token_seconds.into());
    AccessTokens::new(settings.token_keys(), lifetime)
        .context("TINKO__ACCESS_TOKEN_KEYS is not usable")
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A path; a method that it does not have is answered with a problem.
fn at(path: &str) -> Resource {
    web::resource(path.to_owned()).default_service(web::to(methods::other))
}

/// Every route there is.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(PathConfig::default().error_handler(Problem::from_path))
        .app_data(QueryConfig::default().error_handler(Problem::from_query))
        .configure(webhook_routes)
        .configure(receipt_routes)
        .configure(login_routes)
        .configure(user_routes)
        .configure(partner_routes)
        .configure(template_routes)
        .configure(comparison_routes)
        .configure(connection_routes)
        .configure(resource_routes)
        .configure(operator_routes)
        .configure(consent_routes)
        .configure(partner_webhook_routes)
        .configure(analytics_routes)
        .configure(payer_routes)
        .default_service(web::to(problem::no_route));
}

fn webhook_routes(config: &mut ServiceConfig) {
    config
        .service(at("/v1/webhooks/stripe").route(post().to(webhooks::stripe::by_account)))
        .service(
            at("/v1/webhooks/stripe/{connection_id}")
                .route(post().to(webhooks::stripe::by_connection)),
        )
        .service(at("/v1/webhooks/razorpay").route(post().to(webhooks::razorpay::by_account)))
        .service(
            at("/v1/webhooks/razorpay/{connection_id}")
                .route(post().to(webhooks::razorpay::by_connection)),
        );
}

fn receipt_routes(config: &mut ServiceConfig) {
    config
        .service(at(webhooks::twilio::STATUS).route(post().to(webhooks::twilio::status)))
        .service(at(webhooks::twilio::INBOUND).route(post().to(webhooks::twilio::inbound)))
        .service(
            at("/v1/webhooks/whatsapp")
                .route(get().to(webhooks::whatsapp::challenge))
                .route(post().to(webhooks::whatsapp::receive)),
        )
        .service(at("/v1/webhooks/email/bounces").route(post().to(webhooks::bounces::receive)));
}

fn login_routes(config: &mut ServiceConfig) {
    config
        .service(at("/v1/auth/register").route(post().to(login::register::register)))
        .service(at("/v1/auth/login").route(post().to(login::password::log_in)))
        .service(at("/v1/auth/login/request-otp").route(post().to(login::request_otp::request)))
        .service(at("/v1/auth/login/verify-otp").route(post().to(login::verify_otp::verify)))
        .service(at("/v1/auth/password/change").route(post().to(passwords::change::change)))
        .service(
            at("/v1/auth/password/request-reset")
                .route(post().to(passwords::request_reset::request)),
        )
        .service(at("/v1/auth/password/reset").route(post().to(passwords::reset::reset)))
        .service(at("/v1/auth/invitations/accept").route(post().to(invitations::accept::accept)))
        .service(at("/v1/auth/refresh").route(post().to(login::refresh::refresh)))
        .service(at("/v1/auth/logout").route(post().to(login::logout::log_out)));
}

fn user_routes(config: &mut ServiceConfig) {
    config
        .service(at("/v1/me").route(get().to(me::caller::show)))
        .service(at("/v1/auth/me").route(get().to(me::user::show)))
        .service(at("/v1/auth/org").route(get().to(me::organization::show)))
        .service(
            at("/v1/organization")
                .route(get().to(organization::show::show))
                .route(patch().to(organization::change::change)),
        )
        .service(at("/v1/auth/sessions").route(get().to(sessions::list::list)))
        .service(at("/v1/auth/sessions/{id}").route(delete().to(sessions::end::end)))
        .service(at("/v1/users").route(get().to(users::list::list)))
        .service(at("/v1/users/me").route(patch().to(users::rename::rename)))
        .service(
            at("/v1/users/invitations")
                .route(get().to(invitations::list::list))
                .route(post().to(invitations::make::make)),
        )
        .service(at("/v1/users/invitations/{id}").route(delete().to(invitations::revoke::revoke)))
        .service(at("/v1/users/{id}/disable").route(post().to(users::disable::disable)))
        .service(at("/v1/users/{id}/enable").route(post().to(users::enable::enable)))
        .service(at("/v1/auth/roles/assign").route(post().to(users::assign_role::assign)))
        .service(at("/v1/audit").route(get().to(audit::list)));
}

fn partner_routes(config: &mut ServiceConfig) {
    config
        .service(at("/v1/events/payment_failed").route(post().to(events::payment_failed::report)))
        .service(at("/v1/events/payment_failed/batch").route(post().to(events::batch::report)))
        .service(at("/v1/events/by_ref/{ref}").route(get().to(events::by_ref::list)))
        .service(
            at("/v1/transactions")
                .route(get().to(transactions::list::list))
                .route(post().to(transactions::make::make)),
        )
        .service(at("/v1/transactions/by_ref/{ref}").route(get().to(transactions::by_ref::show)))
        .service(at("/v1/transactions/{id}").route(get().to(transactions::show::show)))
        .service(at("/v1/classify").route(post().to(classify::answer::answer)))
        .service(at("/v1/classify/unknown").route(get().to(classify::unknown::list)))
        .service(at("/v1/stream").route(get().to(stream::follow)))
        .service(at("/v1/recoveries").route(get().to(recoveries::list::list)))
        .service(at("/v1/recoveries/by_token/{token}").route(get().to(links::by_token::show)))
        .service(at("/v1/recoveries/by_token/{token}/open").route(post().to(links::open::open)))
        .service(at("/v1/recoveries/by_ref/{ref}").route(get().to(links::by_ref::list)))
        .service(at("/v1/recoveries/by_ref/{ref}/link").route(post().to(links::make::make)))
        .service(at("/v1/recoveries/{id}").route(get().to(recoveries::show::show)))
        .service(at("/v1/recoveries/{id}/timeline").route(get().to(recoveries::timeline::show)))
        .service(at("/v1/recoveries/{id}/attempts").route(get().to(recoveries::attempts::list)))
        .service(at("/v1/recoveries/{id}/decisions").route(get().to(recoveries::decisions::list)))
        .service(at("/v1/recoveries/{id}/cancel").route(post().to(recoveries::cancel::cancel)))
        .service(at("/v1/recoveries/{id}/pause").route(post().to(recoveries::pause::pause)))
        .service(at("/v1/recoveries/{id}/resume").route(post().to(recoveries::resume::resume)))
        .service(at("/v1/recoveries/{id}/retry-now").route(post().to(recoveries::retry_now::retry)))
        .service(
            at("/v1/recoveries/{id}/next_retry_at")
                .route(patch().to(recoveries::reschedule::reschedule)),
        )
        .service(
            at("/v1/auth/api-keys")
                .route(get().to(api_keys::list::list))
                .route(post().to(api_keys::make::make)),
        )
        .service(at("/v1/auth/api-keys/{id}").route(delete().to(api_keys::revoke::revoke)))
        .service(at("/v1/auth/api-keys/{id}/rotate").route(post().to(api_keys::rotate::rotate)))
        .service(
            at("/v1/retry/policies")
                .route(get().to(policies::list::list))
                .route(post().to(policies::make::make)),
        )
        .service(at("/v1/retry/policies/simulate").route(post().to(policies::simulate::simulate)))
        .service(at("/v1/retry/policies/active").route(get().to(policies::active::show)))
        .service(
            at("/v1/retry/policies/{id}")
                .route(get().to(policies::show::show))
                .route(delete().to(policies::retire::retire)),
        );
}

fn consent_routes(config: &mut ServiceConfig) {
    config
        .service(
            at("/v1/consents")
                .route(get().to(consents::list::list))
                .route(put().to(consents::put::put)),
        )
        .service(at("/v1/consents/changes").route(get().to(consents::changes::list)))
        .service(
            at("/v1/consents/required")
                .route(get().to(consents::required::show))
                .route(put().to(consents::required::put)),
        )
        .service(
            at("/v1/suppressions")
                .route(get().to(suppressions::list::list))
                .route(post().to(suppressions::add::add)),
        )
        .service(at("/v1/suppressions/{id}").route(delete().to(suppressions::lift::lift)));
}

fn partner_webhook_routes(config: &mut ServiceConfig) {
    config
        .service(at("/v1/event-types").route(get().to(event_types::list)))
        .service(
            at("/v1/webhook-endpoints")
                .route(get().to(webhook_endpoints::list::list))
                .route(post().to(webhook_endpoints::make::make)),
        )
        .service(
            at("/v1/webhook-endpoints/{id}")
                .route(get().to(webhook_endpoints::show::show))
                .route(patch().to(webhook_endpoints::change::change))
                .route(delete().to(webhook_endpoints::delete::delete)),
        )
        .service(
            at("/v1/webhook-endpoints/{id}/rotate-secret")
                .route(post().to(webhook_endpoints::rotate_secret::rotate)),
        )
        .service(
            at("/v1/webhook-endpoints/{id}/test").route(post().to(webhook_endpoints::test::test)),
        )
        .service(
            at("/v1/webhook-endpoints/{id}/deliveries")
                .route(get().to(webhook_endpoints::deliveries::list)),
        )
        .service(
            at("/v1/webhook-endpoints/{id}/replay")
                .route(post().to(webhook_endpoints::replay::replay)),
        )
        .service(at("/v1/webhook-deliveries/{id}").route(get().to(webhook_deliveries::show::show)))
        .service(
            at("/v1/webhook-deliveries/{id}/replay")
                .route(post().to(webhook_deliveries::replay::replay)),
        );
}

fn comparison_routes(config: &mut ServiceConfig) {
    config
        .service(at("/v1/recon/run").route(post().to(recon::run::run)))
        .service(at("/v1/recon/runs").route(get().to(recon::list::list)))
        .service(at("/v1/recon/runs/{id}").route(get().to(recon::show::show)))
        .service(at("/v1/recon/runs/{id}/results").route(get().to(recon::results::list)));
}

fn connection_routes(config: &mut ServiceConfig) {
    config
        .service(
            at("/v1/psp-connections")
                .route(get().to(psp_connections::list::list))
                .route(post().to(psp_connections::make::make)),
        )
        .service(
            at("/v1/psp-connections/{id}")
                .route(get().to(psp_connections::show::show))
                .route(patch().to(psp_connections::change::change))
                .route(delete().to(psp_connections::end::end)),
        )
        .service(at("/v1/psp-connections/{id}/test").route(post().to(psp_connections::test::test)))
        .service(
            at("/v1/psp-connections/{id}/rotate").route(post().to(psp_connections::rotate::rotate)),
        );
}

fn resource_routes(config: &mut ServiceConfig) {
    config
        .service(at("/v1/links").route(get().to(links::list::list)))
        .service(at("/v1/links/{id}/revoke").route(post().to(links::revoke::revoke)))
        .service(at("/v1/notifications").route(get().to(notifications::list::list)))
        .service(at("/v1/notifications/{id}").route(get().to(notifications::show::show)))
        .service(at("/v1/attempts").route(get().to(attempts::list::list)))
        .service(at("/v1/attempts/{id}").route(get().to(attempts::show::show)))
        .service(
            at("/v1/schedule/suggested_windows").route(get().to(schedule::suggested_windows::list)),
        )
        .service(at("/v1/customer/profile").route(get().to(customer::profile::show)))
        .service(
            at("/v1/customer/transactions")
                .route(get().to(customer::list::list))
                .route(post().to(customer::make::make)),
        )
        .service(at("/v1/customer/transactions/{ref}").route(get().to(customer::show::show)))
        .service(at("/v1/customer/api-key/usage").route(get().to(customer::usage::show)))
        .service(at("/v1/customer/organization/stats").route(get().to(customer::stats::show)))
        .service(at("/v1/retry/stats").route(get().to(retry::stats::show)))
        .service(at("/v1/retry/trigger-due").route(post().to(retry::trigger_due::trigger)))
        .service(
            at("/v1/retry/attempts/{id}/notifications").route(get().to(retry::notifications::list)),
        )
        .service(at("/v1/retry/attempts/{id}/retry-now").route(post().to(retry::retry_now::retry)));
}

fn operator_routes(config: &mut ServiceConfig) {
    config
        .service(
            at("/v1/maintenance/partition/ensure_current")
                .route(post().to(maintenance::ensure::ensure)),
        )
        .service(at("/v1/maintenance/partitions/prune").route(post().to(maintenance::prune::prune)))
        .service(
            at("/v1/maintenance/dead-letters")
                .route(get().to(maintenance::dead_letters::list::list)),
        )
        // Before the path with a name in this one's place.
        .service(
            at("/v1/maintenance/dead-letters/replay")
                .route(post().to(maintenance::dead_letters::replay_many::replay_many)),
        )
        .service(
            at("/v1/maintenance/dead-letters/{id}")
                .route(get().to(maintenance::dead_letters::show::show)),
        )
        .service(
            at("/v1/maintenance/dead-letters/{id}/replay")
                .route(post().to(maintenance::dead_letters::replay::replay)),
        )
        .service(
            at("/v1/maintenance/dead-letters/{id}/discard")
                .route(post().to(maintenance::dead_letters::discard::discard)),
        );
}

fn template_routes(config: &mut ServiceConfig) {
    config
        .service(
            at("/v1/templates")
                .route(get().to(templates::list::list))
                .route(post().to(templates::make::make)),
        )
        .service(at("/v1/templates/variables").route(get().to(templates::variables::list)))
        .service(at("/v1/templates/preview").route(post().to(templates::preview::preview)))
        .service(
            at("/v1/templates/settings")
                .route(get().to(templates::settings::show))
                .route(put().to(templates::settings::change)),
        )
        .service(
            at("/v1/templates/{id}")
                .route(get().to(templates::show::show))
                .route(put().to(templates::change::change))
                .route(delete().to(templates::retire::retire)),
        );
}

fn analytics_routes(config: &mut ServiceConfig) {
    config
        .service(at("/v1/analytics/summary").route(get().to(analytics::summary::show)))
        .service(
            at("/v1/analytics/revenue_recovered")
                .route(get().to(analytics::revenue_recovered::show)),
        )
        .service(at("/v1/analytics/recovery_rate").route(get().to(analytics::recovery_rate::show)))
        .service(
            at("/v1/analytics/attempts_summary").route(get().to(analytics::attempts_summary::show)),
        )
        .service(at("/v1/analytics/funnel").route(get().to(analytics::funnel::show)))
        .service(at("/v1/analytics/by_category").route(get().to(analytics::by_category::list)))
        .service(at("/v1/analytics/by_code").route(get().to(analytics::by_code::list)))
        .service(at("/v1/analytics/by_channel").route(get().to(analytics::by_channel::list)))
        .service(
            at("/v1/analytics/time_to_recovery").route(get().to(analytics::time_to_recovery::show)),
        )
        .service(at("/v1/analytics/experiments/{id}").route(get().to(analytics::experiment::show)))
        .service(at("/v1/exports/recoveries.csv").route(get().to(exports::recoveries::export)));
}

fn payer_routes(config: &mut ServiceConfig) {
    config
        .service(at("/").route(get().to(docs::root::redirect)))
        .service(at("/healthz").route(get().to(probes::alive)))
        .service(at("/readyz").route(get().to(probes::ready)))
        .service(at("/openapi.json").route(get().to(docs::document::show)))
        .service(at("/docs").route(get().to(docs::page::show)))
        .service(at("/docs/{file}").route(get().to(docs::part::show)))
        .service(at("/assets/pay.css").route(get().to(hosted::style::show)))
        .service(
            at("/pay/{token}")
                .route(get().to(hosted::open::show))
                .route(head().to(hosted::open::show)),
        )
        .service(at("/pay/{token}/checkout").route(post().to(hosted::pay::start)))
        .service(at("/pay/{token}/done").route(get().to(hosted::done::show)))
        .service(
            at("/unsubscribe/{token}")
                .route(get().to(unsubscribe::ask::show))
                .route(post().to(unsubscribe::confirm::confirm)),
        );
}
