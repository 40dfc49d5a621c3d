//! The program as a process: started in its own folder with an environment that only contains what the test
//! sets, and called over TCP.

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

use super::client::{Client, HttpResponse, operation};
use super::{PASSWORD, PostgresDatabase};

/// A signing secret that the program accepts.
pub const SECRET: &str = "a secret for the tests: 0123456789 abcdef";

/// The time limit for a start, for the end of the process and for a response.
const TIME_LIMIT: Duration = Duration::from_secs(10);
const POLL_STEP: Duration = Duration::from_millis(10);

/// Polls a condition until it is true; panics after ten seconds.
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_within(TIME_LIMIT, what, condition);
}

/// Polls a condition until it is true; panics after the time limit.
pub fn wait_within(time_limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + time_limit;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {time_limit:?}");
        thread::sleep(POLL_STEP);
    }
}

/// The environment in which server processes are started: a working directory and environment variables.
pub struct ServerEnv {
    folder: Arc<TempDir>,
    options: Vec<(String, String)>,
    shell_command: Option<String>,
}

impl ServerEnv {
    /// An empty folder, and no option except a port that the system chooses.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        fs::create_dir(folder.path().join("work")).expect("a subfolder can be created");
        Self { folder: Arc::new(folder), options: Vec::new(), shell_command: None }.with("PORT", "0")
    }

    /// An environment with a PostgreSQL database and a secret.
    pub fn on(database: &PostgresDatabase) -> Self {
        Self::on_url(&database.url)
    }

    /// An environment with the URL of a PostgreSQL database and a secret.
    pub fn on_url(url: &str) -> Self {
        Self::new().with("DATABASE_URL", url).with("BETTER_AUTH_SECRET", SECRET)
    }

    /// Sets an option as an environment variable.
    pub fn with(mut self, option: &str, value: &str) -> Self {
        self.options.push((option.to_owned(), value.to_owned()));
        self
    }

    /// Starts the program from a shell that first runs a command such as `ulimit -n 100`.
    pub fn after_shell_command(mut self, command: &str) -> Self {
        self.shell_command = Some(command.to_owned());
        self
    }

    /// The path of a file in the working directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Writes a file in the working directory.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the folder can be written to");
    }

    /// Runs the program until it ends, within ten seconds.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    /// Runs the program until it ends, with this text on its standard input.
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

    /// The command that runs the program in this environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = std::env::var_os("TASKHOLD_BIN").unwrap_or(env!("CARGO_BIN_EXE_taskhold").into());
        let mut command = match &self.shell_command {
            Some(shell_command) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("{shell_command}; exec \"$0\" \"$@\"")]).arg(program);
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
        self.spawn(arguments).wait_until_ready()
    }

    /// Starts a server without waiting until it is ready.
    pub fn spawn(&self, arguments: &[&str]) -> Program {
        Program::spawn(self, arguments, "")
    }
}

/// The result of a run of the program.
pub struct Run {
    pub success: bool,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A running process, which is killed when the value is dropped.
pub struct Program {
    child: Child,
    _folder: Arc<TempDir>,
    stdout: Output,
    stderr: Output,
}

impl Program {
    fn spawn(env: &ServerEnv, arguments: &[&str], input: &str) -> Self {
        let mut command = env.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        // Writing fails if the program ended without reading its input.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let stdout = Output::read_from(child.stdout.take().expect("stdout is a pipe"));
        let stderr = Output::read_from(child.stderr.take().expect("stderr is a pipe"));
        Self { child, _folder: env.folder.clone(), stdout, stderr }
    }

    /// Waits until the log contains the address of the server.
    pub fn wait_until_ready(self) -> Server {
        self.ready_or_stderr().unwrap_or_else(|stderr| panic!("the server ended: {stderr}"))
    }

    /// Waits until the log contains the address of the server, or until the process ends. Returns the server
    /// or stderr.
    pub fn ready_or_stderr(mut self) -> Result<Server, String> {
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
        status.expect("the process has ended")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // This fails if the program has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address_in(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("open http://")?;
    rest.split_once("/graphql").map(|(address, _)| address.to_owned())
}

/// Collects the output of a process.
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn read_from(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let collected = text.clone();
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                collected.lock().expect("no holder panics").extend(&chunk[..length]);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("no holder panics")).into_owned()
    }

    /// The complete output, after the process has ended.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        self.text()
    }
}

/// A running server that accepts requests.
pub struct Server {
    program: Program,
    /// The host and port on which the server listens.
    pub address: String,
}

impl Server {
    /// The id of the process.
    pub fn pid(&self) -> u32 {
        self.program.child.id()
    }

    /// Opens a connection.
    pub fn connect(&self) -> Client {
        self.connect_to(&self.address)
    }

    /// Opens a connection from a loopback address such as 127.0.0.2.
    pub fn connect_from(&self, source: &str) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be created");
        let source: IpAddr = source.parse().expect("an address");
        socket.bind(&SocketAddr::new(source, 0).into()).expect("the address is a loopback address");
        let address: SocketAddr = self.address.parse().expect("an address");
        socket.connect(&address.into()).expect("the server accepts");
        Client::from_stream(socket.into(), TIME_LIMIT)
    }

    /// Opens a connection whose read timeout is slightly longer than the time limit of a request (15 s).
    pub fn connect_with_long_timeout(&self) -> Client {
        Client::connect(&self.address, Duration::from_secs(16))
    }

    /// Opens a connection to another address of the server.
    pub fn connect_to(&self, address: &str) -> Client {
        Client::connect(address, TIME_LIMIT)
    }

    /// Whether the listener is still open.
    pub fn accepts_connections(&self) -> bool {
        TcpStream::connect(&self.address).is_ok()
    }

    /// Sends a GET request on a new connection.
    pub fn get(&self, path: &str) -> HttpResponse {
        let mut client = self.connect();
        client.send(&format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n"));
        client.read_response()
    }

    /// Posts an operation on a new connection. An empty token sends no authorization header.
    pub fn post(&self, token: &str, query: &str, variables: &Value) -> HttpResponse {
        self.connect().post(token, query, variables)
    }

    /// Posts an operation with an additional header.
    pub fn post_with(&self, header: &str, token: &str, query: &str, variables: &Value) -> HttpResponse {
        let mut client = self.connect();
        let request = operation(token, query, variables);
        client.send(&request.replacen("host: test", &format!("host: test\r\n{header}"), 1));
        client.read_response()
    }

    /// Registers a user and returns the access token.
    pub fn register(&self, name: &str) -> String {
        let query = "mutation Register($input: RegisterInput!) { register(input: $input) { accessToken } }";
        let input = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
        let body = self.post("", query, &json!({ "input": input })).json();
        body["data"]["register"]["accessToken"].as_str().expect("registering works").to_owned()
    }

    /// Sends a signal to the process: `TERM`, `INT` or `KILL`.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.pid());
        let sent = Command::new("sh").args(["-c", &command]).status().expect("there is a shell");
        assert!(sent.success(), "{command} failed");
    }

    /// Waits until the process ends; whether its exit status is success.
    pub fn exits_cleanly(&mut self) -> bool {
        self.program.wait().success()
    }

    /// The output on stdout so far.
    pub fn log(&self) -> String {
        self.program.stdout.text()
    }

    /// Sends two SIGTERM, which end the server without waiting for requests, and returns its stdout and
    /// stderr.
    pub fn stop(self) -> String {
        self.signal("TERM");
        self.stop_gracefully()
    }

    /// Sends SIGTERM, waits until the requests in flight are finished, and returns stdout and stderr.
    pub fn stop_gracefully(mut self) -> String {
        self.signal("TERM");
        self.program.wait();
        self.program.stdout.all() + &self.program.stderr.all()
    }
}
