//! `GET /v1/exports/recoveries.csv?from=&to=&tz=&currency=`: every recovery that
//! opened in the window, oldest first.

use std::sync::Arc;

use actix_web::web::{Bytes, Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use db::Tenant;
use db::exports::{ExportedRecovery, recoveries};
use domain::Currency;
use domain::id::RecoveryId;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::Api;
use crate::auth::ReadAccess;
use crate::problem::Problem;
use crate::routes::analytics::asked::{Asked, Wanted};
use crate::routes::analytics::csv;

/// Rows read and sent at a time.
const BATCH: i64 = 1_000;

const COLUMNS: [&str; 15] = [
    "recovery_id",
    "transaction_ref",
    "state",
    "currency",
    "amount_minor",
    "recovered_minor",
    "recovered_by",
    "category",
    "hardness",
    "experiment",
    "variant",
    "hold_out",
    "opened_at",
    "closed_at",
    "end_reason",
];

/// Every recovery that opened in the window, as CSV, oldest first.
///
/// It is streamed while it is read; an answer that breaks off is not complete.
/// Cells that a spreadsheet would run begin with an apostrophe.
#[utoipa::path(
    get,
    path = "/v1/exports/recoveries.csv",
    tag = "Analytics",
    params(Asked),
    responses((status = 200, description = "The recoveries.", content_type = "text/csv", body = String))
)]
pub(crate) async fn export(
    access: ReadAccess,
    asked: Query<Asked>,
    request: HttpRequest,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::read(&asked, &request, api.backbone.clock.now())?;
    let Ok(permit) = Arc::clone(&api.exports).try_acquire_owned() else {
        return Err(Problem::unavailable(
            "other exports are being written; try again when they are done",
        ));
    };
    let export = Export {
        api: api.into_inner(),
        tenant: access.tenant,
        window: (wanted.window.from(), wanted.window.to()),
        currency: wanted.currency,
        reached: Reached::Nothing,
        _permit: permit,
    };
    let lines = stream::try_unfold(export, Export::next);
    Ok(csv::answer("recoveries").streaming(Box::pin(lines)))
}

struct Export {
    api: Arc<Api>,
    tenant: Tenant,
    window: (DateTime<Utc>, DateTime<Utc>),
    currency: Option<Currency>,
    reached: Reached,
    _permit: OwnedSemaphorePermit,
}

enum Reached {
    Nothing,
    Row(RecoveryId),
    End,
}

/// What breaks an export off; it is logged here, since the answer has begun.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the export broke off: {0}")]
    Db(#[from] db::DbError),
    #[error("the export broke off: {0}")]
    Csv(#[from] ::csv::Error),
}

impl Export {
    async fn next(self) -> Result<Option<(Bytes, Self)>, Broken> {
        let made = self.batch().await;
        if let Err(error) = &made {
            tracing::warn!(%error, "an export is not complete");
        }
        made
    }

    async fn batch(mut self) -> Result<Option<(Bytes, Self)>, Broken> {
        let mut lines = Vec::new();
        let after = match self.reached {
            Reached::End => return Ok(None),
            Reached::Row(id) => Some(id),
            Reached::Nothing => {
                csv::line(&mut lines, COLUMNS.into_iter())?;
                None
            }
        };
        let mut conn = self.api.backbone.db.read().await?;
        let rows = recoveries(&mut conn, self.tenant, self.window, after, BATCH).await?;
        drop(conn);
        let is_full = i64::try_from(rows.len()).is_ok_and(|rows| rows == BATCH);
        self.reached = match rows.last() {
            Some(last) if is_full => Reached::Row(last.id()),
            _ => Reached::End,
        };
        let code = self.currency.map(Currency::code);
        for row in rows
            .iter()
            .filter(|row| code.is_none_or(|code| row.currency == code))
        {
            let cells = cells(row);
            csv::line(&mut lines, cells.iter().map(String::as_str))?;
        }
        Ok(Some((lines.into(), self)))
    }
}

fn cells(row: &ExportedRecovery) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    [
        row.id().to_string(),
        row.transaction_ref.clone(),
        row.state.clone(),
        row.currency.clone(),
        row.amount_minor.to_string(),
        row.recovered_minor
            .map(|it| it.to_string())
            .unwrap_or_default(),
        text(&row.recovered_by),
        row.category.clone(),
        row.hardness.clone(),
        text(&row.experiment),
        text(&row.variant),
        row.hold_out.to_string(),
        time(row.opened_at),
        row.closed_at.map(time).unwrap_or_default(),
        text(&row.end_reason),
    ]
}
