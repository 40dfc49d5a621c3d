//! The faults of an input: the rule that a value breaks, the message, and the path to the value.

/// The maximum number of faults of an error.
pub const MAX_FAULTS: usize = 100;

/// The rule that a value breaks. Clients can choose their own message for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Required,
    TooShort,
    TooLong,
    TooMany,
    OutOfRange,
    Invalid,
    Weak,
    Mismatch,
    Taken,
    Duplicate,
    Conflicting,
    Cycle,
}

impl Rule {
    /// The name in `extensions.fields[].rule`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::TooMany => "too_many",
            Self::OutOfRange => "out_of_range",
            Self::Invalid => "invalid",
            Self::Weak => "weak",
            Self::Mismatch => "mismatch",
            Self::Taken => "taken",
            Self::Duplicate => "duplicate",
            Self::Conflicting => "conflicting",
            Self::Cycle => "cycle",
        }
    }
}

/// The reason why a value is rejected, without its path. The message follows the name of the field: "must not
/// be empty".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub rule: Rule,
    pub message: String,
}

impl Problem {
    /// A broken rule and its message.
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into() }
    }

    /// A required value is empty.
    pub fn required() -> Self {
        Self::new(Rule::Required, "must not be empty")
    }

    /// A field that cannot be null is null.
    pub fn null() -> Self {
        Self::new(Rule::Required, "must not be null")
    }
}

/// A step of the path from the arguments to the faulty value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    Field(String),
    Index(usize),
}

impl From<&str> for PathSegment {
    fn from(name: &str) -> Self {
        Self::Field(name.to_owned())
    }
}

impl From<usize> for PathSegment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A fault of an input and its path in the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    pub path: Vec<PathSegment>,
    pub problem: Problem,
}
