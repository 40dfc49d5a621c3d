//! A time limit for the head of a request, counted from its first byte. hyper's own counts from the
//! end of the request before, so it cannot tell a client that dawdles from one that has nothing to
//! ask; it serves as the limit of idle connections.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

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

/// A stream that fails when the head of a request takes too long.
pub struct HeadLimited<S> {
    stream: S,
    serving: Serving,
    /// How far they were when the stream was read last.
    seen: usize,
    limit: Duration,
    /// When the head has to be complete; none before its first byte.
    deadline: Option<Instant>,
    /// Made only when a head does not come at once.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<S> HeadLimited<S> {
    /// Limits each head; the first one from now on.
    pub fn new(stream: S, serving: Serving, limit: Duration) -> Self {
        Self { stream, serving, seen: 0, limit, deadline: Some(Instant::now() + limit), alarm: None }
    }

    fn check(&mut self, context: &mut Context<'_>) -> Result<()> {
        let Some(deadline) = self.deadline else { return Ok(()) };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        match alarm.as_mut().poll(context) {
            Poll::Ready(()) => Err(Error::new(ErrorKind::TimedOut, "the head of a request took too long")),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadLimited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = &mut *self;
        let now = this.serving.0.load(Ordering::Relaxed);
        if now != this.seen {
            (this.seen, this.deadline, this.alarm) = (now, None, None);
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_pending() {
            this.check(context)?;
        }
        ready!(read)?;
        let is_idle = now.is_multiple_of(2);
        if is_idle && buffer.filled().len() > before {
            this.deadline.get_or_insert_with(|| Instant::now() + this.limit);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadLimited<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
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

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_head_that_takes_too_long_ends_the_connection() {
        for sent in ["", "GET / HT"] {
            let (mut client, server) = duplex(64);
            client.write_all(sent.as_bytes()).await.expect("there is room");
            let mut server = HeadLimited::new(server, Serving::default(), LIMIT);
            let mut read = Vec::new();
            let error = server.read_to_end(&mut read).await.expect_err("the head never ends");
            assert_eq!((error.kind(), read.as_slice()), (ErrorKind::TimedOut, sent.as_bytes()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_be_idle_and_its_requests_may_take_long() {
        let (mut client, server) = duplex(64);
        let serving = Serving::default();
        let mut server = HeadLimited::new(server, serving.clone(), LIMIT);
        let mut buffer = [0; 8];
        for is_slow in [false, true, false, true] {
            client.write_all(b"GET /").await.expect("there is room");
            assert_eq!(server.read(&mut buffer).await.expect("a head"), 5);
            // A fast answer is there before anybody looks at the stream again.
            serving
                .during(async {
                    if is_slow {
                        let more = timeout(6 * LIMIT, server.read(&mut buffer)).await;
                        assert!(more.is_err(), "it was cut while served");
                    }
                })
                .await;
            let next = timeout(5 * LIMIT, server.read(&mut buffer)).await;
            assert!(next.is_err(), "it was cut while idle");
        }
    }
}
