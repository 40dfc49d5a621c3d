//! The body of a large response: chunks that are sent one after the other. The memory of each is counted in
//! the response budget until the system has it: hyper takes a chunk from the body long before the client
//! receives it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use crate::graphql::{CountedBytes, ResponseShare, UNCOUNTED_BYTES};

/// The body of a response. None when the response budget is exhausted.
pub fn body(mut pieces: Vec<Bytes>, share: &Arc<ResponseShare>) -> Option<Body> {
    let length = pieces.iter().map(Bytes::len).sum::<usize>();
    count(&mut pieces, share)?;
    Some(match pieces.len() {
        1 => pieces.remove(0).into(),
        _ => Body::new(ChunkBody { pieces: pieces.into_iter(), bytes_left: length as u64 }),
    })
}

/// Counts the pieces of a finished text until each is dropped. None when the response budget is exhausted.
pub fn count(pieces: &mut [Bytes], share: &Arc<ResponseShare>) -> Option<()> {
    let length = pieces.iter().map(Bytes::len).sum();
    share.settle(length).ok()?;
    if length > UNCOUNTED_BYTES {
        for piece in pieces {
            let bytes = std::mem::take(piece);
            let counted = share.part(bytes.len());
            *piece = Bytes::from_owner(CountedChunk { bytes, _counted: counted });
        }
    }
    Some(())
}

/// A chunk whose memory is counted.
struct CountedChunk {
    bytes: Bytes,
    _counted: CountedBytes,
}

impl AsRef<[u8]> for CountedChunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A body of several chunks with a known length.
struct ChunkBody {
    pieces: IntoIter<Bytes>,
    bytes_left: u64,
}

impl HttpBody for ChunkBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.next();
        self.bytes_left -= piece.as_ref().map_or(0, Bytes::len) as u64;
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes_left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes_left)
    }
}
