//! `PATCH /v1/psp-connections/{id}`: another name. Secrets are changed by `…/rotate`.

use actix_web::web::{Data, Json, Path};
use domain::id::ConnectionId;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::view::ConnectionView;
use super::{asked, living};
use crate::app::Api;
use crate::auth::AdminAccess;
use crate::conduct::body::Body;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;

/// What to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PspConnectionChange)]
pub(crate) struct Wanted {
    /// What to call it from now on; null for nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(min_length = 1, max_length = 128, required = true)]
    name: Option<String>,
}

/// Renames a PSP connection.
#[utoipa::path(
    patch,
    path = "/v1/psp-connections/{id}",
    tag = "Connections",
    params(("id" = words::ConnectionId, Path, description = "The connection.")),
    request_body = Wanted,
    responses(
        (status = 200, description = "The connection as it is now.", body = ConnectionView),
        (status = 404, description = "There is no such connection."),
        (status = 409, description = "The connection has ended."),
    ),
)]
pub(crate) async fn change(
    access: AdminAccess,
    id: Path<ConnectionId>,
    body: Body,
    api: Data<Api>,
) -> Result<Json<ConnectionView>, Problem> {
    let wanted: Wanted = body.json()?;
    let mut faults = Faults::default();
    let name = asked::name(wanted.name.as_deref(), &mut faults);
    faults.end()?;
    let tenant = access.tenant;
    let mut tx = api.backbone.db.begin(access.caller.cause(&api)).await?;
    let mut connection = match living(&mut tx, tenant, *id).await {
        Ok(connection) => connection,
        Err(problem) => {
            tx.roll_back().await?;
            return Err(problem);
        }
    };
    db::connections::rename(&mut tx, tenant, *id, name.as_deref()).await?;
    let (caller, object) = (&access.caller, id.to_string());
    let detail = json!({ "name": name });
    caller
        .note(&mut tx, "psp_connection.changed", &object, detail)
        .await?;
    connection.name = name;
    connection.updated_at = tx.now();
    tx.commit().await?;
    Ok(Json(ConnectionView::new(connection, &api)))
}
