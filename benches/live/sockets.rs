//! The clients: WebSockets on one thread, which note when they receive which change.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt, stream};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::machine::thread_time;
use crate::target::Subscriber;

/// The sockets that are being opened at the same time.
const CONCURRENT_OPENINGS: usize = 64;
/// The initial size of a read buffer. The default is 128 KiB, for each of thousands of sockets.
const BUFFER_BYTES: usize = 4 << 10;
/// The time limit for all receipts that are waited for.
const TIME_LIMIT: Duration = Duration::from_secs(20);
const POLL_STEP: Duration = Duration::from_millis(2);
/// What precedes the number of a change, in the messages of taskhold and of the peer.
const TITLE: &str = "\"title\":\"";

/// A change that a client has received: its number, which is its title, and when.
#[derive(Clone, Copy)]
pub struct Receipt {
    pub number: usize,
    pub at: Instant,
}

#[derive(Clone, Default)]
struct Receipts(Arc<Mutex<Vec<Receipt>>>);

/// Open WebSockets. They close when the value is dropped.
pub struct Sockets {
    receipts: Receipts,
    thread: Arc<Mutex<PathBuf>>,
    _runtime: Runtime,
}

impl Sockets {
    /// Opens WebSockets and waits until each of them listens.
    pub fn open(address: &str, subscribers: impl IntoIterator<Item = Subscriber>) -> Self {
        let (receipts, thread) = (Receipts::default(), Arc::new(Mutex::new(PathBuf::new())));
        let started = thread.clone();
        let note_thread = move || {
            let path = fs::read_link("/proc/thread-self").expect("Linux has this link");
            *started.lock().unwrap_or_else(PoisonError::into_inner) = PathBuf::from("/proc").join(path);
        };
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(1).enable_io().on_thread_start(note_thread);
        let runtime = runtime.build().expect("a runtime can be created");
        let openings = stream::iter(subscribers).map(|subscriber| {
            tokio::spawn(open(format!("ws://{address}{}", subscriber.path), subscriber, receipts.clone()))
        });
        let opened = openings.buffer_unordered(CONCURRENT_OPENINGS).for_each(|socket| {
            tokio::spawn(listen(socket.expect("every WebSocket can be opened"), receipts.clone()));
            std::future::ready(())
        });
        runtime.block_on(opened);
        Self { receipts, thread, _runtime: runtime }
    }

    /// Waits until the clients have received a number of changes, and returns these.
    ///
    /// # Panics
    ///
    /// If they do not come within 20 seconds, because changes were lost.
    pub fn receive(&self, count: usize) -> Vec<Receipt> {
        let deadline = Instant::now() + TIME_LIMIT;
        loop {
            let mut receipts = self.receipts.0.lock().unwrap_or_else(PoisonError::into_inner);
            if receipts.len() >= count {
                return std::mem::take(&mut receipts);
            }
            let received = receipts.len();
            drop(receipts);
            assert!(Instant::now() < deadline, "only {received} of {count} changes were received");
            thread::sleep(POLL_STEP);
        }
    }

    /// The processor time of the clients.
    pub fn processor_time(&self) -> Duration {
        thread_time(&self.thread.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn open(url: String, subscriber: Subscriber, receipts: Receipts) -> WebSocketStream<TcpStream> {
    let mut request = url.into_client_request().expect("a valid URL");
    if let Some(subprotocol) = subscriber.subprotocol {
        let value = subprotocol.parse().expect("a valid value");
        request.headers_mut().insert("sec-websocket-protocol", value);
    }
    let address = request.uri().authority().expect("the URL has an address").as_str();
    let connection = TcpStream::connect(address).await.expect("the server accepts");
    connection.set_nodelay(true).expect("the socket takes the option");
    let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES);
    let opened = client_async_with_config(request, connection, Some(config)).await;
    let (mut socket, _) = opened.expect("the handshake succeeds");
    for message in subscriber.opening {
        if !message.is_empty() {
            socket.send(Message::text(message)).await.expect("the server reads");
        }
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                assert!(!text.contains("\"errors\":"), "{text}");
                receipts.note(&text);
            }
            other => panic!("not the expected message: {other:?}"),
        }
    }
    socket
}

async fn listen(mut socket: WebSocketStream<TcpStream>, receipts: Receipts) {
    // Pings are answered by the library.
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            receipts.note(&text);
        }
    }
}

impl Receipts {
    /// Notes the changes in a message.
    fn note(&self, text: &str) {
        let at = Instant::now();
        let titles = text.split(TITLE).skip(1).filter_map(|rest| rest.split('"').next()?.parse().ok());
        let noted = titles.map(|number| Receipt { number, at });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(noted);
    }
}
