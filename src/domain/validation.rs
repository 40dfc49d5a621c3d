//! What is wrong with an input: every fault at once, each with its place and a stable rule.

use crate::domain::Error;

/// How many faults an error tells at most.
pub const MAX_FAULTS: usize = 100;

/// The rule that a value breaks; clients choose their own words by it.
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
    /// The name that stands in `extensions.fields[].rule`.
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

/// Why a value was refused, before it is known where it stood. The message follows the field's name:
/// "must not be empty".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub rule: Rule,
    pub message: String,
}

impl Problem {
    /// A broken rule and its words.
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into() }
    }

    /// A value that has to be there and is not.
    pub fn required() -> Self {
        Self::new(Rule::Required, "must not be empty")
    }

    /// Null where the field has no null.
    pub fn null() -> Self {
        Self::new(Rule::Required, "must not be null")
    }
}

/// A step on the way from the arguments to the faulty value.
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

/// One fault of an input and its place inside the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    pub path: Vec<PathSegment>,
    pub problem: Problem,
}

/// Collects the faults of one input while it is parsed, so that all are told at once.
#[derive(Debug, Default)]
pub struct Faults {
    path: Vec<PathSegment>,
    found: Vec<FieldFault>,
}

impl Faults {
    /// Faults of an input that stands in the argument `name`.
    pub fn of(name: &str) -> Self {
        Self { path: vec![name.into()], found: Vec::new() }
    }

    /// How many faults have been found.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// Notes a fault at `field` of the present place; an empty `field` means the place itself. After a
    /// hundred no more are noted: a request could have more than an answer should.
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

    /// The value of a parse, or None and its fault noted.
    pub fn check<T>(&mut self, field: &str, parsed: Result<T, Problem>) -> Option<T> {
        parsed.map_err(|problem| self.push(field, problem)).ok()
    }

    /// Parses something one step further inside.
    pub fn within<T>(&mut self, step: impl Into<PathSegment>, parse: impl FnOnce(&mut Self) -> T) -> T {
        self.inside(vec![step.into()], parse)
    }

    /// Parses something several steps further inside.
    pub fn inside<T>(&mut self, steps: Vec<PathSegment>, parse: impl FnOnce(&mut Self) -> T) -> T {
        let depth = self.path.len();
        self.path.extend(steps);
        let parsed = parse(self);
        self.path.truncate(depth);
        parsed
    }

    /// The parsed input, or the error that tells every fault.
    pub fn finish<T>(self, parsed: Option<T>) -> Result<T, Error> {
        match parsed {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.found)),
        }
    }

    /// Ends with an error if anything was found.
    pub fn into_result(self) -> Result<(), Error> {
        self.finish(Some(()))
    }

    /// What was found, for an error of another kind.
    pub fn into_found(self) -> Vec<FieldFault> {
        self.found
    }
}
