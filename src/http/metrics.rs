//! The metrics of a server, for Prometheus. Labels have a fixed set of values and never contain text of a
//! user, so the number of series is bounded and they contain no private data.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the buckets, from a response without database access to the default REQUEST_TIMEOUT.
const DURATION_BUCKETS_SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0];
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels<const N: usize> = [(&'static str, &'static str); N];
/// Returns the number of database connections in each state.
type PoolConnections = dyn Fn() -> [(&'static str, usize); 2] + Send + Sync;

/// The numbers of mails.
#[derive(Clone, Debug)]
pub struct MailNumbers {
    /// The attempts of this instance: kind, outcome, and their number.
    pub attempts: Vec<(&'static str, &'static str, u64)>,
    /// The mails that wait in the database.
    pub waiting: u64,
}

/// The metrics of one server; shared by all clones.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    request_durations: Family<Labels<2>, Histogram>,
    /// HTTP requests in flight.
    pub requests: Gauge,
    /// Open connections of clients.
    pub connections: Gauge,
    streams: Family<Labels<1>, Gauge>,
    stream_events: Family<Labels<1>, Counter>,
    pool_connections: Arc<PoolConnections>,
    pool_gauge: Family<Labels<1>, Gauge>,
    dropped_lines: fn() -> u64,
    dropped_lines_total: Counter,
    mail_numbers: Arc<dyn Fn() -> MailNumbers + Send + Sync>,
    mails_total: Family<Labels<2>, Counter>,
    mails_waiting: Gauge,
}

impl Metrics {
    /// Registers the metrics. The functions are called at each scrape.
    pub fn new(
        pool_connections: impl Fn() -> [(&'static str, usize); 2] + Send + Sync + 'static,
        dropped_lines: fn() -> u64,
        mail_numbers: impl Fn() -> MailNumbers + Send + Sync + 'static,
    ) -> Self {
        let mut registry = Registry::with_prefix("taskhold");
        let request_durations =
            Family::new_with_constructor((|| Histogram::new(DURATION_BUCKETS_SECONDS)) as fn() -> Histogram);
        let (requests, connections, pool_gauge) = (Gauge::default(), Gauge::default(), Family::default());
        let (streams, stream_events) = (Family::default(), Family::default());
        let dropped_lines_total = Counter::default();
        let (mails_total, mails_waiting) = (Family::default(), Gauge::default());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the program", build);
        registry.register_with_unit(
            "graphql_request_duration",
            "Duration of GraphQL requests by operation type and error code",
            Unit::Seconds,
            request_durations.clone(),
        );
        registry.register("http_requests_in_flight", "HTTP requests in flight", requests.clone());
        registry.register("http_connections", "Open connections of clients", connections.clone());
        registry.register("streams", "Open streams by transport", streams.clone());
        registry.register("stream_events", "Events sent by streams", stream_events.clone());
        registry.register(
            "database_connections",
            "Database connections of the pool by state",
            pool_gauge.clone(),
        );
        registry.register(
            "log_lines_dropped",
            "Log lines that were dropped because standard output was not read",
            dropped_lines_total.clone(),
        );
        registry.register("mails", "Attempts to send a mail by kind and outcome", mails_total.clone());
        registry.register("mails_waiting", "Mails that wait in the database", mails_waiting.clone());
        let (registry, pool_connections) = (Arc::new(registry), Arc::new(pool_connections));
        Self {
            registry,
            request_durations,
            requests,
            connections,
            streams,
            stream_events,
            pool_connections,
            pool_gauge,
            dropped_lines,
            dropped_lines_total,
            mail_numbers: Arc::new(mail_numbers),
            mails_total,
            mails_waiting,
        }
    }

    /// Counts a GraphQL request whose response is complete.
    pub fn record_response(
        &self,
        operation_type: Option<&'static str>,
        code: Option<&'static str>,
        duration: Duration,
    ) {
        // A subscription is counted only if it is refused before it begins, so it has no separate label.
        let operation_type = operation_type.filter(|ty| ["query", "mutation"].contains(ty));
        let labels = [("operation_type", operation_type.unwrap_or("none")), ("code", code.unwrap_or("OK"))];
        self.request_durations.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// The gauge of open streams of a transport, and the counter of their events.
    pub fn stream(&self, transport: &'static str) -> (Gauge, Counter) {
        let labels = [("transport", transport)];
        (self.streams.get_or_create_owned(&labels), self.stream_events.get_or_create_owned(&labels))
    }

    /// The metrics in the OpenMetrics text format.
    fn text(&self) -> String {
        for (state, count) in (self.pool_connections)() {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.pool_gauge.get_or_create(&[("state", state)]).set(count);
        }
        self.dropped_lines_total.inner().store((self.dropped_lines)(), Ordering::Relaxed);
        let MailNumbers { attempts, waiting } = (self.mail_numbers)();
        for (kind, outcome, count) in attempts {
            let total = self.mails_total.get_or_create(&[("kind", kind), ("outcome", outcome)]);
            total.inner().store(count, Ordering::Relaxed);
        }
        self.mails_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }
}

/// Increments a gauge, and decrements it when dropped.
pub struct GaugeGuard(Gauge);

impl GaugeGuard {
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The router of the second listener: /metrics and nothing else.
pub fn router(metrics: Metrics) -> Router {
    let nothing = || async { (StatusCode::NOT_FOUND, "there is only GET /metrics\n") };
    let router = Router::new().route("/metrics", get(scrape)).fallback(nothing);
    router.method_not_allowed_fallback(nothing).with_state(metrics)
}

async fn scrape(State(metrics): State<Metrics>) -> ([(HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], metrics.text())
}
