//! `GET /v1/templates/variables`: what a template can be filled with.

use actix_web::web::Json;
use serde::Serialize;
use wording::own::Kind;
use wording::{BuiltIn, FILTERS, Named, VARIABLES};

use crate::auth::ReadAccess;

#[derive(Serialize)]
pub(crate) struct Known {
    variables: &'static [Named],
    filters: &'static [Named],
    /// Which messages a template may be for.
    kinds: Vec<Kind>,
    /// Languages that Tinko writes in where an organization has no template.
    built_in_languages: Vec<&'static str>,
}

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
