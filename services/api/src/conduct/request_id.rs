//! A request's id: the caller's own `X-Request-Id` if it is a decent one, else one of ours.

use actix_web::http::header::HeaderMap;

/// The header that carries it, in and out.
pub const HEADER: &str = "x-request-id";
/// Longest id taken over from a caller, in characters.
const LONGEST: usize = 128;

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request that this task works on.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs `work` as part of the request with this id.
pub(super) async fn within<T>(id: String, work: impl Future<Output = T>) -> T {
    CURRENT.scope(id, work).await
}

/// The caller's id, if it is letters, digits and a few marks: it goes into log
/// lines and headers as it is.
pub(super) fn given(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HEADER)?.to_str().ok()?;
    let decent = (1..=LONGEST).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte));
    decent.then(|| id.to_owned())
}
