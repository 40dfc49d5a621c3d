//! The phase before `connection_ack`: the client has to send `connection_init` with a valid token. The
//! connection counts as idle, so it can be closed for another one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::upgrade::Upgraded;
use tokio::time::timeout;

use crate::api::StreamRefused;
use crate::auth::Credential;
use crate::graphql::{ErrorCode, OperationSummary, code_name};
use crate::http::graphql::stream::StreamLimit;
use crate::http::graphql::stream::open_stream::OpenStream;
use crate::http::graphql::stream::websocket::client::{Client, TRANSPORT};
use crate::http::graphql::stream::websocket::close::{Close, End};
use crate::http::graphql::stream::websocket::message::{CONNECTION_ACK, ClientMessage, pong};
use crate::http::graphql::stream::websocket::operations::{OperationContext, Operations};
use crate::http::graphql::stream::websocket::session::{Connection, Session, send_in_time};
use crate::http::graphql::stream::websocket::socket::Socket;
use crate::http::server::{Place, ServedRequest};
use crate::http::shared::Shared;

/// How long the client may take to send `connection_init`.
const INITIALIZATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits for `connection_init`, checks the token and sends `connection_ack`. None when the connection has ended.
/// It keeps its place for as long as it is open.
pub async fn initialize(
    state: Arc<Shared>,
    upgraded: Upgraded,
    place: Arc<Place>,
    client: Client,
) -> Option<Box<Session>> {
    place.mark_upgraded();
    let (started, mut socket) = (Instant::now(), Socket::new(upgraded).await);
    let accepted = tokio::select! {
        accepted = accept(&state, &mut socket, &place, &client) => accepted,
        () = place.close_requested() => Err(Close::TRY_AGAIN_LATER.into()),
        () = state.readiness.streams_end() => Err(Close::STOPPING.into()),
    };
    match accepted {
        Ok(Accepted { open, in_use, credential, last_event_id }) => {
            let request_id = client.request_id.clone();
            let context = OperationContext { state: state.clone(), client, credential, last_event_id };
            let connection = Connection { socket, _in_use: in_use, _place: place };
            Some(Box::new(Session::new(state, connection, open, Operations::new(context), request_id)))
        }
        Err(end) => {
            log_early_end(&client, &end, started.elapsed());
            socket.finish(end).await;
            None
        }
    }
}

/// Writes the line in the log of a WebSocket that has not become a stream.
pub fn log_early_end(client: &Client, end: &End, duration: Duration) {
    tracing::info!(
        request_id = client.request_id,
        transport = TRANSPORT,
        close = &*end.name(),
        duration_ms = duration.as_secs_f64() * 1e3,
        "a WebSocket ended before connection_ack"
    );
}

/// What makes a WebSocket a stream.
struct Accepted {
    open: OpenStream,
    /// Keeps the connection from being closed for another one.
    in_use: ServedRequest,
    credential: Credential,
    last_event_id: Option<String>,
}

async fn accept(
    state: &Arc<Shared>,
    socket: &mut Socket,
    place: &Place,
    client: &Client,
) -> Result<Accepted, End> {
    let received = timeout(INITIALIZATION_TIMEOUT, receive_init(socket)).await;
    let (credential, last_event_id) = received.map_err(|_| Close::INITIALIZATION_TIMEOUT)??;
    let credential = credential.unwrap_or_else(|| client.credential.clone());
    let mut open = open_stream(state, &credential, client).await?;
    let in_use = place.begin_stream();
    send_in_time(&open.session, socket.send(vec![CONNECTION_ACK.into()])).await?;
    open.begin(OperationSummary::default());
    Ok(Accepted { open, in_use, credential, last_event_id })
}

/// Answers pings until `connection_init` arrives. Returns its credential and its position.
async fn receive_init(socket: &mut Socket) -> Result<(Option<Credential>, Option<String>), End> {
    loop {
        let Some(text) = socket.receive().await? else { continue };
        match ClientMessage::parse(&text).ok_or(Close::INVALID_MESSAGE)? {
            ClientMessage::ConnectionInit { credential, last_event_id } => {
                return Ok((credential, last_event_id));
            }
            ClientMessage::Subscribe { .. } => return Err(Close::UNAUTHORIZED.into()),
            ClientMessage::Ping { payload } => socket.send(vec![pong(payload.as_deref()).into()]).await?,
            ClientMessage::Complete { .. } | ClientMessage::Pong => {}
        }
    }
}

async fn open_stream(
    state: &Arc<Shared>,
    credential: &Credential,
    client: &Client,
) -> Result<OpenStream, End> {
    let session = state.api.open_stream(credential, &client.info, &client.request_id).await;
    if state.readiness.is_stopping() {
        return Err(Close::TRY_AGAIN_LATER.into());
    }
    let session = session.map_err(|StreamRefused { errors, has_expired }| {
        match (errors.first().and_then(code_name), credential) {
            (Some(code), _) if code != ErrorCode::Unauthenticated.name() => Close::TRY_AGAIN_LATER,
            (_, Credential::None) => Close::AUTHENTICATION_REQUIRED,
            _ if has_expired => Close::TOKEN_EXPIRED,
            _ => Close::INVALID_TOKEN,
        }
    })?;
    let open = OpenStream::open(state, session, TRANSPORT, &client.request_id);
    open.map_err(|_: StreamLimit| Close::TOO_MANY_CONNECTIONS.into())
}
