//! The session of a stream: how a credential opens it, and how long it lasts.

use std::time::Duration;

use async_graphql::{Response, ServerError};
use tokio::time::timeout;

use crate::api::Api;
use crate::auth::{ClientInfo, Credential};
use crate::domain::Error;
use crate::graphql::error::domain_error;
use crate::graphql::finalize_errors;
use crate::service::token_has_expired;
pub use crate::service::{SessionEnd, StreamSession};

/// How long the database may take to check a session.
const SESSION_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a credential opens no stream.
pub struct StreamRefused {
    /// UNAUTHENTICATED, or the failure of the database.
    pub errors: Vec<ServerError>,
    /// Whether the token has expired, so that a new one helps.
    pub has_expired: bool,
}

impl Api {
    /// Authenticates the client of a stream. `request_id` is that of the HTTP request.
    pub async fn open_stream(
        &self,
        credential: &Credential,
        client: &ClientInfo,
        request_id: &str,
    ) -> Result<StreamSession, StreamRefused> {
        let sessions = self.operations.services.sessions();
        let session = timeout(SESSION_TIMEOUT, sessions.open_stream(credential, client)).await;
        session.unwrap_or(Err(Error::Timeout)).map_err(|error| {
            let has_expired = token_has_expired(&error);
            let mut refused = Response::from_errors(vec![domain_error(error)]);
            finalize_errors(&mut refused, request_id, false);
            StreamRefused { errors: refused.errors, has_expired }
        })
    }
}
