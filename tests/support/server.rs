//! The program itself: run in a folder of its own, with nothing in its environment but what a test puts
//! there, and asked over a real connection.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use super::client::{Client, Reply, operation};
use super::{PASSWORD, PostgresDatabase};

/// A secret that is good enough to sign with.
pub const SECRET: &str = "a secret for the tests: 0123456789 abcdef";

/// How long a start that cannot work may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);
const POLL_STEP: Duration = Duration::from_millis(10);

/// Asks until the answer is yes.
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_within(TIME_LIMIT, what, condition);
}

/// Asks until the answer is yes, which has to come within a time limit.
pub fn wait_within(time_limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + time_limit;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {time_limit:?}");
        thread::sleep(POLL_STEP);
    }
}

/// A working directory, and the options that stand in the environment.
pub struct Place {
    folder: Arc<TempDir>,
    options: Vec<(String, String)>,
    before: Option<String>,
}

impl Place {
    /// An empty folder, and nothing configured but that any free port will do.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("work")).expect("a folder can be made in it");
        Self { folder: Arc::new(folder), options: Vec::new(), before: None }.with("PORT", "0")
    }

    /// A place with a PostgreSQL database and a secret.
    pub fn on(database: &PostgresDatabase) -> Self {
        Self::on_url(&database.url)
    }

    /// A place with a PostgreSQL database that is found at a URL, and a secret.
    pub fn on_url(url: &str) -> Self {
        Self::new().with("DATABASE_URL", url).with("BETTER_AUTH_SECRET", SECRET)
    }

    pub fn with(mut self, option: &str, value: &str) -> Self {
        self.options.push((option.to_owned(), value.to_owned()));
        self
    }

    /// The same folder and options for a program that is started by a shell, after a command: `ulimit -n 100`.
    pub fn after(mut self, command: &str) -> Self {
        self.before = Some(command.to_owned());
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the folder can be written to");
    }

    /// Runs the program to its end, which must come soon.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    /// Runs the program to its end with something on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut program = Program::spawn(self, arguments, input);
        let status = program.wait();
        Run {
            success: status.success(),
            code: status.code(),
            stdout: program.stdout.all(),
            stderr: program.stderr.all(),
        }
    }

    /// The command that runs the program here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = std::env::var_os("TASKHOLD_BIN").unwrap_or(env!("CARGO_BIN_EXE_taskhold").into());
        let mut command = match &self.before {
            Some(before) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]).arg(program);
                shell
            }
            None => Command::new(program),
        };
        command.args(arguments);
        command.current_dir(self.path(".")).env_clear();
        command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.options.iter().map(|(option, value)| (option, value)));
        command
    }

    /// Starts a server and waits until it is ready.
    pub fn start(&self, arguments: &[&str]) -> Server {
        self.begin(arguments).ready()
    }

    /// Starts a server that need not be ready at once.
    pub fn begin(&self, arguments: &[&str]) -> Program {
        Program::spawn(self, arguments, "")
    }
}

/// What a run of the program came to.
pub struct Run {
    pub success: bool,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A running program. It ends with the test.
pub struct Program {
    child: Child,
    _folder: Arc<TempDir>,
    stdout: Output,
    stderr: Output,
}

impl Program {
    fn spawn(place: &Place, arguments: &[&str], input: &str) -> Self {
        let mut command = place.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        // A program that does not read it may have ended.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let stdout = Output::of(child.stdout.take().expect("stdout is a pipe"));
        let stderr = Output::of(child.stderr.take().expect("stderr is a pipe"));
        Self { child, _folder: place.folder.clone(), stdout, stderr }
    }

    /// Waits for the address in the log.
    pub fn ready(self) -> Server {
        self.outcome().unwrap_or_else(|stderr| panic!("the server ended: {stderr}"))
    }

    /// Waits for the address in the log, or for the end and what was said of it.
    pub fn outcome(mut self) -> Result<Server, String> {
        let mut address = None;
        let mut has_ended = false;
        wait_until("the server is ready", || {
            has_ended = self.child.try_wait().expect("the program can be waited for").is_some();
            address = address_in(&self.stdout.text());
            address.is_some() || has_ended
        });
        match address {
            Some(address) if !has_ended => Ok(Server { program: self, address }),
            _ => Err(self.stderr.all()),
        }
    }

    fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the program ends", || {
            status = self.child.try_wait().expect("the program can be waited for");
            status.is_some()
        });
        status.expect("the wait is for the status")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It fails when the program has ended, which is just as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address_in(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("open http://")?;
    rest.split_once("/graphql").map(|(address, _)| address.to_owned())
}

/// What a program has written so far.
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let kept = text.clone();
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                kept.lock().expect("nobody panics with the output").extend(&piece[..length]);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("nobody panics with the output")).into_owned()
    }

    /// Everything, after the program has ended.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        self.text()
    }
}

/// A server that is ready.
pub struct Server {
    program: Program,
    /// Host and port.
    pub address: String,
}

impl Server {
    /// The id of the process.
    pub fn process(&self) -> u32 {
        self.program.child.id()
    }

    /// A new connection.
    pub fn connect(&self) -> Client {
        self.connect_to(&self.address)
    }

    /// A new connection from an address of this machine, like 127.0.0.2.
    pub fn connect_from(&self, source: &str) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there are sockets");
        let source: IpAddr = source.parse().expect("an address");
        socket.bind(&SocketAddr::new(source, 0).into()).expect("the address is one of this machine");
        let address: SocketAddr = self.address.parse().expect("an address");
        socket.connect(&address.into()).expect("the server accepts");
        Client::over(socket.into(), TIME_LIMIT)
    }

    /// A new connection of a client that waits a little longer than the time limit of a request.
    pub fn connect_patiently(&self) -> Client {
        Client::connect(&self.address, Duration::from_secs(16))
    }

    /// A new connection to another address of the server.
    pub fn connect_to(&self, address: &str) -> Client {
        Client::connect(address, TIME_LIMIT)
    }

    /// Whether the listener is still open.
    pub fn accepts(&self) -> bool {
        TcpStream::connect(&self.address).is_ok()
    }

    pub fn get(&self, path: &str) -> Reply {
        let mut client = self.connect();
        client.send(&format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"));
        client.reply()
    }

    /// Posts an operation, with a token or with an empty one for none.
    pub fn post(&self, token: &str, query: &str, variables: &Value) -> Reply {
        self.connect().post(token, query, variables)
    }

    /// Posts an operation under a header of one's own.
    pub fn post_with(&self, header: &str, token: &str, query: &str, variables: &Value) -> Reply {
        let mut client = self.connect();
        let request = operation(token, query, variables);
        client.send(&request.replacen("host: test", &format!("host: test\r\n{header}"), 1));
        client.reply()
    }

    /// Registers somebody and gives the token.
    pub fn register(&self, name: &str) -> String {
        let query = "mutation Register($input: RegisterInput!) { register(input: $input) { accessToken } }";
        let input = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
        let body = self.post("", query, &json!({ "input": input })).json();
        body["data"]["register"]["accessToken"].as_str().expect("registering works").to_owned()
    }

    /// Sends a signal: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.process());
        let sent = Command::new("sh").args(["-c", &command]).status().expect("there is a shell");
        assert!(sent.success(), "{command} failed");
    }

    /// Waits for the end; whether it was a clean one.
    pub fn ends_well(&mut self) -> bool {
        self.program.wait().success()
    }

    pub fn log(&self) -> String {
        self.program.stdout.text()
    }

    /// Ends the server at once and gives all that it wrote, on stdout and stderr.
    pub fn stop(self) -> String {
        self.signal("TERM");
        self.stop_gently()
    }

    /// Ends the server when it is done with what is in flight, and gives all that it wrote.
    pub fn stop_gently(mut self) -> String {
        self.signal("TERM");
        self.program.wait();
        self.program.stdout.all() + &self.program.stderr.all()
    }
}
