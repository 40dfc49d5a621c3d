//! The loop that accepts connections, and the clean stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
use tokio::sync::Semaphore;

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
/// So many new connections are taken at once, and more only after the pause: a crowd at the door does
/// not push those aside who are in. It makes at most 8,000 new connections a second.
const CROWD: u32 = 8;
/// The smallest pause that timers know.
const CROWD_PAUSE: Duration = Duration::from_millis(1);
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
    let (mut since, mut crowd) = (Instant::now(), 0);
    loop {
        let place = room.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and written at once; waiting for more to send would only delay them.
                let _ = stream.set_nodelay(true);
                let connection = graceful.watch(connection(stream, Peer(peer.ip()), router.clone()));
                let counted = Counted::new(open);
                tokio::spawn(async move {
                    let _held = (place, counted);
                    // A client that breaks off is no event worth a line.
                    let _ = connection.await;
                });
                if since.elapsed() > CROWD_PAUSE {
                    (since, crowd) = (Instant::now(), 0);
                }
                crowd += 1;
                if crowd == CROWD {
                    tokio::time::sleep(CROWD_PAUSE).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn connection<S>(stream: S, peer: Peer, router: Router) -> impl GracefulConnection + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let serving = Serving::default();
    let stream = LimitedStream::new(stream, serving.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (serving, answer) = (serving.clone(), router.call(request));
        async move { serving.during(answer).await }
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
    use tokio::time::Instant;

    use super::*;

    /// What a client gets that sends something and then waits, and after how many seconds it is cut.
    async fn seconds_until_cut(sent: &str) -> (String, u64) {
        let router = Router::new().route("/", get(|| async { "hello" }));
        let (mut client, server) = duplex(1024);
        let connection = connection(server, Peer(Ipv4Addr::LOCALHOST.into()), router);
        tokio::spawn(async move {
            let _ = connection.await;
        });
        client.write_all(sent.as_bytes()).await.expect("there is room");
        let (begun, mut answer) = (Instant::now(), String::new());
        client.read_to_string(&mut answer).await.expect("the answer is text");
        (answer, begun.elapsed().as_secs())
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
