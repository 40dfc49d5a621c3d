//! The keys that the tasks of the new source have.

use std::collections::{HashMap, HashSet};

use super::slots::Slot;
use super::types::Merge;
use crate::list;

/// The key of each task of the new source, in its order.
///
/// A task of the file keeps the key of the file. A task that only the server has keeps its key if the new
/// source is then read with the same keys, and otherwise gets the next free key.
pub(super) fn plan(input: &Merge<'_>, slots: &[Slot]) -> Vec<String> {
    let file = &input.file.1.tasks;
    let mut left_in_file: HashMap<&str, usize> = HashMap::new();
    for task in file {
        *left_in_file.entry(written(&task.key)).or_default() += 1;
    }
    let mut repeats: HashMap<&str, usize> = HashMap::new();
    let kept: Vec<Option<&str>> = slots
        .iter()
        .map(|slot| match *slot {
            Slot::File(index) => {
                let key = file[index].key.as_str();
                *left_in_file.entry(written(key)).or_default() -= 1;
                *repeats.entry(written(key)).or_default() += 1;
                Some(key)
            }
            Slot::Carried(index) => {
                let key = input.tasks[index].key;
                let comes_last = left_in_file.get(written(key)).copied().unwrap_or_default() == 0;
                let repeat = repeats.entry(written(key)).or_default();
                let is_kept = comes_last && numbered(written(key), *repeat + 1) == key;
                *repeat += usize::from(is_kept);
                is_kept.then_some(key)
            }
        })
        .collect();
    let carried = slots.iter().filter_map(|slot| slot.carried()).map(|index| input.tasks[index].key);
    let mut free = FreeKeys::new(kept.iter().copied().flatten().chain(carried));
    kept.iter().map(|key| key.map_or_else(|| free.next(), str::to_owned)).collect()
}

/// The key as the document has it, without the number of a repeated key.
pub(super) fn written(key: &str) -> &str {
    key.split_once('#').map_or(key, |(written, _)| written)
}

/// The key that the reader gives to the task which has the written key as the `repeat`th.
fn numbered(written: &str, repeat: usize) -> String {
    if repeat == 1 { written.to_owned() } else { format!("{written}#{repeat}") }
}

/// Next free keys, one after the other.
struct FreeKeys<'a> {
    used: HashSet<&'a str>,
    next: Option<String>,
    /// The next number to try when there is no greater number that can be a key.
    smallest: u32,
}

impl<'a> FreeKeys<'a> {
    fn new(used: impl Iterator<Item = &'a str>) -> Self {
        Self { used: used.collect(), next: None, smallest: 1 }
    }

    fn next(&mut self) -> String {
        let next = match &self.next {
            None => list::next_key(self.used.iter().copied()),
            Some(last) => list::next_key([last.as_str()]),
        };
        if list::is_key(&next) && !self.used.contains(next.as_str()) {
            self.next = Some(next.clone());
            return next;
        }
        loop {
            let next = format!("T{:03}", self.smallest);
            self.smallest += 1;
            if !self.used.contains(next.as_str()) {
                return next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_keys_follow_the_greatest_number_and_differ() {
        let mut free = FreeKeys::new(["T009", "T0041", "T012a"].into_iter());
        assert_eq!([free.next(), free.next()], ["T0042", "T0043"]);
    }

    #[test]
    fn behind_the_greatest_possible_number_the_smallest_free_numbers_follow() {
        let mut free = FreeKeys::new(["T999998", "T001", "T003"].into_iter());
        let next = [free.next(), free.next(), free.next()];
        assert_eq!(next, ["T999999", "T002", "T004"]);
    }
}
