//! The client of a request, and the address ranges that rate limits count as one client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The client of a request.
#[derive(Clone, Debug)]
pub struct ClientInfo {
    /// The peer of the connection; behind a trusted proxy, the address that the proxy reports.
    pub address: IpAddr,
    /// The User-Agent header, which the client chooses freely.
    pub user_agent: Option<String>,
}

impl ClientInfo {
    /// The client's network: the /24 of an IPv4 address or the /56 of an IPv6 address, usually one household.
    pub fn network(&self) -> IpAddr {
        network_address(self.address, 24, 56)
    }

    /// The address that limits per address count: see [`counted_address`].
    pub fn counted_address(&self) -> IpAddr {
        counted_address(self.address)
    }
}

impl Default for ClientInfo {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST.into(), user_agent: None }
    }
}

/// The address that limits per address count: an IPv4 address, or the /64 of an IPv6 address, in which a host
/// can use any address.
pub fn counted_address(address: IpAddr) -> IpAddr {
    network_address(address, 32, 64)
}

/// The first bits of an address, the others set to 0. An IPv4-mapped IPv6 address counts as IPv4.
fn network_address(address: IpAddr, v4_bits: u32, v6_bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (!0 << (32 - v4_bits))).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << (128 - v6_bits))).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> ClientInfo {
        ClientInfo { address: address.parse().expect("an address"), user_agent: None }
    }

    #[test]
    fn neighbours_share_a_network() {
        let network = |address: &str| client(address).network().to_string();
        assert_eq!(network("192.0.2.77"), "192.0.2.0");
        assert_eq!(network("::ffff:192.0.2.77"), "192.0.2.0");
        assert_eq!(network("2001:db8:1:2ff::1"), "2001:db8:1:200::");
    }

    #[test]
    fn limits_per_address_count_ipv6_by_64_bits() {
        let counted = |address: &str| client(address).counted_address().to_string();
        assert_eq!(counted("192.0.2.77"), "192.0.2.77");
        assert_eq!(counted("::ffff:192.0.2.77"), "192.0.2.77");
        assert_eq!(counted("2001:db8:1:2ff:a:b:c:d"), "2001:db8:1:2ff::");
    }
}
