//! Streams and what admitted them: a stream learns when its session or API key ends, or its token expires.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::{ClientInfo, Credential, Viewer};
use crate::db::entity::{session, user};
use crate::db::map_error;
use crate::domain::{Instant, Result};
use crate::service::Sessions;

/// The longest time between two looks at the clock, which may be set while a stream is open.
const CLOCK_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// The number of sessions that one statement looks up.
const SESSIONS_PER_LOOKUP: usize = 500;

/// Why the stream of a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The token has expired; the session may be active.
    Expired,
    /// The session is not active any more.
    Ended,
}

/// The session or the API key of an open stream.
pub struct StreamSession {
    sessions: Arc<Sessions>,
    viewer: Viewer,
    expires_at: Instant,
    ended: CancellationToken,
}

impl StreamSession {
    /// The user of the session.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Whether the token has expired or the session has ended.
    pub fn end(&self) -> Option<SessionEnd> {
        if self.ended.is_cancelled() {
            Some(SessionEnd::Ended)
        } else {
            (self.sessions.clock.now() >= self.expires_at).then_some(SessionEnd::Expired)
        }
    }

    /// Waits until the token has expired or the session has ended.
    pub async fn wait_for_end(&self) -> SessionEnd {
        loop {
            if let Some(end) = self.end() {
                return end;
            }
            let left = (self.expires_at - self.sessions.clock.now()).to_std().unwrap_or_default();
            let _ = tokio::time::timeout(left.min(CLOCK_INTERVAL), self.ended.cancelled()).await;
        }
    }
}

impl Drop for StreamSession {
    fn drop(&mut self) {
        self.sessions.streamed.remove(self.viewer.credential_id());
    }
}

impl Sessions {
    /// Authenticates the credential of a new stream. Errors: as [`Self::authenticate`].
    pub async fn open_stream(
        self: &Arc<Self>,
        credential: &Credential,
        client: &ClientInfo,
    ) -> Result<StreamSession> {
        let (viewer, expires_at) = self.admit(credential, client).await?;
        let ended = self.streamed.add(viewer.credential_id());
        let stream = StreamSession { sessions: self.clone(), viewer, expires_at, ended };
        // The session may have been revoked before it was added.
        self.check(&stream.viewer).await?;
        Ok(stream)
    }

    /// Ends the streams of all sessions that are not active. It is needed after an outage in which revocations
    /// may have been written and deleted.
    pub(super) async fn end_streams_of_inactive_sessions(&self) -> Result<()> {
        let streamed: Vec<Uuid> = self.streamed.all();
        for batch in streamed.chunks(SESSIONS_PER_LOOKUP) {
            let mut active: Vec<Uuid> = session::Entity::find()
                .select_only()
                .column(session::Column::Id)
                .inner_join(user::Entity)
                .filter(session::COLUMN.id.is_in(batch.iter().copied()))
                .filter(user::COLUMN.is_active.eq(true))
                .into_tuple()
                .all(self.database.read())
                .await
                .map_err(map_error)?;
            active.extend(self.active_keys(batch).await?);
            let ended: Vec<Uuid> = batch.iter().copied().filter(|id| !active.contains(id)).collect();
            self.mark_revoked(&ended);
        }
        Ok(())
    }
}
