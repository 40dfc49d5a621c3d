//! WebSockets with the subprotocol graphql-transport-ws: the handshake. The older subprotocol graphql-ws is
//! not offered.

mod client;
mod close;
mod initialization;
mod message;
mod operations;
mod origin;
mod session;
mod socket;

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::http::client_ip::{Peer, client};
use crate::http::graphql::request;
use crate::http::graphql::request_error::RequestError;
use crate::http::graphql::stream::websocket::client::Client;
use crate::http::graphql::stream::websocket::close::End;
use crate::http::graphql::stream::websocket::initialization::{initialize, log_early_end};
use crate::http::graphql::stream::websocket::origin::is_allowed;
use crate::http::server::Place;
use crate::http::shared::Shared;

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Whether a GET asks for a WebSocket.
pub fn is_handshake(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Accepts a handshake (RFC 6455, 4.2). The WebSocket is served when hyper has sent the response.
pub fn accept(state: &Arc<Shared>, parts: &mut Parts, request_id: &str) -> Result<Response, RequestError> {
    let headers = &parts.headers;
    let accept_key = accept_key(parts.version, headers)?;
    if !items(headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == SUBPROTOCOL) {
        return Err(RequestError::bad("Sec-WebSocket-Protocol must offer graphql-transport-ws."));
    }
    if !is_allowed(headers, &state.cors_origins) {
        return Err(RequestError::forbidden("Pages of this origin may not open a WebSocket here."));
    }
    let credential = request::credential(headers)?;
    if state.readiness.is_stopping() {
        return Err(RequestError::stopping());
    }
    if state.streams.is_full() {
        return Err(RequestError::too_many_streams());
    }
    let info = client(parts.extensions.get::<Peer>().copied(), headers, &state.trusted_proxies);
    let client = Client { info, credential, request_id: request_id.to_owned() };
    let upgrade = parts.extensions.remove::<OnUpgrade>();
    let place = parts.extensions.remove::<Arc<Place>>();
    let (Some(upgrade), Some(place)) = (upgrade, place) else {
        return Err(RequestError::bad("This connection cannot become a WebSocket."));
    };
    let state = state.clone();
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else {
            log_early_end(&client, &End::Gone, Duration::ZERO);
            return;
        };
        // Boxed, since an open WebSocket would keep the memory of what has ended.
        if let Some(session) = Box::pin(initialize(state, upgraded, place, client)).await {
            session.run().await;
        }
    });
    let response_headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept_key),
        (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL)),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, response_headers).into_response())
}

/// Checks the headers of the handshake, and returns the value that proves to the client that it was read.
fn accept_key(version: Version, headers: &HeaderMap) -> Result<HeaderValue, RequestError> {
    let asks_for_upgrade =
        items(headers, &header::CONNECTION).any(|option| option.eq_ignore_ascii_case("upgrade"));
    let is_version_13 = headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let key = key.and_then(|key| HeaderValue::try_from(key).ok());
    match key {
        Some(key) if version == Version::HTTP_11 && asks_for_upgrade && is_version_13 => Ok(key),
        _ => Err(RequestError::bad(
            "This is not a valid WebSocket handshake: HTTP/1.1, `Connection: upgrade`, `Sec-WebSocket-Key`, \
             version 13.",
        )),
    }
}

/// The comma-separated items of a header.
fn items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}
