//! Tells the listeners of this process when the data of an owner may have changed. A transaction or a statement
//! notifies the listeners after its commit; a poll of the counters finds the changes of other processes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

/// The feeds of all owners with listeners. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Feeds(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The number of feeds, which is read without the lock.
    count: AtomicUsize,
    feeds: Mutex<HashMap<Uuid, Feed>>,
}

#[derive(Debug)]
struct Feed {
    state: watch::Sender<FeedState>,
    listeners: usize,
}

/// What is known about the changes of an owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct FeedState {
    /// The number of commits of this process.
    commits: u64,
    /// The counter that the last poll found.
    polled_head: Option<i64>,
}

impl Feeds {
    /// Listens to the changes of an owner.
    pub fn listen(&self, owner: Uuid) -> FeedListener {
        let mut feeds = self.feeds();
        let feed = feeds.entry(owner).or_insert_with(|| {
            self.0.count.fetch_add(1, Ordering::Relaxed);
            Feed { state: watch::Sender::default(), listeners: 0 }
        });
        feed.listeners += 1;
        let state = feed.state.subscribe();
        let seen = *state.borrow();
        FeedListener { state, seen, feeds: self.clone(), owner }
    }

    /// Tells the listeners of an owner that a change may have been committed.
    pub fn notify(&self, owner: Uuid) {
        if self.0.count.load(Ordering::Relaxed) > 0
            && let Some(feed) = self.feeds().get(&owner)
        {
            feed.state.send_modify(|state| state.commits += 1);
        }
    }

    /// Tells the listeners of an owner which counter a poll has found.
    pub fn report(&self, owner: Uuid, head: i64) {
        if let Some(feed) = self.feeds().get(&owner) {
            feed.state.send_if_modified(|state| state.polled_head.replace(head) != Some(head));
        }
    }

    /// The owners with listeners.
    pub fn owners(&self) -> Vec<Uuid> {
        self.feeds().keys().copied().collect()
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<Uuid, Feed>> {
        self.0.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A listener of one owner's changes.
#[derive(Debug)]
pub struct FeedListener {
    state: watch::Receiver<FeedState>,
    seen: FeedState,
    feeds: Feeds,
    owner: Uuid,
}

impl FeedListener {
    /// Marks that everything that was committed before this call will now be read.
    pub fn mark_seen(&mut self) {
        self.seen = *self.state.borrow_and_update();
    }

    /// Waits until something may have changed since [`Self::mark_seen`]. `head` is the counter that was read after
    /// it. Dropping the future loses nothing.
    pub async fn changed(&mut self, head: i64) {
        let seen = self.seen;
        let is_new = |state: &FeedState| {
            state.commits != seen.commits
                || state.polled_head != seen.polled_head && state.polled_head != Some(head)
        };
        if self.state.wait_for(is_new).await.is_err() {
            // The feed lives as long as its listeners, so this does not happen.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for FeedListener {
    fn drop(&mut self) {
        let mut feeds = self.feeds.feeds();
        if let Some(feed) = feeds.get_mut(&self.owner) {
            feed.listeners -= 1;
            if feed.listeners == 0 {
                feeds.remove(&self.owner);
                self.feeds.0.count.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Whether the listener has something to read.
    fn is_due(listener: &mut FeedListener, head: i64) -> bool {
        listener.changed(head).now_or_never().is_some()
    }

    #[test]
    fn a_listener_learns_of_commits_of_its_owner_only() {
        let (feeds, ann, bob) = (Feeds::default(), Uuid::new_v4(), Uuid::new_v4());
        let mut listener = feeds.listen(ann);
        feeds.notify(bob);
        assert!(!is_due(&mut listener, 0));
        feeds.notify(ann);
        assert!(is_due(&mut listener, 0) && is_due(&mut listener, 0), "nothing was read yet");
        listener.mark_seen();
        assert!(!is_due(&mut listener, 1));
        drop(listener);
        assert!(feeds.owners().is_empty());
    }

    #[test]
    fn each_listener_compares_a_polled_counter_with_what_it_has_read() {
        let (feeds, ann) = (Feeds::default(), Uuid::new_v4());
        let (mut current, mut late) = (feeds.listen(ann), feeds.listen(ann));
        feeds.report(ann, 6);
        assert!(!is_due(&mut current, 6) && is_due(&mut late, 5));
        current.mark_seen();
        late.mark_seen();
        feeds.report(ann, 6);
        assert!(!is_due(&mut late, 6));
        feeds.report(ann, 2);
        assert!(is_due(&mut late, 6), "a lower counter is new too");
    }
}
