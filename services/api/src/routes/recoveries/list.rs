//! `GET /v1/recoveries?state=&cursor=&limit=`, newest first.

use actix_web::HttpResponse;
use actix_web::http::header::LINK;
use actix_web::web::{Data, Query};
use domain::RecoveryState;
use domain::id::RecoveryId;
use serde::{Deserialize, Serialize};

use super::view::RecoveryView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::{FieldFault, Problem};

const USUAL: i64 = 50;
const MOST: i64 = 200;

/// As it came: each field is read on its own, so that a fault names it.
#[derive(Deserialize)]
pub(crate) struct Asked {
    state: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

struct Wanted {
    state: Option<RecoveryState>,
    before: Option<RecoveryId>,
    limit: i64,
}

#[derive(Serialize)]
struct Page {
    data: Vec<RecoveryView>,
    next_cursor: Option<RecoveryId>,
}

pub(crate) async fn list(
    access: ReadAccess,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked)?;
    let mut conn = api.backbone.db.read().await?;
    let Wanted {
        state,
        before,
        limit,
    } = wanted;
    // One more than asked for says whether there is a next page.
    let mut found =
        db::recoveries::list(&mut conn, access.tenant, state, before, limit + 1).await?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().map(|last| last.id).filter(|_| more);
    let transactions: Vec<_> = found.iter().map(|found| found.transaction).collect();
    let refs = db::transactions::refs_of(&mut conn, access.tenant, &transactions).await?;
    let data = found.into_iter().map(|recovery| {
        let reference = refs.get(&recovery.transaction).cloned();
        RecoveryView::new(recovery, reference)
    });
    let page = Page {
        data: data.collect(),
        next_cursor: next,
    };
    let mut answer = HttpResponse::Ok();
    if let Some(next) = next {
        let url = next_url(&api, &wanted_state(state), next, limit);
        answer.insert_header((LINK, format!("<{url}>; rel=\"next\"")));
    }
    Ok(answer.json(page))
}

impl Wanted {
    fn read(asked: &Asked) -> Result<Self, Problem> {
        let mut faults = Vec::new();
        let mut note = |field: &str, fault: String| faults.push(FieldFault::new(field, fault));
        let state = asked.state.as_deref().map(str::parse).transpose();
        let state = state.unwrap_or_else(|error: domain::state::UnknownName| {
            note("state", error.to_string());
            None
        });
        let before = asked.cursor.as_deref().map(str::parse).transpose();
        let before = before.unwrap_or_else(|_| {
            note("cursor", "is not one that was answered before".to_owned());
            None
        });
        let limit = asked.limit.as_deref().map_or(Ok(USUAL), str::parse);
        let limit = limit.ok().filter(|limit| (1..=MOST).contains(limit));
        if limit.is_none() {
            note("limit", format!("must be from 1 to {MOST}"));
        }
        match (limit, faults.is_empty()) {
            (Some(limit), true) => Ok(Self {
                state,
                before,
                limit,
            }),
            _ => Err(Problem::invalid(faults)),
        }
    }
}

fn wanted_state(state: Option<RecoveryState>) -> String {
    state.map_or_else(String::new, |state| format!("state={state}&"))
}

fn next_url(api: &Api, state: &str, next: RecoveryId, limit: i64) -> String {
    let url = api.public_url("/v1/recoveries");
    format!("{url}?{state}cursor={next}&limit={limit}")
}
