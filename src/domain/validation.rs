//! Validation of inputs: collects all faults of an input, each with its path.

use crate::domain::{Error, FieldFault, MAX_FAULTS, PathSegment, Problem};

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
