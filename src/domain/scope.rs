//! The scopes of API keys.

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
