//! A response whose body is a stream of events, as the server of connections sees it.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt, Shared};

/// Marks a response whose body is a stream of events. Clones wait for the same future.
#[derive(Clone, Debug)]
pub struct HttpStream(Shared<BoxFuture<'static, ()>>);

impl HttpStream {
    /// A stream whose connection is closed when this future ends, even if the client has not read everything:
    /// hyper does not ask the body for more until then.
    pub fn cut_after(end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(end.boxed().shared())
    }
}

impl Future for HttpStream {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_unpin(context)
    }
}
