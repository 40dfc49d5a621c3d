//! The stream under hyper: time limits for what a client sends and takes, and its end.
//!
//! The head of a request has a limit from its first byte: hyper's own counts from the end of the request
//! before, so it cannot tell a client that is slow from one that has nothing to ask; it serves as the limit of
//! idle connections. For answers that are not taken hyper has no limit.
//!
//! While a request is served hyper does not read, since a client may close its sending side and wait for the
//! answer. A connection that was reset is noticed here.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::linger::LingeringClose;
use super::parse_error;
use super::state::ConnectionState;

/// From the first byte of a request to the end of its head; for the first request from the beginning.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer that waits for it.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// From the first byte of an answer that had to wait to its last.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);

/// A moment by which something has to be done; none while there is nothing to wait for.
#[derive(Default)]
struct Deadline {
    at: Option<Instant>,
    /// Made only when there is something to wait for.
    timer: Option<Pin<Box<Sleep>>>,
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
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => Err(Error::new(ErrorKind::TimedOut, message)),
            Poll::Pending => Ok(()),
        }
    }
}

/// A stream that fails when a client sends the head of a request or takes an answer too slowly.
pub struct TimeoutStream<S> {
    stream: S,
    state: Arc<ConnectionState>,
    /// The steps of the connection when the stream was read last.
    seen_phase_changes: usize,
    /// When the head has to be complete; none before its first byte.
    head_deadline: Deadline,
    /// Bytes have come since the last complete head.
    has_partial_head: bool,
    /// hyper waits for more to read, so it sees by itself when the connection is reset.
    is_read_pending: bool,
    /// What was read while hyper did not: at most one byte, since a client may send its next request early.
    read_ahead: Option<u8>,
    /// The client has closed its sending side.
    is_read_closed: bool,
    /// When the client has to have taken some more of an answer.
    stall_deadline: Deadline,
    /// When the whole of that answer has to be taken.
    response_deadline: Option<Instant>,
    /// What is left of the answer in the place of one that hyper gives by itself; nothing follows it.
    refusal: Option<Vec<u8>>,
    /// What is done after the sending side has been closed.
    linger: Option<LingeringClose>,
}

impl<S> TimeoutStream<S> {
    /// Limits each head, the first one from now on, and each answer.
    pub fn new(stream: S, state: Arc<ConnectionState>) -> Self {
        let mut head_deadline = Deadline::default();
        head_deadline.begin(Instant::now() + HEAD_TIMEOUT);
        Self {
            stream,
            state,
            seen_phase_changes: 0,
            head_deadline,
            has_partial_head: false,
            is_read_pending: false,
            read_ahead: None,
            is_read_closed: false,
            stall_deadline: Deadline::default(),
            response_deadline: None,
            refusal: None,
            linger: None,
        }
    }

    /// Takes note of heads that have been completed since the last call.
    fn note_complete_heads(&mut self) {
        let phase_changes = self.state.phase_changes();
        if phase_changes != self.seen_phase_changes {
            self.seen_phase_changes = phase_changes;
            self.head_deadline.clear();
            self.has_partial_head = false;
        }
    }

    fn check_write_timeouts(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<Result<usize>>,
    ) -> Poll<Result<usize>> {
        if written.is_pending() {
            let now = Instant::now();
            let response_deadline = *self.response_deadline.get_or_insert(now + RESPONSE_TIMEOUT);
            self.stall_deadline.begin(response_deadline.min(now + STALL_TIMEOUT));
            self.stall_deadline.check(context, "an answer was taken too slowly")?;
        } else {
            self.stall_deadline.clear();
        }
        written
    }
}

impl<S: AsyncRead + Unpin> TimeoutStream<S> {
    /// Reads what was read ahead, and as much more as there is. Pending when that is nothing.
    fn read_available(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let ahead = self.read_ahead.take();
        ahead.into_iter().for_each(|byte| buffer.put_slice(&[byte]));
        if self.is_read_closed || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending if ahead.is_some() => Poll::Ready(Ok(())),
            Poll::Ready(Ok(())) => {
                self.is_read_closed = buffer.filled().len() == before;
                Poll::Ready(Ok(()))
            }
            read => read,
        }
    }

    /// Fails when the connection has been reset while hyper does not read.
    fn check_reset(&mut self, context: &mut Context<'_>) -> Result<()> {
        if self.is_read_pending || self.is_read_closed || self.read_ahead.is_some() {
            return Ok(());
        }
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
            read?;
            self.read_ahead = buffer.filled().first().copied();
            self.is_read_closed = self.read_ahead.is_none();
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimeoutStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = &mut *self;
        this.note_complete_heads();
        let before = buffer.filled().len();
        let read = this.read_available(context, buffer);
        this.is_read_pending = read.is_pending();
        if read.is_pending() {
            this.head_deadline.check(context, "the head of a request took too long")?;
        }
        ready!(read)?;
        if !this.state.is_serving() && buffer.filled().len() > before {
            this.head_deadline.begin(Instant::now() + HEAD_TIMEOUT);
            this.has_partial_head = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> TimeoutStream<S> {
    /// Writes what hyper has of an answer; when that is all of it, the connection is idle.
    fn write(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<Result<usize>>,
    ) -> Poll<Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        // No request waits for an answer, so this is what hyper says to a head that it cannot parse.
        if self.refusal.is_none() && self.state.idle_since().is_some() {
            self.refusal = slices.first().and_then(|slice| parse_error::replacement_for(slice));
        }
        if self.refusal.is_some() {
            let written = self.write_refusal(context).map_ok(|()| length);
            return self.check_write_timeouts(context, written);
        }
        // Noted before it is so: the client may open its next connection as soon as it has the answer, and that
        // must not be refused because this one seems to be in use.
        self.state.mark_written();
        let written = write(Pin::new(&mut self.stream), context);
        if !matches!(written, Poll::Ready(Ok(written)) if written == length) {
            self.state.mark_unwritten();
        }
        self.check_write_timeouts(context, written)
    }

    fn write_refusal(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let rest = self.refusal.get_or_insert_default();
        while !rest.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            rest.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TimeoutStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let slices = [IoSlice::new(bytes)];
        self.write(context, &slices, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        self.write(context, slices, |stream, context| stream.poll_write_vectored(context, slices))
    }

    /// hyper flushes when it has written all that it had, and whenever it runs with nothing to write.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        // hyper also flushes between the parts of an answer.
        if !this.state.is_serving() {
            this.response_deadline = None;
        }
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        this.state.mark_written();
        if this.state.is_serving() {
            this.check_reset(context)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Closes the sending side, and then reads what the client still sends.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            this.note_complete_heads();
        }
        if this.is_read_closed {
            return Poll::Ready(Ok(()));
        }
        // A partial head is one that hyper has refused.
        let expects_more = this.has_partial_head || this.state.is_body_unread();
        if expects_more {
            // To close it for another connection now would destroy the answer on its way.
            this.state.mark_unwritten();
        }
        let linger = this.linger.get_or_insert_with(|| LingeringClose::new(expects_more));
        linger.poll(&mut this.stream, context).map(Ok)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_that_takes_too_long_ends_the_connection() {
        for sent in ["", "GET / HT"] {
            let (mut client, server) = duplex(64);
            client.write_all(sent.as_bytes()).await.expect("the pipe takes it");
            let mut server = TimeoutStream::new(server, Arc::default());
            let mut read = Vec::new();
            let error = server.read_to_end(&mut read).await.expect_err("the head never ends");
            assert_eq!((error.kind(), read.as_slice()), (ErrorKind::TimedOut, sent.as_bytes()));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_be_idle_and_its_requests_may_take_long() {
        let (mut client, server) = duplex(64);
        let state = Arc::new(ConnectionState::default());
        let mut server = TimeoutStream::new(server, state.clone());
        let mut buffer = [0; 8];
        for is_slow in [false, true, false, true] {
            client.write_all(b"GET /").await.expect("the pipe takes it");
            assert_eq!(server.read(&mut buffer).await.expect("a head"), 5);
            // A fast answer is there before anybody looks at the stream again.
            let request = state.begin_request(false);
            if is_slow {
                let more = timeout(6 * HEAD_TIMEOUT, server.read(&mut buffer)).await;
                assert!(more.is_err(), "it was cut while served");
            }
            drop(request);
            let next = timeout(5 * HEAD_TIMEOUT, server.read(&mut buffer)).await;
            assert!(next.is_err(), "it was cut while idle");
        }
    }

    /// Flushes while a request is served, as hyper does each time that it runs.
    async fn flush_while_served(
        sent: &[u8],
        server: &mut TimeoutStream<DuplexStream>,
        client: &mut DuplexStream,
    ) {
        client.write_all(sent).await.expect("the pipe takes it");
        server.read_exact(&mut vec![0; sent.len()]).await.expect("a request");
        let _request = server.state.begin_request(false);
        client.write_all(b"next").await.expect("the pipe takes it");
        server.flush().await.expect("nothing is wrong");
    }

    #[tokio::test]
    async fn what_is_sent_while_a_request_is_served_is_read_after_it() {
        let (mut client, server) = duplex(64);
        let mut server = TimeoutStream::new(server, Arc::default());
        flush_while_served(b"GET /", &mut server, &mut client).await;
        client.shutdown().await.expect("it is open");
        let mut next = String::new();
        server.read_to_string(&mut next).await.expect("text");
        assert_eq!(next, "next");
    }

    #[tokio::test]
    async fn a_client_that_closes_its_side_is_not_taken_for_gone() {
        let (mut client, server) = duplex(64);
        let mut server = TimeoutStream::new(server, Arc::default());
        let _request = server.state.begin_request(false);
        client.shutdown().await.expect("it is open");
        server.flush().await.expect("it is open");
        server.write_all(b"answer").await.expect("it is open");
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await.expect("the answer");
        assert_eq!(server.read(&mut answer).await.expect("the end"), 0);
    }

    #[tokio::test]
    async fn a_reset_while_a_request_is_served_is_noticed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let client =
            TcpStream::connect(listener.local_addr().expect("an address")).await.expect("it listens");
        let (server, _) = listener.accept().await.expect("a client");
        let mut server = TimeoutStream::new(server, Arc::default());
        let _request = server.state.begin_request(false);
        server.flush().await.expect("the client is there");
        client.set_zero_linger().expect("the socket takes the option");
        drop(client);
        let flushed = poll_fn(|context| match Pin::new(&mut server).poll_flush(context) {
            Poll::Ready(Ok(())) => Poll::Pending,
            ended => ended,
        });
        let flushed = timeout(5 * SECOND, flushed).await.expect("the task is woken");
        assert_eq!(flushed.expect_err("the client is gone").kind(), ErrorKind::ConnectionReset);
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// Writes an answer to a client that takes a byte at a time with a pause after each, then nothing more.
    /// What it came to, and after how many seconds.
    async fn write(answer: &[u8], taken: usize, pause: Duration) -> (Result<()>, u64) {
        let (mut client, server) = duplex(1);
        let mut server = TimeoutStream::new(server, Arc::default());
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
        let mut server = TimeoutStream::new(server, Arc::default());
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
