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
    alive: Cache<Uuid, Uuid>,
    /// Sessions that ended lately. Kept longer than any look at the database takes, so that a look
    /// from before an ending cannot bring the session back.
    ended: Cache<Uuid, ()>,
    last_news: Mutex<Option<Instant>>,
}

impl Default for SessionCache {
    fn default() -> Self {
        Self {
            alive: Cache::builder().max_capacity(MAX_CACHED_SESSIONS).time_to_live(ACTIVE_TTL).build(),
            // The usual policy would rather turn a new entry away than give up an old one.
            ended: Cache::builder()
                .eviction_policy(EvictionPolicy::lru())
                .max_capacity(MAX_CACHED_SESSIONS)
                .time_to_live(2 * ACTIVE_TTL)
                .build(),
            last_news: Mutex::new(None),
        }
    }
}

impl SessionCache {
    /// Whether a session of this user was seen alive lately and has not ended since.
    pub fn is_active(&self, session: Uuid, user: Uuid) -> bool {
        !self.is_stale() && self.alive.get(&session) == Some(user)
    }

    /// Notes that the database had a session as alive. False when it has ended meanwhile.
    pub fn mark_active(&self, session: Uuid, user: Uuid) -> bool {
        self.alive.insert(session, user);
        // In this order: an ending that is noted after this look takes the entry out itself.
        let alive = !self.is_revoked(session);
        if !alive {
            self.alive.invalidate(&session);
        }
        alive
    }

    /// Whether a session is known to have ended lately.
    pub fn is_revoked(&self, session: Uuid) -> bool {
        self.ended.contains_key(&session)
    }

    /// Notes that sessions have ended.
    pub fn mark_revoked(&self, sessions: impl IntoIterator<Item = Uuid>) {
        for session in sessions {
            self.ended.insert(session, ());
            self.alive.invalidate(&session);
        }
    }

    /// Notes all endings of the last minute, as the database has them now.
    pub fn apply_revocations(&self, ended: impl IntoIterator<Item = Uuid>, asked_at: Instant) {
        if self.is_stale() {
            // Endings may have come and gone unseen.
            self.alive.invalidate_all();
        }
        self.mark_revoked(ended);
        *self.last_news.lock().expect("no holder panics") = Some(asked_at);
    }

    fn is_stale(&self) -> bool {
        let last_news = *self.last_news.lock().expect("no holder panics");
        last_news.is_none_or(|at| at.elapsed() > STALE_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeing() -> SessionCache {
        let live = SessionCache::default();
        live.apply_revocations([], Instant::now());
        live
    }

    #[test]
    fn a_session_is_believed_until_it_ends() {
        let (live, session, user) = (seeing(), Uuid::new_v4(), Uuid::new_v4());
        assert!(!live.is_active(session, user));
        assert!(live.mark_active(session, user));
        assert!(live.is_active(session, user) && !live.is_active(session, Uuid::new_v4()));
        live.apply_revocations([session], Instant::now());
        assert!(!live.is_active(session, user));
    }

    #[test]
    fn a_look_from_before_an_ending_does_not_bring_a_session_back() {
        let (live, session, user) = (seeing(), Uuid::new_v4(), Uuid::new_v4());
        live.mark_revoked([session]);
        assert!(!live.mark_active(session, user) && !live.is_active(session, user));
    }

    #[test]
    fn without_news_nothing_is_believed() {
        let live = SessionCache::default();
        let (session, user) = (Uuid::new_v4(), Uuid::new_v4());
        assert!(live.mark_active(session, user));
        assert!(!live.is_active(session, user));
        if let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(11)) {
            live.apply_revocations([], long_ago);
            assert!(!live.is_active(session, user));
        }
    }
}
