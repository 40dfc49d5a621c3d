//! A TCP proxy in front of PostgreSQL that can do what networks do: fall silent, refuse, cut, lead elsewhere.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// The proxy. It passes everything on until it is told otherwise, and ends with its connections.
pub struct FaultProxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    /// Host and port that new connections lead to.
    target: Mutex<String>,
    connections: Mutex<Vec<Arc<Connection>>>,
    /// New connections are reset.
    is_refusing: AtomicBool,
    /// New connections are accepted, and nothing more is heard of them.
    is_silent: AtomicBool,
    is_stopped: AtomicBool,
    /// What each piece that is passed on waits.
    delay_ms: Arc<AtomicU64>,
}

/// A connection of a client and the one that leads on from it.
struct Connection {
    client: TcpStream,
    server: TcpStream,
    /// Everything that is sent on it vanishes, its end included.
    is_silent: AtomicBool,
    delay_ms: Arc<AtomicU64>,
    /// How many more bytes of answers reach the client before the connection is cut.
    answer_bytes: AtomicUsize,
}

impl FaultProxy {
    /// A proxy in front of the server in a database URL.
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

    /// The URL of a database by way of the proxy.
    pub fn url(&self, url: &str) -> String {
        url.replacen(address_in(url), &format!("127.0.0.1:{}", self.port), 1)
    }

    /// Lets new connections lead to the server in another database URL. Those that are open stay.
    pub fn lead_to(&self, url: &str) {
        *self.state.target.lock().expect("no holder panics") = address_in(url).to_owned();
    }

    /// Makes everything vanish that is sent on the connections that are open, for good.
    pub fn silence(&self) {
        self.for_each(|connection| connection.is_silent.store(true, Ordering::Relaxed));
    }

    /// The network is away: open connections fall silent for good, and new ones get no answer.
    pub fn unplug(&self) {
        self.state.is_silent.store(true, Ordering::Relaxed);
        self.silence();
    }

    /// Cuts the connections that are open and refuses new ones.
    pub fn refuse(&self) {
        self.state.is_refusing.store(true, Ordering::Relaxed);
        self.cut();
    }

    /// Passes new connections on again, after [`FaultProxy::unplug`] or [`FaultProxy::refuse`].
    pub fn pass(&self) {
        self.state.is_silent.store(false, Ordering::Relaxed);
        self.state.is_refusing.store(false, Ordering::Relaxed);
    }

    /// Lets everything that is sent take longer by this.
    pub fn delay(&self, delay: Duration) {
        let milliseconds = delay.as_millis().try_into().expect("the delay is short");
        self.state.delay_ms.store(milliseconds, Ordering::Relaxed);
    }

    /// Cuts the connections that are open.
    pub fn cut(&self) {
        self.for_each(Connection::cut);
    }

    /// Cuts each connection that is open after a number of further bytes of answers.
    pub fn cut_after_answer_bytes(&self, bytes: usize) {
        self.for_each(|connection| connection.answer_bytes.store(bytes, Ordering::Relaxed));
    }

    fn for_each(&self, action: impl Fn(&Connection)) {
        self.state.connections.lock().expect("no holder panics").iter().for_each(|each| action(each));
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::Relaxed);
        self.cut();
        // It lets the accepting thread see that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl State {
    fn accept_all(self: Arc<Self>, listener: &TcpListener) {
        // Clients that nothing is heard of are kept, or they would be reset.
        let mut unheard = Vec::new();
        while let Ok((client, _)) = listener.accept() {
            if self.is_stopped.load(Ordering::Relaxed) {
                return;
            } else if self.is_refusing.load(Ordering::Relaxed) {
                reset(&client);
            } else if self.is_silent.load(Ordering::Relaxed) {
                unheard.push(client);
            } else {
                self.lead_on(client);
            }
        }
    }

    fn lead_on(&self, client: TcpStream) {
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
            answer_bytes: AtomicUsize::new(usize::MAX),
        });
        self.connections.lock().expect("no holder panics").push(connection.clone());
        let answers = connection.clone();
        thread::spawn(move || answers.pass_on(&answers.server, &answers.client, true));
        thread::spawn(move || connection.pass_on(&connection.client, &connection.server, false));
    }
}

impl Connection {
    fn pass_on(&self, mut from: &TcpStream, mut to: &TcpStream, is_answer: bool) {
        let mut bytes = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            thread::sleep(Duration::from_millis(self.delay_ms.load(Ordering::Relaxed)));
            if self.is_silent.load(Ordering::Relaxed) {
                continue;
            }
            let left = if is_answer { self.answer_bytes.load(Ordering::Relaxed) } else { usize::MAX };
            let passed = length.min(left);
            if to.write_all(&bytes[..passed]).is_err() || passed < length {
                break;
            }
            if left < usize::MAX {
                self.answer_bytes.store(left - passed, Ordering::Relaxed);
            }
        }
        if !self.is_silent.load(Ordering::Relaxed) {
            self.cut();
        }
    }

    fn cut(&self) {
        for stream in [&self.client, &self.server] {
            // It fails when the other side was quicker.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn reset(client: &TcpStream) {
    // With this option the connection is reset when it is dropped.
    let _ = SockRef::from(client).set_linger(Some(Duration::ZERO));
}

/// Host and port in a URL like `postgres://user@host:port/name`.
fn address_in(url: &str) -> &str {
    let (_, rest) = url.split_once('@').expect("the URL names a user");
    rest.split_once('/').expect("the URL names a database").0
}
