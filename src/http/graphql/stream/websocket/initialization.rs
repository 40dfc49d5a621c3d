//! The phase before `connection_ack`: the client has to send `connection_init` with a valid token. The
//! connection counts as idle, so it can be closed for another one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::api::StreamRefused;
use crate::auth::Credential;
use crate::graphql::{ErrorCode, code_name};
use crate::http::graphql::request::bearer;
use crate::http::graphql::stream::StreamLimit;
use crate::http::graphql::stream::open_stream::OpenStream;
use crate::http::graphql::stream::websocket::client::{Client, TRANSPORT};
use crate::http::graphql::stream::websocket::close::{Close, End};
use crate::http::graphql::stream::websocket::message::{CONNECTION_ACK, ClientMessage, pong};
use crate::http::graphql::stream::websocket::socket::Socket;
use crate::http::server::{Place, ServedRequest};
use crate::http::shared::Shared;

/// How long the client may take to send `connection_init`.
const INITIALIZATION_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the database may take to check the session.
const SESSION_TIMEOUT: Duration = Duration::from_secs(10);

/// A WebSocket that has become a stream.
pub struct Initialized {
    pub open: OpenStream,
    pub credential: Credential,
    pub last_event_id: Option<String>,
    /// Keeps the connection from being closed for another one.
    pub in_use: ServedRequest,
}

/// Waits for `connection_init`, checks the token and sends `connection_ack`.
pub async fn initialize(
    state: &Arc<Shared>,
    socket: &mut Socket,
    place: &Place,
    client: &Client,
) -> Result<Initialized, End> {
    // Boxed, since it would be a part of every socket's task.
    let initialized = Box::pin(async {
        let (authorization, last_event_id) = tokio::select! {
            received = receive_init(socket) => received?,
            () = sleep(INITIALIZATION_TIMEOUT) => return Err(Close::INITIALIZATION_TIMEOUT.into()),
        };
        let credential = authorization.map_or_else(|| client.credential.clone(), |text| bearer(&text));
        let open = open_stream(state, &credential, client).await?;
        Ok::<_, End>(Initialized { open, credential, last_event_id, in_use: place.begin_stream() })
    });
    let mut initialized = tokio::select! {
        initialized = initialized => initialized?,
        () = place.close_requested() => return Err(Close::TRY_AGAIN_LATER.into()),
        () = state.readiness.streams_end() => return Err(Close::STOPPING.into()),
    };
    socket.send(CONNECTION_ACK).await?;
    initialized.open.begin(Default::default());
    Ok(initialized)
}

/// Answers pings until `connection_init` arrives. Returns its authorization and its position.
async fn receive_init(socket: &mut Socket) -> Result<(Option<String>, Option<String>), End> {
    loop {
        let Some(text) = socket.receive().await? else { continue };
        match ClientMessage::parse(&text).ok_or(Close::INVALID_MESSAGE)? {
            ClientMessage::ConnectionInit { authorization, last_event_id } => {
                return Ok((authorization, last_event_id));
            }
            ClientMessage::Subscribe { .. } => return Err(Close::UNAUTHORIZED.into()),
            ClientMessage::Ping { payload } => socket.send(pong(payload.as_deref())).await?,
            ClientMessage::Complete { .. } | ClientMessage::Pong => {}
        }
    }
}

async fn open_stream(
    state: &Arc<Shared>,
    credential: &Credential,
    client: &Client,
) -> Result<OpenStream, End> {
    if state.readiness.is_stopping() {
        return Err(Close::TRY_AGAIN_LATER.into());
    }
    let session = timeout(SESSION_TIMEOUT, state.api.open_stream(credential)).await;
    let session = session.map_err(|_| Close::TRY_AGAIN_LATER)?.map_err(|refused| {
        let StreamRefused { error, has_expired } = refused;
        match (code_name(&error), credential) {
            (Some(code), _) if code != ErrorCode::Unauthenticated.name() => Close::TRY_AGAIN_LATER,
            (_, Credential::None) => Close::AUTHENTICATION_REQUIRED,
            _ if has_expired => Close::TOKEN_EXPIRED,
            _ => Close::INVALID_TOKEN,
        }
    })?;
    let open = OpenStream::open(state, session, TRANSPORT, &client.request_id);
    open.map_err(|_: StreamLimit| Close::TOO_MANY_CONNECTIONS.into())
}
