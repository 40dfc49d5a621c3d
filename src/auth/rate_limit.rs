//! Limits the credential operations of one client address per minute, on this instance.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::auth::ClientInfo;
use crate::domain::{Error, Result};

const WINDOW: Duration = Duration::from_secs(60);
/// The maximum number of addresses that are counted; beyond it the least recently used are evicted.
const MAX_ADDRESSES: u64 = 100_000;

/// Counts the credential operations of each address.
pub struct IpRateLimiter {
    /// None: no limit.
    per_minute: Option<u32>,
    windows: Cache<IpAddr, Arc<Window>>,
}

struct Window {
    started_at: Instant,
    count: AtomicU32,
}

impl IpRateLimiter {
    /// Allows `per_minute` operations; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        // The default policy may reject a new entry instead of evicting an old one.
        let windows = Cache::builder()
            .eviction_policy(EvictionPolicy::lru())
            .max_capacity(MAX_ADDRESSES)
            .time_to_live(WINDOW)
            .build();
        Self { per_minute: (per_minute > 0).then_some(per_minute), windows }
    }

    /// Counts one operation of a client. Errors: RateLimited with the seconds until the window ends.
    pub fn check(&self, client: &ClientInfo) -> Result<()> {
        let Some(limit) = self.per_minute else { return Ok(()) };
        let fresh = || Arc::new(Window { started_at: Instant::now(), count: AtomicU32::new(0) });
        let window = self.windows.get_with(client.counted_address(), fresh);
        if window.count.fetch_add(1, Ordering::Relaxed) < limit {
            return Ok(());
        }
        let left = WINDOW.saturating_sub(window.started_at.elapsed());
        Err(Error::RateLimited { retry_after: (left.as_secs() + 1).min(WINDOW.as_secs()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_own_count() {
        let limit = IpRateLimiter::new(2);
        let client =
            |address: &str| ClientInfo { address: address.parse().expect("an address"), user_agent: None };
        let (one, two) = (client("192.0.2.1"), client("192.0.2.2"));
        assert!(limit.check(&one).is_ok() && limit.check(&one).is_ok());
        assert!(matches!(limit.check(&one), Err(Error::RateLimited { retry_after: 1..=60 })));
        assert!(limit.check(&two).is_ok());
        assert!(limit.check(&client("2001:db8::1")).is_ok() && limit.check(&client("2001:db8::2")).is_ok());
        assert!(
            limit.check(&client("2001:db8::3")).is_err() && limit.check(&client("2001:db8:0:1::1")).is_ok()
        );
        assert!((0..1_000).all(|_| IpRateLimiter::new(0).check(&one).is_ok()));
    }
}
