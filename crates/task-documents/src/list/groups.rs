//! Finds the tasks, phases and stories that statements name.

use std::collections::{HashMap, HashSet};

use crate::list::names::KeyReference;
use crate::list::statements::{Numbers, Reference};
use crate::list::types::{Group, ListDocument};

/// The phases and stories of a document by their numbers, and its tasks.
pub struct Groups<'d> {
    document: &'d ListDocument,
    phases: Numbered,
    stories: Numbered,
    /// The phases that have a story.
    with_story: Vec<usize>,
    /// The keys that are struck through.
    struck: HashSet<&'d str>,
}

/// A part of the document that is named but does not exist, for a message.
pub type Unknown = String;

impl<'d> Groups<'d> {
    /// The groups of a document with these keys that are struck through.
    pub fn new(document: &'d ListDocument, struck: HashSet<&'d str>) -> Self {
        let phases = document.phases.iter().enumerate();
        let numbers = phases.clone().filter_map(|(index, phase)| Some((phase.number.as_deref()?, index)));
        let stories = document.stories.iter().enumerate();
        let with_story = phases.filter(|(_, phase)| phase.story.is_some()).map(|(index, _)| index);
        Self {
            document,
            phases: Numbered::new(numbers),
            stories: Numbered::new(stories.map(|(index, story)| (story.key.trim_start_matches("US"), index))),
            with_story: with_story.collect(),
            struck,
        }
    }

    /// What a reference means, or what of it does not exist. A task whose key is struck through is left out.
    pub fn of(&self, reference: &Reference) -> Result<Vec<Group>, Unknown> {
        match reference {
            Reference::Tasks(keys) => Ok(self.tasks(keys)?.map(Group::Task).collect()),
            Reference::Phases(numbers) => self.of_numbers(numbers, &self.phases, "Phase ", Group::Phase),
            Reference::Stories(numbers) => self.of_numbers(numbers, &self.stories, "US", Group::Story),
        }
    }

    /// The tasks that a reference means.
    pub fn tasks(&self, reference: &KeyReference) -> Result<impl Iterator<Item = usize> + '_, Unknown> {
        let tasks = self.document.names.tasks(reference);
        if tasks.is_none() {
            let keys: &[&String] = match reference {
                KeyReference::One(key) => &[key],
                KeyReference::Range(first, last) => &[first, last],
            };
            let is_unknown =
                |key: &&&String| self.document.index_of(key).is_none() && !self.struck.contains(key.as_str());
            if let Some(unknown) = keys.iter().find(is_unknown) {
                return Err((*unknown).clone());
            }
        }
        Ok(tasks.into_iter().flatten())
    }

    fn of_numbers(
        &self,
        numbers: &Numbers,
        numbered: &Numbered,
        name: &str,
        group: fn(usize) -> Group,
    ) -> Result<Vec<Group>, Unknown> {
        let find = |number: &str| numbered.find(number).ok_or_else(|| format!("{name}{number}"));
        let found = match numbers {
            Numbers::One(number) => vec![find(number)?],
            Numbers::Range(first, last) => {
                find(first).and(find(last))?;
                numbered.range(first, last).collect()
            }
            Numbers::From(number) => {
                let first = find(number)?;
                let later = self.with_story.partition_point(|phase| *phase <= first);
                [first].into_iter().chain(self.with_story[later..].iter().copied()).collect()
            }
        };
        Ok(found.into_iter().map(group).collect())
    }
}

/// Phases or stories by their numbers.
struct Numbered {
    /// The first with each number, in lower case.
    first: HashMap<String, usize>,
    /// All, ordered by their numbers.
    sorted: Vec<(Integer, usize)>,
}

/// The digits with which a number begins, behind those of all numbers a letter.
type Integer = (bool, u64);

impl Numbered {
    fn new<'n>(numbers: impl Iterator<Item = (&'n str, usize)>) -> Self {
        let (mut first, mut sorted) = (HashMap::new(), Vec::new());
        for (number, index) in numbers {
            first.entry(number.to_lowercase()).or_insert(index);
            sorted.push((integer(number), index));
        }
        sorted.sort_unstable();
        Self { first, sorted }
    }

    fn find(&self, number: &str) -> Option<usize> {
        self.first.get(&number.to_lowercase()).copied()
    }

    /// Those whose number lies between these, or is one of them.
    fn range(&self, first: &str, last: &str) -> impl Iterator<Item = usize> + '_ {
        let mut ends = [integer(first), integer(last)];
        ends.sort_unstable();
        let start = self.sorted.partition_point(|(number, _)| *number < ends[0]);
        let end = self.sorted.partition_point(|(number, _)| *number <= ends[1]);
        self.sorted[start..end].iter().map(|(_, index)| *index)
    }
}

/// What a number is compared by in a range: as in the numbers of keys, what follows its first digits does not
/// count.
fn integer(number: &str) -> Integer {
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    match number.as_bytes() {
        [letter, ..] if digits == 0 => (true, u64::from(letter.to_ascii_lowercase())),
        _ => (false, number[..digits].parse().unwrap_or(u64::MAX)),
    }
}
