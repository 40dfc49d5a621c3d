//! API keys, and the rules of their names.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::{Instant, Problem, Result, Rule, Scopes, text};

/// The maximum number of keys of a user that have not expired.
pub const MAX_API_KEYS: u64 = 50;
/// The lifetime of a key whose creator has not chosen one.
const DEFAULT_LIFETIME: TimeDelta = TimeDelta::days(90);

/// An API key as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: Uuid,
    pub name: String,
    pub scopes: Scopes,
    /// The prefix and the first four random characters of the token.
    pub start: String,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// Accurate to the minute.
    pub last_used_at: Option<Instant>,
    pub last_used_ip_address: Option<String>,
}

/// The name of an API key: 1 to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// Accepts 1 to 100 characters.
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        text::non_empty(raw, text::MAX_NAME).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// When an API key that is created now may expire.
#[derive(Clone, Copy, Debug)]
pub struct KeyExpiry {
    pub now: Instant,
    /// The maximum lifetime.
    pub longest: TimeDelta,
}

impl KeyExpiry {
    /// The chosen time, which must be in the future and within the maximum lifetime, or the default.
    pub fn parse(self, chosen: Option<Instant>) -> Result<Instant, Problem> {
        let Self { now, longest } = self;
        let expires_at = chosen.unwrap_or(now + DEFAULT_LIFETIME.min(longest));
        if now < expires_at && expires_at <= now + longest {
            return Ok(expires_at);
        }
        let message = format!("must be in the future, and at most {} days from now", longest.num_days());
        Err(Problem::new(Rule::OutOfRange, message))
    }
}

/// A validated request for an API key.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub name: KeyName,
    pub scopes: Scopes,
    pub expires_at: Instant,
}
