//! A TCP proxy in front of PostgreSQL that simulates network faults: dropped packets, refused, closed and
//! slow connections, and a changed target.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// The proxy. It forwards all data until a fault is set; dropping it closes its connections.
pub struct FaultProxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    /// Host and port to which new connections are forwarded.
    target: Mutex<String>,
    connections: Mutex<Vec<Arc<Connection>>>,
    /// New connections are reset.
    is_refusing: AtomicBool,
    /// New connections are accepted and never served.
    is_silent: AtomicBool,
    is_stopped: AtomicBool,
    /// The delay in milliseconds of each chunk that is forwarded.
    delay_ms: Arc<AtomicU64>,
}

/// A client's connection and the connection to the target that belongs to it.
struct Connection {
    client: TcpStream,
    server: TcpStream,
    /// All data is discarded, and the end of the stream is not forwarded.
    is_silent: AtomicBool,
    delay_ms: Arc<AtomicU64>,
    /// The number of response bytes still forwarded to the client before the connection is closed.
    response_bytes_left: AtomicUsize,
}

impl FaultProxy {
    /// Starts a proxy in front of the server in a database URL.
    pub fn start(url: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::new(State {
            target: Mutex::new(address_in(url).to_owned()),
            connections: Mutex::default(),
            is_refusing: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            delay_ms: Arc::default(),
        });
        let accepting = state.clone();
        thread::spawn(move || accepting.accept_all(&listener));
        Self { port, state }
    }

    /// The given database URL with the address of the proxy.
    pub fn url(&self, url: &str) -> String {
        url.replacen(address_in(url), &format!("127.0.0.1:{}", self.port), 1)
    }

    /// Forwards new connections to the server in another database URL. Open connections keep their target.
    pub fn redirect_to(&self, url: &str) {
        *self.state.target.lock().expect("no holder panics") = address_in(url).to_owned();
    }

    /// Discards all further data on the connections that are open now, permanently.
    pub fn drop_packets_on_open_connections(&self) {
        self.for_each(|connection| connection.is_silent.store(true, Ordering::Relaxed));
    }

    /// Discards all data on open connections permanently, and on new connections until
    /// [`FaultProxy::restore`].
    pub fn drop_all_packets(&self) {
        self.state.is_silent.store(true, Ordering::Relaxed);
        self.drop_packets_on_open_connections();
    }

    /// Closes the open connections and refuses new ones.
    pub fn refuse(&self) {
        self.state.is_refusing.store(true, Ordering::Relaxed);
        self.cut();
    }

    /// Forwards new connections again, after [`FaultProxy::drop_all_packets`] or [`FaultProxy::refuse`].
    pub fn restore(&self) {
        self.state.is_silent.store(false, Ordering::Relaxed);
        self.state.is_refusing.store(false, Ordering::Relaxed);
    }

    /// Delays each chunk of data by this duration.
    pub fn delay(&self, delay: Duration) {
        let milliseconds = delay.as_millis().try_into().expect("the delay is short");
        self.state.delay_ms.store(milliseconds, Ordering::Relaxed);
    }

    /// Closes the open connections.
    pub fn cut(&self) {
        self.for_each(Connection::cut);
    }

    /// Closes each open connection after this number of further response bytes.
    pub fn cut_after_response_bytes(&self, bytes: usize) {
        self.for_each(|connection| connection.response_bytes_left.store(bytes, Ordering::Relaxed));
    }

    fn for_each(&self, action: impl Fn(&Connection)) {
        self.state.connections.lock().expect("no holder panics").iter().for_each(|each| action(each));
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::Relaxed);
        self.cut();
        // This connection wakes the accepting thread, which then ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn accept_all(self: Arc<Self>, listener: &TcpListener) {
        // Dropping the stream of a client would reset its connection.
        let mut unserved = Vec::new();
        while let Ok((client, _)) = listener.accept() {
            if self.is_stopped.load(Ordering::Relaxed) {
                return;
            } else if self.is_refusing.load(Ordering::Relaxed) {
                reset(&client);
            } else if self.is_silent.load(Ordering::Relaxed) {
                unserved.push(client);
            } else {
                self.forward(client);
            }
        }
    }

    fn forward(&self, client: TcpStream) {
        let target = self.target.lock().expect("no holder panics").clone();
        let Ok(server) = TcpStream::connect(target) else { return reset(&client) };
        for stream in [&client, &server] {
            stream.set_nodelay(true).expect("the socket takes the option");
        }
        let connection = Arc::new(Connection {
            client,
            server,
            is_silent: AtomicBool::new(false),
            delay_ms: self.delay_ms.clone(),
            response_bytes_left: AtomicUsize::new(usize::MAX),
        });
        self.connections.lock().expect("no holder panics").push(connection.clone());
        let response_side = connection.clone();
        thread::spawn(move || response_side.copy(&response_side.server, &response_side.client, true));
        thread::spawn(move || connection.copy(&connection.client, &connection.server, false));
    }
}

impl Connection {
    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream, is_response: bool) {
        let mut bytes = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            thread::sleep(Duration::from_millis(self.delay_ms.load(Ordering::Relaxed)));
            if self.is_silent.load(Ordering::Relaxed) {
                continue;
            }
            let left =
                if is_response { self.response_bytes_left.load(Ordering::Relaxed) } else { usize::MAX };
            let passed = length.min(left);
            if to.write_all(&bytes[..passed]).is_err() || passed < length {
                break;
            }
            if left < usize::MAX {
                self.response_bytes_left.store(left - passed, Ordering::Relaxed);
            }
        }
        if !self.is_silent.load(Ordering::Relaxed) {
            self.cut();
        }
    }

    fn cut(&self) {
        for stream in [&self.client, &self.server] {
            // This fails if the peer has already closed the connection.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn reset(client: &TcpStream) {
    // A linger time of zero makes the drop reset the connection.
    let _ = SockRef::from(client).set_linger(Some(Duration::ZERO));
}

/// Host and port of a URL like `postgres://user@host:port/name`.
fn address_in(url: &str) -> &str {
    let (_, rest) = url.split_once('@').expect("the URL names a user");
    rest.split_once('/').expect("the URL names a database").0
}
