//! The HTTP server: accepts connections, serves each in a separate task, and stops on a signal.

mod admission;
mod connection;
mod framing;
mod http_stream;
mod linger;
mod parse_error;
mod place;
mod signals;
mod state;
mod timeout_stream;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::extract::Request;
use axum::response::Response;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tower_service::Service;

use self::admission::Admission;
pub use self::admission::ConnectionLimits;
use self::connection::{Handler, serve_connection};
pub use self::framing::Malformed;
pub use self::http_stream::HttpStream;
pub use self::place::Place;
use self::signals::Signals;
pub use self::state::ServedRequest;
use crate::http::client_ip::Peer;
use crate::http::metrics::{self, Metrics};
use crate::http::readiness::Readiness;

/// How many connections may wait to be accepted. Beyond this number clients retry only after a second.
const BACKLOG_CONNECTIONS: u32 = 1024;
/// The socket's send buffer. With a larger one a client that reads slowly but steadily would seem not to read
/// at all, and a client that does not read would occupy more memory.
const SEND_BUFFER_BYTES: u32 = 1 << 17;
/// How long sent bytes may be unacknowledged. By default the system sends them again for 15 minutes, and for
/// as long a stream of a client that has vanished would stay open.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED_TIMEOUT_MS: u32 = 30_000;
/// The maximum time for requests in flight after the listener has closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Admission control: the maximum number of new connections whose first request is not yet started. Many new
/// connections at the same time then do not delay the requests of open connections.
const MAX_UNSERVED_CONNECTIONS: usize = 16;
/// How long a new connection waits for the ones before it, which may never send a request: the shortest time
/// that the timer can measure.
const ADMISSION_TIMEOUT: Duration = Duration::from_millis(1);
/// The pause after a failed accept, which is nearly always caused by a lack of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);
/// The maximum number of connections of the metrics listener; a scraper needs one.
const MAX_METRICS_CONNECTIONS: usize = 16;

/// Opens a listener.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted process need not wait until the connections of the previous one have left TIME_WAIT.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit this option and the next one.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(&socket, UNACKNOWLEDGED_TIMEOUT_MS)?;
    socket.bind(address)?;
    socket.listen(BACKLOG_CONNECTIONS)
}

/// A server of one service.
pub struct Server<S> {
    pub service: S,
    /// What /readyz reports.
    pub readiness: Readiness,
    /// The gauge of open connections.
    pub connections: Gauge,
    pub limits: ConnectionLimits,
    /// How long the server accepts requests after the signal to stop, so that load balancers can see /readyz.
    pub grace: Duration,
}

impl<S> Server<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + Unpin,
{
    /// Serves until SIGTERM or SIGINT, then lets the requests in flight end, waits for `drain`, and at last
    /// for `close`. A second signal ends the process immediately.
    pub async fn run(
        self,
        listener: TcpListener,
        drain: impl Future<Output = ()>,
        close: impl Future<Output = ()>,
    ) -> Result<()> {
        let Self { service, readiness, connections, limits, grace } = self;
        // Before the log reports that the server is ready: without a receiver a signal kills the process.
        let mut signals = Signals::new().context("signals cannot be received")?;
        let address = listener.local_addr().context("the listener has no address")?;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            "taskhold is ready: open http://{address}/graphql"
        );
        let admission = Admission::new(limits);
        let handler = Handler { service, readiness: readiness.clone() };
        let mut accepting = Box::pin(accept(listener, handler, admission.clone(), connections));
        tokio::select! {
            () = &mut accepting => {}
            () = signals.next() => {}
        }
        tracing::info!("stopping: requests in flight are finished");
        readiness.stop();
        let finish = async move {
            // Load balancers send requests until they have read /readyz.
            let _ = tokio::time::timeout(grace, &mut accepting).await;
            // This closes the listener.
            drop(accepting);
            readiness.end_streams();
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
            () = signals.next() => tracing::warn!("stopped immediately"),
        }
        Ok(())
    }
}

/// Serves /metrics on a separate listener until the runtime ends.
pub fn serve_metrics(listener: TcpListener, metrics: Metrics) -> Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    tracing::info!("metrics are at http://{address}/metrics");
    let handler = Handler { service: metrics::router(metrics), readiness: Readiness::default() };
    let limits = ConnectionLimits { total: MAX_METRICS_CONNECTIONS, per_address: 0, proxies: Vec::new() };
    tokio::spawn(accept(listener, handler, Admission::new(limits), Gauge::default()));
    Ok(())
}

/// Accepts connections until the future is dropped. `open` is the gauge of open connections.
async fn accept<S>(listener: TcpListener, handler: Handler<S>, admission: Arc<Admission>, open: Gauge)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + Unpin,
{
    let mut unserved = Arc::new(Semaphore::new(MAX_UNSERVED_CONNECTIONS));
    loop {
        let permit = tokio::time::timeout(ADMISSION_TIMEOUT, unserved.clone().acquire_owned()).await;
        if permit.is_err() {
            // They may never send a request, so they are no longer counted.
            unserved = Arc::new(Semaphore::new(MAX_UNSERVED_CONNECTIONS));
        }
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Some(admitted) = admission.admit(peer.ip()).await else { continue };
                // Responses are written in one piece; Nagle's algorithm would only delay them.
                let _ = stream.set_nodelay(true);
                let permit = permit.ok().and_then(Result::ok);
                let place = Place::new(admitted, &open);
                tokio::spawn(serve_connection(stream, Peer(peer.ip()), handler.clone(), place, permit));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
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
        let handler = Handler { service: router, readiness: Readiness::default() };
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
            let mut response = String::new();
            client.read_to_string(&mut response).await.expect("the response is text");
            assert!(response.ends_with("hello"), "{response}");
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn accepted_connections_are_closed_when_their_client_has_vanished() {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        let _client = TcpStream::connect(address).await.expect("it listens");
        let (accepted, _) = listener.accept().await.expect("a client has connected");
        let timeout = rustix::net::sockopt::tcp_user_timeout(&accepted).expect("Linux has the option");
        assert_eq!(timeout, UNACKNOWLEDGED_TIMEOUT_MS);
    }
}
