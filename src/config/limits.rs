//! Options that limit the resources which clients can use.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::values::{TimeRange, positive_duration, time_within, whole_number};
use crate::graphql::guard::Limits;

/// The largest value of most limits, large enough to be no limit in practice.
const MAX_LIMIT: u64 = 1 << 30;
/// The largest value of LIMIT_UNSENT_BYTES: more memory than any machine has.
const MAX_RESPONSE_MEMORY_BYTES: u64 = 1 << 46;
/// The largest value of LIMIT_QUERY_NESTING: deeper documents could overflow the parser's stack.
const MAX_QUERY_NESTING: u64 = 64;
/// The values that STREAM_KEEPALIVE may have.
const STREAM_KEEPALIVE: TimeRange = (1..=5 * 60, "1s to 5m");

/// The limits of requests, documents, connections and memory.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Maximum failed logins of an account in 15 minutes from one network; ten times as many in an hour from
    /// all networks. 0: no limit
    #[arg(long, env, global = true, value_name = "N", default_value_t = 10, value_parser = whole_number::<i32>(0..=MAX_LIMIT))]
    pub limit_login_failures: i32,

    /// Maximum calls in a minute, from one address and per instance, of the operations that take a password, a
    /// refresh token or the token of a mail, or that send a mail with a link. 0: no limit
    #[arg(long, env, global = true, value_name = "N", default_value_t = 60, value_parser = whole_number::<u32>(0..=MAX_LIMIT))]
    pub limit_credentials_per_minute: u32,

    /// Maximum mails with a link in an hour, of one kind to one address; with a limit, at most one in a minute.
    /// 0: no limit
    #[arg(long, env, global = true, value_name = "N", default_value_t = 5, value_parser = whole_number::<i32>(0..=MAX_LIMIT))]
    pub limit_mails_per_hour: i32,

    /// Maximum calls of requestPasswordReset in an hour from one network. 0: no limit
    #[arg(long, env, global = true, value_name = "N", default_value_t = 30, value_parser = whole_number::<i32>(0..=MAX_LIMIT))]
    pub limit_reset_requests_per_hour: i32,

    /// Maximum size of a request body, in bytes
    #[arg(long, env, global = true, value_name = "N", default_value_t = 1 << 20, value_parser = whole_number::<usize>(1..=MAX_LIMIT))]
    pub(super) limit_request_bytes: usize,

    /// Maximum size of the text of a document, in bytes
    #[arg(long, env, global = true, value_name = "N", default_value_t = 16 << 10, value_parser = whole_number::<usize>(1..=MAX_LIMIT))]
    pub(super) limit_query_bytes: usize,

    /// Maximum nesting of brackets in a document
    #[arg(long, env, global = true, value_name = "N", default_value_t = 32, value_parser = whole_number::<usize>(1..=MAX_QUERY_NESTING))]
    pub(super) limit_query_nesting: usize,

    /// Maximum number of tokens in a document
    #[arg(long, env, global = true, value_name = "N", default_value_t = 2_000, value_parser = whole_number::<usize>(1..=MAX_LIMIT))]
    pub(super) limit_query_tokens: usize,

    /// Maximum nesting of fields in a document; a root field has depth 1
    #[arg(long, env, global = true, value_name = "N", default_value_t = 10, value_parser = whole_number::<usize>(1..=MAX_LIMIT))]
    pub(super) limit_query_depth: usize,

    /// Maximum cost of a document: a field costs 1, a connection its page size times the cost of its children
    #[arg(long, env, global = true, value_name = "N", default_value_t = 5_000, value_parser = whole_number::<usize>(1..=MAX_LIMIT))]
    pub(super) limit_query_complexity: usize,

    /// Maximum number of aliases in a document
    #[arg(long, env, global = true, value_name = "N", default_value_t = 20, value_parser = whole_number::<usize>(0..=MAX_LIMIT))]
    pub(super) limit_query_aliases: usize,

    /// Maximum number of root fields in a query; a mutation may have half as many
    #[arg(long, env, global = true, value_name = "N", default_value_t = 10, value_parser = whole_number::<usize>(2..=MAX_LIMIT))]
    pub(super) limit_root_fields: usize,

    /// Maximum number of open connections of clients
    #[arg(long, env, global = true, value_name = "N", default_value_t = 4_096, value_parser = whole_number::<usize>(1..=MAX_LIMIT))]
    pub limit_connections: usize,

    /// Maximum number of open connections of one address, except those in TRUSTED_PROXIES; if not set, a
    /// quarter of LIMIT_CONNECTIONS. 0: no limit
    #[arg(long, env, global = true, value_name = "N", value_parser = whole_number::<usize>(0..=MAX_LIMIT))]
    pub(super) limit_connections_per_address: Option<usize>,

    /// Maximum number of open streams of changes: WebSockets and HTTP streams; if not set, three quarters of
    /// LIMIT_CONNECTIONS, and always below it
    #[arg(long, env, global = true, value_name = "N", value_parser = whole_number::<usize>(1..=MAX_LIMIT))]
    pub(super) limit_streams: Option<usize>,

    /// Maximum number of open streams of one user, per instance. 0: no limit
    #[arg(long, env, global = true, value_name = "N", default_value_t = 32, value_parser = whole_number::<usize>(0..=MAX_LIMIT))]
    pub limit_streams_per_user: usize,

    /// Maximum number of open operations of one WebSocket
    #[arg(long, env, global = true, value_name = "N", default_value_t = 16, value_parser = whole_number::<usize>(1..=MAX_LIMIT))]
    pub limit_socket_operations: usize,

    /// How often a stream sends something when there are no events, so that proxies keep it open
    #[arg(long, env, global = true, value_name = "TIME", default_value = "20s", value_parser = time_within(STREAM_KEEPALIVE))]
    pub stream_keepalive: Duration,

    /// Maximum memory of responses that are being built or sent, in bytes; one user may use an eighth of it
    #[arg(long, env, global = true, value_name = "N", default_value_t = 512 << 20, value_parser = whole_number::<usize>(1..=MAX_RESPONSE_MEMORY_BYTES))]
    pub limit_unsent_bytes: usize,

    /// Timeout of a request
    #[arg(long, env, global = true, value_name = "TIME", default_value = "15s", value_parser = positive_duration)]
    pub request_timeout: Duration,
}

impl LimitOptions {
    /// The maximum numbers of open connections: in total, and of one address (0: no limit).
    pub fn connections(&self) -> (usize, usize) {
        let quarter = (self.limit_connections / 4).max(1);
        (self.limit_connections, self.limit_connections_per_address.unwrap_or(quarter))
    }

    /// Lowers the limit of connections to the number that the system allows, and with it a limit of streams
    /// that would not be below it any more.
    pub fn lower_connections(&mut self, fit: usize) {
        if self.limit_streams.is_some_and(|streams| (fit..self.limit_connections).contains(&streams)) {
            self.limit_streams = None;
        }
        self.limit_connections = fit;
    }

    /// The maximum number of open streams.
    pub fn streams(&self) -> usize {
        self.limit_streams.unwrap_or(self.limit_connections - self.limit_connections.div_ceil(4))
    }

    /// Checks that other requests can still connect when the limit of streams is reached.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(
            self.streams() < self.limit_connections,
            "LIMIT_STREAMS is {}; it must be below LIMIT_CONNECTIONS, which is {}",
            self.streams(),
            self.limit_connections
        );
        Ok(())
    }

    /// The limits of GraphQL requests.
    pub fn guard_limits(&self) -> Limits {
        Limits {
            request_bytes: self.limit_request_bytes,
            query_bytes: self.limit_query_bytes,
            nesting: self.limit_query_nesting,
            tokens: self.limit_query_tokens,
            depth: self.limit_query_depth,
            complexity: self.limit_query_complexity,
            aliases: self.limit_query_aliases,
            root_fields: self.limit_root_fields,
        }
    }
}
