//! Why the guard refuses a document or the values of an operation.

use async_graphql_parser::Pos;

/// Why a document or a value is refused. No text of it quotes a value: a document can hold a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The document is over a limit.
    #[error(transparent)]
    LimitExceeded(#[from] LimitExceeded),
    /// The document is not valid GraphQL.
    #[error("{message}")]
    Invalid { message: String, position: Option<Pos> },
    /// Values do not have the types of their arguments or variables.
    #[error("{} values are invalid.", .0.len())]
    Values(Vec<ValueError>),
}

impl Error {
    /// An invalid document; the error has no position.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), position: None }
    }

    /// A syntax error with its position only: the message of the parser quotes the line.
    pub fn syntax(error: &async_graphql_parser::Error) -> Self {
        let position = error.positions().next();
        let at = position.map_or(String::new(), |at| format!(" at line {}, column {}", at.line, at.column));
        Self::Invalid { message: format!("The document has a syntax error{at}."), position }
    }
}

/// A limit that a document is over.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{quantity} is {count}; the limit is {limit}.")]
pub struct LimitExceeded {
    quantity: &'static str,
    count: usize,
    limit: usize,
}

impl LimitExceeded {
    /// Fails when there are more than the limit.
    pub fn check(quantity: &'static str, count: usize, limit: usize) -> Result<(), Self> {
        if count > limit { Err(Self { quantity, count, limit }) } else { Ok(()) }
    }
}

/// A value that does not have the type of its argument or variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// The way from the argument or variable to the value.
    pub path: Vec<PathSegment>,
    pub rule: Rule,
    /// The message follows the name of the field: "must not be null".
    pub message: String,
}

/// A step on the way to a value.
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

    /// Whether as many errors have been found as are collected: checking more values is of no use.
    pub fn is_full(&self) -> bool {
        self.found.len() >= self.max
    }

    /// Adds an error about the value at the present path.
    pub fn push(&mut self, rule: Rule, message: impl Into<String>) {
        if !self.is_full() {
            self.found.push(ValueError { path: self.path.clone(), rule, message: message.into() });
        }
    }

    /// Adds an error about a field of the value at the present path.
    pub fn push_at(&mut self, field: &str, rule: Rule, message: impl Into<String>) {
        self.within(field, |errors| errors.push(rule, message));
    }

    /// Runs a check whose errors are one step further inside.
    pub fn within(&mut self, step: impl Into<PathSegment>, check: impl FnOnce(&mut Self)) {
        self.path.push(step.into());
        check(self);
        self.path.pop();
    }

    /// The errors that have been found.
    pub fn into_found(self) -> Vec<ValueError> {
        self.found
    }
}
