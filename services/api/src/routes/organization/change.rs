//! `PATCH /v1/organization`: a merge patch (RFC 7396).

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono_tz::Tz;
use db::organizations::{self, Profile};
use domain::payer::{Country, Language};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use wording::one_line;

use super::ProfileView;
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::Body;
use crate::conduct::etag::{self, IfMatch};
use crate::conduct::patch::Patch;
use crate::openapi::parameters::IfMatchTag;
use crate::problem::{FieldFault, Problem};
use crate::routes::templates::settings::CONTACT;

/// Longest name, in characters.
const LONGEST_NAME: usize = 200;

/// What is to change. What is absent stays; null clears it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrganizationChange)]
pub(crate) struct Wanted {
    /// What it calls itself to payers.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// The IANA name of the clock that its people go by.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Asia/Kolkata")]
    time_zone: Patch<String>,
    /// Where it is, by ISO 3166-1.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "IN")]
    country: Patch<Country>,
    /// The language of messages to payers whose own is not served.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "hi")]
    default_language: Patch<Language>,
    /// An address, a number or a page where payers get answers.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    support_contact: Patch<String>,
}

impl Wanted {
    fn check(&self) -> Result<(), Problem> {
        let mut faults = Vec::new();
        let is_line = |text: &str, most: usize| !text.is_empty() && one_line(text, most) == text;
        if self
            .name
            .as_deref()
            .is_some_and(|name| !is_line(name.trim(), LONGEST_NAME))
        {
            let fault = format!("must be one line of 1 to {LONGEST_NAME} characters");
            faults.push(FieldFault::new("name", fault));
        }
        if let Patch::Set(zone) = &self.time_zone
            && zone.parse::<Tz>().is_err()
        {
            let fault = "must be an IANA time zone such as Asia/Kolkata or Europe/Berlin";
            faults.push(FieldFault::new("time_zone", fault));
        }
        if let Patch::Set(contact) = &self.support_contact
            && !is_line(contact, CONTACT)
        {
            let fault = format!("must be one line of 1 to {CONTACT} characters");
            faults.push(FieldFault::new("support_contact", fault));
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(faults))
        }
    }

    fn apply(self, profile: &mut Profile) {
        if let Some(name) = self.name {
            name.trim().clone_into(&mut profile.name);
        }
        self.time_zone.apply(&mut profile.time_zone);
        self.country.apply(&mut profile.country);
        self.default_language.apply(&mut profile.language);
        self.support_contact.apply(&mut profile.support_contact);
    }
}

/// Changes what the organization says of itself.
#[utoipa::path(patch, path = "/v1/organization", tag = "Organization", params(IfMatchTag), request_body = Wanted,
    responses((status = 200, description = "The organization as it is now", body = ProfileView)))]
pub(crate) async fn change(
    access: AdminAccess,
    if_match: IfMatch,
    body: Body,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted: Wanted = body.json()?;
    wanted.check()?;
    let tenant = access.tenant;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let stored = organizations::lock_profile(&mut tx, tenant).await?;
    let before = stored.profile.clone();
    if let Err(problem) = if_match.check(&ProfileView::new(stored)) {
        tx.roll_back().await?;
        return Err(problem);
    }
    let mut profile = before.clone();
    wanted.apply(&mut profile);
    organizations::set_profile(&mut tx, tenant, &profile).await?;
    let object = tenant.organization().to_string();
    let detail = json!({ "changed": changed(&before, &profile) });
    let action = "organization.changed";
    access.caller.note(&mut tx, action, &object, detail).await?;
    // As it is stored: the tag of what is answered here is that of a later GET.
    let after = organizations::profile(tx.conn(), tenant).await?;
    tx.commit().await?;
    etag::changed(&ProfileView::new(after))
}

/// The names of the fields that are not what they were.
fn changed(before: &Profile, after: &Profile) -> Vec<&'static str> {
    let fields = [
        ("name", before.name != after.name),
        ("time_zone", before.time_zone != after.time_zone),
        ("country", before.country != after.country),
        ("default_language", before.language != after.language),
        (
            "support_contact",
            before.support_contact != after.support_contact,
        ),
    ];
    let changed = fields.into_iter().filter(|(_, changed)| *changed);
    changed.map(|(field, _)| field).collect()
}
