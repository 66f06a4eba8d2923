//! Whether a visitor is a person, and from where a form came.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{ORIGIN, USER_AGENT};
use url::Url;

/// Parts of the names that programs give themselves which fetch links to
/// preview or to check them. Written in lower case.
const PROGRAMS: [&str; 13] = [
    "bot",
    "crawler",
    "spider",
    "preview",
    "facebookexternalhit",
    "whatsapp/",
    "skypeuripreview",
    "googleimageproxy",
    "bingpreview",
    "safelinks",
    "barracuda",
    "curl/",
    "wget/",
];

/// Whether the visit counts as the payer having opened the link. A message app
/// that previews it, or a mail gateway that checks it, does not.
pub(super) fn is_person(request: &HttpRequest) -> bool {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|it| it.to_str().ok());
        value.unwrap_or_default().to_ascii_lowercase()
    };
    let agent = header(USER_AGENT.as_str());
    let fetched_ahead = ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .any(|name| header(name).contains("prefetch"));
    *request.method() == Method::GET
        && !fetched_ahead
        && !agent.is_empty()
        && !PROGRAMS.iter().any(|part| agent.contains(part))
}

/// Whether a form may have come from our own page. Browsers say so by
/// `Sec-Fetch-Site`, older ones by `Origin`, which is `null` under our
/// `no-referrer` policy; a form has no more rights than its address, which
/// whoever sends it must know anyway.
pub(super) fn is_own_form(request: &HttpRequest, public: &Url) -> bool {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    if let Some(site) = header("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    match header(ORIGIN.as_str()) {
        None | Some("null") => true,
        Some(origin) => origin == public.origin().ascii_serialization(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn visit(agent: &str) -> HttpRequest {
        TestRequest::get()
            .insert_header((USER_AGENT, agent))
            .to_http_request()
    }

    #[test]
    fn people_count_and_link_previews_do_not() {
        assert!(is_person(&visit(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"
        )));
        for program in [
            "WhatsApp/2.23.20.0",
            "Slackbot-LinkExpanding 1.0",
            "Twitterbot/1.0",
            "",
        ] {
            assert!(!is_person(&visit(program)), "{program}");
        }
        let head = TestRequest::with_uri("/").method(Method::HEAD);
        assert!(!is_person(
            &head
                .insert_header((USER_AGENT, "Mozilla/5.0"))
                .to_http_request()
        ));
    }

    #[test]
    fn a_form_of_another_site_is_told_apart() {
        let public = Url::parse("https://pay.example.com/").unwrap();
        let form = |name: &'static str, value: &'static str| {
            TestRequest::post()
                .insert_header((name, value))
                .to_http_request()
        };
        assert!(is_own_form(
            &form("origin", "https://pay.example.com"),
            &public
        ));
        assert!(is_own_form(&form("origin", "null"), &public));
        assert!(is_own_form(&form("sec-fetch-site", "same-origin"), &public));
        assert!(!is_own_form(&form("sec-fetch-site", "cross-site"), &public));
        assert!(!is_own_form(
            &form("origin", "https://evil.example"),
            &public
        ));
    }
}
