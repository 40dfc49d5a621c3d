//! Options of the network: listeners, browsers, proxies, and which documents clients may execute.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{ArgAction, Args};
use ipnet::IpNet;

use super::origin;
use super::values::{duration, ip_address, socket_address, whole_number};
use crate::graphql::TrustedDocuments;

/// The listeners, and what their clients may do.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub struct NetworkOptions {
    /// Address to listen on; 0.0.0.0 or :: accepts connections from other machines
    #[arg(long, env, global = true, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = ip_address)]
    pub(super) host: IpAddr,

    /// Port to listen on; 0 chooses a free one
    #[arg(long, env, global = true, default_value_t = 8000, value_parser = whole_number::<u16>(0..=65_535))]
    pub(super) port: u16,

    /// Origins of web pages that may call the API, comma-separated: https://app.example.com
    #[arg(long, env, global = true, value_name = "ORIGINS", default_value = "", hide_default_value = true)]
    pub(super) cors_origins: String,

    /// Networks of proxies whose X-Forwarded-For is trusted, comma-separated: 10.0.0.0/8
    #[arg(long, env, global = true, value_name = "NETWORKS", default_value = "", hide_default_value = true)]
    pub(super) trusted_proxies: String,

    /// Whether /graphql serves the playground to browsers
    #[arg(long, env, global = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub graphiql: bool,

    /// Whether clients may query the schema, and errors may suggest names
    #[arg(long, env, global = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub introspection: bool,

    /// Manifest of the only documents that are executed, in the format of GraphQL Code Generator, Relay or Apollo
    #[arg(long, env, global = true, value_name = "FILE")]
    pub(super) trusted_documents: Option<PathBuf>,

    /// How long the server accepts connections after a signal to stop, while /readyz responds 503
    #[arg(long, env, global = true, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub shutdown_grace: Duration,

    /// Address and port of a second listener that serves /metrics to Prometheus: 127.0.0.1:9464
    #[arg(long, env, global = true, value_name = "ADDRESS", value_parser = socket_address)]
    pub metrics_bind: Option<SocketAddr>,
}

impl NetworkOptions {
    /// The address to listen on.
    pub fn listen(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// The origins of web pages that may call the API, in the form that browsers send; `*` is every origin.
    pub fn cors_origins(&self) -> Result<Vec<String>> {
        let entries = self.cors_origins.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let parse = |entry| match entry {
            "*" if self.host.is_loopback() => Ok(entry.to_owned()),
            "*" => bail!("CORS_ORIGINS may be * only while HOST is a loopback address; name the origins"),
            _ => origin::normalize(entry),
        };
        entries.map(parse).collect()
    }

    /// The networks of proxies whose X-Forwarded-For is trusted.
    pub fn trusted_proxies(&self) -> Result<Vec<IpNet>> {
        let networks = self.trusted_proxies.split(',').map(str::trim).filter(|network| !network.is_empty());
        let parse = |network: &str| {
            let parsed = network.parse().or_else(|_| network.parse::<IpAddr>().map(IpNet::from));
            let parsed = parsed.ok().map(as_ipv4_if_mapped);
            parsed.with_context(|| format!("TRUSTED_PROXIES: {network} is not a network like 10.0.0.0/8"))
        };
        networks.map(parse).collect()
    }

    /// The documents of the manifest; None when clients may send any document.
    pub fn trusted_documents(&self) -> Result<Option<TrustedDocuments>> {
        let Some(file) = &self.trusted_documents else { return Ok(None) };
        let context = || format!("TRUSTED_DOCUMENTS: {} cannot be used", file.display());
        let manifest = fs::read_to_string(file).with_context(context)?;
        TrustedDocuments::from_manifest(&manifest).with_context(context).map(Some)
    }
}

/// A network of IPv4-mapped IPv6 addresses as an IPv4 network: addresses are compared in that form.
fn as_ipv4_if_mapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, length)| IpNet::new(address.into(), length).ok()).unwrap_or(network)
}
