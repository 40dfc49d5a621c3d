//! Which sessions are alive, without asking the database on each request. A session that was seen
//! alive is believed for a minute; endings are read from the database twice a second, so every
//! instance knows of them within two seconds, through any pooler. Who cannot read them for ten
//! seconds believes nothing any more and asks each time.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use uuid::Uuid;

const ACTIVE_TTL: Duration = Duration::from_secs(60);
const MAX_CACHED_SESSIONS: u64 = 100_000;
/// Without news for so long nothing is believed.
const STALE_AFTER: Duration = Duration::from_secs(10);

/// What this instance knows of sessions.
pub struct SessionCache {
    /// Session and user.
    active: Cache<Uuid, Uuid>,
    /// Sessions that ended lately. Kept longer than any look at the database takes, so that a look
    /// from before an ending cannot bring the session back.
    revoked: Cache<Uuid, ()>,
    last_poll: Mutex<Option<Instant>>,
}

impl Default for SessionCache {
    fn default() -> Self {
        Self {
            active: Cache::builder().max_capacity(MAX_CACHED_SESSIONS).time_to_live(ACTIVE_TTL).build(),
            // The usual policy would rather turn a new entry away than give up an old one.
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
    /// Whether a session of this user was seen alive lately and has not ended since.
    pub fn is_active(&self, session: Uuid, user: Uuid) -> bool {
        !self.is_stale() && self.active.get(&session) == Some(user)
    }

    /// Notes that the database had a session as alive. False when it has ended meanwhile.
    pub fn mark_active(&self, session: Uuid, user: Uuid) -> bool {
        self.active.insert(session, user);
        // In this order: an ending that is noted after this look takes the entry out itself.
        let is_active = !self.is_revoked(session);
        if !is_active {
            self.active.invalidate(&session);
        }
        is_active
    }

    /// Whether a session is known to have ended lately.
    pub fn is_revoked(&self, session: Uuid) -> bool {
        self.revoked.contains_key(&session)
    }

    /// Notes that sessions have ended.
    pub fn mark_revoked(&self, sessions: impl IntoIterator<Item = Uuid>) {
        for session in sessions {
            self.revoked.insert(session, ());
            self.active.invalidate(&session);
        }
    }

    /// Notes all endings of the last minute, as the database has them now.
    pub fn apply_revocations(&self, revoked: impl IntoIterator<Item = Uuid>, read_at: Instant) {
        if self.is_stale() {
            // Endings may have come and gone unseen.
            self.active.invalidate_all();
        }
        self.mark_revoked(revoked);
        *self.last_poll.lock().expect("no holder panics") = Some(read_at);
    }

    fn is_stale(&self) -> bool {
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
    fn a_session_is_believed_until_it_ends() {
        let (cache, session, user) = (polled_cache(), Uuid::new_v4(), Uuid::new_v4());
        assert!(!cache.is_active(session, user));
        assert!(cache.mark_active(session, user));
        assert!(cache.is_active(session, user) && !cache.is_active(session, Uuid::new_v4()));
        cache.apply_revocations([session], Instant::now());
        assert!(!cache.is_active(session, user));
    }

    #[test]
    fn a_look_from_before_an_ending_does_not_bring_a_session_back() {
        let (cache, session, user) = (polled_cache(), Uuid::new_v4(), Uuid::new_v4());
        cache.mark_revoked([session]);
        assert!(!cache.mark_active(session, user) && !cache.is_active(session, user));
    }

    #[test]
    fn without_news_nothing_is_believed() {
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
