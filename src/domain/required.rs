//! What an operation requires of its viewer beyond being signed in.

use crate::domain::Scope;

/// What a viewer lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// A scope of the API key.
    Scope(Scope),
    /// A session in place of an API key.
    Session,
    /// A verified e-mail address.
    VerifiedEmail,
}

impl Required {
    /// The name in `extensions.required`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scope(scope) => scope.name(),
            Self::Session => "SESSION",
            Self::VerifiedEmail => "VERIFIED_EMAIL",
        }
    }

    /// The message of the error.
    pub fn message(self) -> &'static str {
        match self {
            Self::Scope(Scope::TasksRead) => "This API key lacks the scope TASKS_READ.",
            Self::Scope(Scope::TasksWrite) => "This API key lacks the scope TASKS_WRITE.",
            Self::Scope(Scope::Account) => "This API key lacks the scope ACCOUNT.",
            Self::Session => "This needs a sign-in. An API key is not enough.",
            Self::VerifiedEmail => "Verify your e-mail address first.",
        }
    }
}
