//! `GET /v1/stream`: recoveries as they move, as server-sent events.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use db::feed::{self, Position};
use domain::id::RecoveryId;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::{IntoParams, OpenApi};

use crate::app::Api;
use crate::auth::{Caller, ReadAccess};
use crate::live::Full;
use crate::live::listener::{self, Wanted};
use crate::openapi::words;
use crate::problem::{FieldFault, Problem};

#[derive(OpenApi)]
#[openapi(paths(follow))]
pub(crate) struct Documented;

/// How long one connection is served at most: what the caller has shown may have
/// been revoked, and coming back costs little.
const LONGEST: TimeDelta = TimeDelta::minutes(10);
/// How old a place may be that is read on from.
const OLDEST: TimeDelta = TimeDelta::days(7);
/// Most kinds that may be chosen.
const MOST_KINDS: usize = 20;
/// The header in which browsers say what they saw last.
const LAST_EVENT_ID: &str = "last-event-id";

/// What to hear, and from where on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Kinds of entry, after commas; `recovery.*` stands for all that begin so. All when absent.
    #[param(max_length = 1000, example = "recovery.*,link.opened")]
    types: Option<String>,
    /// One recovery alone.
    #[param(value_type = Option<words::RecoveryId>)]
    recovery_id: Option<String>,
    /// The id of the last event seen, for clients that cannot send `Last-Event-ID`.
    #[param(max_length = 49)]
    last_event_id: Option<String>,
}

impl Asked {
    fn read(&self, header: Option<&str>) -> Result<(Wanted, Option<Position>), Problem> {
        let mut faults = Vec::new();
        let kinds: Vec<String> = self
            .types
            .iter()
            .flat_map(|types| types.split(','))
            .map(str::to_owned)
            .collect();
        if kinds.len() > MOST_KINDS || !kinds.iter().all(|kind| is_kind(kind)) {
            let fault = format!(
                "must be at most {MOST_KINDS} kinds such as `recovery.recovered` or `recovery.*`"
            );
            faults.push(FieldFault::new("types", fault));
        }
        let recovery: Result<Option<RecoveryId>, _> =
            self.recovery_id.as_deref().map(str::parse).transpose();
        if recovery.is_err() {
            faults.push(FieldFault::new("recovery_id", "is not a recovery's id"));
        }
        let last = header
            .or(self.last_event_id.as_deref())
            .filter(|last| !last.is_empty());
        let last: Result<Option<Position>, _> = last.map(str::parse).transpose();
        if let Err(fault) = last {
            faults.push(FieldFault::new("last_event_id", fault.to_string()));
        }
        match (recovery, last) {
            (Ok(recovery), Ok(last)) if faults.is_empty() => Ok((Wanted { kinds, recovery }, last)),
            _ => Err(Problem::invalid(faults)),
        }
    }
}

fn is_kind(kind: &str) -> bool {
    let word = kind.strip_suffix('*').unwrap_or(kind);
    let decent = |byte: u8| byte.is_ascii_lowercase() || byte == b'.' || byte == b'_';
    (1..=64).contains(&kind.len()) && word.bytes().all(decent)
}

/// Follows the recoveries of the caller's organization as they move.
///
/// One event for every entry of a recovery's timeline, once, in one order. `id` is
/// the place: sent back as `Last-Event-ID` within seven days, the stream goes on
/// right after it. A comment comes every 15 seconds. The connection ends when the
/// access token does, and after ten minutes at the latest; come back with the last id.
#[utoipa::path(
    get,
    path = "/v1/stream",
    tag = "Stream",
    params(
        Asked,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event seen."),
    ),
    responses(
        (status = 200, description = "Events, as they happen.", body = String, content_type = "text/event-stream"),
        (status = 410, description = "The place is too old to go on from."),
    ),
)]
pub(crate) async fn follow(
    access: ReadAccess,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let header = request.headers().get(LAST_EVENT_ID);
    let header = header.map(|value| value.to_str().unwrap_or("?"));
    let (wanted, last) = asked.read(header)?;
    let now = api.backbone.clock.now();
    if last.is_some_and(|last| now - last.at() > OLDEST) {
        return Err(Problem::place_gone());
    }
    let horizon = {
        let mut conn = api.backbone.db.read().await?;
        feed::horizon(&mut conn, now).await?
    };
    if last.is_some_and(|last| last.is_beyond(&horizon)) {
        let fault = "is not an id that this stream has given";
        return Err(Problem::invalid_field("last_event_id", fault));
    }
    let place = api
        .live
        .sit(access.tenant, horizon)
        .map_err(|full| match full {
            Full::Organization => Problem::too_many_streams(),
            Full::Process => Problem::unavailable("too many follow the stream already"),
        })?;
    let ends = Instant::now() + lifetime(&access.caller, now);
    let sent = listener::serve(api.backbone.clone(), place, wanted, last, ends);
    let sent = stream::unfold(sent, async |mut sent| {
        let piece = sent.recv().await?;
        Some((Ok::<_, actix_web::Error>(piece), sent))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Proxies that gather answers would hold events back.
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        .streaming(sent.boxed_local()))
}

/// For how long what the caller has shown is believed.
fn lifetime(caller: &Caller, now: DateTime<Utc>) -> Duration {
    let left = caller.until.map_or(LONGEST, |until| until - now);
    left.min(LONGEST).to_std().unwrap_or_default()
}
