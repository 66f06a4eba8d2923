//! A TCP proxy whose weather can be made: clear, slow, stalled, refusing; and that can cut or
//! half-close what runs over it.
//!
//! It knows nothing of the protocols above TCP, so that what it does is what a network does.

mod pipe;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

/// How long an upstream may take to take a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Shocks that a slow connection may be behind by; more count as one.
const SHOCKS: usize = 16;

/// What lasts until it is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weather {
    /// Everything passes at once.
    #[default]
    Clear,
    /// Each piece that is read is passed on so much later.
    Slow(Duration),
    /// Nothing passes; what was sent is passed on when the weather changes.
    Stalled,
    /// New connections are closed at once; those that there are go on.
    Refusing,
}

/// What happens once, to every connection that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shock {
    /// Both sides are reset.
    Cut,
    /// The client reads an end of file; what it sends still arrives.
    HalfClose,
}

/// A running proxy; dropping it stops it and drops its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    shocks: broadcast::Sender<Shock>,
    upstreams: Arc<Mutex<Vec<SocketAddr>>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// One on a free port of the loopback address. Until it knows an upstream it refuses.
    pub async fn start(upstreams: Vec<SocketAddr>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let weather = watch::Sender::new(Weather::Clear);
        let shocks = broadcast::Sender::new(SHOCKS);
        let upstreams = Arc::new(Mutex::new(upstreams));
        let listening = tokio::spawn(listen(
            listener,
            Arc::clone(&upstreams),
            weather.clone(),
            shocks.clone(),
        ));
        Ok(Self {
            address,
            weather,
            shocks,
            upstreams,
            listening,
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections there: each to the next of them in turn that takes it.
    pub fn lead_to(&self, upstreams: Vec<SocketAddr>) {
        *self
            .upstreams
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = upstreams;
    }

    /// Changes the weather of all connections, those that there are too.
    pub fn set_weather(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Gives every connection a shock.
    pub fn shock(&self, shock: Shock) {
        // An error means that there is no connection.
        let _ = self.shocks.send(shock);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.shock(Shock::Cut);
    }
}

async fn listen(
    listener: TcpListener,
    upstreams: Arc<Mutex<Vec<SocketAddr>>>,
    weather: watch::Sender<Weather>,
    shocks: broadcast::Sender<Shock>,
) {
    let mut turn = 0;
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Out of file descriptors, perhaps: they come back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if *weather.borrow() == Weather::Refusing {
            pipe::reset(&client);
            continue;
        }
        let mut places = upstreams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let count = places.len().max(1);
        places.rotate_left(turn % count);
        turn += 1;
        let (weather, shocks) = (weather.subscribe(), shocks.subscribe());
        tokio::spawn(async move {
            match connect(&places).await {
                Some(server) => pipe::run(client, server, weather, shocks).await,
                None => pipe::reset(&client),
            }
        });
    }
}

async fn connect(places: &[SocketAddr]) -> Option<TcpStream> {
    for place in places {
        let connecting = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(place));
        if let Ok(Ok(stream)) = connecting.await {
            return Some(stream);
        }
    }
    None
}

#[cfg(test)]
mod tests;
