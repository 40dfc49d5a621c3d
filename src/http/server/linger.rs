//! Lingering close of a connection whose client may still be sending. Closing a socket with unread bytes
//! resets the connection, and the client may then lose the response that was sent before (RFC 9112, 9.6).

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long the remaining bytes of a client are read.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);
/// How many remaining bytes are read.
const MAX_DISCARDED_BYTES: usize = 64 << 20;
const BUFFER_BYTES: usize = 8 << 10;

/// Reads and discards what a client still sends.
pub struct LingeringClose {
    deadline: Instant,
    /// Created only when the poll has to wait.
    timer: Option<Pin<Box<Sleep>>>,
    bytes_left: usize,
    /// Whether the client is known to send more. If not, the close is complete when nothing is left to read.
    expects_more: bool,
}

impl LingeringClose {
    /// Starts the timeout.
    pub fn new(expects_more: bool) -> Self {
        Self {
            deadline: Instant::now() + LINGER_TIMEOUT,
            timer: None,
            bytes_left: MAX_DISCARDED_BYTES,
            expects_more,
        }
    }

    /// Ready when the client has closed its sending side or the connection has failed, or a limit is reached.
    pub fn poll<S: AsyncRead + Unpin>(&mut self, stream: &mut S, context: &mut Context<'_>) -> Poll<()> {
        while self.bytes_left > 0 {
            let mut bytes = [MaybeUninit::uninit(); BUFFER_BYTES];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.bytes_left = self.bytes_left.saturating_sub(buffer.filled().len());
                    self.expects_more = true;
                }
                Poll::Pending if self.expects_more => {
                    let until = self.deadline;
                    let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
                    return timer.as_mut().poll(context);
                }
                _ => break,
            }
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncWriteExt, duplex};
    use tokio::time::sleep;

    use super::*;

    /// How many seconds a close takes while the client sends pieces of a size, one each second.
    async fn lingered(expects_more: bool, pieces: usize, size: usize) -> f32 {
        let (mut client, mut server) = duplex(1 << 20);
        let begun = Instant::now();
        let sending = async {
            for _ in 0..pieces {
                client.write_all(&vec![0; size]).await.expect("the pipe takes it");
                sleep(Duration::from_secs(1)).await;
            }
            std::future::pending::<()>().await;
        };
        let mut linger = LingeringClose::new(expects_more);
        tokio::select! {
            biased;
            () = sending => unreachable!("it waits for ever"),
            () = poll_fn(|context| linger.poll(&mut server, context)) => begun.elapsed().as_secs_f32(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_a_body_is_read_for_five_seconds() {
        for pieces in [0, 1, 100] {
            let seconds = lingered(true, pieces, 1000).await;
            assert!((5.0..5.1).contains(&seconds), "{pieces}: {seconds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rest_of_a_body_is_read_up_to_64_mebibytes() {
        let seconds = lingered(true, 100, 40 << 20).await;
        assert!((1.0..1.1).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_done_closes_at_once_unless_something_is_left_to_read() {
        assert!(lingered(false, 0, 0).await < 0.1);
        assert!(lingered(false, 1, 1000).await >= 5.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_closes_its_side_ends_it() {
        let (client, mut server) = duplex(1);
        drop(client);
        let begun = Instant::now();
        let mut linger = LingeringClose::new(true);
        poll_fn(|context| linger.poll(&mut server, context)).await;
        assert!(begun.elapsed() < Duration::from_millis(100));
    }
}
