//! What is asked: each read of analytics, each list at its first page and at its end, and what else
//! reads of what grows.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::ask::Asker;
use super::seed::Seeded;
use crate::database::Database;

/// What all others are compared with: it costs what every authenticated request costs.
pub(super) const ME: &str = "/v1/me";

/// What a route is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `/v1/me` itself.
    Me,
    /// A read of analytics: with `/v1/me`.
    Analytics,
    /// The first page of a list: the last one is compared with it.
    First,
    /// A page near the end of the list before.
    Last,
    /// Anything else that reads.
    Other,
}

/// A path that is asked.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) path: String,
}

const ANALYTICS: [&str; 9] = [
    "/v1/analytics/summary",
    "/v1/analytics/revenue_recovered",
    "/v1/analytics/recovery_rate",
    "/v1/analytics/attempts_summary",
    "/v1/analytics/funnel",
    "/v1/analytics/by_category",
    "/v1/analytics/by_code",
    "/v1/analytics/by_channel",
    "/v1/analytics/time_to_recovery",
];

/// A list, and where its last rows begin.
struct List {
    path: &'static str,
    /// What gives the place of a row near the end: its id, or what is sorted by before it, as JSON.
    last: &'static str,
}

const fn list(path: &'static str, last: &'static str) -> List {
    List { path, last }
}

/// An id as it is on the wire, without what kind it is of.
macro_rules! end_of {
    ($from:literal) => {
        concat!(
            "SELECT replace(id::text, '-', '') FROM ",
            $from,
            " AND organization_id = '{organization}' ORDER BY id LIMIT 1 OFFSET 60"
        )
    };
}

const LISTS: [List; 20] = [
    list("/v1/transactions", end_of!("transactions WHERE true")),
    list("/v1/transactions?currency=USD", end_of!("transactions WHERE currency = 'USD'")),
    list("/v1/transactions?state=recovered", end_of!("transactions WHERE true")),
    list("/v1/transactions?paid=true&psp=stripe", end_of!("transactions WHERE true")),
    list("/v1/recoveries", end_of!("recoveries WHERE true")),
    list("/v1/recoveries?sort=oldest",
        "SELECT replace(id::text, '-', '') FROM recoveries WHERE organization_id = '{organization}'
         ORDER BY id DESC LIMIT 1 OFFSET 60"),
    list("/v1/recoveries?state=recovered", end_of!("recoveries WHERE state = 'recovered'")),
    list("/v1/recoveries?category=insufficient_funds", end_of!("recoveries WHERE category = 'insufficient_funds'")),
    list("/v1/recoveries?sort=amount&currency=INR",
        "SELECT '[' || amount_minor || ',\"rec_' || replace(id::text, '-', '') || '\"]' FROM recoveries
         WHERE organization_id = '{organization}' AND currency = 'INR' ORDER BY amount_minor, id LIMIT 1 OFFSET 60"),
    list("/v1/recoveries?sort=next_action",
        "SELECT jsonb_build_array(due_at, 'rec_' || replace(recovery_id::text, '-', ''))::text FROM attempts
         WHERE organization_id = '{organization}' AND state = 'scheduled'
         ORDER BY due_at DESC, recovery_id DESC LIMIT 1 OFFSET 60"),
    list("/v1/attempts", end_of!("attempts WHERE true")),
    list("/v1/attempts?state=declined", end_of!("attempts WHERE state = 'declined'")),
    list("/v1/attempts?kind=charge", end_of!("attempts WHERE kind = 'charge'")),
    list("/v1/notifications", end_of!("notifications WHERE true")),
    list("/v1/notifications?state=bounced", end_of!("notifications WHERE state = 'bounced'")),
    list("/v1/links", end_of!("recovery_links WHERE true")),
    list("/v1/audit", end_of!("audit_log WHERE true")),
    list("/v1/suppressions", end_of!("suppressions WHERE true")),
    list("/v1/consents", end_of!("consents WHERE true")),
    list("/v1/webhook-endpoints/{endpoint}/deliveries", end_of!("partner_deliveries WHERE true")),
];

/// Read by what is known of one: `{…}` is the id of a row in the middle.
const OTHERS: [&str; 15] = [
    "/v1/recoveries?q=ORDER-4",
    "/v1/recoveries?ref=ORDER-4321",
    "/v1/recoveries?customer_email=payer77@example.com",
    "/v1/recoveries?q=payer77@example.com",
    "/v1/transactions?customer_phone=%2B919800000077",
    "/v1/transactions/by_ref/ORDER-4321",
    "/v1/events/by_ref/ORDER-4321",
    "/v1/notifications?address=payer77@example.com",
    "/v1/recoveries/{recovery}",
    "/v1/recoveries/{recovery}/timeline",
    "/v1/recoveries/{recovery}/attempts",
    "/v1/customer/transactions/ORDER-4321",
    "/v1/customer/transactions?offset=10000",
    "/v1/customer/organization/stats",
    "/v1/retry/stats",
];

/// Everything that is asked.
pub(super) async fn all(
    database: &Database,
    asker: &Asker,
    seeded: &Seeded,
    year: &str,
) -> anyhow::Result<Vec<Route>> {
    let mut routes = vec![Route {
        kind: Kind::Me,
        name: ME.to_owned(),
        path: ME.to_owned(),
    }];
    for read in ANALYTICS {
        // Days of a zone that begin at a quarter-hour within a UTC hour: the most pieces.
        let path = format!("{read}?tz=Asia/Kathmandu");
        routes.push(route(
            Kind::Analytics,
            format!("{read}, 30 days"),
            path.clone(),
        ));
        routes.push(route(
            Kind::Analytics,
            format!("{read}, a year"),
            format!("{path}&{year}"),
        ));
    }
    let endpoint = endpoint(asker).await?;
    for list in LISTS {
        let path = list.path.replace("{endpoint}", &endpoint);
        let last = list.last.replace("{organization}", &seeded.organization);
        let place = database.texts(&last).await?;
        let place = place
            .first()
            .with_context(|| format!("{path} is too short"))?;
        let with = if path.contains('?') { '&' } else { '?' };
        let cursor = cursor(asker, &format!("{path}{with}limit=1"), place).await?;
        routes.push(route(Kind::First, list.path.to_owned(), path.clone()));
        routes.push(route(
            Kind::Last,
            list.path.to_owned(),
            format!("{path}{with}cursor={cursor}"),
        ));
    }
    let recovery = format!(
        "SELECT 'rec_' || replace(id::text, '-', '') FROM recoveries
         WHERE organization_id = '{}' AND id >= uuid7_floor(now() - interval '180 days') ORDER BY id LIMIT 1",
        seeded.organization
    );
    let recovery = database.texts(&recovery).await?;
    let recovery = recovery.first().context("there are no recoveries")?;
    for path in OTHERS {
        let path = path.replace("{recovery}", recovery);
        routes.push(route(Kind::Other, path.clone(), path));
    }
    Ok(routes)
}

const fn route(kind: Kind, name: String, path: String) -> Route {
    Route { kind, name, path }
}

/// The id of the one webhook endpoint.
async fn endpoint(asker: &Asker) -> anyhow::Result<String> {
    let endpoints: Value = serde_json::from_slice(&asker.body("/v1/webhook-endpoints").await?)?;
    let id = endpoints.pointer("/data/0/id").and_then(Value::as_str);
    Ok(id.context("there is no webhook endpoint")?.to_owned())
}

/// The cursor that goes on after the row at `place`: the first page's own, with another place.
async fn cursor(asker: &Asker, first: &str, place: &str) -> anyhow::Result<String> {
    let page: Value = serde_json::from_slice(&asker.body(first).await?)?;
    let next = page.get("next_cursor").and_then(Value::as_str);
    let next = next.with_context(|| format!("{first} has one page"))?;
    if let Some((kind, id)) = next.split_once('_')
        && id.len() == 32
    {
        return Ok(format!("{kind}_{place}"));
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(next)
        .context("a cursor of another kind")?;
    let mut cursor: Value = serde_json::from_slice(&bytes)?;
    let at = cursor.get_mut("p").context("a cursor without a place")?;
    *at = if place.starts_with('[') {
        serde_json::from_str(place)?
    } else {
        json!(format!("rec_{place}"))
    };
    ensure!(cursor.is_object(), "a cursor of another kind");
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor)?))
}
