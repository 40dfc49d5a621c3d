//! Writes the log on a thread of its own, so that nobody waits for standard output. tracing-appender does the
//! same, but allocates and wakes its thread for every line, and says nothing of the lines that it dropped.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How much of the log may wait to be written. Lines beyond it are dropped.
const BUFFER_BYTES: usize = 4 << 20;
/// How long the thread gathers lines before it writes again: one system call then takes many of them.
const BATCH_INTERVAL: Duration = Duration::from_millis(5);
/// What is kept of a buffer that has grown.
const MAX_IDLE_BATCH_BYTES: usize = 64 << 10;
/// How long the last lines may take when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
/// Between two tries on an output that is not ready and does not make the writer wait.
const RETRY_DELAY: Duration = Duration::from_millis(10);

/// Takes lines for the log without waiting.
pub struct LogWriter(Arc<Shared>);

/// Waits for the last lines when it is dropped.
pub struct LogGuard(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    /// There are lines to write.
    work_available: Condvar,
    /// All lines are written.
    all_written: Condvar,
    dropped_lines: &'static AtomicU64,
    capacity: usize,
}

#[derive(Default)]
struct Queue {
    lines: Vec<u8>,
    /// Whether the thread waits for lines.
    is_idle: bool,
    /// Whether lines are waited for, which are then not gathered.
    is_flushing: bool,
}

impl LogWriter {
    /// Starts the thread, which adds the lines that it drops to a count.
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
    /// Takes whole lines, or drops them.
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
        // An output that is not read would keep the process alive for ever.
        drop(self.0.all_written.wait_timeout_while(queue, FLUSH_TIMEOUT, unwritten));
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing that is done with the queue can leave it half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_dropped(&self, lines: &[u8]) {
        let count = lines.iter().filter(|byte| **byte == b'\n').count();
        self.dropped_lines.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Writes what comes, as long as the process lives.
    fn write_all_lines(&self, mut output: impl Write) {
        let (mut batch, mut reported, mut can_write) = (Vec::new(), 0, true);
        loop {
            // What the output has refused is reported when it takes something again.
            let is_reportable = can_write && self.dropped_lines.load(Ordering::Relaxed) > reported;
            let is_flushing = self.take_lines(&mut batch, is_reportable);
            if is_reportable {
                // The queue is empty now, so this line is not dropped. It follows those that were kept.
                let dropped = self.dropped_lines.load(Ordering::Relaxed);
                let lines = dropped - std::mem::replace(&mut reported, dropped);
                tracing::warn!(lines, "lines of the log were dropped, since standard output was not read");
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

    /// Takes the lines that wait into an empty batch, waiting for the first one unless there is something else
    /// to do; whether the process ends.
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

/// Writes all of it, also to an output that answers at once that it is not ready.
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

    /// An output that takes a piece when it is told to, or fails, and passes on what it took.
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
        let write = |line: &str| (&log).write_all(line.as_bytes()).expect("it takes all");
        write("first\n");
        // The thread is in the output now, or soon.
        while !log.0.queue().lines.is_empty() {
            thread::yield_now();
        }
        for _ in 0..3 {
            write("12345678\n");
        }
        assert_eq!(DROPPED.load(Ordering::Relaxed), 2);
        for line in ["first\n", "12345678\n"] {
            order.send(Ok(())).expect("the thread lives");
            assert_eq!(took.recv().expect("the thread lives"), line);
        }
    }

    #[test]
    fn what_a_failing_output_refuses_is_counted_and_the_next_lines_are_tried_again() {
        static DROPPED: AtomicU64 = AtomicU64::new(0);
        let (output, order, took) = gate();
        let (log, guard) = LogWriter::start(output, &DROPPED).expect("a thread can be started");
        for failure in [Err(ErrorKind::StorageFull.into()), Ok(()), Err(ErrorKind::WouldBlock.into()), Ok(())]
        {
            order.send(failure).expect("the thread lives");
        }
        for line in ["lost\n", "kept\n", "late\n"] {
            (&log).write_all(line.as_bytes()).expect("it takes all");
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
            order.send(Ok(())).expect("the thread lives");
        }
        (&log).write_all(b"one\n").expect("it takes all");
        (&log).write_all(b"two\n").expect("it takes all");
        drop(guard);
        assert_eq!(took.try_iter().collect::<String>(), "one\ntwo\n");
        (&log).write_all(b"never read\n").expect("it takes all");
        let begun = Instant::now();
        drop(LogGuard(log.0.clone()));
        assert!(begun.elapsed() < FLUSH_TIMEOUT * 3, "{:?}", begun.elapsed());
    }
}
