//! Calls about several things at once: up to 100, all of them or none.

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::{Error, Faults, FieldFault, MAX_FAULTS, Problem, Result, Rule};

/// The most things that one call can be about.
pub const MAX_BULK: usize = 100;

/// What is wrong with a number of things, if anything is.
pub fn check_count(count: usize) -> Result<(), Problem> {
    match count {
        0 => Err(Problem::new(Rule::TooShort, "must not be empty")),
        1..=MAX_BULK => Ok(()),
        _ => Err(Problem::new(Rule::TooMany, format!("may have at most {MAX_BULK} items"))),
    }
}

/// Ids in the order they were given, each once, with their place in the argument `ids`.
#[derive(Clone, Debug)]
pub struct BulkIds(Vec<(usize, Uuid)>);

impl BulkIds {
    /// Accepts 1 to 100 different ids; None stands for what is no id.
    pub fn parse(given: &[Option<Uuid>]) -> Result<Self> {
        let mut faults = Faults::default();
        let (mut seen, mut ids) = (HashSet::new(), Vec::new());
        // More than enough to tell that there are too many.
        for (index, id) in given.iter().enumerate() {
            match id {
                Some(id) if seen.insert(*id) => ids.push((index, *id)),
                Some(_) => {}
                None => faults.within("ids", |faults| {
                    faults.within(index, |faults| {
                        faults.push("", Problem::new(Rule::Invalid, "is not a UUID"));
                    });
                }),
            }
        }
        faults.check("ids", check_count(ids.len().max(usize::from(faults.count() > 0))));
        faults.finish(Some(Self(ids)))
    }

    /// The ids themselves.
    pub fn ids(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.0.iter().map(|(_, id)| *id)
    }

    /// What was done to each of them, or the error of the first that failed, with the places of all.
    pub fn all_or_none<T>(&self, done: Vec<Result<T>>) -> Result<Vec<T>> {
        let mut faults = Vec::new();
        for ((index, _), outcome) in self.0.iter().zip(&done) {
            if let Err(Error::Invalid(found)) = outcome {
                if faults.is_empty() {
                    faults.extend(found.iter().cloned());
                }
                let path = vec!["ids".into(), (*index).into()];
                faults.extend(found.iter().map(|fault| FieldFault { path: path.clone(), ..fault.clone() }));
            }
        }
        faults.truncate(MAX_FAULTS);
        if faults.is_empty() { done.into_iter().collect() } else { Err(Error::Invalid(faults)) }
    }

    /// The error that some of them give; None when none does.
    pub fn error_for(&self, error_of: impl Fn(Uuid) -> Option<Error>) -> Option<Error> {
        let errors: Vec<(usize, Error)> =
            self.0.iter().filter_map(|(index, id)| error_of(*id).map(|error| (*index, error))).collect();
        let mut faults = Faults::of("ids");
        for (index, error) in &errors {
            let problem = Problem::new(Rule::Invalid, error.problem());
            faults.within(*index, |faults| faults.push("", problem));
        }
        let (_, reason) = errors.into_iter().next()?;
        Some(Error::Bulk { reason: Box::new(reason), faults: faults.into_found() })
    }
}
