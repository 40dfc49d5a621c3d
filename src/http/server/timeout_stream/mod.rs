//! The stream under hyper. It adds the timeouts that hyper does not have, notices a reset while hyper does
//! not read because a request is served, and ends the connection. hyper's own timeout of a request head starts
//! at the end of the previous request, so it cannot distinguish a slow client from an idle one; it serves as
//! the timeout of idle connections.

mod read_side;
#[cfg(test)]
mod tests;
mod timeouts;

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::read_side::ReadSide;
use self::timeouts::{HeadTimeout, ResponseTimeout};
use super::linger::LingeringClose;
use super::parse_error::ParseErrorResponse;
use super::state::ConnectionState;

/// A stream that fails when a client sends a request head or reads a response too slowly.
pub struct TimeoutStream<S> {
    stream: S,
    state: Arc<ConnectionState>,
    read_side: ReadSide,
    head_timeout: HeadTimeout,
    response_timeout: ResponseTimeout,
    /// The response that replaces one that hyper wrote itself; the connection closes after it.
    parse_error: Option<ParseErrorResponse>,
    /// Set once the sending side has been closed.
    linger: Option<LingeringClose>,
}

impl<S> TimeoutStream<S> {
    /// Starts the timeout of the first request head.
    pub fn new(stream: S, state: Arc<ConnectionState>) -> Self {
        Self {
            stream,
            state,
            read_side: ReadSide::default(),
            head_timeout: HeadTimeout::start(),
            response_timeout: ResponseTimeout::default(),
            parse_error: None,
            linger: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimeoutStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let this = &mut *self;
        this.head_timeout.note_complete_heads(&this.state);
        let before = buffer.filled().len();
        let read = this.read_side.poll_read(&mut this.stream, context, buffer);
        if read.is_pending() {
            this.head_timeout.check(context)?;
        }
        ready!(read)?;
        if !this.state.is_serving() && buffer.filled().len() > before && !this.state.is_upgraded() {
            this.head_timeout.note_bytes();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> TimeoutStream<S> {
    /// Writes bytes of a response. When all have been written, the connection is idle.
    fn write(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<Result<usize>>,
    ) -> Poll<Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        // No request is served, so hyper responds to a request head that it could not parse.
        if self.parse_error.is_none() && self.state.idle_since().is_some() {
            self.parse_error = slices.first().and_then(|slice| ParseErrorResponse::replacing(slice));
        }
        if let Some(response) = &mut self.parse_error {
            let written = response.poll_write(&mut self.stream, context).map_ok(|()| length);
            return self.response_timeout.check(context, written);
        }
        // Marked before the write: the client may open its next connection as soon as it has the response,
        // and that must not be refused because this connection still seems to be in use.
        self.state.mark_written();
        let written = write(Pin::new(&mut self.stream), context);
        if !matches!(written, Poll::Ready(Ok(written)) if written == length) {
            self.state.mark_unwritten();
        }
        self.response_timeout.check(context, written)
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

    /// hyper flushes when it has written all its bytes, and on each poll without bytes to write.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        let (is_serving, is_upgraded) = (this.state.is_serving(), this.state.is_upgraded());
        // While a request is served, hyper also flushes between the frames of its response. Each event of an
        // HTTP stream has its own time. A WebSocket measures the time of its messages itself.
        if !is_serving || is_upgraded || this.state.is_between_events() {
            this.response_timeout.end_response();
        }
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        this.state.mark_written();
        if is_serving && !is_upgraded {
            match this.state.http_stream() {
                None => this.read_side.check_reset(&mut this.stream, context)?,
                Some(_) => this.read_side.check_end(&mut this.stream, context)?,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Closes the sending side, then reads and discards what the client still sends.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            this.head_timeout.note_complete_heads(&this.state);
        }
        if this.read_side.is_closed() {
            return Poll::Ready(Ok(()));
        }
        // A partial head at this point is one that hyper refused.
        let expects_more = this.head_timeout.has_partial_head() || this.state.is_body_unread();
        if expects_more {
            // Not idle: closing now for another connection could destroy the response in transit.
            this.state.mark_unwritten();
        }
        let linger = this.linger.get_or_insert_with(|| LingeringClose::new(expects_more));
        linger.poll(&mut this.stream, context).map(Ok)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
