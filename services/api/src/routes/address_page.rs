//! Pages of what is kept by payers' addresses: `?channel=&address=&cursor=&limit=`,
//! newest first. Addresses are shown whole to administrators alone.

use actix_web::HttpResponse;
use actix_web::http::header::LINK;
use db::contacts::Wanted;
use domain::consent::PayerAddress;
use domain::id::Kind;
use domain::state::UnknownName;
use domain::{Channel, Id};
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;
use utoipa::IntoParams;

use crate::app::Api;
use crate::auth::Caller;
use crate::auth::scope::Scope;
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};
use crate::routes::page::Page;

const USUAL: i64 = 50;
const MOST: i64 = 200;

/// As it came: each field is read on its own, so that a fault names it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only those of this channel.
    #[param(value_type = Option<words::Channel>)]
    channel: Option<String>,
    /// Only this email address or telephone number.
    #[param(example = "asha@example.com")]
    address: Option<String>,
    /// The `next_cursor` of the page before; none for the first page.
    cursor: Option<String>,
    /// Most rows of a page.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<String>,
}

impl Asked {
    /// What is asked for, and one row more, which says whether there is a next page.
    pub(crate) fn read<K: Kind>(&self) -> Result<Wanted, Problem> {
        let mut faults = Vec::new();
        let mut note = |field: &str, fault: String| faults.push(FieldFault::new(field, fault));
        let channel = self.channel.as_deref().map(str::parse).transpose();
        let channel = channel.unwrap_or_else(|fault: UnknownName| {
            note("channel", fault.to_string());
            None
        });
        let address = self.address.as_deref().map(key).transpose();
        let address = address.unwrap_or_else(|fault| {
            note("address", fault);
            None
        });
        let before = self.cursor.as_deref().map(str::parse::<Id<K>>).transpose();
        let before = before.unwrap_or_else(|_| {
            note("cursor", "is not one that was answered before".to_owned());
            None
        });
        let limit = self.limit.as_deref().map_or(Ok(USUAL), str::parse);
        let limit = limit.ok().filter(|limit| (1..=MOST).contains(limit));
        if limit.is_none() {
            note("limit", format!("must be from 1 to {MOST}"));
        }
        match (limit, faults.is_empty()) {
            (Some(limit), true) => Ok(Wanted {
                channel,
                address,
                before: before.map(Id::uuid),
                limit: limit + 1,
            }),
            _ => Err(Problem::invalid(faults)),
        }
    }

    /// The answer, from the rows that were found for [`Asked::read`].
    pub(crate) fn answer<K: Kind, T: Serialize>(
        &self,
        api: &Api,
        path: &str,
        wanted: &Wanted,
        mut rows: Vec<(Id<K>, T)>,
    ) -> HttpResponse {
        let limit = wanted.limit - 1;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        let next = rows.last().map(|(id, _)| *id).filter(|_| more);
        let mut answer = HttpResponse::Ok();
        if let Some(next) = next {
            let mut query = Serializer::new(String::new());
            for (name, value) in [("channel", &self.channel), ("address", &self.address)] {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
            query.append_pair("cursor", &next.to_string());
            query.append_pair("limit", &limit.to_string());
            let url = format!("{}?{}", api.public_url(path), query.finish());
            answer.insert_header((LINK, format!("<{url}>; rel=\"next\"")));
        }
        answer.json(Page {
            data: rows.into_iter().map(|(_, row)| row).collect(),
            next_cursor: next.map(|id| id.to_string()),
        })
    }
}

/// What an address is kept under, whatever channel it is of.
pub(crate) fn key(text: &str) -> Result<String, String> {
    let channel = if text.contains('@') {
        Channel::Email
    } else {
        Channel::Sms
    };
    PayerAddress::parse(channel, text)
        .map(|address| address.key())
        .map_err(|fault| fault.to_string())
}

/// The address as this caller may see it.
pub(crate) fn shown(address: &PayerAddress, caller: &Caller) -> String {
    if caller.may(Scope::Admin) {
        address.expose().to_owned()
    } else {
        address.masked()
    }
}
