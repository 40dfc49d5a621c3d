//! The PostgreSQL server on which the tests create their databases: the one named by `TEST_DATABASE_URL`,
//! otherwise a temporary one that is started on first use and removed when the test process ends for any
//! reason. `cargo test` starts one server for the whole run. `cargo nextest` runs every test in its own
//! process, so each would start its own (about a second): set `TEST_DATABASE_URL` there to share one. With
//! `REQUIRE_POSTGRES=1` the tests fail without PostgreSQL; otherwise those that need it are skipped.

use std::env;
use std::io::{self, Write};
use std::sync::OnceLock;

/// The URL of a maintenance database whose role may create databases.
///
/// `None`, with one notice on stderr, if no PostgreSQL is found.
///
/// # Panics
///
/// If PostgreSQL is found but does not start, or if `REQUIRE_POSTGRES` is set and PostgreSQL is not found.
pub fn server_url() -> Option<&'static str> {
    // A failure is cached too; otherwise every test would wait for another failing start.
    static SERVER: OnceLock<Result<Option<Server>, String>> = OnceLock::new();
    match SERVER.get_or_init(find_or_start) {
        Ok(server) => server.as_ref().map(|server| server.url.as_str()),
        Err(message) => panic!("{message}"),
    }
}

/// Whether the server is removed when the test process ends, with all its databases.
pub fn is_temporary() -> bool {
    setting("TEST_DATABASE_URL").is_none()
}

/// The URL of a database on the server with the URL of another database.
pub fn url_of(server: &str, name: &str) -> String {
    let (host, _) = server.rsplit_once('/').expect("the URL names a database");
    format!("{host}/{name}")
}

/// Starts a PostgreSQL server for one test, with durable writes, so that acknowledged data survives a kill.
///
/// `None` if PostgreSQL is not installed: see [`server_url`].
#[cfg(unix)]
pub fn dedicated_server() -> Option<Server> {
    if !is_temporary() {
        return None;
    }
    let server = start_or_skip(Durability::Full);
    server.unwrap_or_else(|message| panic!("{message}"))
}

/// Starts a streaming standby of a server from [`dedicated_server`].
#[cfg(unix)]
pub fn standby_of(primary: &Server) -> Server {
    let programs = local::find_programs().expect("the primary was started with these programs");
    let standby = local::start_with_retry(&programs, Durability::Full, &primary.url);
    standby.unwrap_or_else(|message| panic!("{message}"))
}

#[cfg(unix)]
pub use local::Server;

/// A server of which the tests only have the URL.
#[cfg(not(unix))]
struct Server {
    url: String,
}

#[cfg(not(unix))]
impl Server {
    fn external(url: String) -> Self {
        Self { url }
    }
}

/// Whether acknowledged writes survive a crash of the server.
#[derive(Clone, Copy)]
enum Durability {
    None,
    #[cfg(unix)]
    Full,
}

fn find_or_start() -> Result<Option<Server>, String> {
    match setting("TEST_DATABASE_URL") {
        Some(url) => Ok(Some(Server::external(url))),
        None => start_or_skip(Durability::None),
    }
}

fn start_or_skip(durability: Durability) -> Result<Option<Server>, String> {
    #[cfg(unix)]
    if let Some(programs) = local::find_programs() {
        return local::start_with_retry(&programs, durability, "").map(Some);
    }
    let _ = durability;
    if setting("REQUIRE_POSTGRES").is_some_and(|value| value != "0") {
        return Err("REQUIRE_POSTGRES is set, but PostgreSQL was not found: install it or set \
                    TEST_DATABASE_URL."
            .to_owned());
    }
    // The test runner hides the output of eprintln! when a test passes. A closed stderr must not fail the
    // test.
    let notice = "PostgreSQL not found: the tests ran on SQLite only. Install PostgreSQL or set \
                  TEST_DATABASE_URL.";
    let _ = writeln!(io::stderr(), "\n{notice}");
    Ok(None)
}

fn setting(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(unix)]
mod local {
    use std::cmp::Reverse;
    use std::io::Write;
    use std::net::TcpListener;
    use std::os::unix::fs::{MetadataExt, chown};
    use std::os::unix::process::CommandExt;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};
    use std::{env, fs, io, thread};

    use uuid::Uuid;

    use super::Durability;

    /// A folder in memory. Each database has 400 files, and ext4 takes up to 0.4 s of processor time to create them after
    /// those of other databases were deleted.
    const MEMORY_FOLDER: &str = "/dev/shm";
    const MIN_FREE_BYTES: u64 = 1 << 30;
    const START_LIMIT: Duration = Duration::from_secs(30);
    const POLL_STEP: Duration = Duration::from_millis(20);

    /// Runs the server and executes the commands on its stdin. The test process keeps stdin open; when stdin
    /// ends, the script stops the server and removes the folder.
    ///
    /// SIGQUIT stops a running server immediately, but the shell makes a background program ignore it until
    /// the server has installed its handlers; SIGTERM stops a server before that.
    const SUPERVISOR: &str = r#"
        folder=$1 programs=$2 port=$3 durability=$4 primary=$5
        exec 3<&0 >"$folder/log" 2>&1
        init() {
            "$programs/initdb" --pgdata="$folder/data" --auth=trust --username=postgres \
                --encoding=UTF8 --no-sync "$1"
        }
        if [ -n "$primary" ]; then
            # `postgres` may be a link outside the folder of the other programs.
            "$(dirname "$(readlink -f "$programs/postgres")")/pg_basebackup" --pgdata="$folder/data" --dbname="$primary" \
                --write-recovery-conf --checkpoint=fast --no-sync
        else
            init --locale=C.UTF-8 || init --no-locale
        fi
        run() {
            "$programs/postgres" -D "$folder/data" -p "$port" \
                -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 \
                $durability </dev/null 3<&- &
            echo "$!" >"$folder/pid"
            wait "$!"
            : >"$folder/stopped"
        }
        children() {
            ps -A -o pid= -o ppid= | while read -r pid parent; do
                [ "$parent" != "$1" ] || echo "$pid"
            done
        }
        server=
        while read -r command <&3; do
            case $command in
            start)
                rm -f "$folder/pid" "$folder/stopped"
                run &
                until [ -s "$folder/pid" ]; do sleep 0.01; done
                read -r server <"$folder/pid"
                ;;
            kill) kill -KILL "$server" $(children "$server") ;;
            quit) kill -QUIT "$server" ;;
            pause)
                kill -STOP "$server"
                kill -STOP $(children "$server")
                : >"$folder/paused"
                ;;
            resume)
                kill -CONT "$server" $(children "$server")
                rm "$folder/paused"
                ;;
            esac
        done
        [ -e "$folder/stopped" ] || {
            kill -TERM "$server"
            kill -QUIT "$server"
            kill -CONT "$server" $(children "$server")
        }
        wait
        rm -rf "$folder"
    "#;

    /// A PostgreSQL server. Dropping the value stops a server that the tests started.
    pub struct Server {
        pub url: String,
        local: Option<(Child, PathBuf)>,
    }

    impl Server {
        /// A server that is already running.
        pub fn external(url: String) -> Self {
            Self { url, local: None }
        }

        /// Stops the server immediately, with SIGKILL to all its processes or with SIGQUIT (immediate
        /// shutdown).
        pub fn kill(&mut self, with_sigkill: bool) {
            self.command(if with_sigkill { "kill" } else { "quit" });
            self.wait_for("stopped", true);
        }

        /// Suspends all processes of the server (SIGSTOP). Its connections stay open without any data.
        pub fn pause(&mut self) {
            self.command("pause");
            self.wait_for("paused", true);
        }

        /// Resumes the processes after [`Server::pause`].
        pub fn resume(&mut self) {
            self.command("resume");
            self.wait_for("paused", false);
        }

        fn wait_for(&self, mark: &str, exists: bool) {
            let deadline = Instant::now() + START_LIMIT;
            let (_, folder) = self.local.as_ref().expect("the server was started here");
            while folder.join(mark).exists() != exists {
                assert!(Instant::now() < deadline, "PostgreSQL is not {mark} within {START_LIMIT:?}");
                thread::sleep(POLL_STEP);
            }
        }

        /// Starts a stopped server again, without waiting until it is ready.
        pub fn start(&mut self) {
            self.command("start");
        }

        fn command(&mut self, command: &str) {
            let (supervisor, _) = self.local.as_mut().expect("the server was started here");
            let commands = supervisor.stdin.as_mut().expect("stdin is a pipe");
            writeln!(commands, "{command}").expect("the supervisor reads");
        }
    }

    /// Finds the folder that contains `initdb` and `postgres`.
    pub fn find_programs() -> Option<PathBuf> {
        let search_path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&search_path)
            .chain(installed_versions("/usr/lib/postgresql", ""))
            .chain(installed_versions("/opt/homebrew/opt", "postgresql"))
            .chain(installed_versions("/usr/local/opt", "postgresql"))
            .find(|folder| {
                folder.is_absolute() && folder.join("initdb").is_file() && folder.join("postgres").is_file()
            })
    }

    fn installed_versions(parent: &str, prefix: &str) -> Vec<PathBuf> {
        let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(parent)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let version = name.strip_prefix(prefix)?.trim_start_matches('@');
                let major = version.split('.').next()?.parse().unwrap_or(0);
                Some((major, entry.path().join("bin")))
            })
            .collect();
        versions.sort_by_key(|(major, _)| Reverse(*major));
        versions.into_iter().map(|(_, folder)| folder).collect()
    }

    /// Starts a server; with the URL of a primary, as its standby. Tries twice, because another process can
    /// take the free port first.
    pub fn start_with_retry(
        programs: &Path,
        durability: Durability,
        primary: &str,
    ) -> Result<Server, String> {
        let deadline = Instant::now() + START_LIMIT;
        match start(programs, durability, primary, deadline) {
            Err(_) if Instant::now() < deadline => start(programs, durability, primary, deadline),
            outcome => outcome,
        }
    }

    fn start(
        programs: &Path,
        durability: Durability,
        primary: &str,
        deadline: Instant,
    ) -> Result<Server, String> {
        let (supervisor, folder, port) = launch(programs, durability, primary)
            .map_err(|error| format!("PostgreSQL could not be started: {error}; or set TEST_DATABASE_URL"))?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let mut server = Server { url, local: Some((supervisor, folder.clone())) };
        server.start();
        match wait_until_ready(&folder, deadline) {
            Ok(()) => Ok(server),
            Err(reason) => {
                let log = log_tail(&folder);
                Err(format!("PostgreSQL from {} {reason}; its log ends:\n{log}", programs.display()))
            }
        }
    }

    fn launch(programs: &Path, durability: Durability, primary: &str) -> io::Result<(Child, PathBuf, u16)> {
        let server_user = server_user()?;
        let parent = match durability {
            Durability::None if is_large_enough(MEMORY_FOLDER) => PathBuf::from(MEMORY_FOLDER),
            // The server's user may have no access to root's temporary folder.
            _ if server_user.is_some() => PathBuf::from("/tmp"),
            _ => env::temp_dir(),
        };
        let folder = tempfile::Builder::new().prefix("taskhold-postgres-").tempdir_in(parent)?;
        let port = free_port().ok_or_else(|| io::Error::other("no port is free"))?;

        let mut command = Command::new("sh");
        command.args(["-c", SUPERVISOR, "postgres-supervisor"]);
        command.arg(folder.path()).arg(programs).arg(port.to_string()).arg(match durability {
            Durability::None => "-c fsync=off -c synchronous_commit=off -c full_page_writes=off",
            Durability::Full => "",
        });
        command.arg(primary);
        command.current_dir(folder.path());
        // On macOS the server does not start without a locale.
        command.env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C and a kill by the test runner reach the whole process group, and the supervisor must survive
        // them.
        command.process_group(0);
        if let Some((uid, gid)) = server_user {
            chown(folder.path(), Some(uid), Some(gid))?;
            command.uid(uid).gid(gid);
        }
        let supervisor = command.spawn()?;
        Ok((supervisor, folder.keep(), port))
    }

    /// Whether the databases of the tests that run at the same time fit into a folder.
    fn is_large_enough(folder: &str) -> bool {
        rustix::fs::statvfs(folder).is_ok_and(|system| system.f_bavail * system.f_frsize >= MIN_FREE_BYTES)
    }

    /// A free port below the range for outgoing connections, which could take the port before the server
    /// does.
    fn free_port() -> Option<u16> {
        let mut candidates = (0..100).map(|_| 20_000 + Uuid::new_v4().as_fields().1 % 12_000);
        candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
    }

    /// The user and group for the server if this process runs as root, as which PostgreSQL refuses to run.
    fn server_user() -> io::Result<Option<(u32, u32)>> {
        // The owner of a new file is the user of this process; std has no direct way to get it.
        if tempfile::tempfile()?.metadata()?.uid() != 0 {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let fields = users.lines().find(|line| line.starts_with("postgres:")).map(|line| line.split(':'));
        let mut ids = fields.into_iter().flatten().skip(2).map_while(|id| id.parse().ok());
        match (ids.next(), ids.next()) {
            (Some(uid), Some(gid)) => Ok(Some((uid, gid))),
            _ => {
                Err(io::Error::other("it does not run as root, and there is no user `postgres` to run it as"))
            }
        }
    }

    fn wait_until_ready(folder: &Path, deadline: Instant) -> Result<(), &'static str> {
        while Instant::now() < deadline {
            // The server's status file is read because another process's server could be listening on the
            // port.
            let state = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|status| matches!(status.trim(), "ready" | "standby")) {
                return Ok(());
            }
            if folder.join("stopped").exists() {
                return Err("stopped while starting");
            }
            thread::sleep(POLL_STEP);
        }
        Err("was not ready within 30 seconds")
    }

    fn log_tail(folder: &Path) -> String {
        let log = fs::read(folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}
