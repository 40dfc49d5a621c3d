//! API keys: their scopes, and the rules of their names.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::{Instant, Problem, Result, Rule, text};

/// The maximum number of keys of a user that have not expired.
pub const MAX_API_KEYS: u64 = 50;
/// The lifetime of a key whose creator has not chosen one.
const DEFAULT_LIFETIME: TimeDelta = TimeDelta::days(90);

/// What an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    TasksRead,
    /// Includes `TasksRead`.
    TasksWrite,
    Account,
}

impl Scope {
    /// All scopes, in their order.
    pub const ALL: [Self; 3] = [Self::TasksRead, Self::TasksWrite, Self::Account];

    /// The name in the public schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::TasksRead => "TASKS_READ",
            Self::TasksWrite => "TASKS_WRITE",
            Self::Account => "ACCOUNT",
        }
    }

    fn bit(self) -> i32 {
        match self {
            Self::TasksRead => 1,
            Self::TasksWrite => 2,
            Self::Account => 4,
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(i32);

impl Scopes {
    /// The set with these bits. Bits of unknown scopes have no effect.
    pub fn from_bits(bits: i32) -> Self {
        Self(bits)
    }

    /// The form in which the set is stored.
    pub fn bits(self) -> i32 {
        self.0
    }

    /// Whether the set allows what `scope` allows.
    pub fn allow(self, scope: Scope) -> bool {
        let implied = if scope == Scope::TasksRead { Scope::TasksWrite.bit() } else { 0 };
        self.0 & (scope.bit() | implied) != 0
    }

    /// The scopes that were chosen, in their order.
    pub fn chosen(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }

    /// Whether no scope was chosen.
    pub fn is_empty(self) -> bool {
        self.chosen().next().is_none()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_tasks_includes_reading_them_and_no_other_scope_includes_another() {
        for chosen in Scope::ALL {
            let scopes: Scopes = [chosen].into_iter().collect();
            for asked in Scope::ALL {
                let expected = asked == chosen || (asked, chosen) == (Scope::TasksRead, Scope::TasksWrite);
                assert_eq!(scopes.allow(asked), expected, "{chosen:?} for {asked:?}");
            }
        }
        assert!(Scopes::from_bits(8).is_empty() && !Scopes::from_bits(8).allow(Scope::Account));
    }
}
