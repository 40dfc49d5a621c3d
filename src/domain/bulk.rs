//! Bulk operations: up to 100 values in one call, which are all processed or none.

use std::collections::HashSet;

use uuid::Uuid;

use crate::domain::{Error, Faults, FieldFault, MAX_FAULTS, Problem, Result, Rule};

/// The maximum number of values in one call.
pub const MAX_BULK: usize = 100;

/// Checks the number of values in a call.
pub fn check_count(count: usize) -> Result<(), Problem> {
    match count {
        0 => Err(Problem::new(Rule::TooShort, "must not be empty")),
        1..=MAX_BULK => Ok(()),
        _ => Err(Problem::new(Rule::TooMany, format!("may have at most {MAX_BULK} items"))),
    }
}

/// Ids in the order of the argument `ids`, without duplicates, each with its index in the argument.
#[derive(Clone, Debug)]
pub struct BulkIds(Vec<(usize, Uuid)>);

impl BulkIds {
    /// Accepts 1 to 100 different ids. None stands for a value that is not a UUID.
    pub fn parse(given: &[Option<Uuid>]) -> Result<Self> {
        let mut faults = Faults::default();
        let (mut seen, mut ids) = (HashSet::new(), Vec::new());
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

    /// The ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.0.iter().map(|(_, id)| *id)
    }

    /// All results, or the first error. An Invalid error also gets the index of each id that is invalid.
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

    /// An error with the index of each id for which `error_of` returns an error; None when it returns none.
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
