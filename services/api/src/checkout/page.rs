//! The hosted pages: plain HTML for a phone, without a script.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType, RETRY_AFTER};
use domain::EmailAddress;
use minijinja::{Environment, context};
use psp::Endpoints;
use url::Url;

use super::{Owed, amount, means};
use crate::conduct::headers::page_policy;

/// The one style sheet.
pub const STYLE: &str = include_str!("../../assets/pay.css");

const TEMPLATES: [(&str, &str); 5] = [
    ("base.html", include_str!("../../templates/base.html")),
    ("pay.html", include_str!("../../templates/pay.html")),
    ("notice.html", include_str!("../../templates/notice.html")),
    (
        "unsubscribe.html",
        include_str!("../../templates/unsubscribe.html"),
    ),
    (
        "confirming.html",
        include_str!("../../templates/confirming.html"),
    ),
];

/// What is said where nothing can be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// No link has this token.
    Unknown,
    /// It is paid.
    Paid,
    /// The link's time has passed.
    Expired,
    /// No payment is asked for any more.
    Over,
    /// The merchant took this link back; another may lead to the same payment.
    Withdrawn,
    /// A charge is being tried at this moment.
    Busy,
    /// The PSP, or we, cannot do it right now.
    Trouble,
    /// The form came from another site.
    Foreign,
    /// The payer gets no more email.
    Unsubscribed,
    /// There were too many requests from the payer's network.
    TooOften,
}

impl Notice {
    const fn status(self) -> StatusCode {
        match self {
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Paid | Self::Unsubscribed => StatusCode::OK,
            Self::Expired | Self::Over | Self::Withdrawn => StatusCode::GONE,
            Self::Busy => StatusCode::CONFLICT,
            Self::Trouble => StatusCode::SERVICE_UNAVAILABLE,
            Self::Foreign => StatusCode::FORBIDDEN,
            Self::TooOften => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unknown => (
                "This link is not valid",
                "Check that you copied all of it. If it still does not open, ask the merchant for a new one.",
            ),
            Self::Paid => (
                "Payment received. Thank you!",
                "There is nothing left to do. You can close this page.",
            ),
            Self::Expired => (
                "This link has expired",
                "Nothing was charged. Ask the merchant for a new link if you still want to pay.",
            ),
            Self::Over => (
                "There is nothing to pay here any more",
                "The merchant no longer asks for this payment. Nothing was charged.",
            ),
            Self::Withdrawn => (
                "This link is no longer in use",
                "The merchant has taken it back. Nothing was charged. If you still want to pay, use a newer link that you were sent, or ask the merchant for one.",
            ),
            Self::Busy => (
                "A payment is being tried right now",
                "So that you don't pay twice, please wait a minute and open your link again.",
            ),
            Self::Trouble => (
                "The payment page can't be opened right now",
                "Nothing was charged. Please try again in a minute.",
            ),
            Self::Foreign => (
                "Please open your link again",
                "The request came from another site. Nothing was charged.",
            ),
            Self::TooOften => (
                "Please wait a moment",
                "There were many requests from your network. Nothing was charged. Open your link again in a minute.",
            ),
            Self::Unsubscribed => (
                "You will get no more email about this",
                "It may take a moment for messages that are under way.",
            ),
        }
    }
}

/// Renders the pages.
pub struct Pages {
    templates: Environment<'static>,
    policy: String,
    base: String,
}

impl Pages {
    /// Reads the templates. `endpoints` are where forms may lead besides https.
    pub fn new(endpoints: &Endpoints, public: &Url) -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        for (name, text) in TEMPLATES {
            templates.add_template(name, text)?;
        }
        let psps = [&endpoints.stripe, &endpoints.razorpay];
        let psps: Vec<String> = psps
            .iter()
            .map(|url| url.origin().ascii_serialization())
            .filter(|origin| !origin.starts_with("https:"))
            .collect();
        Ok(Self {
            templates,
            policy: page_policy(&psps),
            base: public.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The page that says why nothing can be paid.
    pub fn notice(&self, notice: Notice) -> HttpResponse {
        let (title, text) = notice.words();
        let again = matches!(notice, Notice::Busy | Notice::Trouble);
        let page = context! { title, text, base => &self.base };
        let mut answer = self.answer("notice.html", notice.status(), page);
        if again {
            let headers = answer.headers_mut();
            headers.insert(RETRY_AFTER, actix_web::http::header::HeaderValue::from(30));
        }
        answer
    }

    /// The page that asks for the payment.
    pub(crate) fn pay(&self, owed: &Owed) -> HttpResponse {
        let known = &owed.transaction.known;
        let email = known.payer_email.as_deref().map(EmailAddress::parse);
        let email = email.and_then(Result::ok).map(|email| email.masked());
        let advice = match owed.classification.payer_advice {
            "" => "The payment was not completed. Please pay again.",
            advice => advice,
        };
        let ways = means::fitting(&owed.classification, owed.recovery.amount);
        let page = context! {
            title => format!("Pay {}", owed.merchant),
            base => &self.base,
            merchant => &owed.merchant,
            amount => amount::in_words(owed.recovery.amount),
            reference => owed.transaction.transaction_ref.as_str(),
            email,
            advice,
            ways => ways.map(means::words).collect::<Vec<_>>(),
            until => owed.link.expires_at.format("%-d %B %Y, %H:%M UTC").to_string(),
            token => owed.token.expose(),
        };
        self.answer("pay.html", StatusCode::OK, page)
    }

    /// The page that waits for the PSP's word; it asks again by itself until
    /// `tries` is past a minute's worth.
    pub(crate) fn confirming(&self, token: &str, tries: u32) -> HttpResponse {
        let waits = tries < MOST_TRIES;
        let page = context! {
            title => "Confirming your payment",
            base => &self.base,
            token,
            next => waits.then_some(tries + 1),
        };
        self.answer("confirming.html", StatusCode::OK, page)
    }

    /// The page that asks whether the payer wants no more email.
    pub(crate) fn ask_to_unsubscribe(&self, token: &str, merchant: &str) -> HttpResponse {
        let page = context! {
            title => format!("Stop email from {merchant}"),
            base => &self.base,
            merchant,
            token,
        };
        self.answer("unsubscribe.html", StatusCode::OK, page)
    }

    fn answer(&self, name: &str, status: StatusCode, page: minijinja::Value) -> HttpResponse {
        let rendered = self
            .templates
            .get_template(name)
            .and_then(|template| template.render(page));
        match rendered {
            Ok(html) => HttpResponse::build(status)
                .content_type(ContentType::html())
                .insert_header((CONTENT_SECURITY_POLICY, self.policy.clone()))
                .body(html),
            Err(error) => {
                tracing::error!(%error, name, "a page could not be rendered");
                HttpResponse::InternalServerError().body("Please try again in a minute.")
            }
        }
    }
}

/// How often the confirming page asks by itself: every two seconds for a minute.
const MOST_TRIES: u32 = 30;
