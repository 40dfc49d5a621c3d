//! Time limits for what a client sends and takes. The head of a request has one from its first byte:
//! hyper's own counts from the end of the request before, so it cannot tell a client that dawdles from
//! one that has nothing to ask; it serves as the limit of idle connections. For answers that are not
//! taken hyper has none.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// From the first byte of a request to the end of its head; for the first request from the beginning.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer that waits for it.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// From the first byte of an answer that had to wait to its last.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How far the requests of a connection are. Odd: one has its head and waits for its answer. Each
/// step counts, since the stream may not be read while a request is served.
#[derive(Clone, Debug, Default)]
pub struct Serving(Arc<AtomicUsize>);

impl Serving {
    /// Notes that a head is complete, until the answer to it is there.
    pub async fn during<T>(&self, answer: impl Future<Output = T>) -> T {
        self.0.fetch_add(1, Ordering::Relaxed);
        let answer = answer.await;
        self.0.fetch_add(1, Ordering::Relaxed);
        answer
    }
}

/// A moment by which something has to be done; none while there is nothing to wait for.
#[derive(Default)]
struct Deadline {
    at: Option<Instant>,
    /// Made only when there is something to wait for.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Begins to count, unless it has begun.
    fn begin(&mut self, at: Instant) {
        self.at.get_or_insert(at);
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    /// Fails when the moment has passed, and else wakes the task when it comes.
    fn check(&mut self, context: &mut Context<'_>, message: &str) -> Result<()> {
        let Some(at) = self.at else { return Ok(()) };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
        match alarm.as_mut().poll(context) {
            Poll::Ready(()) => Err(Error::new(ErrorKind::TimedOut, message)),
            Poll::Pending => Ok(()),
        }
    }
}

/// A stream that fails when a client sends the head of a request or takes an answer too slowly.
pub struct LimitedStream<S> {
    stream: S,
    serving: Serving,
    /// How far they were when the stream was read last.
    seen: usize,
    /// When the head has to be complete; none before its first byte.
    head: Deadline,
    /// When the client has to have taken some more of an answer.
    progress: Deadline,
    /// When the whole of that answer has to be taken.
    answer_by: Option<Instant>,
}

impl<S> LimitedStream<S> {
    /// Limits each head, the first one from now on, and each answer.
    pub fn new(stream: S, serving: Serving) -> Self {
        let mut head = Deadline::default();
        head.begin(Instant::now() + HEAD_TIMEOUT);
        Self { stream, serving, seen: 0, head, progress: Deadline::default(), answer_by: None }
    }

    fn check_written(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<Result<usize>>,
    ) -> Poll<Result<usize>> {
        if written.is_pending() {
            let now = Instant::now();
            let answer_by = *self.answer_by.get_or_insert(now + ANSWER_TIMEOUT);
            self.progress.begin(answer_by.min(now + STALL_TIMEOUT));
            self.progress.check(context, "an answer was taken too slowly")?;
        } else {
            self.progress.clear();
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LimitedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = &mut *self;
        let now = this.serving.0.load(Ordering::Relaxed);
        if now != this.seen {
            this.seen = now;
            this.head.clear();
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_pending() {
            this.head.check(context, "the head of a request took too long")?;
        }
        ready!(read)?;
        let is_idle = now.is_multiple_of(2);
        if is_idle && buffer.filled().len() > before {
            this.head.begin(Instant::now() + HEAD_TIMEOUT);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LimitedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.check_written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.check_written(context, written)
    }

    /// hyper flushes when it has written all that it had.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        self.answer_by = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_that_takes_too_long_ends_the_connection() {
        for sent in ["", "GET / HT"] {
            let (mut client, server) = duplex(64);
            client.write_all(sent.as_bytes()).await.expect("there is room");
            let mut server = LimitedStream::new(server, Serving::default());
            let mut read = Vec::new();
            let error = server.read_to_end(&mut read).await.expect_err("the head never ends");
            assert_eq!((error.kind(), read.as_slice()), (ErrorKind::TimedOut, sent.as_bytes()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_be_idle_and_its_requests_may_take_long() {
        let (mut client, server) = duplex(64);
        let serving = Serving::default();
        let mut server = LimitedStream::new(server, serving.clone());
        let mut buffer = [0; 8];
        for is_slow in [false, true, false, true] {
            client.write_all(b"GET /").await.expect("there is room");
            assert_eq!(server.read(&mut buffer).await.expect("a head"), 5);
            // A fast answer is there before anybody looks at the stream again.
            serving
                .during(async {
                    if is_slow {
                        let more = timeout(6 * HEAD_TIMEOUT, server.read(&mut buffer)).await;
                        assert!(more.is_err(), "it was cut while served");
                    }
                })
                .await;
            let next = timeout(5 * HEAD_TIMEOUT, server.read(&mut buffer)).await;
            assert!(next.is_err(), "it was cut while idle");
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// Writes an answer to a client that takes a byte at a time with a pause after each, then nothing more.
    /// What it came to, and after how many seconds.
    async fn write(answer: &[u8], taken: usize, pause: Duration) -> (Result<()>, u64) {
        let (mut client, server) = duplex(1);
        let mut server = LimitedStream::new(server, Serving::default());
        let begun = Instant::now();
        let writing = async {
            server.write_all(answer).await?;
            server.flush().await
        };
        let reading = async {
            for _ in 0..taken {
                tokio::time::sleep(pause).await;
                client.read_u8().await.expect("there is more");
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            written = writing => (written, begun.elapsed().as_secs()),
            () = reading => unreachable!("it waits for ever"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_ends_the_connection() {
        for (taken, seconds) in [(0, 10), (1, 9 + 10), (3, 3 * 9 + 10)] {
            let (written, after) = write(&[0; 100], taken, 9 * SECOND).await;
            assert_eq!((written.expect_err("it was cut").kind(), after), (ErrorKind::TimedOut, seconds));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_drop_by_drop_has_a_minute() {
        let (written, after) = write(&[0; 60], 100, SECOND).await;
        assert!(written.is_ok() && after == 59, "{written:?} after {after} s");
        let (written, after) = write(&[0; 100], 100, SECOND).await;
        assert_eq!((written.expect_err("it was cut").kind(), after), (ErrorKind::TimedOut, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn each_answer_has_its_own_time() {
        let (mut client, server) = duplex(1);
        let mut server = LimitedStream::new(server, Serving::default());
        for _ in 0..3 {
            let writing = async {
                server.write_all(&[0; 40]).await?;
                server.flush().await
            };
            let reading = async {
                for _ in 0..40 {
                    tokio::time::sleep(SECOND).await;
                    client.read_u8().await.expect("there is more");
                }
            };
            let (written, ()) = tokio::join!(writing, reading);
            written.expect("it was cut");
        }
    }
}
