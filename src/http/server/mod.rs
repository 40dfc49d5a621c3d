//! The listener: connections are accepted and handed to tasks of their own, until the server is told to stop.

mod admission;
mod connection;
mod framing;
mod linger;
mod parse_error;
mod signals;
mod state;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;

use self::admission::Admission;
pub use self::admission::ConnectionLimits;
use self::connection::{Handler, serve_connection};
pub use self::framing::Malformed;
use self::signals::Signals;
use crate::http::Readiness;
use crate::http::client_ip::Peer;
use crate::http::metrics::{self, GaugeGuard, Metrics};

/// How many connections may wait to be accepted. Beyond it clients try again only after a second.
const BACKLOG_CONNECTIONS: u32 = 1024;
/// How much of an answer waits in the system for a client. With more, one that reads slowly but steadily
/// would seem not to read at all, and one that does not read would hold it.
const SEND_BUFFER_BYTES: u32 = 1 << 17;
/// How long requests in flight may take after the listener has closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How many new connections may be without an answer to their first request; more are accepted only then. So
/// the requests of a crowd of new connections do not delay those of the connections that are open already.
const MAX_UNSERVED_CONNECTIONS: usize = 16;
/// How long a new connection waits for those before it, which may never send a request: the shortest time
/// that the timer can measure.
const ADMISSION_TIMEOUT: Duration = Duration::from_millis(1);
/// The pause after a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A scraper needs one connection.
const MAX_METRICS_CONNECTIONS: usize = 16;

/// Opens the listener.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart does not wait until the system has forgotten the connections of the process before.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // The connections inherit it from the listener.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG_CONNECTIONS)
}

/// A server of one router.
pub struct Server {
    pub router: Router,
    /// What /readyz reports.
    pub readiness: Readiness,
    /// The gauge of open connections.
    pub connections: Gauge,
    pub limits: ConnectionLimits,
    /// How long the server accepts requests after the signal to stop, so that load balancers can see /readyz.
    pub grace: Duration,
}

impl Server {
    /// Serves until SIGTERM or SIGINT, then lets the requests in flight end, waits for `drain`, and at last for
    /// `close`. A second signal ends the process immediately.
    pub async fn run(
        self,
        listener: TcpListener,
        drain: impl Future<Output = ()>,
        close: impl Future<Output = ()>,
    ) -> Result<()> {
        let Self { router, readiness, connections, limits, grace } = self;
        // Before the log says that the server is ready: without a handler the signal kills the process.
        let mut signals = Signals::new().context("signals cannot be received")?;
        let address = listener.local_addr().context("the listener has no address")?;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            "taskhold is ready: open http://{address}/graphql"
        );
        let admission = Admission::new(limits);
        let handler = Handler { router, readiness: readiness.clone() };
        let mut accepting = Box::pin(accept(listener, handler, admission.clone(), connections));
        tokio::select! {
            () = &mut accepting => {}
            () = signals.next() => {}
        }
        tracing::info!("stopping: requests in flight are finished");
        readiness.stop();
        let finish = async move {
            // Load balancers still send requests until they have seen what /readyz says.
            let _ = tokio::time::timeout(grace, &mut accepting).await;
            // This closes the listener.
            drop(accepting);
            let drained = async {
                admission.finish().await;
                drain.await;
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
}

/// Answers requests for the metrics, as long as the runtime lives.
pub fn serve_metrics(listener: TcpListener, metrics: Metrics) -> Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    tracing::info!("metrics are at http://{address}/metrics");
    let handler = Handler { router: metrics::router(metrics), readiness: Readiness::default() };
    let limits = ConnectionLimits { total: MAX_METRICS_CONNECTIONS, per_address: 0, proxies: Vec::new() };
    tokio::spawn(accept(listener, handler, Admission::new(limits), Gauge::default()));
    Ok(())
}

/// Accepts connections for ever, and counts the open ones.
async fn accept(listener: TcpListener, handler: Handler, admission: Arc<Admission>, open: Gauge) {
    let mut turns = Arc::new(Semaphore::new(MAX_UNSERVED_CONNECTIONS));
    loop {
        let turn = tokio::time::timeout(ADMISSION_TIMEOUT, turns.clone().acquire_owned()).await;
        if turn.is_err() {
            turns = Arc::new(Semaphore::new(MAX_UNSERVED_CONNECTIONS));
        }
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(admitted) = admission.admit(peer.ip()).await else { continue };
                // Answers are small and written at once; waiting for more to send would only delay them.
                let _ = stream.set_nodelay(true);
                let turn = turn.ok().and_then(Result::ok);
                let (handler, counted) = (handler.clone(), GaugeGuard::new(&open));
                tokio::spawn(async move {
                    let _counted = counted;
                    serve_connection(stream, Peer(peer.ip()), handler, &admitted, turn).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn new_connections_without_a_request_do_not_hold_up_those_after_them() {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        let router = Router::new().route("/", get(|| async { "hello" }));
        let handler = Handler { router, readiness: Readiness::default() };
        let limits = ConnectionLimits { total: 1000, per_address: 0, proxies: Vec::new() };
        tokio::spawn(accept(listener, handler, Admission::new(limits), Gauge::default()));
        let mut silent = Vec::new();
        for _ in 0..4 * MAX_UNSERVED_CONNECTIONS {
            silent.push(TcpStream::connect(address).await.expect("it listens"));
        }
        for _ in 0..2 * MAX_UNSERVED_CONNECTIONS {
            let mut client = TcpStream::connect(address).await.expect("it listens");
            let request = b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
            client.write_all(request).await.expect("the server reads");
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.expect("the answer is text");
            assert!(answer.ends_with("hello"), "{answer}");
        }
    }
}
