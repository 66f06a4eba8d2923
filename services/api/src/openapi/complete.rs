//! What no handler has to say: who may call, the answers that any request of its kind
//! may get, the headers of every answer, and names for generated clients.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Response};
use utoipa::{PartialSchema, ToSchema};

use super::problems::{self, Usual};
use super::{examples, headers, policy, webhooks, words};
use crate::auth::permissions::{Needs, PERMISSIONS};
use crate::problem;

/// A session may be ended by its refresh token alone, which is in the body.
const PROVED_BY_BODY: (&str, &str) = ("POST", "/v1/auth/logout");
const TOKEN: &str = "accessToken";
const KEY: &str = "apiKey";
const KEY_HEADER: &str = "apiKeyHeader";

pub(super) fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    add_components(components);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let row = PERMISSIONS
                .iter()
                .find(|row| row.method == method && row.path == path.as_str());
            let needs = row.map_or(Needs::NoCaller, |row| row.needs);
            let verb = operation.operation_id.take().unwrap_or_default();
            operation.operation_id = Some(name(method, path, &verb));
            let mut security = security(needs);
            if (method, path.as_str()) == PROVED_BY_BODY {
                security.push(SecurityRequirement::default());
            }
            operation.security = Some(security);
            add_problems(operation, needs, path.starts_with("/v1/"));
            if needs != Needs::NoCaller {
                add_limits(operation);
            }
            if method == "GET" && needs != Needs::NoCaller {
                add_tag(operation);
            }
            finish_responses(operation);
            add_example(operation, method, path);
        }
    }
}

/// Each method of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("GET", &mut item.get),
        ("HEAD", &mut item.head),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn add_components(components: &mut Components) {
    let mut schemas = vec![(problem::Body::name().into_owned(), problem::Body::schema())];
    problem::Body::schemas(&mut schemas);
    schemas.extend(words::ids());
    schemas.extend(webhooks::schemas());
    components.schemas.extend(schemas);
    policy::close(components);
    for usual in problems::ALL {
        components
            .responses
            .insert(usual.name.to_owned(), usual.response().into());
    }
    let bearer = |format: &str, about: &str| {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let scheme = scheme.bearer_format(format).description(Some(about));
        SecurityScheme::Http(scheme.build())
    };
    let key = "An API key, for a partner's systems.";
    let security = [
        (
            TOKEN,
            bearer("JWT", "The access token of a person who is logged in."),
        ),
        (KEY, bearer("sk_…", key)),
        (
            KEY_HEADER,
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "X-API-Key",
                key,
            ))),
        ),
    ];
    for (name, scheme) in security {
        components.add_security_scheme(name, scheme);
    }
}

/// Any one of these lets a caller in. The words are the role that a person needs and
/// the scope that a key needs.
fn security(needs: Needs) -> Vec<SecurityRequirement> {
    match needs {
        Needs::NoCaller => Vec::new(),
        Needs::Person => vec![SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])],
        Needs::Scope(scope) => vec![
            SecurityRequirement::new(TOKEN, [scope.least_role().as_str()]),
            SecurityRequirement::new(KEY, [scope.as_str()]),
            SecurityRequirement::new(KEY_HEADER, [scope.as_str()]),
        ],
    }
}

/// A name that generated clients call the operation by: the path's fixed words, then
/// the handler's verb, as `suppressionsList`.
fn name(method: &str, path: &str, verb: &str) -> String {
    let fixed = |word: &&str| !word.is_empty() && *word != "v1" && !word.starts_with('{');
    let mut words: Vec<&str> = path
        .split(['/', '_', '-', '.'])
        .filter(fixed)
        .filter(|word| !word.ends_with('}'))
        .collect();
    if words.last() != Some(&verb) {
        words.extend(verb.split('_'));
    }
    if method == "HEAD" {
        words.push("head");
    }
    let mut name = String::new();
    for word in words {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if !name.is_empty() => name.extend(first.to_uppercase()),
            first => name.extend(first),
        }
        name.push_str(letters.as_str());
    }
    name
}

fn add_problems(operation: &mut Operation, needs: Needs, is_api: bool) {
    let is_safe_to_repeat = takes(operation, "Idempotency-Key");
    let is_conditional = takes(operation, "If-Match");
    let mut add = |usual: &Usual| {
        let response = RefOr::Ref(Ref::from_response_name(usual.name));
        let all = &mut operation.responses.responses;
        all.entry(usual.status.to_string()).or_insert(response);
    };
    if needs != Needs::NoCaller {
        add(&problems::UNAUTHORIZED);
        add(&problems::FORBIDDEN);
    }
    if let Some(body) = &operation.request_body {
        add(&problems::MALFORMED);
        add(&problems::TOO_LARGE);
        add(&problems::INVALID);
        if body.content.keys().any(|kind| kind == "application/json") {
            add(&problems::NOT_JSON);
        }
    }
    // What a path holds and does not read names nothing: that is a 404, and the handler's.
    let is_read = |parameter: &Parameter| parameter.parameter_in != ParameterIn::Path;
    if operation.parameters.iter().flatten().any(is_read) {
        add(&problems::INVALID);
    }
    if is_safe_to_repeat {
        add(&problems::IN_FLIGHT);
    }
    if is_conditional {
        add(&problems::CHANGED);
    }
    if is_api {
        add(&problems::TOO_MANY);
        add(&problems::NOT_ACCEPTABLE);
        add(&problems::INTERNAL);
        add(&problems::UNAVAILABLE);
    }
}

/// Whether it takes a header or query parameter of that name.
fn takes(operation: &Operation, name: &str) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| parameter.name == name)
}

/// A body that it takes; a test sends each of them.
fn add_example(operation: &mut Operation, method: &str, path: &str) {
    let contents = operation.request_body.iter_mut();
    for content in contents.flat_map(|body| body.content.values_mut()) {
        content.example = examples::of(method, path);
    }
}

/// A caller is told how its limits stand, whatever the answer.
fn add_limits(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            for (name, header) in headers::limits() {
                response.headers.insert(name.to_owned(), header);
            }
        }
    }
}

/// What is whole JSON has a tag, and is not sent to who has it.
fn add_tag(operation: &mut Operation) {
    let all = &mut operation.responses.responses;
    let Some(RefOr::T(found)) = all.get_mut("200") else {
        return;
    };
    if !found.content.contains_key("application/json") {
        return;
    }
    let tag = || ("ETag".to_owned(), headers::etag());
    found.headers.extend([tag()]);
    let mut unchanged = Response::new("`If-None-Match` names what it is already.");
    unchanged.headers.extend([tag()]);
    all.entry("304".to_owned()).or_insert(unchanged.into());
}

fn finish_responses(operation: &mut Operation) {
    let is_safe_to_repeat = takes(operation, "Idempotency-Key");
    for (status, response) in &mut operation.responses.responses {
        if let (Ok(status), RefOr::T(response)) = (status.parse(), response) {
            problems::fill(status, response);
            if is_safe_to_repeat && status < 300 {
                let name = "Idempotency-Replayed".to_owned();
                response.headers.insert(name, headers::replayed());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn an_operation_is_called_by_its_path_and_verb() {
        assert_eq!(name("GET", "/v1/suppressions", "list"), "suppressionsList");
        assert_eq!(
            name("POST", "/v1/recoveries/{id}/cancel", "cancel"),
            "recoveriesCancel"
        );
        assert_eq!(
            name("DELETE", "/v1/auth/api-keys/{id}", "revoke"),
            "authApiKeysRevoke"
        );
        assert_eq!(name("HEAD", "/pay/{token}", "show"), "payShowHead");
        assert_eq!(
            name("GET", "/v1/recoveries/by_token/{token}", "show"),
            "recoveriesByTokenShow"
        );
    }
}
