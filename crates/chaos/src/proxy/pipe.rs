//! One connection through a proxy.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::{Shock, Weather};

/// Most bytes that are read at once.
const PIECE: usize = 16 * 1024;

/// Makes the close of a connection a reset: the peer is told that what it had sent may be lost.
pub(super) fn reset(stream: &TcpStream) {
    // An error means that it is closed already.
    let _ = stream.set_zero_linger();
}

/// Passes on what is sent either way, until both have ended or a shock cuts it.
pub(super) async fn run(
    client: TcpStream,
    server: TcpStream,
    weather: watch::Receiver<Weather>,
    mut shocks: broadcast::Receiver<Shock>,
) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut up = tokio::spawn(pump(from_client, to_server, weather.clone()));
    let mut down = tokio::spawn(pump(from_server, to_client, weather));
    let (mut up_ended, mut down_ended) = (false, false);
    while !(up_ended && down_ended) {
        tokio::select! {
            _ = &mut up, if !up_ended => up_ended = true,
            _ = &mut down, if !down_ended => down_ended = true,
            shock = shocks.recv() => match shock {
                Ok(Shock::HalfClose) => {
                    down.abort();
                }
                Ok(Shock::Cut) | Err(RecvError::Lagged(_) | RecvError::Closed) => {
                    up.abort();
                    down.abort();
                }
            },
        }
    }
}

/// Dropping the halves closes them: of the reader nothing is told, of the writer the end of file.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
) {
    let mut piece = vec![0; PIECE];
    loop {
        let read = match from.read(&mut piece).await {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        pass(&mut weather).await;
        if to.write_all(&piece[..read]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// Returns when a piece may pass.
async fn pass(weather: &mut watch::Receiver<Weather>) {
    let now = *weather.borrow();
    match now {
        Weather::Clear | Weather::Refusing => {}
        Weather::Slow(delay) => tokio::time::sleep(delay).await,
        Weather::Stalled => {
            // The sender's end means the end of the proxy.
            let _ = weather.wait_for(|now| *now != Weather::Stalled).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
