//! The client address of a request: the peer of the connection or, behind trusted proxies, the rightmost
//! address in X-Forwarded-For that is not a trusted proxy. Addresses further left could be forged by the
//! client.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

use crate::auth::ClientInfo;

/// The peer address of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A longer User-Agent is truncated: it only helps users to recognise their devices.
const MAX_USER_AGENT_CHARS: usize = 256;

/// The client that sent a request.
pub fn client(peer: Option<Peer>, headers: &HeaderMap, trusted: &[IpNet]) -> ClientInfo {
    let unknown = ClientInfo::default();
    let address = peer.map_or(unknown.address, |Peer(peer)| client_address(peer, headers, trusted));
    let user_agent = headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let user_agent = user_agent.map(|text| {
        text.chars()
            .filter(|character| !character.is_control())
            .take(MAX_USER_AGENT_CHARS)
            .collect::<String>()
    });
    ClientInfo { address, user_agent: user_agent.filter(|text| !text.is_empty()) }
}

/// Whether one of the networks contains an address.
pub fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Follows the entries of X-Forwarded-For from right to left, beginning at the peer, for as long as the
/// address that added the entry is trusted.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let entries = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    let mut entries = entries.map(<[u8]>::trim_ascii).filter(|entry| !entry.is_empty());
    let mut origin = peer.to_canonical();
    while contains(trusted, origin)
        && let Some(Some(address)) = entries.next().map(forwarded_address)
    {
        origin = address;
    }
    origin
}

/// Parses an entry: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`, `fe80::1%eth0`, or one of
/// these in quotes.
fn forwarded_address(entry: &[u8]) -> Option<IpAddr> {
    let entry = std::str::from_utf8(entry).ok()?;
    let entry = match entry.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?.trim(),
        None => entry,
    };
    let (host, port) = match entry.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        // More than one colon: IPv6, which cannot have a port without brackets.
        None => match entry.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (entry, None),
        },
    };
    if let Some(port) = port {
        port.parse::<u16>().ok()?;
    }
    let address = match host.split_once('%') {
        Some((address, _zone)) => address.parse::<Ipv6Addr>().ok()?.into(),
        None => host.parse::<IpAddr>().ok()?,
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            let value = axum::http::HeaderValue::from_bytes(value.as_bytes()).expect("a valid value");
            headers.append("x-forwarded-for", value);
        }
        let trusted: Vec<IpNet> =
            trusted.split_whitespace().map(|net| net.parse().expect("a network")).collect();
        let peer = Peer(peer.parse().expect("an address"));
        client(Some(peer), &headers, &trusted).address.to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(seen("192.0.2.1", &["198.51.100.1"], ""), "192.0.2.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1"], "10.0.0.0/8"), "198.51.100.1");
        assert_eq!(seen("::ffff:10.0.0.1", &["198.51.100.1"], "10.0.0.0/8"), "198.51.100.1");
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], "10.0.0.0/8"), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "10.0.0.0/8"), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["nonsense, 10.0.0.2"], "10.0.0.0/8"), "10.0.0.2");
        assert_eq!(seen("10.0.0.1", &[], "10.0.0.0/8"), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &["198.51.100.1:4711"], "10.0.0.0/8"), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", &["[2001:db8::1]:4711"], "10.0.0.0/8"), "2001:db8::1");
    }

    #[test]
    fn an_entry_may_be_written_in_any_common_form() {
        for (entry, address) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("\"198.51.100.1\"", "198.51.100.1"),
            ("\"198.51.100.1:4711\"", "198.51.100.1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("[::ffff:198.51.100.1]:80", "198.51.100.1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:443", "fe80::1"),
        ] {
            assert_eq!(seen("10.0.0.1", &[entry], "10.0.0.0/8"), address, "{entry}");
        }
    }

    #[test]
    fn empty_entries_are_skipped() {
        for forwarded in [&["198.51.100.1, , 10.0.0.2,"][..], &["198.51.100.1", "", " ,10.0.0.2"]] {
            assert_eq!(seen("10.0.0.1", forwarded, "10.0.0.0/8"), "198.51.100.1", "{forwarded:?}");
        }
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_search() {
        for entry in [
            "unknown",
            "_hidden",
            "ünknown",
            "198.51.100.1:port",
            "198.51.100.1:",
            "198.51.100.1:65536",
            "198.51.100.1%eth0",
            "[2001:db8::1",
            "[2001:db8::1]80",
            "\"198.51.100.1",
            "198.51.100",
            "::1::",
        ] {
            let forwarded = format!("198.51.100.7, {entry}, 10.0.0.2");
            assert_eq!(seen("10.0.0.1", &[&forwarded], "10.0.0.0/8"), "10.0.0.2", "{entry}");
        }
    }
}
