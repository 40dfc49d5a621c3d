//! Authentication with API keys. The rows of keys that were used recently are cached, because a row does not change
//! except for its last use. Whether a key is active is known from the same cache as for sessions.

use std::net::IpAddr;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::auth::{ClientInfo, KeyHash, Viewer, key_hash};
use crate::db::entity::{api_key, user};
use crate::db::map_error;
use crate::domain::{Instant, Result, Scopes};
use crate::service::Sessions;
use crate::service::sessions::key_cache::CachedKey;
use crate::service::sessions::{INVALID_TOKEN, TOKEN_EXPIRED};

impl Sessions {
    /// Authenticates the token of an API key, and returns when the key expires.
    ///
    /// Errors: Unauthenticated when the key is malformed, unknown, revoked or expired, or its user is inactive.
    pub(super) async fn admit_key(&self, token: &str, client: &ClientInfo) -> Result<(Viewer, Instant)> {
        let hash = key_hash(token).ok_or(INVALID_TOKEN)?;
        let cached = self.keys.get(&hash).filter(|key| self.cache.is_active(key.id, key.user_id));
        let key = match cached {
            Some(key) => key,
            // Boxed to keep this future small: it is rarely needed and large.
            None => Box::pin(self.load_key(hash, client.address)).await?,
        };
        if key.expires_at <= self.clock.now() {
            return Err(TOKEN_EXPIRED);
        }
        Ok((Viewer::of_api_key(key.user_id, key.id, key.scopes), key.expires_at))
    }

    /// Reads a key from the database, and has its use recorded in the background.
    async fn load_key(&self, hash: KeyHash, address: IpAddr) -> Result<CachedKey> {
        let row = of_active_users().filter(api_key::Column::TokenHash.eq(hash.as_slice()));
        let row = row.one(self.database.read()).await.map_err(map_error)?.ok_or(INVALID_TOKEN)?;
        let api_key::Model { id, user_id, expires_at, last_used_at, .. } = row;
        let key = CachedKey { id, user_id, scopes: Scopes::from_bits(row.scopes), expires_at };
        // A key whose user was activated again counts as revoked for some minutes. It is then read for each request.
        if self.cache.mark_active(id, user_id) {
            self.keys.insert(hash, key);
        }
        let now = self.clock.now();
        if expires_at > now {
            self.key_uses.add(id, address, last_used_at, now);
        }
        Ok(key)
    }

    /// Whether a key is active, according to the database.
    pub(super) async fn is_active_key(&self, id: Uuid) -> Result<bool> {
        let row = of_active_users().filter(api_key::Column::Id.eq(id));
        let row = row.filter(api_key::Column::ExpiresAt.gt(self.clock.now()));
        Ok(row.one(self.database.read()).await.map_err(map_error)?.is_some())
    }

    /// Those of the ids that belong to active keys.
    pub(super) async fn active_keys(&self, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let active = of_active_users().filter(api_key::Column::Id.is_in(ids.iter().copied()));
        let active = active.select_only().column(api_key::Column::Id).into_tuple();
        active.all(self.database.read()).await.map_err(map_error)
    }
}

/// The keys of active users, which includes expired ones.
fn of_active_users() -> sea_orm::Select<api_key::Entity> {
    api_key::Entity::find().inner_join(user::Entity).filter(user::COLUMN.is_active.eq(true))
}
