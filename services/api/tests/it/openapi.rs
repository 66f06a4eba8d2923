//! The document against the routes, and what is served of it.

use std::collections::{BTreeMap, BTreeSet};

use api::auth::permissions::PERMISSIONS;
use reqwest::Method;
use serde_json::Value;

use crate::stage::{Answer, Stage};

/// Routes whose documentation is still to be written.
const PENDING: &[&str] = &[];

fn document() -> Value {
    serde_json::from_str(&api::openapi::json()).unwrap()
}

/// Method and path of every operation, with the operation.
pub(crate) fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if METHODS.contains(&method.as_str()) {
                found.insert((method.to_uppercase(), path.clone()), operation.clone());
            }
        }
    }
    found
}

#[test]
fn every_route_is_documented_and_every_documented_route_is_there() {
    let documented: BTreeSet<_> = operations(&document()).into_keys().collect();
    let routes: BTreeSet<_> = PERMISSIONS
        .iter()
        .map(|row| (row.method.to_owned(), row.path.to_owned()))
        .collect();
    let missing: Vec<_> = routes
        .difference(&documented)
        .map(|(method, path)| format!("{method} {path}"))
        .filter(|route| !PENDING.contains(&route.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in the document: {missing:#?}");
    let unknown: Vec<_> = documented.difference(&routes).collect();
    assert!(unknown.is_empty(), "no route has these: {unknown:#?}");
    for (method, path) in &documented {
        let route = format!("{method} {path}");
        assert!(
            !PENDING.contains(&route.as_str()),
            "{route} is documented now"
        );
    }
}

#[test]
fn every_operation_says_what_it_does_under_a_name_of_its_own() {
    let document = document();
    let known: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let mut names = BTreeSet::new();
    for ((method, path), operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(names.insert(name.clone()), "{name} is there twice");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(summary.ends_with('.'), "{method} {path}: {summary:?}");
        for tag in operation["tags"].as_array().unwrap() {
            let tag = tag.as_str().unwrap();
            assert!(known.contains(tag), "add {tag} to openapi/tags.rs");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let told = response.get("$ref").or(response.get("description"));
            let told = told.and_then(Value::as_str).unwrap_or_default();
            assert!(!told.is_empty(), "{method} {path}: {status} says nothing");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn look(part: &Value, whole: &Value) {
        match part {
            Value::Object(map) => {
                if let Some(Value::String(to)) = map.get("$ref") {
                    let there = whole.pointer(to.trim_start_matches('#'));
                    assert!(there.is_some(), "{to} leads nowhere");
                }
                map.values().for_each(|value| look(value, whole));
            }
            Value::Array(list) => list.iter().for_each(|value| look(value, whole)),
            _ => {}
        }
    }
    let document = document();
    look(&document, &document);
}

/// Two types under one name would hide one of them from the document.
#[test]
fn no_two_schemas_have_one_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, source) in sources() {
        for (place, _) in source.match_indices("ToSchema") {
            let line = source[..place].rfind('\n').unwrap_or_default();
            if !source[line..place].contains("derive(") {
                continue;
            }
            let rest = &source[place..];
            let Some((attributes, item)) = rest.split_once("struct ").or(rest.split_once("enum "))
            else {
                continue;
            };
            let own = item.split(|char: char| !char.is_alphanumeric()).next();
            let given = attributes.split_once("schema(as = ").map(|(_, name)| name);
            let given = given.and_then(|name| name.split([')', ',']).next());
            if let Some(name) = given.or(own)
                && attributes.len() < 600
            {
                places
                    .entry(name.to_owned())
                    .or_default()
                    .push(file.clone());
            }
        }
    }
    places.retain(|_, files| files.len() > 1);
    assert!(
        places.is_empty(),
        "name them apart with `schema(as = …)`: {places:#?}"
    );
}

#[test]
fn what_takes_an_idempotency_key_says_so() {
    for (file, source) in sources() {
        // Registering keeps its key by itself: there is no organization yet.
        let takes = source.contains(" once(&") || source.contains(" Key::of(&body");
        let takes = takes && file.contains("/routes/");
        let says = source.contains("IdempotencyKey");
        let is_documented = source.contains("#[utoipa::path(");
        assert!(
            takes == says || !is_documented,
            "{file}: list IdempotencyKey among its params, or do not"
        );
    }
}

/// Each source file of the api.
fn sources() -> Vec<(String, String)> {
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.display().to_string(), text));
            }
        }
    }
    found
}

#[tokio::test]
async fn the_document_is_served_and_not_sent_twice() {
    let stage = Stage::new().await;
    let answer = stage.browse("/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), document());
    let tag = answer.header("etag").to_owned();
    let again = stage.request(Method::GET, "/openapi.json");
    let again = Answer::of(again.header("if-none-match", &tag)).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("etag"), tag);
    let other = stage.request(Method::GET, "/openapi.json");
    let other = Answer::of(other.header("if-none-match", "\"other\"")).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn the_reference_page_has_all_it_needs_here() {
    let stage = Stage::new().await;
    let page = stage.browse("/docs").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self';"), "{policy}");
    let mut parts = 0;
    for piece in page.text.split(['"']) {
        assert!(!piece.starts_with("http"), "{piece}");
        if piece.starts_with("docs/") || piece == "openapi.json" {
            parts += 1;
            assert_eq!(
                stage.browse(&format!("/{piece}")).await.status,
                200,
                "{piece}"
            );
        }
    }
    assert_eq!(parts, 4);
    assert_eq!(stage.browse("/docs/nothing.js").await.status, 404);
}
