//! A server on a port of its own.

use std::time::Duration;

use super::error::ServerError;
use crate::os::port::free_port;
use crate::os::{Child, Spawn, SpawnError};

/// How often another port is tried when somebody takes the free one first.
const PORT_TRIES: usize = 4;

/// Starts a server on `port`, a free one if `None`, and answers it with its port once `answers`
/// resolves, which is given the port and the server's pid.
pub(super) async fn start<F: Future<Output = ()>>(
    port: Option<u16>,
    ready_within: Duration,
    spawn: impl Fn(u16) -> Result<Spawn, ServerError>,
    answers: impl Fn(u16, u32) -> F,
) -> Result<(Child, u16), ServerError> {
    let mut tries = if port.is_some() { 1 } else { PORT_TRIES };
    loop {
        tries -= 1;
        let port = port.unwrap_or_else(free_port);
        let child = Child::spawn(spawn(port)?)?;
        match child.until(answers(port, child.pid()), ready_within).await {
            Ok(()) => return Ok((child, port)),
            Err(SpawnError::Ended { log, .. }) if tries > 0 && log.contains("in use") => {}
            Err(error) => return Err(error.into()),
        }
    }
}
