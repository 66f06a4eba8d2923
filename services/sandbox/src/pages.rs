//! The HTML pages: templates, money as people read it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use iso_currency::Currency;
use minijinja::{Environment, Value, context};

/// Every template with its text; the names' ending turns on HTML escaping.
const TEMPLATES: [(&str, &str); 9] = [
    ("base.html", include_str!("../templates/base.html")),
    ("checkout.html", include_str!("../templates/checkout.html")),
    (
        "authenticate.html",
        include_str!("../templates/authenticate.html"),
    ),
    ("closed.html", include_str!("../templates/closed.html")),
    (
        "payment_link.html",
        include_str!("../templates/payment_link.html"),
    ),
    ("inbox.html", include_str!("../templates/inbox.html")),
    ("message.html", include_str!("../templates/message.html")),
    ("home.html", include_str!("../templates/home.html")),
    ("callback.html", include_str!("../templates/callback.html")),
];

pub(crate) struct Pages(Environment<'static>);

impl Pages {
    pub(crate) fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        for (name, text) in TEMPLATES {
            environment.add_template(name, text)?;
        }
        Ok(Self(environment))
    }

    pub(crate) fn answer(&self, status: u16, template: &str, values: Value) -> HttpResponse {
        let page = self
            .0
            .get_template(template)
            .and_then(|template| template.render(values));
        match page {
            Ok(page) => HttpResponse::build(StatusCode::from_u16(status).unwrap_or_default())
                .insert_header(ContentType::html())
                .insert_header(("Cache-Control", "no-store"))
                .body(page),
            Err(error) => {
                tracing::error!(%error, template, "a page cannot be rendered");
                HttpResponse::InternalServerError().finish()
            }
        }
    }
}

pub(crate) fn not_found(pages: &Pages) -> HttpResponse {
    pages.answer(
        404,
        "closed.html",
        context! { title => "There is no such page" },
    )
}

pub(crate) async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("Content-Type", "text/css; charset=utf-8"))
        .insert_header(("Cache-Control", "max-age=3600"))
        .body(include_str!("../templates/style.css"))
}

/// An amount in minor units as people read it: `12.34 USD`, `1200 JPY`.
pub(crate) fn money(minor: i64, currency: &str) -> String {
    let code = currency.to_ascii_uppercase();
    let digits = Currency::from_code(&code)
        .and_then(Currency::exponent)
        .unwrap_or(2);
    let digits = usize::from(digits);
    if digits == 0 {
        return format!("{minor} {code}");
    }
    let padded = format!("{minor:0>width$}", width = digits + 1);
    let (whole, part) = padded.split_at(padded.len() - digits);
    format!("{whole}.{part} {code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_the_currency_s_own_decimals() {
        assert_eq!(money(1234, "usd"), "12.34 USD");
        assert_eq!(money(5, "usd"), "0.05 USD");
        assert_eq!(money(1200, "jpy"), "1200 JPY");
        assert_eq!(money(1234, "kwd"), "1.234 KWD");
    }
}
