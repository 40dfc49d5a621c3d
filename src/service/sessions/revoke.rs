//! Revocation of sessions by a viewer, or as part of another operation.

use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::auth::Viewer;
use crate::db::entity::session;
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{Error, Result};
use crate::service::Sessions;
use crate::service::sessions::revoke_rows::revoke_sessions;

impl Sessions {
    /// Revokes one of the viewer's sessions.
    ///
    /// Errors: NotFound when there is no such session; Forbidden when it belongs to another user.
    pub async fn revoke(&self, viewer: &Viewer, id: Uuid) -> Result<()> {
        let of_viewer = session::COLUMN.id.eq(id).and(session::COLUMN.user_id.eq(viewer.user_id()));
        if self.revoke_now(viewer.user_id(), of_viewer).await? > 0 {
            return Ok(());
        }
        // As with tasks, the error only reveals that the session of another user exists.
        let other = session::Entity::find()
            .filter(session::COLUMN.id.eq(id))
            .filter(session::COLUMN.expires_at.gt(self.clock.now()))
            .one(&self.database.read_for(viewer.user_id()))
            .await;
        match other.map_err(map_error)? {
            Some(_) => Err(Error::Forbidden("This session belongs to another user.")),
            None => Err(Error::NotFound("There is no such session.")),
        }
    }

    /// Revokes the sessions of a user that meet a condition, in their own transaction, and returns their
    /// number.
    pub async fn revoke_now(&self, user: Uuid, condition: SimpleExpr) -> Result<usize> {
        let revoked = in_transaction!(self.database.for_user(user), |transaction| {
            revoke_sessions(&transaction, condition.clone(), self.clock.now()).await
        })?;
        self.mark_revoked(&revoked);
        Ok(revoked.len())
    }

    /// Revokes sessions within a transaction. After the commit the caller passes the returned ids to
    /// [`Sessions::mark_revoked`].
    pub async fn revoke_where(&self, on: &Transaction, condition: SimpleExpr) -> Result<Vec<Uuid>> {
        revoke_sessions(on, condition, self.clock.now()).await
    }

    /// Rejects revoked sessions on this instance from now on, and ends their streams.
    pub fn mark_revoked(&self, sessions: &[Uuid]) {
        self.cache.mark_revoked(sessions.iter().copied());
        self.streamed.end(sessions);
    }
}
