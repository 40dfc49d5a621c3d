//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The client as the server sees it.
#[derive(Clone, Debug)]
pub struct Client {
    /// Behind a trusted proxy, the address that the proxy saw.
    pub address: IpAddr,
    /// What it says of itself.
    pub user_agent: Option<String>,
}

impl Client {
    /// The network that counts as one: /24, and /56 of IPv6, which one household has.
    pub fn network(&self) -> IpAddr {
        match self.address.to_canonical() {
            IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & (!0 << 8)).into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 72)).into(),
        }
    }
}

impl Client {
    /// What limits per address count: the address itself, and of an IPv6 address its /64.
    pub fn limit_key(&self) -> IpAddr {
        match self.address.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
        }
    }
}

impl Default for Client {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST.into(), user_agent: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let network = |address: &str| {
            let address = address.parse().expect("an address");
            Client { address, user_agent: None }.network().to_string()
        };
        assert_eq!(network("192.0.2.77"), "192.0.2.0");
        assert_eq!(network("::ffff:192.0.2.77"), "192.0.2.0");
        assert_eq!(network("2001:db8:1:2ff::1"), "2001:db8:1:200::");
    }
}
