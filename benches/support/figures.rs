//! Statistics of measured durations, and a report that compares figures with their bounds.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

/// Prints figures and counts the exceeded bounds.
#[derive(Default)]
pub struct Report {
    exceeded: usize,
}

impl Report {
    /// Prints a figure with its bound and whether it is met.
    pub fn bound(&mut self, what: &str, figure: impl Display, bound: impl Display, is_met: bool) {
        let verdict = if is_met { "ok" } else { "EXCEEDED" };
        println!("  {what}: {figure} (bound: {bound}) {verdict}");
        self.exceeded += usize::from(!is_met);
    }

    pub fn exit_code(&self) -> ExitCode {
        println!("\n{} bounds exceeded", self.exceeded);
        if self.exceeded == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Durations in ascending order; at least one.
pub struct Distribution(Vec<Duration>);

impl Distribution {
    pub fn of(durations: impl IntoIterator<Item = Duration>) -> Self {
        let mut sorted: Vec<Duration> = durations.into_iter().collect();
        sorted.sort();
        assert!(!sorted.is_empty(), "nothing was measured");
        Self(sorted)
    }

    /// The smallest measured duration that at least `percent` of all durations do not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() * percent).div_ceil(100).saturating_sub(1)]
    }

    pub fn median(&self) -> Duration {
        self.percentile(50)
    }

    pub fn max(&self) -> Duration {
        self.percentile(100)
    }

    /// The area under the ROC curve of distinguishing these durations from others: 0.5 means
    /// indistinguishable.
    pub fn auc(&self, others: &Self) -> f64 {
        let above = |one: &Duration| {
            let below = others.0.partition_point(|other| other < one);
            let equal = others.0.partition_point(|other| other <= one) - below;
            below as f64 + equal as f64 / 2.0
        };
        self.0.iter().map(above).sum::<f64>() / (self.0.len() * others.0.len()) as f64
    }
}

impl Display for Distribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [min, median, p90, p99, max] = [0, 50, 90, 99, 100].map(|percent| ms(self.percentile(percent)));
        write!(f, "n {}, min {min}, median {median}, p90 {p90}, p99 {p99}, max {max}", self.0.len())
    }
}

/// A duration in milliseconds, as text.
pub fn ms(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}
