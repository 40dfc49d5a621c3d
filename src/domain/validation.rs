//! Validation of inputs: collects all faults, each with its path and a stable rule.

use crate::domain::Error;

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

/// Collects the faults of one input while it is parsed, so that the client gets all of them in one response.
#[derive(Debug, Default)]
pub struct Faults {
    path: Vec<PathSegment>,
    found: Vec<FieldFault>,
}

impl Faults {
    /// Faults of an input in the argument `name`.
    pub fn of(name: &str) -> Self {
        Self { path: vec![name.into()], found: Vec::new() }
    }

    /// The number of faults found so far.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Adds a fault at `field` of the current path; an empty `field` stands for the current path itself.
    /// Faults beyond [`MAX_FAULTS`] are dropped, so that the size of the response is bounded.
    pub fn push(&mut self, field: &str, problem: Problem) {
        if self.found.len() == MAX_FAULTS {
            return;
        }
        let mut path = self.path.clone();
        if !field.is_empty() {
            path.push(field.into());
        }
        self.found.push(FieldFault { path, problem });
    }

    /// The parsed value; or None, after adding the problem as a fault.
    pub fn check<T>(&mut self, field: &str, parsed: Result<T, Problem>) -> Option<T> {
        parsed.map_err(|problem| self.push(field, problem)).ok()
    }

    /// Parses a value one path segment below the current path.
    pub fn within<T>(&mut self, step: impl Into<PathSegment>, parse: impl FnOnce(&mut Self) -> T) -> T {
        self.inside(vec![step.into()], parse)
    }

    /// Parses a value several path segments below the current path.
    pub fn inside<T>(&mut self, steps: Vec<PathSegment>, parse: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.path.len();
        self.path.extend(steps);
        let parsed = parse(self);
        self.path.truncate(depth);
        parsed
    }

    /// The parsed input, or an error with all faults.
    pub fn finish<T>(self, parsed: Option<T>) -> Result<T, Error> {
        match parsed {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.found)),
        }
    }

    /// Fails if there are faults.
    pub fn into_result(self) -> Result<(), Error> {
        self.finish(Some(()))
    }

    /// The faults, for an error of another kind.
    pub fn into_found(self) -> Vec<FieldFault> {
        self.found
    }
}
