//! An organization's own words for messages.
//!
//! A template comes as exactly one of `email`, `sms` and `whatsapp`, which is its
//! channel; it is looked over before it is kept, so that what is kept makes a
//! message of every failure.

pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod preview;
pub(crate) mod retire;
pub(crate) mod settings;
pub(crate) mod show;
pub(crate) mod variables;

use actix_web::web::{self, Data};
use chrono::{DateTime, Utc};
use db::templates::StoredTemplate;
use domain::Channel;
use domain::id::MessageTemplateId;
use domain::payer::Language;
use serde::Serialize;
use serde_json::Value;
use utoipa::{OpenApi, ToSchema};
use wording::TemplateFault;
use wording::own::{Content, EmailTemplate, SmsTemplate, WhatsAppTemplate};

use crate::app::Api;
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};

#[derive(OpenApi)]
#[openapi(paths(
    list::list,
    make::make,
    variables::list,
    preview::preview,
    settings::show,
    settings::change,
    show::show,
    change::change,
    retire::retire
))]
pub(crate) struct Documented;

/// A template's content as it comes in, under its channel's name; `None` if there
/// is none.
fn content(
    email: Option<EmailTemplate>,
    sms: Option<SmsTemplate>,
    whatsapp: Option<WhatsAppTemplate>,
) -> Result<Option<Content>, Problem> {
    let contents = [
        email.map(Content::Email),
        sms.map(Content::Sms),
        whatsapp.map(Content::WhatsApp),
    ];
    let mut contents = contents.into_iter().flatten();
    match (contents.next(), contents.next()) {
        (first, None) => Ok(first),
        (_, Some(second)) => Err(Problem::invalid_field(
            second.channel().as_str(),
            "is one channel too many: a template is for one",
        )),
    }
}

fn no_content() -> Problem {
    Problem::invalid_field("email", "is missing: give one of email, sms and whatsapp")
}

/// A template that messages are written by.
fn in_use(found: Option<StoredTemplate>) -> Result<StoredTemplate, Problem> {
    found
        .filter(|found| found.retired_at.is_none())
        .ok_or_else(|| Problem::not_found("template in use"))
}

/// Looks a template over, apart from the threads that answer requests.
async fn check(api: &Data<Api>, content: &Content, language: &Language) -> Result<(), Problem> {
    let (api, content, language) = (Data::clone(api), content.clone(), language.clone());
    let channel = content.channel();
    web::block(move || api.wording.check(&content, &language))
        .await
        .map_err(|_| Problem::internal())?
        .map_err(|faults| {
            let faults = faults.into_iter().map(|fault| field_fault(channel, fault));
            Problem::invalid(faults.collect())
        })
}

/// A fault where the request has the field.
fn field_fault(channel: Channel, fault: TemplateFault) -> FieldFault {
    FieldFault {
        line: fault.line,
        ..FieldFault::new(format!("{channel}.{}", fault.field), fault.fault)
    }
}

/// A template in one of its versions.
#[derive(Serialize, ToSchema)]
#[schema(as = Template)]
pub(crate) struct TemplateView {
    #[schema(value_type = words::MessageTemplateId)]
    id: MessageTemplateId,
    #[schema(value_type = words::Channel)]
    channel: Channel,
    language: String,
    kind: String,
    /// Counts up with each change.
    version: i32,
    created_at: DateTime<Utc>,
    /// When this version was made.
    updated_at: DateTime<Utc>,
    /// When it was taken out of use; messages that were sent keep pointing at it.
    #[schema(required)]
    retired_at: Option<DateTime<Utc>>,
    /// The content, under its channel's name.
    #[serde(flatten)]
    #[schema(value_type = words::TemplateContent)]
    content: Value,
}

impl TemplateView {
    fn of(stored: StoredTemplate) -> Self {
        Self {
            id: stored.id,
            channel: stored.channel,
            language: stored.language,
            kind: stored.kind,
            version: stored.version,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
            retired_at: stored.retired_at,
            content: stored.content,
        }
    }
}
