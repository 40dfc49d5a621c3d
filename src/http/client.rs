//! Where a request comes from. What a client says of that is believed only of proxies that the
//! operator trusts, and of each only what it saw itself: the rightmost address that is not trusted.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

use crate::identity::Client;

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// A longer User-Agent is cut: it is kept for people to recognise a device.
const MAX_USER_AGENT: usize = 256;

/// The client behind a request.
pub fn client(peer: Option<Peer>, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let unknown = Client::default();
    let address = peer.map_or(unknown.address, |Peer(peer)| origin(peer, headers, trusted));
    let user_agent = headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let user_agent = user_agent.map(|text| {
        text.chars().filter(|character| !character.is_control()).take(MAX_USER_AGENT).collect::<String>()
    });
    Client { address, user_agent: user_agent.filter(|text| !text.is_empty()) }
}

fn origin(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut hops = hops.into_iter().rev();
    let mut origin = peer.to_canonical();
    while is_trusted(&origin)
        && let Some(Some(hop)) = hops.next().map(address)
    {
        origin = hop.to_canonical();
    }
    origin
}

/// The address of a hop. Some proxies write the port along.
fn address(hop: &str) -> Option<IpAddr> {
    hop.parse().ok().or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&'static str], trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", axum::http::HeaderValue::from_static(value));
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
}
