//! Exchange of refresh tokens.

use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::db::entity::{session, user};
use crate::db::map_error;
use crate::domain::{Error, Result};
use crate::service::sessions::{Sessions, SignedIn};

const INVALID_REFRESH_TOKEN: Error = Error::InvalidCredentials("Invalid refresh token");
/// The time during which an exchanged refresh token still returns the same new token, for clients that lost
/// the response or send the token from two tabs.
const REFRESH_GRACE_PERIOD: TimeDelta = TimeDelta::seconds(10);

impl Sessions {
    /// Exchanges a refresh token for new tokens. Within ten seconds the same token returns the same new
    /// tokens, unless these have been used. Otherwise a second use means that the token was stolen, and the
    /// session is revoked.
    ///
    /// Errors: InvalidCredentials when the token is invalid, expired or was used before, or the user is
    /// inactive.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn> {
        let refresh = self.tokens.verify_refresh(token).ok_or(INVALID_REFRESH_TOKEN)?;
        let id = refresh.session_id;
        let rotated = self.rotate(self.database.write(), id, Some(refresh.count)).await?;
        let now = self.clock.now();
        let session = match rotated {
            Some(session) => session,
            None => {
                let found = session::Entity::find().filter(session::COLUMN.id.eq(id));
                let found = found.one(self.database.write()).await.map_err(map_error)?;
                let session =
                    found.filter(|session| session.expires_at > now).ok_or(INVALID_REFRESH_TOKEN)?;
                // The absolute difference: if the clock was set back, an old token must not become valid
                // again.
                let is_recent = (now - session.refreshed_at).abs() <= REFRESH_GRACE_PERIOD;
                let is_repeated = is_recent && session.refreshes == refresh.count.wrapping_add(1);
                if !is_repeated {
                    tracing::warn!(session_id = %id, "a refresh token was used twice; its session is revoked");
                    self.revoke_now(session.user_id, session::COLUMN.id.eq(id)).await?;
                    return Err(INVALID_REFRESH_TOKEN);
                }
                session
            }
        };
        let user = user::Entity::find()
            .filter(user::COLUMN.id.eq(session.user_id))
            .filter(user::COLUMN.is_active.eq(true))
            .one(self.database.read())
            .await
            .map_err(map_error)?
            .ok_or(INVALID_REFRESH_TOKEN)?;
        Ok(self.signed_in(user.into(), &session))
    }

    /// Advances a session to its next refresh if its refresh count equals `count`. Without `count` it
    /// advances by two, so that the previous refresh token is invalid immediately instead of repeating the
    /// last exchange.
    pub async fn rotate(
        &self,
        on: &impl ConnectionTrait,
        session: Uuid,
        count: Option<i32>,
    ) -> Result<Option<session::Model>> {
        let (now, step) = (self.clock.now(), if count.is_some() { 1 } else { 2 });
        let mut update = session::Entity::update_many()
            .filter(session::COLUMN.id.eq(session))
            .filter(session::COLUMN.expires_at.gt(now))
            .col_expr(session::Column::Refreshes, session::Column::Refreshes.into_expr().add(step))
            .col_expr(session::Column::RefreshedAt, Expr::val(now))
            .col_expr(session::Column::LastUsedAt, Expr::val(now));
        if let Some(count) = count {
            update = update.filter(session::COLUMN.refreshes.eq(count));
        }
        let rows = update.exec_with_returning(on).await.map_err(map_error)?;
        Ok(rows.into_iter().next())
    }
}
