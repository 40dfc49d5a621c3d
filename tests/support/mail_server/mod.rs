//! A mail server for the tests. At each step of the dialogue it can refuse, reply late or close the connection.
//! It keeps the mails that it took.

pub mod certificates;
mod dialogue;

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::ServerConfig;

/// A step of the dialogue. `Text` is the first line of a mail, and `End` its last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Text,
    End,
}

/// What the server does at a step.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// It goes on.
    Ok,
    /// It goes on after a pause.
    Late(Duration),
    /// It goes on with this reply.
    Text(&'static str),
    /// It replies with this code instead.
    Code(u16),
    /// It closes the connection without a reply.
    Cut,
}

/// Text in each reply with an error code, which must not get into a log.
pub const SERVER_TEXT: &str = "greylisted-text-of-the-mail-server";
/// The only user and password that the server accepts.
pub const LOGIN: (&str, &str) = ("ann@example.com", "s3/cret%word");

/// How the server protects its connections.
#[derive(Clone, Default)]
pub enum Protection {
    #[default]
    None,
    StartTls(Arc<ServerConfig>),
    Tls(Arc<ServerConfig>),
}

/// A mail that the server received whole.
#[derive(Clone, Debug)]
pub struct ReceivedMail {
    /// The argument of MAIL FROM with its parameters, such as `<tasks@example.com>`.
    pub from: String,
    /// The arguments of RCPT TO.
    pub to: Vec<String>,
    /// The name by which the client greeted.
    pub client: String,
    pub is_protected: bool,
    pub has_signed_in: bool,
    /// Headers and text as they were sent, with line breaks of CR and LF.
    pub text: String,
}

/// A step that a client has reached.
pub struct Reached<'a> {
    pub step: Step,
    /// How often it was reached on all connections, counted from 1.
    pub count: usize,
    /// The line that the client sent; empty before the greeting.
    pub line: &'a str,
}

type Replies = dyn Fn(&Reached<'_>) -> Reply + Send + Sync;

/// The server. Dropping it closes its port.
pub struct MailServer {
    port: u16,
    state: Arc<State>,
}

struct State {
    protection: Protection,
    /// Lines of the reply to EHLO.
    extensions: Vec<&'static str>,
    replies: Box<Replies>,
    reached: Mutex<HashMap<Step, usize>>,
    mails: Mutex<Vec<ReceivedMail>>,
    open: AtomicUsize,
    most_open: AtomicUsize,
    is_stopped: AtomicBool,
}

impl MailServer {
    /// A server without TLS that takes every mail.
    pub fn start() -> Self {
        Self::with(|_| Reply::Ok)
    }

    /// A server with these replies.
    pub fn with(replies: impl Fn(&Reached<'_>) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_options(Protection::None, &["8BITMIME", "SMTPUTF8", "AUTH PLAIN"], replies)
    }

    /// A server that takes every mail of users who signed in.
    pub fn protected(protection: Protection) -> Self {
        Self::with_options(protection, &["AUTH PLAIN"], |_| Reply::Ok)
    }

    /// A server with these extensions.
    pub fn with_options(
        protection: Protection,
        extensions: &[&'static str],
        replies: impl Fn(&Reached<'_>) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::new(State {
            protection,
            extensions: extensions.to_vec(),
            replies: Box::new(replies),
            reached: Mutex::default(),
            mails: Mutex::default(),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            is_stopped: AtomicBool::new(false),
        });
        let accepting = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.is_stopped.load(Ordering::Relaxed) {
                    return;
                }
                let serving = accepting.clone();
                thread::spawn(move || serving.serve(&client));
            }
        });
        Self { port, state }
    }

    /// The MAIL_URL of the server without TLS and without a login.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address())
    }

    /// The address of the server, for a MAIL_URL.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// The mails that were received whole, whether they were acknowledged or not.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.state.mails.lock().expect("no holder panics").clone()
    }

    /// How often a step was reached.
    pub fn reached(&self, step: Step) -> usize {
        self.state.reached.lock().expect("no holder panics").get(&step).copied().unwrap_or_default()
    }

    /// The greatest number of connections that were open at the same time. A connection whose client has quit is not
    /// open, because after the reply the client may open another one before this server has closed it.
    pub fn most_connections(&self) -> usize {
        self.state.most_open.load(Ordering::Relaxed)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::Relaxed);
        // This connection wakes the accepting thread, which then ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A connection that counts as open until it is dropped.
struct Open<'a>(&'a State);

impl<'a> Open<'a> {
    fn count(state: &'a State) -> Self {
        let open = state.open.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_open.fetch_max(open, Ordering::SeqCst);
        Self(state)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl State {
    fn serve(&self, client: &TcpStream) {
        let open = Open::count(self);
        // An error is the end of the connection: it was cut, or the client ended it.
        let _ = self.converse(client, open);
        let _ = client.shutdown(std::net::Shutdown::Both);
    }

    /// Counts a step, and decides about the reply.
    fn reply(&self, step: Step, line: &str) -> Reply {
        let count = {
            let mut reached = self.reached.lock().expect("no holder panics");
            let count = reached.entry(step).or_default();
            *count += 1;
            *count
        };
        (self.replies)(&Reached { step, count, line })
    }
}
