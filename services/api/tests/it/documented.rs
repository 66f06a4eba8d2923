//! Every answer that a test gets is held against the document: an undocumented status,
//! media type or body fails the test that met it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use boon::{Compiler, SchemaIndex, Schemas};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What the document is called where its parts refer to each other.
const NAME: &str = "http://document/openapi.json";

pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&api::openapi::json()).unwrap());

thread_local! {
    /// Schemas by where they are in the document, read when they are first needed.
    static READ: RefCell<Read> = RefCell::new(Read::new());
}

struct Read {
    schemas: Schemas,
    compiler: Compiler,
    found: HashMap<String, SchemaIndex>,
}

impl Read {
    fn new() -> Self {
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource(NAME, DOCUMENT.clone()).unwrap();
        Self {
            schemas: Schemas::default(),
            compiler,
            found: HashMap::new(),
        }
    }
}

/// Fails if the document does not allow this answer. What is not the api's, and
/// paths and methods that it does not have, are not looked at.
pub(crate) fn check(method: &Method, path: &str, status: u16, headers: &HeaderMap, text: &str) {
    if !headers.contains_key("x-request-id") || status == 405 {
        return;
    }
    // Every path answers these alike; the document names what is particular to a path.
    if matches!(*method, Method::HEAD | Method::OPTIONS) {
        return;
    }
    let Some(template) = template(path) else {
        assert_eq!(status, 404, "{method} {path}");
        return;
    };
    let method = method.as_str().to_lowercase();
    let place = format!("/paths/{}/{method}/responses/{status}", escaped(template));
    let asked = format!("{method} {template}: {status}");
    let mut response = DOCUMENT.pointer(&place);
    let mut place = place;
    assert!(response.is_some(), "{asked} is not documented: {text}");
    if let Some(to) = response.and_then(|found| found["$ref"].as_str()) {
        to.trim_start_matches('#').clone_into(&mut place);
        response = DOCUMENT.pointer(&place);
    }
    let content = response.and_then(|found| found["content"].as_object());
    if text.is_empty() {
        return;
    }
    let kind = headers
        .get("content-type")
        .map(|kind| kind.to_str().unwrap());
    let kind = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    assert!(
        content.is_some_and(|content| content.contains_key(kind)),
        "{asked} has a body of {kind:?} that is not documented: {text}"
    );
    if kind.ends_with("json") {
        let body = serde_json::from_str(text).unwrap();
        let schema = format!("{place}/content/{}/schema", escaped(kind));
        fits(&schema, &body, &asked);
    }
}

fn fits(schema: &str, body: &Value, asked: &str) {
    let fault = fault(schema, body);
    assert!(
        fault.is_none(),
        "{asked} has a body that is not as documented: {}\n{body:#}",
        fault.unwrap_or_default()
    );
}

/// What the schema at that place in the document has against a value.
pub(crate) fn fault(schema: &str, body: &Value) -> Option<String> {
    READ.with_borrow_mut(|read| {
        let Read {
            schemas,
            compiler,
            found,
        } = read;
        let index = *found.entry(schema.to_owned()).or_insert_with(|| {
            let place = schema.replace('{', "%7B").replace('}', "%7D");
            compiler
                .compile(&format!("{NAME}#{place}"), schemas)
                .unwrap()
        });
        let fault = schemas.validate(body, index).err();
        fault.map(|fault| format!("{fault:#}"))
    })
}

/// The documented path that a request's is one of; the one with more fixed words first.
fn template(path: &str) -> Option<&'static str> {
    let path = path
        .strip_suffix('/')
        .filter(|path| !path.is_empty())
        .unwrap_or(path);
    let parts: Vec<_> = path.split('/').collect();
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let fitting = paths.keys().filter(|template| {
        let own: Vec<_> = template.split('/').collect();
        own.len() == parts.len()
            && own
                .iter()
                .zip(&parts)
                .all(|(own, part)| own.starts_with('{') || own == part)
    });
    fitting
        .min_by_key(|template| template.matches('{').count())
        .map(String::as_str)
}

/// As a JSON pointer has it (RFC 6901).
pub(crate) fn escaped(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}
