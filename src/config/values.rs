//! Parsers of option values. An error message continues the name of the option: "must be …".

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context, Result};

/// A parser for a whole number in a range.
pub(super) fn whole_number<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number
            .and_then(|number| T::try_from(number).ok())
            .with_context(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Parses an IP address.
pub(super) fn ip_address(text: &str) -> Result<IpAddr> {
    text.parse().ok().context("must be an IP address like 127.0.0.1 or 0.0.0.0")
}

/// Parses an IP address with a port.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr> {
    text.parse().ok().context("must be an IP address with a port like 127.0.0.1:9464")
}

/// Parses a duration, which may be zero.
pub(super) fn duration(text: &str) -> Result<Duration> {
    humantime::parse_duration(text).ok().context("must be a time like 30s, 15m or 7d")
}

/// Parses a duration from one second to a thousand years.
pub(super) fn positive_duration(text: &str) -> Result<Duration> {
    let time = duration(text)?;
    // A longer duration may overflow when it is added to a date.
    let range = Duration::from_secs(1)..=Duration::from_secs(1000 * 365 * 86_400);
    anyhow::ensure!(range.contains(&time), "must be a time from 1s to 1000y");
    Ok(time)
}

/// A range of durations in seconds, and the same in words.
pub(super) type TimeRange = (RangeInclusive<u64>, &'static str);

/// A parser for a duration within a range.
pub(super) fn time_within((range, words): TimeRange) -> impl Fn(&str) -> Result<Duration> + Clone {
    move |text| {
        let time = duration(text)?;
        let range = Duration::from_secs(*range.start())..=Duration::from_secs(*range.end());
        anyhow::ensure!(range.contains(&time), "must be a time from {words}");
        Ok(time)
    }
}
