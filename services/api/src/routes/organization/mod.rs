//! What the organization says of itself.

pub(crate) mod change;
pub(crate) mod show;

use chrono::{DateTime, Utc};
use db::organizations::StoredProfile;
use domain::id::OrganizationId;
use domain::payer::{Country, Language};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::openapi::words;

#[derive(OpenApi)]
#[openapi(paths(show::show, change::change))]
pub(crate) struct Documented;

/// An organization, with all that it says of itself.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationProfile)]
pub(crate) struct ProfileView {
    #[schema(value_type = words::OrganizationId)]
    id: OrganizationId,
    /// What it calls itself to payers.
    name: String,
    /// Its name in addresses.
    #[schema(example = "shop")]
    slug: String,
    /// `active`, or `paused`: then nobody can call.
    #[schema(example = "active")]
    state: String,
    /// The IANA name of the clock that its people go by.
    #[schema(required, example = "Asia/Kolkata")]
    time_zone: Option<String>,
    /// Where it is, by ISO 3166-1.
    #[schema(value_type = Option<String>, required, example = "IN")]
    country: Option<Country>,
    /// The language of messages to payers whose own is not served.
    #[schema(value_type = Option<String>, required, example = "hi")]
    default_language: Option<Language>,
    /// An address, a number or a page where payers get answers.
    #[schema(required)]
    support_contact: Option<String>,
    created_at: DateTime<Utc>,
    /// When any of this last changed.
    updated_at: DateTime<Utc>,
}

impl ProfileView {
    fn new(stored: StoredProfile) -> Self {
        let StoredProfile {
            organization,
            profile,
            updated_at,
        } = stored;
        Self {
            id: organization.id,
            name: profile.name,
            slug: organization.slug,
            state: organization.state,
            time_zone: profile.time_zone,
            country: profile.country,
            default_language: profile.language,
            support_contact: profile.support_contact,
            created_at: organization.created_at,
            updated_at,
        }
    }
}
