//! `taskhold healthcheck`: whether the server that runs with the same options is ready, for containers,
//! which have no other program to ask it with.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(3);
const READY_STATUS_LINE: &str = "HTTP/1.1 200";

/// Fails when the server does not say in time that it is ready.
pub fn run(config: &Config) -> Result<()> {
    let address = config.listen();
    ensure!(address.port() != 0, "PORT must be the one that the server has; 0 takes any that is free");
    // A server that listens on every address is asked on one of this machine. One on :: takes IPv4 as well,
    // and a container may have no IPv6.
    let hosts: &[IpAddr] = match address.ip().to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            &[IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)]
        }
        ip => &[ip],
    };
    let addresses: Vec<_> = hosts.iter().map(|host| SocketAddr::new(*host, address.port())).collect();
    let (answer, answered) = mpsc::channel();
    // A time limit of the stream would begin again with every byte.
    thread::spawn(move || answer.send(request_status_line(&addresses)));
    let late = |_| Err(io::Error::new(ErrorKind::TimedOut, format!("no answer within {TIMEOUT:?}")));
    let start = answered.recv_timeout(TIMEOUT).unwrap_or_else(late);
    let start = start.with_context(|| format!("http://{address}/readyz does not answer"))?;
    ensure!(start == READY_STATUS_LINE, "http://{address}/readyz says {start:?}, not {READY_STATUS_LINE:?}");
    Ok(())
}

fn request_status_line(addresses: &[SocketAddr]) -> io::Result<String> {
    let mut stream = TcpStream::connect(addresses)?;
    write!(stream, "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut start = [0; READY_STATUS_LINE.len()];
    stream.read_exact(&mut start)?;
    Ok(String::from_utf8_lossy(&start).into_owned())
}
