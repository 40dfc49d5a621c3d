//! Reads request bodies into memory, within limits of size, time and the total memory of bodies. A small body
//! uses no state that requests share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The maximum time from the head of a request to the end of its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a complete body waits for the memory of its parsed values.
const PARSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The first bytes of each body, which are not counted.
const UNCOUNTED_BYTES: usize = 64 << 10;
/// The number of bytes per permit.
const PERMIT_BYTES: usize = 1 << 10;
/// The permits of the instance: 64 MiB.
const TOTAL_PERMITS: usize = (64 << 20) / PERMIT_BYTES;
/// The permits of one client address: 8 MiB.
const ADDRESS_PERMITS: usize = (8 << 20) / PERMIT_BYTES;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than the limit.
    TooLarge,
    /// It was not complete within [`BODY_TIMEOUT`].
    TooSlow,
    /// The connection failed before the end of the body.
    BrokenOff,
}

/// Counts the memory of bodies beyond the first [`UNCOUNTED_BYTES`] of each; shared by all clones.
#[derive(Clone)]
pub struct BodyMemory {
    permits: Arc<Semaphore>,
    /// The permits of each address that has permits or waits for some.
    addresses: AddressMap,
}

type AddressMap = Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>;

impl Default for BodyMemory {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(TOTAL_PERMITS)), addresses: AddressMap::default() }
    }
}

/// A complete body. Its memory is counted until the permit is dropped.
pub struct ReadBody {
    pub bytes: Vec<u8>,
    pub permit: Option<BodyPermit>,
}

impl BodyMemory {
    /// Reads a body of at most `limit` bytes. Reading waits while other bodies use all of the memory.
    pub async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
        address: IpAddr,
    ) -> Result<ReadBody, BodyError> {
        let length =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > limit) {
            return Err(BodyError::TooLarge);
        }
        let read = self.read_up_to(length.unwrap_or(limit), length.is_some(), body, address);
        tokio::time::timeout(BODY_TIMEOUT, read).await.unwrap_or(Err(BodyError::TooSlow))
    }

    async fn read_up_to(
        &self,
        limit: usize,
        is_exact: bool,
        mut body: Body,
        address: IpAddr,
    ) -> Result<ReadBody, BodyError> {
        let (mut bytes, mut permit) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::BrokenOff)?.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > limit {
                return Err(BodyError::TooLarge);
            }
            if length > UNCOUNTED_BYTES && permit.is_none() {
                // Permits for the largest possible body together: bodies that each had some could deadlock.
                permit = Some(self.permit(limit - UNCOUNTED_BYTES, address).await);
            }
            if is_exact && length > bytes.capacity() {
                let whole = if permit.is_some() { limit } else { limit.min(UNCOUNTED_BYTES) };
                bytes.reserve_exact(whole - bytes.len());
            }
            bytes.extend_from_slice(&data);
        }
        if let Some(permit) = &mut permit {
            permit.keep(permits_for(bytes.len() - UNCOUNTED_BYTES));
        }
        Ok(ReadBody { bytes, permit })
    }

    /// Waits for the memory of a body's parsed values, `memory` bytes in addition to its text. None after
    /// [`PARSE_TIMEOUT`]: two bodies of one address that both have permits could wait for each other.
    pub async fn parsed(
        &self,
        memory: usize,
        permit: &mut Option<BodyPermit>,
        address: IpAddr,
    ) -> Option<()> {
        let own = permit.as_ref().map_or(0, BodyPermit::count);
        // A single body can have at most all permits of its address.
        let wanted = permits_for(memory.saturating_sub(UNCOUNTED_BYTES)).min(ADDRESS_PERMITS as u32 - own);
        if wanted > 0 {
            let more = self.permit(wanted as usize * PERMIT_BYTES, address);
            let more = tokio::time::timeout(PARSE_TIMEOUT, more).await.ok()?;
            match permit {
                Some(permit) => permit.merge(more),
                None => *permit = Some(more),
            }
        }
        Some(())
    }

    /// Waits for the memory of a body, first for permits of its address, then of the instance.
    async fn permit(&self, bytes: usize, address: IpAddr) -> BodyPermit {
        let address_permits = Arc::new(Semaphore::new(ADDRESS_PERMITS));
        let address_permits = lock(&self.addresses).entry(address).or_insert(address_permits).clone();
        let semaphore = address_permits.clone();
        let address_permits =
            AddressPermits { permits: Some(address_permits), address, addresses: self.addresses.clone() };
        let count = permits_for(bytes);
        let of_address = semaphore.acquire_many_owned(count).await;
        let of_instance = self.permits.clone().acquire_many_owned(count).await;
        BodyPermit { permits: [of_address.ok(), of_instance.ok()], _address_permits: address_permits }
    }
}

/// The permits for a number of bytes, at most all permits of one address.
fn permits_for(bytes: usize) -> u32 {
    bytes.div_ceil(PERMIT_BYTES).min(ADDRESS_PERMITS) as u32
}

fn lock(addresses: &AddressMap) -> MutexGuard<'_, HashMap<IpAddr, Arc<Semaphore>>> {
    addresses.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Permission of a body to use memory.
pub struct BodyPermit {
    /// The permits of the address and of the instance. None only if a semaphore were closed, which never
    /// happens.
    permits: [Option<OwnedSemaphorePermit>; 2],
    /// The entry of the address; it must be dropped after the permits.
    _address_permits: AddressPermits,
}

impl BodyPermit {
    fn count(&self) -> u32 {
        self.permits[1].as_ref().map_or(0, |permit| permit.num_permits() as u32)
    }

    fn merge(&mut self, mut more: Self) {
        for (permit, more) in self.permits.iter_mut().zip(&mut more.permits) {
            if let (Some(permit), Some(more)) = (permit, more.take()) {
                permit.merge(more);
            }
        }
    }

    /// Returns the permits beyond `count`.
    fn keep(&mut self, count: u32) {
        for permit in self.permits.iter_mut().flatten() {
            drop(permit.split(permit.num_permits().saturating_sub(count as usize)));
        }
    }
}

/// The permits of one address. Dropping the last one for an address removes it from the map.
struct AddressPermits {
    /// None only in `drop`.
    permits: Option<Arc<Semaphore>>,
    address: IpAddr,
    addresses: AddressMap,
}

impl Drop for AddressPermits {
    fn drop(&mut self) {
        let mut addresses = lock(&self.addresses);
        self.permits = None;
        // The map has the only reference.
        if addresses.get(&self.address).is_some_and(|permits| Arc::strong_count(permits) == 1) {
            addresses.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::Ipv4Addr;

    use axum::body::Bytes;
    use futures_util::future::join_all;
    use futures_util::stream::{self, StreamExt};
    use tokio::time::{Instant, sleep};

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn address(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(n).into()
    }

    /// A body that sends `length` bytes and then never ends.
    fn unfinished(length: usize) -> Body {
        let sent = stream::iter(vec![Ok::<_, Infallible>(Bytes::from(vec![b' '; 1 << 14])); length >> 14]);
        Body::from_stream(sent.chain(stream::pending()))
    }

    fn finished(length: usize) -> Body {
        let sent = vec![Ok::<_, Infallible>(Bytes::from(vec![b' '; 1 << 14])); length >> 14];
        Body::from_stream(stream::iter(sent))
    }

    async fn read(memory: &BodyMemory, body: Body, address: IpAddr) -> Result<ReadBody, BodyError> {
        memory.read(&HeaderMap::new(), body, LIMIT, address).await
    }

    #[tokio::test(start_paused = true)]
    async fn unfinished_bodies_of_one_address_let_its_others_wait_and_time_out() {
        let memory = BodyMemory::default();
        let stuck = (0..9).map(|_| read(&memory, unfinished(LIMIT), address(1)));
        let others = async {
            sleep(Duration::from_secs(1)).await;
            let begun = Instant::now();
            read(&memory, finished(UNCOUNTED_BYTES), address(1)).await.expect("a small body never waits");
            read(&memory, finished(LIMIT), address(2)).await.expect("another address has other permits");
            assert_eq!(begun.elapsed(), Duration::ZERO);
            read(&memory, finished(LIMIT), address(1)).await.expect("those before have timed out");
            assert_eq!(begun.elapsed(), Duration::from_secs(9));
        };
        let (stuck, ()) = tokio::join!(join_all(stuck), others);
        assert!(stuck.iter().all(|read| matches!(read, Err(BodyError::TooSlow))));
        assert!(lock(&memory.addresses).is_empty(), "unused addresses are removed");
    }

    #[tokio::test(start_paused = true)]
    async fn all_addresses_together_have_64_mib() {
        let memory = BodyMemory::default();
        let stuck: Vec<_> = join_all((0..68).map(|n| read(&memory, finished(LIMIT), address(n)))).await;
        assert!(stuck.iter().all(Result::is_ok));
        let another = read(&memory, finished(LIMIT), address(100)).await;
        assert!(matches!(another, Err(BodyError::TooSlow)));
        drop(stuck);
        read(&memory, finished(LIMIT), address(100)).await.expect("the other bodies are dropped");
    }

    #[tokio::test(start_paused = true)]
    async fn many_large_bodies_of_one_address_come_through_one_after_the_other() {
        let memory = BodyMemory::default();
        let all =
            join_all((0..40).map(|_| async { read(&memory, finished(LIMIT), address(1)).await.map(drop) }));
        assert!(all.await.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_by_its_own_word_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, (LIMIT + 1).into());
        let read = BodyMemory::default().read(&headers, unfinished(0), LIMIT, address(1)).await;
        assert!(matches!(read, Err(BodyError::TooLarge)));
    }
}
