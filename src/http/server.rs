//! The loop that accepts connections, and the clean stop.

use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::App;
use crate::http::client::Peer;
use crate::http::metrics::{self, Counted, Metrics};
use crate::http::stream::{LimitedStream, Serving};

/// So many connections may wait to be accepted. Beyond it clients try again only after a second.
const BACKLOG: u32 = 1024;
/// So much of an answer waits in the system for a client. With more, one that reads slowly but steadily
/// would seem not to read at all, and one that does not read would hold it.
const SEND_BUFFER: u32 = 1 << 17;
/// From the end of an answer to the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long requests in flight may take after the listener has closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// So many new connections may have their first request before them, and more are taken only then: a crowd
/// at the door does not push those aside who are in.
const CROWD: usize = 16;
/// Nobody waits longer for those before, who may have nothing to ask: the smallest time that timers know.
const PATIENCE: Duration = Duration::from_millis(1);
/// After a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A scraper needs one connection.
const METRICS_CONNECTIONS: usize = 16;

/// Opens the listener.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for the connections of before to be forgotten.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // The connections have it from the listener.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until SIGTERM or SIGINT, then finishes what is in flight, and closes what it worked on. A second
/// signal ends it at once.
pub async fn serve(
    listener: TcpListener,
    app: App,
    connections: usize,
    grace: Duration,
    close: impl Future<Output = ()>,
) -> Result<()> {
    // Before it says that it is ready: a signal that nobody receives kills.
    let mut signals = Signals::new().context("signals cannot be received")?;
    let address = listener.local_addr().context("the listener has no address")?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "taskhold is ready: open http://{address}/graphql");
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(connections));
    let (router, open) = (&app.router, &app.metrics.connections);
    tokio::select! {
        () = accept(&listener, router, &room, open, &graceful) => {}
        () = signals.next() => {}
    }
    tracing::info!("stopping: requests in flight are finished");
    app.readiness.stop();
    let finish = async {
        // Until load balancers have learnt of it, requests still come.
        let _ = tokio::time::timeout(grace, accept(&listener, router, &room, open, &graceful)).await;
        drop(listener);
        let drained = async {
            graceful.shutdown().await;
            app.endpoint.finished().await;
        };
        if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
            tracing::warn!("stopped with requests in flight after {DRAIN_TIMEOUT:?}");
        }
        close.await;
    };
    tokio::select! {
        () = finish => {}
        () = signals.next() => tracing::warn!("stopped at once"),
    }
    Ok(())
}

/// Answers what asks for the metrics, as long as the runtime lives.
pub fn serve_metrics(listener: TcpListener, metrics: Metrics) -> Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    tracing::info!("metrics are at http://{address}/metrics");
    tokio::spawn(async move {
        let room = Arc::new(Semaphore::new(METRICS_CONNECTIONS));
        let router = metrics::router(metrics);
        accept(&listener, &router, &room, &Gauge::default(), &GracefulShutdown::new()).await;
    });
    Ok(())
}

/// Accepts connections for ever, and counts the open ones; beyond the limit they wait in the system's backlog.
async fn accept(
    listener: &TcpListener,
    router: &Router,
    room: &Arc<Semaphore>,
    open: &Gauge,
    graceful: &GracefulShutdown,
) {
    let mut door = Arc::new(Semaphore::new(CROWD));
    loop {
        let entry = tokio::time::timeout(PATIENCE, door.clone().acquire_owned()).await;
        if entry.is_err() {
            door = Arc::new(Semaphore::new(CROWD));
        }
        let place = room.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and written at once; waiting for more to send would only delay them.
                let _ = stream.set_nodelay(true);
                let entry = entry.ok().and_then(Result::ok);
                let connection = connection(stream, Peer(peer.ip()), router.clone(), entry);
                let connection = graceful.watch(connection);
                let counted = Counted::new(open);
                tokio::spawn(async move {
                    let _held = (place, counted);
                    // A client that breaks off is no event worth a line.
                    let _ = connection.await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Lets the next one in, behind everything that is ready to run: so also behind the task that a request has
/// begun.
async fn pass_on(entry: OwnedSemaphorePermit) {
    tokio::task::yield_now().await;
    drop(entry);
}

/// Serves a connection. What it holds to be let in is dropped once its first request has been taken up.
fn connection<S>(
    stream: S,
    peer: Peer,
    router: Router,
    entry: Option<OwnedSemaphorePermit>,
) -> impl GracefulConnection + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let serving = Serving::default();
    let stream = LimitedStream::new(stream, serving.clone());
    let entry = Cell::new(entry);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (serving, mut entry) = (serving.clone(), entry.take());
        let mut answer = router.call(request);
        async move {
            let answer = poll_fn(|context| {
                let answer = Pin::new(&mut answer).poll(context);
                entry.take().map(|entry| tokio::spawn(pass_on(entry)));
                answer
            });
            serving.during(answer).await
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
}

/// The signals that ask the server to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::net::TcpStream;
    use tokio::time::Instant;

    use super::*;

    /// What a client gets that sends something and then waits, and after how many seconds it is cut.
    async fn seconds_until_cut(sent: &str) -> (String, u64) {
        let router = Router::new().route("/", get(|| async { "hello" }));
        let (mut client, server) = duplex(1024);
        let connection = connection(server, Peer(Ipv4Addr::LOCALHOST.into()), router, None);
        tokio::spawn(async move {
            let _ = connection.await;
        });
        client.write_all(sent.as_bytes()).await.expect("there is room");
        let (begun, mut answer) = (Instant::now(), String::new());
        client.read_to_string(&mut answer).await.expect("the answer is text");
        (answer, begun.elapsed().as_secs())
    }

    #[tokio::test]
    async fn those_who_have_nothing_to_ask_do_not_stand_in_the_door() {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("there is a port");
        let address = listener.local_addr().expect("it has an address");
        let router = Router::new().route("/", get(|| async { "hello" }));
        let room = Arc::new(Semaphore::new(1000));
        tokio::spawn(async move {
            accept(&listener, &router, &room, &Gauge::default(), &GracefulShutdown::new()).await;
        });
        let mut silent = Vec::new();
        for _ in 0..4 * CROWD {
            silent.push(TcpStream::connect(address).await.expect("it listens"));
        }
        for _ in 0..2 * CROWD {
            let mut client = TcpStream::connect(address).await.expect("it listens");
            client
                .write_all(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
                .await
                .expect("sent");
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.expect("the answer is text");
            assert!(answer.ends_with("hello"), "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_dawdles_has_ten_seconds_and_one_that_is_idle_a_minute() {
        let request = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";
        assert_eq!(seconds_until_cut("").await, (String::new(), 10));
        assert_eq!(seconds_until_cut(&request[..20]).await, (String::new(), 10));
        let (answer, after) = seconds_until_cut(request).await;
        assert!(answer.ends_with("\r\n\r\nhello") && after == 60, "{answer} after {after} s");
    }
}
