//! `taskhold healthcheck`: requests /readyz of the server that has the same options. It is meant for
//! containers without an HTTP client.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(3);
const READY_STATUS_LINE: &str = "HTTP/1.1 200";

/// Returns an error unless the server reports within [`TIMEOUT`] that it is ready.
pub fn run(config: &Config) -> Result<()> {
    let address = config.network.listen();
    ensure!(address.port() != 0, "PORT must be the port of the server; 0 chooses a free one");
    // A server that listens on every address is reached on the loopback address. A server on :: accepts IPv4
    // too, and a container may have no IPv6.
    let hosts: &[IpAddr] = match address.ip().to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            &[IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)]
        }
        ip => &[ip],
    };
    let addresses: Vec<_> = hosts.iter().map(|host| SocketAddr::new(*host, address.port())).collect();
    let (sender, receiver) = mpsc::channel();
    // A read timeout of the stream would restart with every byte.
    thread::spawn(move || sender.send(request_status_line(&addresses)));
    let late = |_| Err(io::Error::new(ErrorKind::TimedOut, format!("no response within {TIMEOUT:?}")));
    let start = receiver.recv_timeout(TIMEOUT).unwrap_or_else(late);
    let start = start.with_context(|| format!("http://{address}/readyz does not respond"))?;
    ensure!(
        start == READY_STATUS_LINE,
        "http://{address}/readyz responds with {start:?}, not {READY_STATUS_LINE:?}"
    );
    Ok(())
}

/// Requests /readyz and returns the beginning of the response, as long as [`READY_STATUS_LINE`].
fn request_status_line(addresses: &[SocketAddr]) -> io::Result<String> {
    let mut stream = TcpStream::connect(addresses)?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut start = [0; READY_STATUS_LINE.len()];
    stream.read_exact(&mut start)?;
    Ok(String::from_utf8_lossy(&start).into_owned())
}
