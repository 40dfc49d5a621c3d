//! Limits the memory of responses while they are built and until their clients have received them: one limit
//! for the instance, and a part of it for each user, or for each client address when a request has no token.
//! An ordinary response is small and does not touch the counters that requests share.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::domain::{Error, Result};

/// The first bytes of each response are not counted.
pub const UNCOUNTED_BYTES: usize = 64 << 10;
/// Responses are counted in steps of this size, so that the shared counters change seldom.
const STEP_BYTES: usize = 64 << 10;
/// One holder may use the limit of the instance, divided by this number.
const HOLDER_DIVISOR: usize = 8;
/// When the response to a mutation can be larger than this, its memory is reserved before it starts.
const UNRESERVED_BYTES: usize = 1 << 20;

/// The user or the client address that a response is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    User(Uuid),
    Address(IpAddr),
}

/// The memory that the responses of one instance may take.
pub struct ResponseBudget {
    limit: usize,
    /// The sum over all holders, which is read without the lock.
    used: AtomicUsize,
    holders: Mutex<HashMap<Holder, usize>>,
}

impl ResponseBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0), holders: Mutex::default() })
    }

    fn is_unused(&self) -> bool {
        self.used.load(Ordering::Relaxed) == 0
    }

    /// Counts bytes for a holder. Returns false and counts nothing when a limit does not allow it and the
    /// client need not get the response.
    fn reserve(&self, holder: Holder, bytes: usize, is_owed: bool) -> bool {
        let mut holders = self.holders();
        let of_holder = holders.get(&holder).copied().unwrap_or(0);
        let fits = self.used.load(Ordering::Relaxed).saturating_add(bytes) <= self.limit
            && of_holder.saturating_add(bytes) <= self.limit / HOLDER_DIVISOR;
        if fits || is_owed {
            holders.insert(holder, of_holder.saturating_add(bytes));
            self.used.fetch_add(bytes, Ordering::Relaxed);
        }
        fits || is_owed
    }

    fn release(&self, holder: Holder, bytes: usize) {
        if let Entry::Occupied(mut of_holder) = self.holders().entry(holder) {
            *of_holder.get_mut() -= bytes;
            if *of_holder.get() == 0 {
                of_holder.remove();
            }
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn is_half_used(&self, holder: Holder) -> bool {
        let of_holder = self.holders().get(&holder).copied().unwrap_or(0);
        of_holder >= self.limit / HOLDER_DIVISOR / 2
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One response's share of the budget. Dropping it returns all of it.
pub struct ResponseShare {
    budget: Arc<ResponseBudget>,
    counts: Mutex<Counts>,
}

/// The counts of one response. Only one task changes them at a time, so the lock is never waited for.
struct Counts {
    holder: Holder,
    used: usize,
    /// The bytes that the budget has counted for this response.
    reserved: usize,
    /// The bytes that stay reserved until the size of the response is known.
    least_reserved: usize,
    /// Whether the client gets the response in spite of the limits, since a mutation has been executed.
    is_owed: bool,
    /// Whether the response needed more than a limit allows.
    is_refused: bool,
}

impl ResponseShare {
    /// The share of a response, which is counted for an address until its user is known.
    pub fn new(budget: &Arc<ResponseBudget>, address: IpAddr) -> Arc<Self> {
        let holder = Holder::Address(address);
        let counts =
            Counts { holder, used: 0, reserved: 0, least_reserved: 0, is_owed: false, is_refused: false };
        Arc::new(Self { budget: budget.clone(), counts: Mutex::new(counts) })
    }

    /// Counts the response for a user from now on, unless some of it has been counted already.
    pub fn belongs_to(&self, user: Uuid) {
        let mut counts = self.counts();
        if counts.reserved == 0 {
            counts.holder = Holder::User(user);
        }
    }

    /// Whether the response needed more than a limit allows. Then it is incomplete and cannot be sent.
    pub fn is_refused(&self) -> bool {
        self.counts().is_refused
    }

    /// Whether a mutation may start before its user is known: the response is small and the budget unused.
    pub fn can_start_without_user(&self, bytes: usize) -> bool {
        bytes <= UNRESERVED_BYTES && self.budget.is_unused()
    }

    /// Checks before an event is read that its user has not used half of the limit. Errors: Unavailable.
    pub fn check_before_event(&self, user: Uuid) -> Result<()> {
        self.belongs_to(user);
        if !self.budget.is_unused() && self.budget.is_half_used(Holder::User(user)) {
            return Err(used_up());
        }
        Ok(())
    }

    /// Reserves memory for the response to a mutation, of about `bytes`. Its client gets the response then.
    /// Errors: Unavailable when the holder has used half of the limit, or a large response does not fit.
    pub fn begin_mutation(&self, bytes: usize) -> Result<()> {
        let mut counts = self.counts();
        let holder = counts.holder;
        if !self.budget.is_unused() && matches!(holder, Holder::User(_)) && self.budget.is_half_used(holder) {
            return Err(used_up());
        }
        // Even the largest response fits when its holder has no other.
        let bytes = bytes.min(self.budget.limit / HOLDER_DIVISOR / 2);
        if bytes > UNRESERVED_BYTES {
            if !self.budget.reserve(holder, bytes, false) {
                return Err(used_up());
            }
            (counts.reserved, counts.least_reserved) = (bytes, bytes);
        }
        counts.is_owed = true;
        Ok(())
    }

    /// Counts bytes of the response until its size is known. Errors: Unavailable beyond a limit.
    pub fn take(&self, bytes: usize) -> Result<()> {
        let mut counts = self.counts();
        if counts.is_refused {
            return Err(used_up());
        }
        let used = counts.used.saturating_add(bytes);
        let missing = used.saturating_sub(UNCOUNTED_BYTES + counts.reserved);
        if missing > 0 {
            let missing = missing.next_multiple_of(STEP_BYTES);
            if !self.budget.reserve(counts.holder, missing, counts.is_owed) {
                counts.is_refused = true;
                return Err(used_up());
            }
            counts.reserved += missing;
        }
        counts.used = used;
        Ok(())
    }

    /// Counts bytes until the result is dropped. Errors: as [`Self::take`].
    pub fn hold(self: &Arc<Self>, bytes: usize) -> Result<CountedBytes> {
        self.take(bytes)?;
        Ok(CountedBytes { share: self.clone(), bytes })
    }

    /// Counts exactly the bytes of the finished response. Errors: as [`Self::take`].
    pub fn settle(&self, bytes: usize) -> Result<()> {
        {
            let mut counts = self.counts();
            (counts.used, counts.least_reserved) = (0, 0);
        }
        let taken = self.take(bytes);
        self.give_back(0);
        taken
    }

    /// Bytes that are counted already. Dropping the result returns them.
    pub fn part(self: &Arc<Self>, bytes: usize) -> CountedBytes {
        CountedBytes { share: self.clone(), bytes }
    }

    /// Returns bytes to the budget.
    pub fn give_back(&self, bytes: usize) {
        let mut counts = self.counts();
        counts.used = counts.used.saturating_sub(bytes);
        let needed = counts.used.saturating_sub(UNCOUNTED_BYTES).next_multiple_of(STEP_BYTES);
        let needed = needed.max(counts.least_reserved);
        if counts.reserved > needed {
            self.budget.release(counts.holder, counts.reserved - needed);
            counts.reserved = needed;
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ResponseShare {
    fn drop(&mut self) {
        let counts = self.counts();
        if counts.reserved > 0 {
            self.budget.release(counts.holder, counts.reserved);
        }
    }
}

/// Counted bytes of a response. Dropping it returns them.
pub struct CountedBytes {
    share: Arc<ResponseShare>,
    bytes: usize,
}

impl CountedBytes {
    /// Counts more bytes in the same way. Errors: as [`ResponseShare::take`].
    pub fn add(&mut self, bytes: usize) -> Result<()> {
        self.share.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for CountedBytes {
    fn drop(&mut self) {
        self.share.give_back(self.bytes);
    }
}

fn used_up() -> Error {
    Error::unavailable(anyhow::anyhow!("responses that have not been received use the memory for responses"))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const MIB: usize = 1 << 20;

    fn share_of(budget: &Arc<ResponseBudget>, user: u128) -> Arc<ResponseShare> {
        let share = ResponseShare::new(budget, Ipv4Addr::LOCALHOST.into());
        share.belongs_to(Uuid::from_u128(user));
        share
    }

    #[test]
    fn a_user_has_an_eighth_of_the_limit() {
        let budget = ResponseBudget::new(8 * MIB);
        let (first, second, other) = (share_of(&budget, 1), share_of(&budget, 1), share_of(&budget, 2));
        first.take(MIB).expect("it is the first");
        second.take(UNCOUNTED_BYTES).expect("small responses are not counted");
        assert!(second.take(MIB).is_err());
        other.take(MIB).expect("another user has an eighth, too");
        drop(first);
        assert!(second.is_refused());
        share_of(&budget, 1).take(MIB).expect("the first has been taken");
    }

    #[test]
    fn all_users_together_have_the_limit() {
        let budget = ResponseBudget::new(8 * MIB);
        let shares: Vec<_> = (0..10).map(|user| share_of(&budget, user)).collect();
        let taken = shares.iter().filter(|share| share.take(MIB + UNCOUNTED_BYTES).is_ok()).count();
        assert_eq!(taken, 8);
        drop(shares);
        assert!(budget.is_unused() && budget.holders().is_empty());
    }

    #[test]
    fn held_bytes_are_returned_and_the_finished_response_is_counted_exactly() {
        let budget = ResponseBudget::new(80 * MIB);
        let share = share_of(&budget, 1);
        let rows = share.hold(5 * MIB).expect("there is enough");
        share.take(3 * MIB).expect("there is enough");
        drop(rows);
        assert!(budget.used.load(Ordering::Relaxed) <= 3 * MIB);
        share.settle(100).expect("it is small");
        assert!(budget.is_unused());
    }

    #[test]
    fn a_mutation_is_refused_before_it_starts_or_gets_its_response() {
        let budget = ResponseBudget::new(80 * MIB);
        let (query, begun) = (share_of(&budget, 1), share_of(&budget, 1));
        begun.begin_mutation(100).expect("nothing is used");
        query.take(10 * MIB).expect("there is enough");
        assert!(share_of(&budget, 1).begin_mutation(100).is_err());
        share_of(&budget, 2).begin_mutation(100).expect("another user has used nothing");
        begun.take(100 * MIB).expect("it was executed");
    }

    #[test]
    fn mutations_with_large_responses_reserve_them() {
        let budget = ResponseBudget::new(80 * MIB);
        let shares: Vec<_> = (0..8).map(|_| share_of(&budget, 1)).collect();
        let begun = shares.iter().filter(|share| share.begin_mutation(2 * MIB).is_ok()).count();
        assert_eq!(begun, 3);
        shares[0].settle(100).expect("it was reserved");
        share_of(&budget, 1).begin_mutation(100).expect("less than half is used");
    }
}
