//! Exim, a mail server that many providers use, with TLS and a login. It keeps each mail in its queue. A test that
//! needs it is left out when it is not installed or the test does not run as root; with `REQUIRE_EXIM=1` that is a
//! failure.

use std::fs;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{Authority, LOGIN, wait_until};

const PROGRAM: &str = "/usr/sbin/exim4";

/// A running server. Dropping it ends it.
pub struct Exim {
    process: Child,
    folder: TempDir,
    /// The port for TLS from the first byte.
    pub tls_port: u16,
    /// The port for STARTTLS.
    pub start_tls_port: u16,
}

impl Exim {
    /// Starts the server with a certificate for `localhost`. It takes mails of the user [`LOGIN`] over TLS only.
    pub fn start(authority: &Authority) -> Option<Self> {
        let Some((user, group)) = mail_user() else {
            let required =
                std::env::var("REQUIRE_EXIM").is_ok_and(|value| !matches!(value.as_str(), "" | "0"));
            assert!(
                !required,
                "REQUIRE_EXIM is set, but {PROGRAM} was not found, or the test does not run as root"
            );
            let notice = "Exim cannot be used: the test with a real mail server was left out.";
            let _ = writeln!(io::stderr(), "\n{notice}");
            return None;
        };
        // Exim gives up the rights of root, and must still reach its folder.
        let folder = tempfile::Builder::new().prefix("taskhold-exim-").tempdir_in("/tmp");
        let folder = folder.expect("a temporary folder can be created");
        let [tls_port, start_tls_port] = free_ports();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("the folder can be written to");
            path
        };
        let configuration = write("configuration", &configuration(folder.path(), tls_port, start_tls_port));
        let (certificate, key) = &authority.server_pem;
        for path in [write("certificate.pem", certificate), write("key.pem", key), folder.path().to_owned()] {
            chown(path, Some(user), Some(group)).expect("the test runs as root");
        }
        let mut command = Command::new(PROGRAM);
        command.arg("-bdf").arg("-C").arg(configuration).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("the program can be started");
        let exim = Self { process, folder, tls_port, start_tls_port };
        wait_until("Exim listens", || {
            [tls_port, start_tls_port].iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        Some(exim)
    }

    /// The mails in the queue: the headers as Exim stores them, and the text.
    pub fn mails(&self) -> Vec<(String, String)> {
        let folder = self.folder.path().join("spool/input");
        let paths = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut names: Vec<_> =
            paths.filter_map(|path| Some(path.to_str()?.strip_suffix("-H")?.to_owned())).collect();
        names.sort();
        let read = |name: &str, suffix| fs::read_to_string(format!("{name}{suffix}")).expect("Exim wrote it");
        names.iter().map(|name| (read(name, "-H"), read(name, "-D"))).collect()
    }
}

impl Drop for Exim {
    fn drop(&mut self) {
        // This fails if the program has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The user and the group of Exim; None if it is not installed or this process is not root.
fn mail_user() -> Option<(u32, u32)> {
    // The owner of a new file is the user of this process.
    let own = tempfile::tempfile().and_then(|file| file.metadata()).ok()?.uid();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("Debian-exim:"))?;
    let mut ids = line.split(':').skip(2).map_while(|id| id.parse().ok());
    let ids = (ids.next()?, ids.next()?);
    (own == 0 && PathBuf::from(PROGRAM).is_file()).then_some(ids)
}

fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).expect("a port is free"));
    listeners.map(|listener| listener.local_addr().expect("it is bound").port())
}

fn configuration(folder: &Path, tls_port: u16, start_tls_port: u16) -> String {
    let folder = folder.display();
    let (user, password) = LOGIN;
    format!(
        "primary_hostname = localhost
         local_interfaces = 127.0.0.1
         daemon_smtp_ports = {tls_port} : {start_tls_port}
         tls_on_connect_ports = {tls_port}
         spool_directory = {folder}/spool
         log_file_path = {folder}/log/%slog
         pid_file_path = {folder}/pid
         tls_certificate = {folder}/certificate.pem
         tls_privatekey = {folder}/key.pem
         tls_advertise_hosts = *
         auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
         keep_environment =
         host_lookup =
         queue_only = true
         acl_smtp_rcpt = recipients
         begin acl
         recipients:
           accept authenticated = *
           deny
         begin authenticators
         plain:
           driver = plaintext
           public_name = PLAIN
           server_prompts = :
           server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
         "
    )
}
