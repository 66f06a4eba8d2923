//! `POST /v1/templates/preview`: a message before it is sent, by a draft, by a
//! stored template, or by the one that a message would be written with.

use actix_web::web::{self, Data, Json};
use db::about::About;
use db::templates::{self, StoredTemplate};
use db::{Conn, Tenant};
use domain::classification::Contact;
use domain::id::{MessageTemplateId, RecoveryId};
use domain::payer::Language;
use domain::{Category, Channel, Currency, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wording::own::{self, EmailTemplate, Kind, Own, SmsTemplate, WhatsAppTemplate};
use wording::{BuiltIn, Facts, Link, Segments, Stored, Used, WhatsAppWords, Wording, Written};

use super::{check, content, field_fault};
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;

/// What to write, and about what; everything has a sample in its place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateToPreview)]
struct Wanted {
    #[schema(value_type = Option<words::MessageTemplateId>)]
    template_id: Option<MessageTemplateId>,
    /// Of `template_id`; its newest when left out.
    version: Option<i32>,
    #[schema(value_type = Option<words::EmailTemplate>)]
    email: Option<EmailTemplate>,
    #[schema(value_type = Option<words::SmsTemplate>)]
    sms: Option<SmsTemplate>,
    #[schema(value_type = Option<words::WhatsAppTemplate>)]
    whatsapp: Option<WhatsAppTemplate>,
    /// Where neither a template nor a draft is named: what would be sent here.
    #[schema(value_type = Option<words::Channel>)]
    channel: Option<Channel>,
    #[schema(value_type = Option<words::RecoveryId>)]
    recovery_id: Option<RecoveryId>,
    #[schema(value_type = Option<String>, min_length = 2, max_length = 35, example = "en")]
    language: Option<Language>,
    #[schema(value_type = Option<words::Category>)]
    category: Option<Category>,
    #[schema(value_type = Option<words::Contact>)]
    contact: Option<Contact>,
    payer_name: Option<String>,
    /// In minor units.
    #[schema(minimum = 0)]
    amount: Option<i64>,
    #[schema(min_length = 3, max_length = 3, example = "INR")]
    currency: Option<String>,
}

/// A message, written.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplatePreview)]
pub(crate) struct Preview {
    /// `draft`, `stored` or `built_in`.
    #[schema(pattern = "^(draft|stored|built_in)$")]
    source: &'static str,
    #[schema(value_type = Option<words::MessageTemplateId>, required)]
    template_id: Option<MessageTemplateId>,
    #[schema(required)]
    version: Option<i32>,
    #[schema(value_type = words::Channel)]
    channel: Channel,
    #[schema(value_type = String)]
    language: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    from_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    html: Option<String>,
    /// What a text message takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<words::Segments>, nullable = false)]
    sms: Option<Segments>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    whatsapp: Option<Filled>,
    /// Sentences about what is worth a second look.
    warnings: Vec<String>,
}

/// What fills a WhatsApp template; no name means the operator's own one.
#[derive(Serialize, ToSchema)]
#[schema(as = WhatsAppPreview)]
struct Filled {
    #[schema(required)]
    template: Option<String>,
    language_code: String,
    parameters: Vec<String>,
}

/// Shows a message before it is sent.
///
/// By a draft, by a stored template, or by the one that it would be written with.
#[utoipa::path(
    post,
    path = "/v1/templates/preview",
    tag = "Templates",
    request_body = Wanted,
    responses(
        (status = 200, description = "The message.", body = Preview),
        (status = 404, description = "There is no such template or recovery."),
    )
)]
pub(crate) async fn preview(
    access: ReadAccess,
    body: Body,
    api: Data<Api>,
) -> Result<Json<Preview>, Problem> {
    let mut wanted: Wanted = body.json()?;
    let draft = content(
        wanted.email.take(),
        wanted.sms.take(),
        wanted.whatsapp.take(),
    )?;
    let (facts, stored) = {
        let mut conn = api.backbone.db.read().await?;
        let facts = facts(&mut conn, access.tenant, &api, &wanted).await?;
        let stored = match &draft {
            Some(_) => None,
            None => find(&mut conn, access.tenant, &wanted, &facts).await?,
        };
        (facts, stored)
    };
    let own = match (draft, &stored) {
        (Some(content), _) => {
            let language = wanted.language.unwrap_or_else(Language::english);
            check(&api, &content, &language).await?;
            Some(Ok(Own { language, content }))
        }
        (None, Some(stored)) => Some(Own::read(&stored.language, &stored.content)),
        (None, None) => None,
    };
    let channel = match (&own, &stored, wanted.channel) {
        (_, Some(stored), _) => stored.channel,
        (Some(Ok(own)), ..) => own.content.channel(),
        (.., channel) => channel.unwrap_or(Channel::Email),
    };
    let must_be_own = wanted.template_id.is_some();
    web::block(move || write(&api.wording, channel, &facts, own, stored, must_be_own))
        .await
        .map_err(|_| Problem::internal())?
        .map(Json)
}

/// The template that is named, else the one that a message would be written with.
async fn find(
    conn: &mut Conn,
    tenant: Tenant,
    wanted: &Wanted,
    facts: &Facts,
) -> Result<Option<StoredTemplate>, Problem> {
    if let Some(id) = wanted.template_id {
        let found = templates::find(conn, tenant, id, wanted.version).await?;
        return found
            .map(Some)
            .ok_or_else(|| Problem::not_found("template"));
    }
    let channel = wanted.channel.unwrap_or(Channel::Email);
    let languages = own::languages(facts.language.as_ref(), facts.default_language.as_ref());
    let kinds = own::kinds(facts.category, facts.contact).map(Kind::as_str);
    Ok(templates::best(conn, tenant, channel, &languages, &kinds).await?)
}

async fn facts(
    conn: &mut Conn,
    tenant: Tenant,
    api: &Api,
    wanted: &Wanted,
) -> Result<Facts, Problem> {
    let mut facts = api.wording.sample(wanted.language.clone());
    facts.link = Link::of("preview", api.public_base_url.as_str());
    let settings = templates::settings(conn, tenant).await?;
    facts.merchant = settings.name;
    facts.default_language = settings.language;
    facts.support_contact = settings.support_contact;
    if let Some(id) = wanted.recovery_id {
        let about = db::about::recovery(conn, tenant, id).await?;
        fill(
            &mut facts,
            about.ok_or_else(|| Problem::not_found("recovery"))?,
        );
        facts.language = wanted.language.clone().or(facts.language);
    }
    facts.category = wanted.category.unwrap_or(facts.category);
    facts.contact = wanted.contact.unwrap_or(facts.contact);
    facts.payer = wanted.payer_name.clone().or(facts.payer);
    facts.amount = amount(wanted, facts.amount)?;
    Ok(facts)
}

fn fill(facts: &mut Facts, about: About) {
    facts.time_zone = about.time_zone();
    facts.language = about.language();
    facts.amount = about.amount;
    facts.category = about.category;
    facts.contact = about.contact;
    facts.payer = about.payer_name;
    facts.reference = about.transaction_ref;
}

fn amount(wanted: &Wanted, otherwise: Money) -> Result<Money, Problem> {
    let currency = match wanted.currency.as_deref() {
        Some(code) => Currency::parse(code)
            .map_err(|error| Problem::invalid_field("currency", error.to_string()))?,
        None => otherwise.currency(),
    };
    let minor = wanted.amount.unwrap_or(otherwise.minor());
    Money::new(minor, currency).map_err(|error| Problem::invalid_field("amount", error.to_string()))
}

fn write(
    wording: &Wording,
    channel: Channel,
    facts: &Facts,
    own: Stored,
    stored: Option<StoredTemplate>,
    must_be_own: bool,
) -> Result<Preview, Problem> {
    let is_draft = own.is_some() && stored.is_none();
    let (mut preview, used) = written(wording, channel, facts, own)?;
    if let Some(fault) = used.fault {
        if is_draft || must_be_own {
            return Err(Problem::invalid(vec![field_fault(channel, fault)]));
        }
        preview.warnings.push(format!(
            "The organization's template cannot be used, so Tinko's words are shown: {fault}."
        ));
    }
    preview
        .warnings
        .extend(own::language_warning(&preview.language));
    if used.own && is_draft {
        preview.source = "draft";
    } else if used.own {
        preview.source = "stored";
        preview.template_id = stored.as_ref().map(|stored| stored.id);
        preview.version = stored.map(|stored| stored.version);
    }
    Ok(preview)
}

fn written(
    wording: &Wording,
    channel: Channel,
    facts: &Facts,
    own: Stored,
) -> Result<(Preview, Used), Problem> {
    let broken = |error| {
        tracing::error!(%error, "answered with 500");
        Problem::internal()
    };
    Ok(match channel {
        Channel::Email => {
            let Written { words, used } = wording.email(facts, own).map_err(broken)?;
            let preview = Preview {
                from_name: Some(words.from_name.clone()),
                subject: Some(words.subject.clone()),
                text: Some(words.text.clone()),
                html: Some(words.html.clone()),
                ..empty(channel, &used.language, own::email_warnings(&words, facts))
            };
            (preview, used)
        }
        Channel::Sms => {
            let Written { words, used } = wording.sms(facts, own).map_err(broken)?;
            let preview = Preview {
                sms: Some(Segments::of(&words.text)),
                text: Some(words.text.clone()),
                ..empty(channel, &used.language, own::sms_warnings(&words))
            };
            (preview, used)
        }
        Channel::WhatsApp => {
            let written = wording
                .whatsapp(facts, own, &BuiltIn::ALL)
                .map_err(broken)?;
            let Written { words, used } = written;
            let warnings = own::whatsapp_warnings(&words, facts);
            let WhatsAppWords {
                template,
                language_code,
                parameters,
            } = words;
            let preview = Preview {
                whatsapp: Some(Filled {
                    template,
                    language_code,
                    parameters,
                }),
                ..empty(channel, &used.language, warnings)
            };
            (preview, used)
        }
    })
}

/// A preview that says nothing yet.
fn empty(channel: Channel, language: &Language, warnings: Vec<String>) -> Preview {
    Preview {
        source: "built_in",
        template_id: None,
        version: None,
        channel,
        language: language.clone(),
        from_name: None,
        subject: None,
        text: None,
        html: None,
        sms: None,
        whatsapp: None,
        warnings,
    }
}
