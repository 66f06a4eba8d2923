//! A mail server that accepts every mail into the inbox, without TLS.
//!
//! ESMTP with PIPELINING, SIZE, 8BITMIME, SMTPUTF8 and AUTH (any credentials are right). Faults on
//! the target `smtp` fire at the end of DATA; `path_contains` is matched against the recipients.
//! Mailboxes that are not there are refused at RCPT, or bounce later.

mod command;
mod lines;
pub(crate) mod mailboxes;
mod session;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::state::State;

/// Serves connections until `stop` is cancelled.
pub(crate) async fn listen(listener: TcpListener, state: Arc<State>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (state, stop) = (Arc::clone(&state), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        ended = session::serve(stream, &state) => {
                            if let Err(error) = ended {
                                tracing::debug!(%error, "an SMTP connection broke");
                            }
                        }
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "an SMTP connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}
