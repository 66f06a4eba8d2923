//! `GET /v1/customer/profile`: the organization that the key is of.

use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use domain::id::OrganizationId;
use serde::Serialize;
use utoipa::ToSchema;

use super::own_key;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;

/// An organization, and the key that asks.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomerProfile)]
pub(crate) struct ProfileView {
    /// The organization.
    #[schema(value_type = words::OrganizationId)]
    organization_id: OrganizationId,
    /// What it calls itself to payers.
    organization_name: String,
    /// Its name in addresses.
    organization_slug: String,
    /// `active` or `paused`.
    #[schema(example = "active")]
    state: String,
    /// Since when it is there.
    created_at: DateTime<Utc>,
    /// What the key that calls is called; null where a person calls.
    api_key_name: Option<String>,
    /// What the caller may do: `read`, `write`, `admin`.
    scopes: Vec<String>,
}

/// Shows the organization that the API key is of.
#[utoipa::path(
    get,
    path = "/v1/customer/profile",
    tag = "Customers",
    responses((status = 200, description = "The organization.", body = ProfileView)),
)]
pub(crate) async fn show(access: ReadAccess, api: Data<Api>) -> Result<Json<ProfileView>, Problem> {
    let mut conn = api.backbone.db.read().await?;
    let organization = db::organizations::find(&mut conn, access.tenant).await?;
    let key = own_key(&mut conn, &access.caller).await?;
    Ok(Json(ProfileView {
        organization_id: organization.id,
        organization_name: organization.name,
        organization_slug: organization.slug,
        state: organization.state,
        created_at: organization.created_at,
        api_key_name: key.map(|key| key.name),
        scopes: access.caller.scopes,
    }))
}
