//! Serves one connection with hyper, and closes it when the limits, the framing or a shutdown require it.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{self, HeaderValue, header};
use axum::response::Response;
use futures_util::FutureExt;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tower_service::Service;

use super::framing;
use super::http_stream::HttpStream;
use super::place::Place;
use super::state::{ConnectionState, ServedRequest};
use super::timeout_stream::TimeoutStream;
use crate::http::client_ip::Peer;
use crate::http::readiness::Readiness;

/// The maximum time from the end of a response to the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// The maximum size of a request head; a longer one gets a 431. It also limits how much hyper reads ahead.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// The parts that serve the requests of all connections of a listener.
#[derive(Clone)]
pub struct Handler<S> {
    pub service: S,
    /// While the server stops, every response closes its connection.
    pub readiness: Readiness,
}

/// Serves a connection until it closes or is upgraded. The admission permit is released after the first
/// request has been started.
pub async fn serve_connection<S, I>(
    stream: I,
    peer: Peer,
    handler: Handler<S>,
    place: Arc<Place>,
    admission_permit: Option<OwnedSemaphorePermit>,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone,
    S::Future: Unpin,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Handler { service, readiness } = handler;
    let state = place.state().clone();
    let (served, admission_permit) = (state.clone(), Cell::new(admission_permit));
    let upgradable = place.clone();
    let observed = service_fn(move |request: http::Request<Incoming>| {
        let request_state = served.begin_request(!request.body().is_end_stream());
        let malformed = framing::framing_error(&request);
        let mut request = request.map(|body| Body::new(TrackedRequestBody::new(body, &served)));
        request.extensions_mut().insert(peer);
        if let Some(malformed) = malformed {
            request.extensions_mut().insert(malformed);
        }
        if request.extensions().get::<OnUpgrade>().is_some() {
            request.extensions_mut().insert(upgradable.clone());
        }
        let (state, readiness, mut admission_permit) =
            (served.clone(), readiness.clone(), admission_permit.take());
        let mut response = service.clone().call(request);
        async move {
            let response = poll_fn(|context| {
                let polled = Pin::new(&mut response).poll(context);
                admission_permit.take().map(|permit| tokio::spawn(release_after_yield(permit)));
                polled
            });
            let mut response = response.await?;
            if let Some(stream) = response.extensions_mut().remove::<HttpStream>() {
                state.mark_http_stream(stream);
            }
            // The next request cannot be separated from an unread or malformed body, and is not read while a
            // stream is sent.
            let is_last = malformed.is_some() || state.is_body_unread() || state.http_stream().is_some();
            if is_last || readiness.is_stopping() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response.map(|body| TrackedResponseBody { body, request: request_state }))
        }
    });
    let stream = TokioIo::new(TimeoutStream::new(stream, state.clone()));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT);
    builder.half_close(true).max_header_size(MAX_HEAD_BYTES).max_buf_size(MAX_HEAD_BYTES);
    let mut connection = pin!(builder.serve_connection(stream, observed).with_upgrades());
    let mut http_stream = None;
    poll_fn(|context| {
        state.register_waker(context.waker());
        // The result is ignored: a client that disconnects is not worth a log line.
        let mut has_ended = connection.as_mut().poll(context).is_ready();
        // Checked after the poll, so that a request that has arrived is still served.
        if !has_ended && state.take_graceful_shutdown() {
            connection.as_mut().graceful_shutdown();
            has_ended = connection.as_mut().poll(context).is_ready();
        }
        http_stream = http_stream.take().or_else(|| state.http_stream().cloned());
        let is_cut = http_stream.as_mut().is_some_and(|stream| stream.poll_unpin(context).is_ready());
        if has_ended || is_cut || place.accepts_close_request() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Releases the permit to the next connection after all tasks that are ready to run, the task of the first
/// request included.
async fn release_after_yield(permit: OwnedSemaphorePermit) {
    tokio::task::yield_now().await;
    drop(permit);
}

/// A request body that marks in the connection's state when it has been read to its end.
struct TrackedRequestBody {
    body: Incoming,
    /// None once it is marked.
    state: Option<Arc<ConnectionState>>,
}

impl TrackedRequestBody {
    fn new(body: Incoming, state: &Arc<ConnectionState>) -> Self {
        let state = (!body.is_end_stream()).then(|| state.clone());
        Self { body, state }
    }
}

impl HttpBody for TrackedRequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let is_end = frame.is_none() || self.body.is_end_stream();
        if is_end && let Some(state) = self.state.take() {
            state.mark_body_read();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body, which hyper drops when it has taken the last frame. That ends the served request.
struct TrackedResponseBody {
    body: Body,
    request: ServedRequest,
}

impl HttpBody for TrackedResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.request.set_awaits_frame(frame.is_pending());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::routing::get;
    use axum::{Extension, Router};
    use futures_util::{StreamExt, stream};
    use prometheus_client::metrics::gauge::Gauge;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, sleep};

    use super::super::admission::{Admission, ConnectionLimits};
    use super::*;

    /// The client's side of a connection that is served.
    async fn connect(router: Router, pipe_bytes: usize) -> DuplexStream {
        let handler = Handler { service: router, readiness: Readiness::default() };
        let (client, server) = duplex(pipe_bytes);
        let address = Ipv4Addr::LOCALHOST.into();
        let limits = ConnectionLimits { total: 1, per_address: 0, proxies: Vec::new() };
        let admitted = Admission::new(limits).admit(address).await.expect("there is no limit");
        let place = Place::new(admitted, &Gauge::default());
        tokio::spawn(serve_connection(server, Peer(address), handler, place, None));
        client
    }

    /// Sends a text and then waits: what the client receives, and after how many seconds the server closes.
    async fn seconds_until_cut(sent: &str) -> (String, u64) {
        let mut client = connect(Router::new().route("/", get(|| async { "hello" })), 1024).await;
        client.write_all(sent.as_bytes()).await.expect("the pipe takes it");
        let (begun, mut response) = (Instant::now(), String::new());
        client.read_to_string(&mut response).await.expect("the response is text");
        (response, begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_dawdles_has_ten_seconds_and_one_that_is_idle_a_minute() {
        let request = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";
        assert_eq!(seconds_until_cut("").await, (String::new(), 10));
        assert_eq!(seconds_until_cut(&request[..20]).await, (String::new(), 10));
        let (response, after) = seconds_until_cut(request).await;
        assert!(response.ends_with("\r\n\r\nhello") && after == 60, "{response} after {after} s");
    }

    /// Reads a stream of two events of a size, one a minute after the other, slowly: 90 kB every 9 s. The pipe
    /// takes all that hyper has buffered in one write. The stream must end after a number of seconds. Returns
    /// the bytes received, and the seconds until the server closes.
    async fn read_stream(event_bytes: usize, end: u64) -> (usize, u64) {
        let frames = event_bytes >> 12;
        let events = move || async move {
            let body = stream::unfold(0, move |sent| async move {
                if sent == frames {
                    sleep(Duration::from_secs(60)).await;
                }
                Some((Ok::<_, Infallible>(Bytes::from_static(&[0; 4 << 10])), sent + 1))
            });
            let body = Body::from_stream(body.take(2 * frames));
            (Extension(HttpStream::cut_after(sleep(Duration::from_secs(end)))), body)
        };
        let mut client = connect(Router::new().route("/", get(events)), 128 << 10).await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").await.expect("the pipe takes it");
        let (begun, mut received, mut bytes) = (Instant::now(), 0, vec![0; 90_000]);
        while let Ok(length @ 1..) = client.read(&mut bytes).await {
            received += length;
            sleep(Duration::from_secs(9)).await;
        }
        (received, begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn each_event_of_a_stream_has_a_minute_and_the_last_one_until_the_end_of_the_stream() {
        let (received, seconds) = read_stream(400 << 10, 1000).await;
        assert!(received > 800 << 10, "{received} bytes of two events after {seconds} s");
        for (end, closed) in [(1000, 60..85), (30, 30..55)] {
            let (received, seconds) = read_stream(1200 << 10, end).await;
            assert!(received < 1200 << 10 && closed.contains(&seconds), "{received} bytes after {seconds} s");
        }
    }
}
