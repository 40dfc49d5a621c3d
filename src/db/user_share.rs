//! Limits the number of connections that one user may use at the same time, so that connections remain for
//! other users.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::pool::{Lease, LivenessCheck, Pool};
use super::timeouts::ACQUIRE_TIMEOUT;

/// The connection shares of all users.
#[derive(Clone)]
pub struct UserShares(Arc<Inner>);

struct Inner {
    /// The maximum number of connections of one user.
    limit: usize,
    /// The users who have, or are waiting for, a connection.
    users: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
}

impl UserShares {
    /// Each user may use half of the connections, and at least one.
    pub fn new(connections: u32) -> Self {
        let limit = (connections as usize / 2).max(1);
        Self(Arc::new(Inner { limit, users: Mutex::default() }))
    }

    /// The share of one user.
    pub fn of(&self, user: Uuid) -> UserShare {
        UserShare { shares: self.clone(), user }
    }

    fn users(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Semaphore>>> {
        self.0.users.lock().expect("no holder panics")
    }
}

impl fmt::Debug for UserShares {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "UserShares({})", self.0.limit)
    }
}

/// The share of one user.
#[derive(Clone, Debug)]
pub struct UserShare {
    shares: UserShares,
    user: Uuid,
}

impl UserShare {
    /// Waits until the user has fewer connections than the limit.
    async fn acquire(&self) -> UserPermit {
        let semaphore = {
            let mut users = self.shares.users();
            users.entry(self.user).or_insert_with(|| Arc::new(Semaphore::new(self.shares.0.limit))).clone()
        };
        // Created before waiting, so that its drop removes the user from the map if the caller stops waiting.
        let mut permit =
            UserPermit { share: self.clone(), semaphore: Some(semaphore.clone()), _permit: None };
        permit._permit = semaphore.acquire_owned().await.ok();
        permit
    }

    /// Acquires a connection of the pool within [`ACQUIRE_TIMEOUT`], and within the share of a user if there
    /// is one.
    pub async fn acquire_lease(
        share: Option<&Self>,
        pool: &Pool,
        check: LivenessCheck,
    ) -> Result<SharedLease, DbErr> {
        let Some(share) = share else {
            return Ok(SharedLease { lease: pool.acquire(check).await?, _permit: None });
        };
        let taken = tokio::time::timeout(ACQUIRE_TIMEOUT, async {
            let permit = share.acquire().await;
            Ok(SharedLease { lease: pool.acquire(check).await?, _permit: Some(permit) })
        });
        taken.await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
    }
}

/// A connection of the pool and the permit of its user.
pub struct SharedLease {
    pub lease: Lease,
    /// Declared after `lease`, so that it is dropped after the connection.
    _permit: Option<UserPermit>,
}

/// The permit for one connection of a user's share.
pub struct UserPermit {
    share: UserShare,
    semaphore: Option<Arc<Semaphore>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for UserPermit {
    fn drop(&mut self) {
        // Dropped before the reference count is checked, because the permit has a reference to the semaphore
        // too.
        self._permit = None;
        let mut users = self.share.shares.users();
        self.semaphore = None;
        if users.get(&self.share.user).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            users.remove(&self.share.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_user_has_half_of_the_connections_and_does_not_keep_others_waiting() {
        let (shares, [ann, bob]) = (UserShares::new(4), [1, 2].map(Uuid::from_u128));
        let first = shares.of(ann).acquire().await;
        let second = shares.of(ann).acquire().await;
        let of_ann = shares.of(ann);
        let third = tokio::time::timeout(ACQUIRE_TIMEOUT, of_ann.acquire());
        assert!(third.await.is_err(), "a third connection was acquired");
        let other = shares.of(bob).acquire().await;
        let waiting = tokio::spawn(async move {
            shares.of(ann).acquire().await;
            shares
        });
        tokio::task::yield_now().await;
        drop(first);
        let shares = waiting.await.expect("it does not panic");
        drop((second, other));
        assert!(shares.users().is_empty(), "the map contains a user without connections");
    }
}
