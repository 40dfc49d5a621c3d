//! Why the guard refuses a document or the values of an operation.

use async_graphql_parser::Pos;

/// Why a document or a value is refused. No message quotes a value, since a document can hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The document exceeds a limit.
    #[error(transparent)]
    LimitExceeded(#[from] LimitExceeded),
    /// The document is not valid GraphQL.
    #[error("{message}")]
    Invalid { message: String, position: Option<Pos> },
    /// Values do not have the types of their arguments or variables; at least one.
    #[error("{} values are invalid.", .0.len())]
    Values(Vec<ValueError>),
}

impl Error {
    /// An invalid document; the error has no position.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), position: None }
    }

    /// A syntax error. It has the position and not the message of the parser, which quotes the document.
    pub fn syntax(error: &async_graphql_parser::Error) -> Self {
        let position = error.positions().next();
        let at = position.map_or(String::new(), |at| format!(" at line {}, column {}", at.line, at.column));
        Self::Invalid { message: format!("The document has a syntax error{at}."), position }
    }
}

/// A limit that a document exceeds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{quantity} is {count}; the limit is {limit}.")]
pub struct LimitExceeded {
    quantity: &'static str,
    count: usize,
    limit: usize,
}

impl LimitExceeded {
    /// An error when `count` is greater than `limit`.
    pub fn check(quantity: &'static str, count: usize, limit: usize) -> Result<(), Self> {
        if count > limit { Err(Self { quantity, count, limit }) } else { Ok(()) }
    }
}

/// A value that does not have the type of its argument or variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// The names and indexes that lead from the argument or variable to the value.
    pub path: Vec<PathSegment>,
    pub rule: Rule,
    /// A predicate, to be read after the name of the field: "must not be null".
    pub message: String,
}

/// A step of the path to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSegment {
    Field(String),
    Index(usize),
}

/// The rule that a value breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Required,
    TooMany,
    OutOfRange,
    Invalid,
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

/// Collects the value errors of one operation, each with its path, up to a maximum.
#[derive(Debug)]
pub struct ValueErrors {
    path: Vec<PathSegment>,
    found: Vec<ValueError>,
    max: usize,
}

impl ValueErrors {
    /// Collects at most `max` errors.
    pub fn new(max: usize) -> Self {
        Self { path: Vec::new(), found: Vec::new(), max }
    }

    /// Whether the maximum has been reached. More values need not be checked then.
    pub fn is_full(&self) -> bool {
        self.found.len() >= self.max
    }

    /// Adds an error about the value at the current path.
    pub fn push(&mut self, rule: Rule, message: impl Into<String>) {
        if !self.is_full() {
            self.found.push(ValueError { path: self.path.clone(), rule, message: message.into() });
        }
    }

    /// Adds an error about a field of the value at the current path.
    pub fn push_at(&mut self, field: &str, rule: Rule, message: impl Into<String>) {
        self.within(field, |errors| errors.push(rule, message));
    }

    /// Runs a check whose errors get `step` appended to their path.
    pub fn within(&mut self, step: impl Into<PathSegment>, check: impl FnOnce(&mut Self)) {
        self.path.push(step.into());
        check(self);
        self.path.pop();
    }

    /// The collected errors.
    pub fn into_found(self) -> Vec<ValueError> {
        self.found
    }
}
