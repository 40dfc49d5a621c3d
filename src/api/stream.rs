//! The session of a stream: how a credential opens it, and how long it lasts.

use async_graphql::ServerError;

use crate::api::Api;
use crate::auth::Credential;
use crate::graphql::error::domain_error;
pub use crate::service::{SessionEnd, StreamSession};

/// Why a credential opens no stream.
pub struct StreamRefused {
    /// UNAUTHENTICATED, SERVICE_UNAVAILABLE or TIMEOUT.
    pub error: ServerError,
    /// Whether the token has expired, so that a new one helps.
    pub has_expired: bool,
}

impl Api {
    /// Authenticates the client of a stream.
    pub async fn open_stream(&self, credential: &Credential) -> Result<StreamSession, StreamRefused> {
        let sessions = self.operations.services.sessions();
        sessions.open_stream(credential).await.map_err(|error| StreamRefused {
            error: domain_error(error),
            has_expired: sessions.has_expired(credential),
        })
    }
}
