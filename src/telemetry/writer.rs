//! Writes the log on a separate thread, so that no other thread waits for standard output. tracing-appender
//! does the same, but allocates and wakes its thread for every line, and does not log how many lines it
//! dropped.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The maximum size of the lines that wait to be written. Further lines are dropped.
const BUFFER_BYTES: usize = 4 << 20;
/// The pause between two writes: one system call then writes many lines.
const BATCH_INTERVAL: Duration = Duration::from_millis(5);
/// A buffer that has grown beyond this is shrunk after it was written.
const MAX_IDLE_BATCH_BYTES: usize = 64 << 10;
/// How long the end of the process waits for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause before a write is retried on a non-blocking output that is not ready.
const RETRY_DELAY: Duration = Duration::from_millis(10);

/// Queues log lines without waiting for the output.
pub struct LogWriter(Arc<Shared>);

/// Waits, when it is dropped, until the last lines are written.
pub struct LogGuard(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// Signalled when there are lines to write.
    work_available: Condvar,
    /// Signalled when all lines are written.
    all_written: Condvar,
    dropped_lines: &'static AtomicU64,
    capacity: usize,
}

#[derive(Default)]
struct Queue {
    lines: Vec<u8>,
    /// Whether the log thread waits for lines.
    is_idle: bool,
    /// Whether a [`LogGuard`] waits for the lines, so the thread writes without a pause.
    is_flushing: bool,
}

impl LogWriter {
    /// Starts the log thread. The number of dropped lines is added to `dropped_lines`.
    pub fn start(
        output: impl Write + Send + 'static,
        dropped_lines: &'static AtomicU64,
    ) -> io::Result<(Self, LogGuard)> {
        Self::with_capacity(output, dropped_lines, BUFFER_BYTES)
    }

    fn with_capacity(
        output: impl Write + Send + 'static,
        dropped_lines: &'static AtomicU64,
        capacity: usize,
    ) -> io::Result<(Self, LogGuard)> {
        let (work_available, all_written) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            work_available,
            all_written,
            dropped_lines,
            capacity,
        });
        let writing = shared.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_all_lines(output))?;
        Ok((Self(shared.clone()), LogGuard(shared)))
    }
}

impl Write for &LogWriter {
    /// Queues all of the lines, or drops all of them when the queue is full.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let mut queue = self.0.queue();
        if queue.lines.len() + lines.len() > self.0.capacity {
            drop(queue);
            self.0.count_dropped(lines);
        } else {
            queue.lines.extend_from_slice(lines);
            if std::mem::take(&mut queue.is_idle) {
                self.0.work_available.notify_one();
            }
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.is_flushing = true;
        self.0.work_available.notify_one();
        let unwritten = |queue: &mut Queue| !(queue.is_idle && queue.lines.is_empty());
        // With an output that is not read the process would never end.
        drop(self.0.all_written.wait_timeout_while(queue, FLUSH_TIMEOUT, unwritten));
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No operation on the queue can leave it inconsistent.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_dropped(&self, lines: &[u8]) {
        let count = lines.iter().filter(|byte| **byte == b'\n').count();
        self.dropped_lines.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Writes the queued lines for as long as the process runs.
    fn write_all_lines(&self, mut output: impl Write) {
        let (mut batch, mut reported, mut can_write) = (Vec::new(), 0, true);
        loop {
            // Dropped lines are reported when the output accepts lines again.
            let is_reportable = can_write && self.dropped_lines.load(Ordering::Relaxed) > reported;
            let is_flushing = self.take_lines(&mut batch, is_reportable);
            if is_reportable {
                // The queue is empty now, so this line is not dropped. It follows the lines that were kept.
                let dropped = self.dropped_lines.load(Ordering::Relaxed);
                let lines = dropped - std::mem::replace(&mut reported, dropped);
                tracing::warn!(lines, "log lines were dropped, since standard output was not read");
            }
            can_write = write_all_retrying(&mut output, &batch).is_ok();
            if !can_write {
                self.count_dropped(&batch);
            }
            batch.clear();
            batch.shrink_to(MAX_IDLE_BATCH_BYTES);
            if !is_flushing {
                thread::sleep(BATCH_INTERVAL);
            }
        }
    }

    /// Moves the queued lines into `batch`, which is empty. It waits for the first line unless `is_urgent`.
    /// Returns whether a [`LogGuard`] waits for the lines.
    fn take_lines(&self, batch: &mut Vec<u8>, is_urgent: bool) -> bool {
        let mut queue = self.queue();
        while queue.lines.is_empty() && !is_urgent {
            queue.is_idle = true;
            self.all_written.notify_all();
            queue = self.work_available.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.is_idle = false;
        std::mem::swap(&mut queue.lines, batch);
        queue.is_flushing
    }
}

/// Writes all bytes, and retries while a non-blocking output is not ready.
fn write_all_retrying(output: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_DELAY),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    output.flush()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Instant;

    use super::*;

    /// An output whose next write succeeds or fails as the test orders, and which sends what was written.
    struct Gate {
        orders: Receiver<io::Result<()>>,
        taken: Sender<String>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.orders.recv().map_err(|_| ErrorKind::BrokenPipe)??;
            let _ = self.taken.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gate() -> (Gate, Sender<io::Result<()>>, Receiver<String>) {
        let (order, orders) = channel();
        let (taken, took) = channel();
        (Gate { orders, taken }, order, took)
    }

    #[test]
    fn lines_beyond_the_buffer_are_dropped_and_counted_while_the_output_is_not_read() {
        static DROPPED: AtomicU64 = AtomicU64::new(0);
        let (output, order, took) = gate();
        let (log, _guard) = LogWriter::with_capacity(output, &DROPPED, 10).expect("a thread can be started");
        let write = |line: &str| (&log).write_all(line.as_bytes()).expect("writing cannot fail");
        write("first\n");
        // The thread is now writing, or will be soon.
        while !log.0.queue().lines.is_empty() {
            thread::yield_now();
        }
        for _ in 0..3 {
            write("12345678\n");
        }
        assert_eq!(DROPPED.load(Ordering::Relaxed), 2);
        for line in ["first\n", "12345678\n"] {
            order.send(Ok(())).expect("the thread runs");
            assert_eq!(took.recv().expect("the thread runs"), line);
        }
    }

    #[test]
    fn what_a_failing_output_refuses_is_counted_and_the_next_lines_are_tried_again() {
        static DROPPED: AtomicU64 = AtomicU64::new(0);
        let (output, order, took) = gate();
        let (log, guard) = LogWriter::start(output, &DROPPED).expect("a thread can be started");
        for failure in [Err(ErrorKind::StorageFull.into()), Ok(()), Err(ErrorKind::WouldBlock.into()), Ok(())]
        {
            order.send(failure).expect("the thread runs");
        }
        for line in ["lost\n", "kept\n", "late\n"] {
            (&log).write_all(line.as_bytes()).expect("writing cannot fail");
            while !log.0.queue().is_idle {
                thread::yield_now();
            }
        }
        drop(guard);
        assert_eq!(took.iter().take(2).collect::<String>(), "kept\nlate\n");
        assert_eq!(DROPPED.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_end_waits_for_the_last_lines_but_not_for_an_output_that_is_not_read() {
        static DROPPED: AtomicU64 = AtomicU64::new(0);
        let (output, order, took) = gate();
        let (log, guard) = LogWriter::start(output, &DROPPED).expect("a thread can be started");
        for _ in 0..2 {
            order.send(Ok(())).expect("the thread runs");
        }
        (&log).write_all(b"one\n").expect("writing cannot fail");
        (&log).write_all(b"two\n").expect("writing cannot fail");
        drop(guard);
        assert_eq!(took.try_iter().collect::<String>(), "one\ntwo\n");
        (&log).write_all(b"never read\n").expect("writing cannot fail");
        let begun = Instant::now();
        drop(LogGuard(log.0.clone()));
        assert!(begun.elapsed() < FLUSH_TIMEOUT * 3, "{:?}", begun.elapsed());
    }
}
