//! Every route, every kind of caller, another organization's data.

use std::collections::BTreeSet;

use api::auth::permissions::{Needs, PERMISSIONS, Permission};
use api::auth::scope::Scope;
use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::{PASSWORD, Person};
use crate::stage::{Answer, Shop, Stage};

/// Constants that stand for paths in the list of routes.
const NAMED: &[(&str, &str)] = &[
    ("webhooks::twilio::STATUS", "/v1/webhooks/twilio/status"),
    ("webhooks::twilio::INBOUND", "/v1/webhooks/twilio/inbound"),
];

/// Every method of every path, as the one list of routes has them.
fn routes() -> BTreeSet<(String, String)> {
    let source: String = include_str!("../../src/app.rs")
        .chars()
        .filter(|char| !char.is_whitespace())
        .collect();
    let mut found = BTreeSet::new();
    for service in source.split(".service(at(").skip(1) {
        let (path, rest) = service.split_once(')').unwrap();
        let path = if let Some(quoted) = path.strip_prefix('"') {
            quoted.trim_end_matches('"').to_owned()
        } else {
            let named = NAMED.iter().find(|(name, _)| *name == path);
            let (_, path) = named.unwrap_or_else(|| panic!("which path is {path}?"));
            (*path).to_owned()
        };
        for route in rest.split(".route(").skip(1) {
            let (method, _) = route.split_once("()").unwrap();
            found.insert((method.to_uppercase(), path.clone()));
        }
    }
    found
}

#[test]
fn every_route_has_one_row_and_every_row_a_route() {
    let rows: BTreeSet<_> = PERMISSIONS
        .iter()
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    assert_eq!(rows.len(), PERMISSIONS.len(), "a row is there twice");
    let routes = routes();
    let missing: Vec<_> = routes.difference(&rows).collect();
    let too_many: Vec<_> = rows.difference(&routes).collect();
    assert!(
        missing.is_empty(),
        "add to auth/permissions.rs: {missing:?}"
    );
    assert!(too_many.is_empty(), "no route has these: {too_many:?}");
    assert!(routes.len() > 60);
}

#[test]
fn what_changes_something_names_its_action() {
    /// These read, although they take a body.
    const READING: &[&str] = &[
        "/v1/classify",
        "/v1/retry/policies/simulate",
        "/v1/retry/trigger-due",
        "/v1/templates/preview",
    ];
    for row in PERMISSIONS {
        let changes = !matches!(row.method, "GET" | "HEAD")
            && row.needs != Needs::NoCaller
            && !READING.contains(&row.path);
        assert_eq!(row.action.is_some(), changes, "{} {}", row.method, row.path);
    }
}

/// Someone who calls.
struct Walker {
    name: String,
    token: String,
    scope: Scope,
    is_person: bool,
}

impl Walker {
    fn may(&self, needs: Needs) -> bool {
        match needs {
            Needs::NoCaller => true,
            Needs::Scope(scope) => self.scope >= scope,
            Needs::Person => self.is_person,
        }
    }
}

async fn key(stage: &Stage, shop: &Shop, scope: Scope) -> Walker {
    let wanted = json!({ "name": "walk", "scopes": [scope] });
    let made = stage.post(shop, "/v1/auth/api-keys", &wanted).await.json();
    Walker {
        name: format!("a key to {}", scope.as_str()),
        token: made["key"].as_str().unwrap().to_owned(),
        scope,
        is_person: false,
    }
}

/// A person of the role, of an organization of their own.
async fn person(stage: &Stage, role: Role) -> Walker {
    let email = format!("{role}@example.com");
    stage.register(&email, role.as_str()).await;
    let person = Person::of(&stage.log_in(&email, PASSWORD).await);
    stage.make_role(&person, role.as_str()).await;
    Walker {
        name: format!("an {role}"),
        token: person.access,
        scope: Scope::of_role(role),
        is_person: true,
    }
}

/// What the other organization has, one of each.
pub(crate) struct Other {
    pub(crate) id: uuid::Uuid,
    /// A key that may do everything.
    pub(crate) key: String,
    /// Its administrator.
    pub(crate) person: Person,
    paths: Vec<(&'static str, String)>,
}

/// What must never be in an answer to somebody else.
const MARK: &str = "OTHERS-1";

#[expect(
    clippy::too_many_lines,
    reason = "a line or two for each kind of thing"
)]
pub(crate) async fn other(stage: &Stage) -> Other {
    let owner = stage.register("owner@other.example", "Other").await;
    let own = json!({ "name": MARK, "scopes": ["admin"] });
    let request = stage.request(Method::POST, "/v1/auth/api-keys");
    let made = Answer::of(request.bearer_auth(&owner.access).json(&own))
        .await
        .json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let shop = Shop {
        key: text(&made["key"]),
        stripe: String::new(),
        razorpay: String::new(),
    };
    let recovery = stage.failed(&shop, MARK).await;
    stage.link(&shop, MARK).await;
    let known = stage
        .get(&shop, &format!("/v1/transactions/by_ref/{MARK}"))
        .await;
    let link = stage.get(&shop, "/v1/links").await.json()["data"][0]["id"].clone();
    let (attempt, message) = stage.step(&recovery).await;
    let policy = stage
        .post(&shop, "/v1/retry/policies", &json!({ "name": MARK }))
        .await;
    let suppressed = json!({ "channel": "email", "address": "payer@other.example" });
    let suppressed = stage.post(&shop, "/v1/suppressions", &suppressed).await;
    let template = json!({
        "language": "en",
        "sms": { "text": "{{ merchant }} {{ link }}" },
    });
    let template = stage.post(&shop, "/v1/templates", &template).await;
    let endpoint = json!({ "url": "http://127.0.0.1:9/other.example", "description": MARK });
    let endpoint = stage.post(&shop, "/v1/webhook-endpoints", &endpoint).await;
    let path = format!(
        "/v1/webhook-endpoints/{}/test",
        text(&endpoint.json()["id"])
    );
    let delivery = stage.post(&shop, &path, &Value::Null).await;
    let run = stage
        .post(&shop, "/v1/recon/run", &json!({ "days": 1 }))
        .await;
    let invited = json!({ "email": "new@other.example", "role": "analyst" });
    let invited = stage.post(&shop, "/v1/users/invitations", &invited).await;
    let sessions = stage.get_as(&owner, "/v1/auth/sessions").await.json();
    let connection = stage.connection_of(&owner).await;
    let owed = "SELECT id::text FROM outbox WHERE stream = 'failures' LIMIT 1";
    let owed = stage.database.query_one(owed, &[]).await.unwrap().get(0);
    let id = |answer: &Answer| {
        assert!(answer.status < 300, "{}", answer.text);
        let body = answer.json();
        text(body.get("id").or(body.get("run_id")).unwrap())
    };
    Other {
        id: crate::people::bare(&owner.organization).parse().unwrap(),
        key: shop.key.clone(),
        paths: vec![
            ("/v1/auth/api-keys/{id}", text(&made["id"])),
            ("/v1/psp-connections/{id}", connection),
            ("/v1/auth/sessions/{id}", text(&sessions["data"][0]["id"])),
            ("/v1/users/{id}", owner.id.clone()),
            ("/v1/users/invitations/{id}", id(&invited)),
            ("/v1/recoveries/{id}", recovery),
            ("/v1/transactions/{id}", id(&known)),
            ("/v1/links/{id}", text(&link)),
            ("/v1/attempts/{id}", attempt.clone()),
            ("/v1/retry/attempts/{id}", attempt),
            ("/v1/notifications/{id}", message),
            ("/v1/retry/policies/{id}", id(&policy)),
            ("/v1/analytics/experiments/{id}", id(&policy)),
            ("/v1/suppressions/{id}", id(&suppressed)),
            ("/v1/templates/{id}", id(&template)),
            ("/v1/recon/runs/{id}", id(&run)),
            ("/v1/webhook-endpoints/{id}", id(&endpoint)),
            ("/v1/webhook-deliveries/{id}", id(&delivery)),
            ("/v1/maintenance/dead-letters/{id}", owed),
            ("{ref}", MARK.to_owned()),
        ],
        person: owner,
    }
}

impl Other {
    /// The path of a row with what is the other's in it.
    pub(crate) fn path(&self, row: &Permission) -> String {
        let mut path = row.path.to_owned();
        for (pattern, id) in &self.paths {
            if row.path.contains(pattern) {
                path = path.replace("{id}", id).replace("{ref}", id);
            }
        }
        assert!(
            !path.contains('{'),
            "say in walk.rs what the other organization has at {}",
            row.path
        );
        path
    }
}

/// How many rows of each table are the other's, and what is in those that change.
async fn holdings(stage: &Stage, other: &Other) -> Vec<(String, i64, String)> {
    let tables = "SELECT table_name::text FROM information_schema.columns c
         JOIN pg_class p ON p.relname = c.table_name AND NOT p.relispartition
         WHERE table_schema = 'public' AND column_name = 'organization_id'
           AND table_name NOT IN ('outbox') ORDER BY 1";
    let mut all = Vec::new();
    for row in stage.database.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let text = format!(
            "SELECT count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')
             FROM {table} t WHERE organization_id::text = $1"
        );
        let id = other.id.to_string();
        let row = stage.database.query_one(&text, &[&id]).await.unwrap();
        all.push((table, row.get(0), row.get(1)));
    }
    all
}

async fn call(stage: &Stage, row: &Permission, path: &str, token: Option<&str>) -> Answer {
    let method: Method = row.method.parse().unwrap();
    let request = stage.request(method, path).json(&json!({}));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    // Its body has no end.
    if row.path == "/v1/stream" {
        return Answer::head_of(request).await;
    }
    Answer::of(request).await
}

#[tokio::test]
async fn every_caller_may_what_the_table_says_and_touches_nothing_of_anothers() {
    let stage = Stage::with(&[("TINKO__RECON_WAIT_MS", "1")]).await;
    let other = other(&stage).await;
    let shop = stage.shop("shop").await;
    let mut walkers = Vec::new();
    for scope in [Scope::Read, Scope::Write, Scope::Admin] {
        walkers.push(key(&stage, &shop, scope).await);
    }
    for role in Role::ALL {
        walkers.push(person(&stage, *role).await);
    }
    let before = holdings(&stage, &other).await;
    assert!(before.iter().filter(|(_, count, _)| *count > 0).count() > 8);
    for row in PERMISSIONS {
        if row.needs == Needs::NoCaller || row.path == "/v1/auth/logout" {
            continue;
        }
        let path = other.path(row);
        let asked = format!("{} {path}", row.method);
        for token in [None, Some("sk_test_nobody"), Some("a.b.c")] {
            let answer = call(&stage, row, &path, token).await;
            let seen = (answer.status, answer.slug());
            assert_eq!(seen, (401, "unauthorized".to_owned()), "nobody: {asked}");
        }
        for walker in &walkers {
            let answer = call(&stage, row, &path, Some(&walker.token)).await;
            let who = &walker.name;
            assert_ne!(answer.status, 401, "{who}: {asked}: {}", answer.text);
            assert_eq!(
                answer.status != 403,
                walker.may(row.needs),
                "{who}: {asked}: {}",
                answer.text
            );
            assert!(answer.status < 500, "{who}: {asked}: {}", answer.text);
            assert!(
                !answer.text.contains("other.example"),
                "{who}: {asked}: {}",
                answer.text
            );
            if row.path.contains("{id}") && answer.status != 403 {
                assert!(
                    matches!(answer.status, 404 | 422),
                    "{who}: {asked}: {}",
                    answer.text
                );
            }
        }
    }
    assert_eq!(holdings(&stage, &other).await, before);
}
