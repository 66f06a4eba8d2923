use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// Answers every piece with itself.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.into_split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address
}

async fn through(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn said_back(stream: &mut TcpStream) -> std::io::Result<bool> {
    stream.write_all(b"ping").await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"ping")
}

#[tokio::test]
async fn what_is_sent_arrives_by_the_first_upstream_that_listens() {
    let nobody = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = Proxy::start(vec![nobody, echo().await]).await.unwrap();
    for _ in 0..3 {
        assert!(said_back(&mut through(&proxy).await).await.unwrap());
    }
}

#[tokio::test]
async fn a_cut_ends_what_there_is_and_nothing_later() {
    let proxy = Proxy::start(vec![echo().await]).await.unwrap();
    let mut before = through(&proxy).await;
    assert!(said_back(&mut before).await.unwrap());
    proxy.shock(Shock::Cut);
    assert!(said_back(&mut before).await.is_err());
    assert!(said_back(&mut through(&proxy).await).await.unwrap());
}

#[tokio::test]
async fn a_half_closed_connection_ends_for_reading() {
    let proxy = Proxy::start(vec![echo().await]).await.unwrap();
    let mut stream = through(&proxy).await;
    assert!(said_back(&mut stream).await.unwrap());
    proxy.shock(Shock::HalfClose);
    assert_eq!(stream.read(&mut [0; 4]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_stall_holds_back_and_then_passes_on() {
    let proxy = Proxy::start(vec![echo().await]).await.unwrap();
    let mut stream = through(&proxy).await;
    proxy.set_weather(Weather::Stalled);
    let waited = tokio::time::timeout(Duration::from_millis(100), said_back(&mut stream)).await;
    assert!(waited.is_err());
    proxy.set_weather(Weather::Clear);
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"ping");
}

#[tokio::test]
async fn a_refusing_proxy_closes_newcomers_alone() {
    let proxy = Proxy::start(vec![echo().await]).await.unwrap();
    let mut before = through(&proxy).await;
    assert!(said_back(&mut before).await.unwrap());
    proxy.set_weather(Weather::Refusing);
    assert!(said_back(&mut through(&proxy).await).await.is_err());
    assert!(said_back(&mut before).await.unwrap());
}
