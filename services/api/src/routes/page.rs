//! Pages: `?cursor=&limit=`.

use actix_web::HttpResponse;
use actix_web::http::header::LINK;
use domain::Id;
use domain::id::Kind;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;
use utoipa::{IntoParams, ToSchema};

use crate::app::Api;
use crate::problem::{FieldFault, Problem};

const USUAL: u16 = 50;
const MOST: u16 = 200;

/// As it came: each field is read on its own, so that a fault names it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// The `next_cursor` of the page before; none for the first page.
    cursor: Option<String>,
    /// Most rows of a page.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
}

/// A page to read.
pub(crate) struct Wanted<K> {
    pub(crate) cursor: Option<Id<K>>,
    limit: u16,
}

/// One page, with the way to the next.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    /// What to ask for as `cursor` to get the next page; null on the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// How many rows a page is to have, or what is wrong with what was asked for.
pub(crate) fn limit(asked: Option<&str>) -> Result<u16, FieldFault> {
    let limit = asked.map_or(Ok(USUAL), str::parse).ok();
    limit
        .filter(|limit| (1..=MOST).contains(limit))
        .ok_or_else(|| FieldFault::new("limit", format!("must be from 1 to {MOST}")))
}

/// The answer with the rows that were found, of which there is one more than
/// `limit` if there is a next page. Each comes with the cursor that goes on after
/// it. The link to the next page repeats `filters`, by which the rows were chosen.
pub(crate) fn answer<T: Serialize>(
    api: &Api,
    path: &str,
    filters: &[(&str, Option<&str>)],
    limit: u16,
    mut rows: Vec<(String, T)>,
) -> HttpResponse {
    let limit = usize::from(limit);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .map(|(cursor, _)| cursor.clone())
        .filter(|_| more);
    let mut answer = HttpResponse::Ok();
    if let Some(next) = &next {
        let mut query = Serializer::new(String::new());
        for (name, value) in filters {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("cursor", next);
        query.append_pair("limit", &limit.to_string());
        let url = api.public_url(path);
        let link = format!("<{url}?{}>; rel=\"next\"", query.finish());
        answer.insert_header((LINK, link));
    }
    answer.json(Page {
        data: rows.into_iter().map(|(_, row)| row).collect(),
        next_cursor: next,
    })
}

impl Asked {
    pub(crate) fn read<K: Kind>(&self) -> Result<Wanted<K>, Problem> {
        self.read_besides(Vec::new())
    }

    /// [`Asked::read`], told together with the faults of other fields.
    pub(crate) fn read_besides<K: Kind>(
        &self,
        mut faults: Vec<FieldFault>,
    ) -> Result<Wanted<K>, Problem> {
        let cursor = self.cursor.as_deref().map(str::parse).transpose();
        if cursor.is_err() {
            let fault = "is not one that was answered before";
            faults.push(FieldFault::new("cursor", fault));
        }
        match (cursor, limit(self.limit.as_deref())) {
            (Ok(cursor), Ok(limit)) if faults.is_empty() => Ok(Wanted { cursor, limit }),
            (_, limit) => {
                faults.extend(limit.err());
                Err(Problem::invalid(faults))
            }
        }
    }
}

impl<K: Kind> Wanted<K> {
    /// One more than asked for says whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The answer with the rows that were found for [`Wanted::rows`].
    pub(crate) fn answer<T: Serialize>(
        &self,
        api: &Api,
        path: &str,
        rows: Vec<(Id<K>, T)>,
    ) -> HttpResponse {
        self.answer_of(api, path, &[], rows)
    }

    /// [`Wanted::answer`] where the rows were also chosen by `filters`, which the
    /// link to the next page has to repeat.
    pub(crate) fn answer_of<T: Serialize>(
        &self,
        api: &Api,
        path: &str,
        filters: &[(&str, Option<&str>)],
        rows: Vec<(Id<K>, T)>,
    ) -> HttpResponse {
        let rows = rows.into_iter().map(|(id, row)| (id.to_string(), row));
        answer(api, path, filters, self.limit, rows.collect())
    }
}
