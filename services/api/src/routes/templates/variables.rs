//! `GET /v1/templates/variables`: what a template can be filled with.

use actix_web::web::Json;
use serde::Serialize;
use utoipa::ToSchema;
use wording::own::Kind;
use wording::{BuiltIn, FILTERS, Named, VARIABLES};

use crate::auth::ReadAccess;
use crate::openapi::words;

/// What a template can be filled with.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplateVariables)]
pub(crate) struct Known {
    #[schema(value_type = Vec<words::Named>)]
    variables: &'static [Named],
    #[schema(value_type = Vec<words::Named>)]
    filters: &'static [Named],
    /// Which messages a template may be for.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<Kind>,
    /// Languages that Tinko writes in where an organization has no template.
    built_in_languages: Vec<&'static str>,
}

/// Lists what a template can be filled with.
#[utoipa::path(
    get,
    path = "/v1/templates/variables",
    tag = "Templates",
    responses(
        (status = 200, description = "Variables, filters, kinds and languages.", body = Known),
    )
)]
pub(crate) async fn list(_access: ReadAccess) -> Json<Known> {
    let categories = domain::Category::ALL.iter().map(|it| Kind::Of(*it));
    Json(Known {
        variables: VARIABLES,
        filters: FILTERS,
        kinds: [Kind::Default, Kind::Neutral]
            .into_iter()
            .chain(categories)
            .collect(),
        built_in_languages: BuiltIn::ALL.map(BuiltIn::code).to_vec(),
    })
}
