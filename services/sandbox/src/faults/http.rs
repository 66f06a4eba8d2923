//! Faults on HTTP calls, and how a connection is cut without an answer.

use std::any::Any;
use std::future::Future;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::{HttpRequest, HttpResponse, rt};

use super::{Mode, Target};
use crate::state::State;

/// A second handle on the connection a request came over.
struct Connection(TcpStream);

/// Keeps a handle on every new connection, so that a handler can cut it.
pub(crate) fn remember_connection(io: &dyn Any, data: &mut Extensions) {
    let handle = io
        .downcast_ref::<rt::net::TcpStream>()
        .and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
    if let Some(handle) = handle {
        data.insert(Connection(TcpStream::from(handle)));
    }
}

/// Cuts the connection; what is returned here goes nowhere.
fn cut(request: &HttpRequest) -> HttpResponse {
    if let Some(connection) = request.conn_data::<Connection>() {
        // An error means that the peer has left already.
        let _ = connection.0.shutdown(Shutdown::Both);
    }
    HttpResponse::InternalServerError().finish()
}

/// Answers one call to `target`, with the misbehaviour that is due.
///
/// `act` does the work and gets the time by which it is to be slowed; it runs to its end even if
/// the caller hangs up. `refuse` shapes an error answer of the given HTTP status.
pub(crate) async fn perform<Act, Acting>(
    state: &State,
    target: Target,
    request: &HttpRequest,
    refuse: impl FnOnce(u16) -> HttpResponse,
    act: Act,
) -> HttpResponse
where
    Act: FnOnce(Duration) -> Acting,
    Acting: Future<Output = HttpResponse> + 'static,
{
    let mode = state.faults.take(target, request.path());
    let slowed_by = match mode {
        Some(Mode::Fail { status }) => return refuse(status),
        Some(Mode::RateLimited) => return refuse(429),
        Some(Mode::DropBeforeActing) => return cut(request),
        Some(Mode::Slow { ms }) => Duration::from_millis(ms),
        Some(Mode::TimeoutAfterActing { .. } | Mode::FailUnderKey { .. }) | None => Duration::ZERO,
    };
    let Ok(answer) = rt::spawn(act(slowed_by)).await else {
        return HttpResponse::InternalServerError().finish();
    };
    if let Some(Mode::TimeoutAfterActing { ms }) = mode {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        return cut(request);
    }
    answer
}
