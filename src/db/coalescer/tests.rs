//! Tests of the batches: their sizes, their number, and what the failure or the end of one means for others.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

/// Doubles numbers, one second per batch, and records the batches. It panics on 13. It fails on 17, after
/// an hour if 17 is executed individually. Each number has its own user.
fn doubling() -> (Coalescer<u32, u32>, Batches) {
    let batches = Arc::new(Mutex::new(Vec::new()));
    let (record, busy) = (batches.clone(), Arc::new(AtomicUsize::new(0)));
    let work = move |keys: Arc<[u32]>, mode| {
        record.lock().expect("no holder panics").push(keys.to_vec());
        let busy = busy.clone();
        async move {
            if mode == Mode::Shared {
                assert!(
                    busy.fetch_add(1, Ordering::SeqCst) < MAX_IN_FLIGHT,
                    "too many batches run at the same time"
                );
            }
            let is_slow = *keys == [17] && mode == Mode::Individual;
            tokio::time::sleep(if is_slow { 3600 * SECOND } else { SECOND }).await;
            if mode == Mode::Shared {
                busy.fetch_sub(1, Ordering::SeqCst);
            }
            assert!(!keys.contains(&13), "13 panics");
            if keys.contains(&17) { Err(Error::Locked) } else { Ok(keys.iter().map(|n| 2 * n).collect()) }
        }
    };
    (Coalescer::new(work, |number| Uuid::from_u128(u128::from(*number))), batches)
}

#[tokio::test(start_paused = true)]
async fn each_request_gets_its_own_result_and_concurrent_requests_share_a_batch() {
    let (coalescer, batches) = doubling();
    let replies = join_all((100..200).map(|number| coalescer.submit(number))).await;
    let replies: Vec<u32> = replies.into_iter().map(|reply| reply.expect("it succeeds")).collect();
    assert_eq!(replies, (100..200).map(|number| 2 * number).collect::<Vec<_>>());
    let sizes: Vec<usize> = batches.lock().expect("no holder panics").iter().map(Vec::len).collect();
    assert_eq!(sizes, [32, 32, 32, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_ready_tasks_only_after_one_with_several_requests() {
    let (coalescer, batches) = doubling();
    // The task of the second request becomes ready after that of the batch for the first one.
    let two_requests = async |first: u32| {
        let second = async {
            let coalescer = coalescer.clone();
            tokio::spawn(async move { coalescer.submit(first + 1).await }).await.expect("it does not panic")
        };
        let replies = futures_util::join!(coalescer.submit(first), second);
        assert!(replies.0.is_ok() && replies.1.is_ok());
    };
    two_requests(20).await;
    join_all([30, 31].map(|number| coalescer.submit(number))).await;
    two_requests(40).await;
    let batches = batches.lock().expect("no holder panics");
    assert_eq!(*batches, [vec![20], vec![21], vec![30, 31], vec![40, 41]]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_panics_fails_alone() {
    let (coalescer, _) = doubling();
    for _ in 0..2 * MAX_IN_FLIGHT {
        assert!(matches!(coalescer.submit(13).await, Err(Error::Internal(_))));
    }
    assert_eq!(coalescer.submit(4).await.expect("it succeeds"), 8);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_does_not_fail_or_delay_the_others() {
    let (coalescer, _) = doubling();
    let numbers = [1, 2, 3, 4, 5, 17, 6, 7];
    let begun = tokio::time::Instant::now();
    let replies = join_all(numbers.map(|number| {
        let coalescer = &coalescer;
        async move { (number, coalescer.submit(number).await, begun.elapsed()) }
    }));
    for (number, reply, after) in replies.await {
        match number {
            17 => assert!(reply.is_err()),
            _ => assert!(reply.expect("it succeeds") == 2 * number && after <= 3 * SECOND, "{after:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_of_a_user_who_waits_for_a_lock_stay_out_of_the_batches_of_others() {
    let (coalescer, batches) = doubling();
    let blocked = (0..40).map(|_| coalescer.submit(17));
    let others = async {
        // By now the first batch has failed, and 17 is being executed individually.
        tokio::time::sleep(3 * SECOND).await;
        let begun = tokio::time::Instant::now();
        let more = join_all((0..40).map(|_| coalescer.submit(17)));
        let others = async {
            let replies = join_all((200..240).map(|number| coalescer.submit(number))).await;
            assert!(replies.iter().all(Result::is_ok) && begun.elapsed() <= 3 * SECOND);
        };
        futures_util::join!(more, others);
    };
    futures_util::join!(join_all(blocked), others);
    let batches = batches.lock().expect("no holder panics");
    assert!(batches.iter().all(|batch| !batch.contains(&200) || !batch.contains(&17)), "{batches:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_of_others_share_one_batch_at_most_with_a_user_who_waits_for_a_lock() {
    let (coalescer, batches) = doubling();
    let coalescer = coalescer.with_one_batch_per_user();
    let both = async |begin: Duration, others: [u32; 4]| {
        tokio::time::sleep(begin).await;
        let begun = tokio::time::Instant::now();
        let replies = async {
            let replies = join_all(others.map(|number| coalescer.submit(number))).await;
            assert!(replies.iter().all(Result::is_ok));
            begun.elapsed()
        };
        let (blocked, elapsed) =
            futures_util::join!(join_all((0..40).map(|_| coalescer.submit(17))), replies);
        assert!(blocked.iter().all(Result::is_err));
        elapsed
    };
    let (first, second, third) = futures_util::join!(
        both(Duration::ZERO, [1, 2, 3, 4]),
        both(SECOND / 2, [21, 22, 23, 24]),
        both(2 * SECOND, [31, 32, 33, 34]),
    );
    assert!(first <= 2 * SECOND && second <= SECOND && third <= SECOND, "{first:?} {second:?} {third:?}");
    let batches = batches.lock().expect("no holder panics");
    let shared = batches.iter().filter(|batch| batch.contains(&17) && batch.len() > 1);
    assert_eq!(shared.count(), 1, "{batches:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_reply_times_out() {
    let (coalescer, _) = doubling();
    let reply = coalescer.submit(17).await;
    assert!(matches!(reply, Err(Error::Unavailable(_))));
    assert_eq!(coalescer.submit(2).await.expect("it succeeds"), 4);
}
