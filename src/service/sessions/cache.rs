//! A cache of active sessions, so that requests do not query the database for their session. An entry is
//! valid for a minute. Revocations are polled twice a second, so every instance applies them within two
//! seconds, also behind a connection pooler. An instance that could not poll for ten seconds ignores the
//! cache and queries the database for each request.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use uuid::Uuid;

const ACTIVE_TTL: Duration = Duration::from_secs(60);
const MAX_CACHED_SESSIONS: u64 = 100_000;
/// The cache is ignored when the last successful poll is older than this.
const STALE_AFTER: Duration = Duration::from_secs(10);

/// The sessions that this instance knows to be active or revoked.
pub struct SessionCache {
    /// The user of each active session, by session id.
    active: Cache<Uuid, Uuid>,
    /// Recently revoked sessions. They are kept for longer than any query takes, so that a query that started
    /// before a revocation cannot mark the session as active again.
    revoked: Cache<Uuid, ()>,
    last_poll: Mutex<Option<Instant>>,
}

impl Default for SessionCache {
    fn default() -> Self {
        Self {
            active: Cache::builder().max_capacity(MAX_CACHED_SESSIONS).time_to_live(ACTIVE_TTL).build(),
            // The default policy may reject a new entry to keep old ones; LRU always accepts it.
            revoked: Cache::builder()
                .eviction_policy(EvictionPolicy::lru())
                .max_capacity(MAX_CACHED_SESSIONS)
                .time_to_live(2 * ACTIVE_TTL)
                .build(),
            last_poll: Mutex::new(None),
        }
    }
}

impl SessionCache {
    /// Whether the session was recently found active and has not been revoked since.
    pub fn is_active(&self, session: Uuid, user: Uuid) -> bool {
        !self.is_stale() && self.active.get(&session) == Some(user)
    }

    /// Records that a session of the database is active. Returns false when it was revoked in the meantime.
    pub fn mark_active(&self, session: Uuid, user: Uuid) -> bool {
        self.active.insert(session, user);
        // The check follows the insert, because a revocation that is recorded after this check removes the
        // entry itself.
        let is_active = !self.is_revoked(session);
        if !is_active {
            self.active.invalidate(&session);
        }
        is_active
    }

    /// Whether the session was recently revoked.
    pub fn is_revoked(&self, session: Uuid) -> bool {
        self.revoked.contains_key(&session)
    }

    /// Records that sessions were revoked.
    pub fn mark_revoked(&self, sessions: impl IntoIterator<Item = Uuid>) {
        for session in sessions {
            self.revoked.insert(session, ());
            self.active.invalidate(&session);
        }
    }

    /// Records all revocations that the database contained at `read_at`.
    pub fn apply_revocations(&self, revoked: impl IntoIterator<Item = Uuid>, read_at: Instant) {
        if self.is_stale() {
            // Revocations may have been written and deleted since the last poll.
            self.active.invalidate_all();
        }
        self.mark_revoked(revoked);
        *self.last_poll.lock().expect("no holder panics") = Some(read_at);
    }

    /// Whether this instance could not poll revocations recently.
    pub fn is_stale(&self) -> bool {
        let last_poll = *self.last_poll.lock().expect("no holder panics");
        last_poll.is_none_or(|at| at.elapsed() > STALE_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polled_cache() -> SessionCache {
        let cache = SessionCache::default();
        cache.apply_revocations([], Instant::now());
        cache
    }

    #[test]
    fn a_session_is_active_until_it_is_revoked() {
        let (cache, session, user) = (polled_cache(), Uuid::new_v4(), Uuid::new_v4());
        assert!(!cache.is_active(session, user));
        assert!(cache.mark_active(session, user));
        assert!(cache.is_active(session, user) && !cache.is_active(session, Uuid::new_v4()));
        cache.apply_revocations([session], Instant::now());
        assert!(!cache.is_active(session, user));
    }

    #[test]
    fn a_query_from_before_a_revocation_does_not_make_a_session_active_again() {
        let (cache, session, user) = (polled_cache(), Uuid::new_v4(), Uuid::new_v4());
        cache.mark_revoked([session]);
        assert!(!cache.mark_active(session, user) && !cache.is_active(session, user));
    }

    #[test]
    fn without_recent_polls_the_cache_is_ignored() {
        let cache = SessionCache::default();
        let (session, user) = (Uuid::new_v4(), Uuid::new_v4());
        assert!(cache.mark_active(session, user));
        assert!(!cache.is_active(session, user));
        if let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(11)) {
            cache.apply_revocations([], long_ago);
            assert!(!cache.is_active(session, user));
        }
    }
}
