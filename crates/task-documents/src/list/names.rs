//! Finds the tasks of a document by their keys.

use std::collections::HashMap;

/// A reference to tasks by their keys, as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyReference {
    One(String),
    /// The tasks whose numbers are those of these keys, or lie between them.
    Range(String, String),
}

/// The tasks of a document by their keys, and by the numbers in their keys.
#[derive(Clone, Debug, Default)]
pub struct Names {
    tasks: HashMap<String, usize>,
    /// Each number with its task, in ascending order.
    numbers: Vec<(u32, usize)>,
}

impl Names {
    /// The names of the tasks with these keys.
    pub fn new<'k>(keys: impl Iterator<Item = &'k str>) -> Self {
        let tasks: HashMap<String, usize> =
            keys.enumerate().map(|(task, key)| (key.to_owned(), task)).collect();
        let mut numbers: Vec<_> = tasks.iter().map(|(key, task)| (number_of(key), *task)).collect();
        numbers.sort_unstable();
        Self { tasks, numbers }
    }

    /// The index of the task with this key.
    pub fn task(&self, key: &str) -> Option<usize> {
        self.tasks.get(key).copied()
    }

    /// The tasks that a reference means. None if the document does not have a task that it names.
    pub fn tasks(&self, reference: &KeyReference) -> Option<impl Iterator<Item = usize> + '_> {
        let (first, range) = match reference {
            KeyReference::One(key) => (Some(self.task(key)?), 0..0),
            KeyReference::Range(first, last) => {
                self.task(first).and(self.task(last))?;
                let mut ends = [first, last].map(|key| number_of(key));
                ends.sort_unstable();
                let start = self.numbers.partition_point(|(number, _)| *number < ends[0]);
                (None, start..self.numbers.partition_point(|(number, _)| *number <= ends[1]))
            }
        };
        Some(first.into_iter().chain(self.numbers[range].iter().map(|(_, task)| *task)))
    }
}

/// The number of a key: the digits behind the `T`.
fn number_of(key: &str) -> u32 {
    let digits = key.trim_start_matches(['T', '-']);
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    digits[..length].parse().unwrap_or(0)
}
