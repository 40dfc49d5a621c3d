//! The API keys that were used recently, without what changes of them.

use moka::sync::Cache;
use uuid::Uuid;

use crate::auth::KeyHash;
use crate::domain::{Instant, Scopes};

/// The number of keys in the cache.
const MAX_CACHED_KEYS: u64 = 20_000;

/// The keys by the hash of their token.
pub struct KeyCache(Cache<KeyHash, CachedKey>);

/// The properties of a key that do not change.
#[derive(Clone, Copy)]
pub struct CachedKey {
    pub id: Uuid,
    pub user_id: Uuid,
    pub scopes: Scopes,
    pub expires_at: Instant,
}

impl Default for KeyCache {
    fn default() -> Self {
        Self(Cache::new(MAX_CACHED_KEYS))
    }
}

impl KeyCache {
    /// The key with this hash, active or not.
    pub fn get(&self, hash: &KeyHash) -> Option<CachedKey> {
        self.0.get(hash)
    }

    /// Adds a key.
    pub fn insert(&self, hash: KeyHash, key: CachedKey) {
        self.0.insert(hash, key);
    }
}
