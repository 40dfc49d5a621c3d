//! Limits the open connections, in total and of one address. At a limit the connection that has been idle
//! longest is closed for the new one, so idle connections do not block new ones.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::state::ConnectionState;
use crate::auth::counted_address;
use crate::http::client_ip::contains;

/// How often a waiting new connection looks for an idle one. Connections do not report that they are idle,
/// since that would write to shared state after each request.
const RECHECK_INTERVAL: Duration = Duration::from_millis(10);

/// The maximum numbers of open connections.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// In total.
    pub total: usize,
    /// Of one peer address, or one /64 of IPv6; 0: no limit.
    pub per_address: usize,
    /// Networks of proxies, which have no limit per address.
    pub proxies: Vec<IpNet>,
}

/// The open connections of a listener. The lock is taken only when a connection opens or closes.
pub struct Admission {
    limits: ConnectionLimits,
    registry: Mutex<Registry>,
    /// Notified when a connection has closed or declined to close. Only one task waits for it at a time.
    changed: Notify,
}

impl Admission {
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, registry: Mutex::default(), changed: Notify::new() })
    }

    /// Waits until a connection of this peer may open. None when its address is at its limit and has no idle
    /// connection.
    pub async fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Admitted> {
        let (address, limit) = (counted_address(peer), self.limit_of(peer));
        loop {
            let decision = self.registry().decide(address, limit, self.limits.total);
            match decision {
                Decision::Admit(id, state) => {
                    return Some(Admitted { admission: self.clone(), id, state });
                }
                Decision::Refuse => return None,
                Decision::Wait => drop(timeout(RECHECK_INTERVAL, self.changed.notified()).await),
            }
        }
    }

    /// Requests a graceful shutdown of every connection, and waits until all have closed.
    pub async fn finish(&self) {
        self.registry().open.values().for_each(|open| open.state.request_graceful_shutdown());
        while !self.registry().open.is_empty() {
            self.changed.notified().await;
        }
    }

    fn limit_of(&self, peer: IpAddr) -> Option<usize> {
        let is_limited = self.limits.per_address > 0 && !contains(&self.limits.proxies, peer);
        is_limited.then_some(self.limits.per_address)
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().expect("no holder panics")
    }
}

/// An admitted connection; dropping it removes the connection from the count.
pub struct Admitted {
    admission: Arc<Admission>,
    id: u64,
    /// The state of the connection.
    pub state: Arc<ConnectionState>,
}

impl Admitted {
    /// Whether the connection has to close for another one: it was requested to, and is still idle. If it has
    /// a request by now, it declines, and another connection is chosen.
    pub fn accepts_close_request(&self) -> bool {
        if !self.state.is_close_requested() {
            return false;
        }
        let is_idle = self.state.idle_since().is_some();
        if !is_idle {
            self.state.decline_close();
            self.admission.changed.notify_one();
        }
        is_idle
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.registry().remove(self.id);
        self.admission.changed.notify_one();
    }
}

/// Whether a new connection may open.
enum Decision {
    Admit(u64, Arc<ConnectionState>),
    Wait,
    Refuse,
}

#[derive(Default)]
struct Registry {
    next_id: u64,
    open: HashMap<u64, OpenConnection>,
    count_by_address: HashMap<IpAddr, usize>,
}

struct OpenConnection {
    address: IpAddr,
    state: Arc<ConnectionState>,
}

impl Registry {
    fn decide(&mut self, address: IpAddr, limit: Option<usize>, total: usize) -> Decision {
        let count = self.count_by_address.get(&address).copied().unwrap_or_default();
        if limit.is_some_and(|limit| count >= limit) {
            let is_closing = self.request_close_of_longest_idle(|open| open.address == address);
            return if is_closing { Decision::Wait } else { Decision::Refuse };
        }
        if self.open.len() >= total {
            self.request_close_of_longest_idle(|_| true);
            return Decision::Wait;
        }
        let (id, state) = (self.next_id, Arc::new(ConnectionState::default()));
        self.next_id += 1;
        self.open.insert(id, OpenConnection { address, state: state.clone() });
        *self.count_by_address.entry(address).or_default() += 1;
        Decision::Admit(id, state)
    }

    /// Requests the connection that has been idle longest to close, unless one is already closing. False when
    /// none is idle. A request to one that is not idle any more does not count: it may never be declined.
    fn request_close_of_longest_idle(&self, is_candidate: impl Fn(&OpenConnection) -> bool) -> bool {
        let candidates = self.open.values().filter(|open| is_candidate(open)).map(|open| &open.state);
        let idle: Vec<_> = candidates.filter_map(|state| Some((state.idle_since()?, state))).collect();
        if idle.iter().any(|(_, state)| state.is_close_requested()) {
            return true;
        }
        let longest = idle.into_iter().min_by_key(|(since, _)| *since);
        longest.map(|(_, state)| state.request_close()).is_some()
    }

    fn remove(&mut self, id: u64) {
        let Some(OpenConnection { address, .. }) = self.open.remove(&id) else { return };
        if let Some(count) = self.count_by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.count_by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: usize, proxies: &str) -> Arc<Admission> {
        let proxies = proxies.split_whitespace().map(|network| network.parse().expect("a network")).collect();
        Admission::new(ConnectionLimits { total, per_address, proxies })
    }

    /// Tries to open a connection, while connections that are requested to close do so; returns the result.
    async fn open(
        admission: &Arc<Admission>,
        peer: &str,
        opened: &mut Vec<Option<Admitted>>,
    ) -> &'static str {
        let peer = peer.parse().expect("an address");
        for _ in 0..3 {
            match timeout(Duration::from_millis(1), admission.admit(peer)).await {
                Ok(Some(admitted)) => {
                    opened.push(Some(admitted));
                    return "opened";
                }
                Ok(None) => return "refused",
                Err(_) => {
                    for one in opened.iter_mut() {
                        one.take_if(|admitted| admitted.accepts_close_request());
                    }
                }
            }
        }
        "waits"
    }

    /// Which of the connections are open.
    fn still_open(opened: &[Option<Admitted>]) -> Vec<bool> {
        opened.iter().map(Option::is_some).collect()
    }

    fn state(opened: &[Option<Admitted>], number: usize) -> Arc<ConnectionState> {
        opened[number].as_ref().expect("it is open").state.clone()
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_has_been_idle_longest_is_closed() {
        let (admission, mut opened) = (admission(3, 0, ""), Vec::new());
        for peer in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            assert_eq!(open(&admission, peer, &mut opened).await, "opened");
        }
        // The first serves a request; the second completed one after the third had opened.
        let _served = state(&opened, 0).begin_request(false);
        drop(state(&opened, 1).begin_request(false));
        state(&opened, 1).mark_written();
        assert_eq!(open(&admission, "192.0.2.4", &mut opened).await, "opened");
        assert_eq!(still_open(&opened), [true, true, false, true]);
        assert_eq!(open(&admission, "192.0.2.5", &mut opened).await, "opened");
        assert_eq!(still_open(&opened), [true, false, false, true, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn when_none_is_idle_a_new_one_waits_but_one_beyond_the_limit_of_its_address_is_refused() {
        let (admission, mut opened) = (admission(3, 2, ""), Vec::new());
        let mut served = Vec::new();
        for (number, peer) in ["192.0.2.1", "192.0.2.1", "192.0.2.2"].into_iter().enumerate() {
            assert_eq!(open(&admission, peer, &mut opened).await, "opened");
            served.push(state(&opened, number).begin_request(false));
        }
        assert_eq!(open(&admission, "192.0.2.1", &mut opened).await, "refused");
        assert_eq!(open(&admission, "192.0.2.3", &mut opened).await, "waits");
        // A connection whose response is not completely written is not idle.
        drop(served);
        assert_eq!(open(&admission, "192.0.2.3", &mut opened).await, "waits");
        state(&opened, 0).mark_written();
        assert_eq!(open(&admission, "192.0.2.3", &mut opened).await, "opened");
        assert_eq!(still_open(&opened), [false, true, true, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_has_enough_closes_its_own() {
        for (one, same, another) in [
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:1:2:3", "2001:db8:0:1::1"),
        ] {
            let (admission, mut opened) = (admission(10, 1, ""), Vec::new());
            for peer in [another, one, same] {
                assert_eq!(open(&admission, peer, &mut opened).await, "opened");
            }
            assert_eq!(still_open(&opened), [true, false, true], "{one}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn proxies_have_no_limit_of_their_own() {
        let (admission, mut opened) = (admission(10, 1, "10.0.0.0/8"), Vec::new());
        for _ in 0..5 {
            assert_eq!(open(&admission, "::ffff:10.0.0.1", &mut opened).await, "opened");
        }
        assert_eq!(still_open(&opened), [true; 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_gets_a_request_meanwhile_stays_and_another_is_closed() {
        let (admission, mut opened) = (admission(2, 0, ""), Vec::new());
        for _ in 0..2 {
            assert_eq!(open(&admission, "192.0.2.1", &mut opened).await, "opened");
        }
        let waiting = tokio::spawn({
            let admission = admission.clone();
            async move { admission.admit(IpAddr::from([192, 0, 2, 2])).await.is_some() }
        });
        tokio::task::yield_now().await;
        let _served = state(&opened, 0).begin_request(false);
        assert!(!opened[0].as_ref().expect("it is open").accepts_close_request());
        tokio::task::yield_now().await;
        assert!(opened[1].as_ref().expect("it is open").accepts_close_request());
        opened[1] = None;
        assert!(waiting.await.expect("it does not panic"));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_becomes_a_stream_and_never_declines_does_not_prevent_the_close_of_another() {
        for per_address in [0, 2] {
            let (admission, mut opened) = (admission(2, per_address, ""), Vec::new());
            for _ in 0..2 {
                assert_eq!(open(&admission, "192.0.2.1", &mut opened).await, "opened");
            }
            let peer = IpAddr::from([192, 0, 2, 1]);
            let waiting = timeout(Duration::from_millis(1), admission.admit(peer)).await;
            assert!(waiting.is_err() && state(&opened, 0).is_close_requested());
            let _served = state(&opened, 0).begin_request(false);
            let waiting = timeout(Duration::from_millis(1), admission.admit(peer)).await;
            assert!(waiting.is_err() && state(&opened, 1).is_close_requested());
        }
    }
}
