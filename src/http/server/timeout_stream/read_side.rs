//! The read side of a connection: what hyper reads, and how a reset is noticed while hyper does not read.

use std::io::{ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// The state of the read side.
#[derive(Default)]
pub struct ReadSide {
    /// Whether hyper waits for bytes, so that it notices a reset itself.
    is_pending: bool,
    /// A byte that was read while hyper did not read: at most one, since a client may send its next request
    /// early.
    ahead: Option<u8>,
    /// Whether the client has closed its sending side.
    is_closed: bool,
}

impl ReadSide {
    /// Whether the client has closed its sending side.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Reads for hyper.
    pub fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let read = self.read_available(stream, context, buffer);
        self.is_pending = read.is_pending();
        read
    }

    /// Reads the byte that was read ahead and the bytes that are available. Pending when there are none.
    fn read_available<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let ahead = self.ahead.take();
        ahead.into_iter().for_each(|byte| buffer.put_slice(&[byte]));
        if self.is_closed || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(stream).poll_read(context, buffer) {
            Poll::Pending if ahead.is_some() => Poll::Ready(Ok(())),
            Poll::Ready(Ok(())) => {
                self.is_closed = buffer.filled().len() == before;
                Poll::Ready(Ok(()))
            }
            read => read,
        }
    }

    /// Fails when the connection has been reset while hyper does not read.
    pub fn check_reset<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Result<()> {
        if self.is_pending || self.is_closed || self.ahead.is_some() {
            return Ok(());
        }
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        if let Poll::Ready(read) = Pin::new(stream).poll_read(context, &mut buffer) {
            read?;
            self.ahead = buffer.filled().first().copied();
            self.is_closed = self.ahead.is_none();
        }
        Ok(())
    }

    /// Fails when the client has closed its sending side while an HTTP stream is sent, since hyper does not
    /// look for that. What the client sends is discarded: the connection closes after the stream.
    pub fn check_end<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Result<()> {
        while !self.is_closed {
            let mut bytes = [0; 64];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Pending => return Ok(()),
                Poll::Ready(read) => read?,
            }
            self.is_closed = buffer.filled().is_empty();
        }
        Err(ErrorKind::ConnectionAborted.into())
    }
}
