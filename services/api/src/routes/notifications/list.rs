//! `GET /v1/notifications`, newest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use db::notifications::Wanted;
use domain::id::Notification;
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::NotificationView;
use crate::app::Api;
use crate::auth::ReadAccess;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::address_page::key;
use crate::routes::faults::Faults;
use crate::routes::page::{Asked, Page};

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those on this channel.
    #[param(value_type = Option<words::Channel>)]
    channel: Option<String>,
    /// Only those in this state.
    #[param(value_type = Option<words::NotificationState>)]
    state: Option<String>,
    /// Only those about this recovery.
    #[param(value_type = Option<words::RecoveryId>)]
    recovery_id: Option<String>,
    /// Only those to this email address or telephone number, the whole of it.
    #[param(example = "asha@example.com")]
    address: Option<String>,
    /// Only those asked for from then on.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    from: Option<String>,
    /// Only those asked for before then.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    to: Option<String>,
}

impl Filter {
    fn read(&self, asked: &Asked) -> Result<(Wanted, ToRead), Problem> {
        let mut faults = Faults::default();
        let (from, to) = faults.times(self.from.as_deref(), self.to.as_deref());
        let mut wanted = Wanted {
            channel: faults.read("channel", self.channel.as_deref()),
            state: faults.read("state", self.state.as_deref()),
            recovery: faults.read("recovery_id", self.recovery_id.as_deref()),
            address: faults.by("address", self.address.as_deref(), key),
            from,
            to,
            ..Wanted::default()
        };
        let page = faults.page(asked)?;
        wanted.before = page.cursor;
        wanted.limit = page.rows();
        Ok((wanted, page))
    }

    fn again(&self) -> [(&str, Option<&str>); 6] {
        [
            ("channel", self.channel.as_deref()),
            ("state", self.state.as_deref()),
            ("recovery_id", self.recovery_id.as_deref()),
            ("address", self.address.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
        ]
    }
}

type ToRead = crate::routes::page::Wanted<Notification>;

/// Lists messages to payers, newest first.
#[utoipa::path(
    get,
    path = "/v1/notifications",
    tag = "Notifications",
    params(Filter, Asked),
    responses((status = 200, description = "A page of messages.", body = Page<NotificationView>)),
)]
pub(crate) async fn list(
    access: ReadAccess,
    filter: Query<Filter>,
    asked: Query<Asked>,
    api: Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (wanted, page) = filter.read(&asked)?;
    let mut conn = api.backbone.db.read().await?;
    let found = db::notifications::list(&mut conn, access.tenant, &wanted).await?;
    let rows = found
        .into_iter()
        .map(|found| (found.id, NotificationView::new(found, &access.caller)));
    Ok(page.answer_of(&api, "/v1/notifications", &filter.again(), rows.collect()))
}
