//! Which parts of a task stay the same when its document is replaced.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use super::values::{File, Item, Risk};

/// For each new checklist item, the index of the old one that it is: one with the same section and text. Each
/// old one is used once, in order.
pub fn match_items(old: &[Item], new: &[Item]) -> Vec<Option<usize>> {
    matches(old, new, |item| (item.section, item.text.as_str()))
}

/// For each new risk, the index of the old one that it is: one with the same description.
pub fn match_risks(old: &[Risk], new: &[Risk]) -> Vec<Option<usize>> {
    matches(old, new, |risk| risk.description.as_str())
}

/// For each new file, the index of the old one that it is: one with the same path and kind.
pub fn match_files(old: &[File], new: &[File]) -> Vec<Option<usize>> {
    matches(old, new, |file| (file.kind, file.path.as_str()))
}

fn matches<'a, T, K: Eq + Hash>(old: &'a [T], new: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<Option<usize>> {
    let mut unused: HashMap<K, VecDeque<usize>> = HashMap::new();
    for (index, old) in old.iter().enumerate() {
        unused.entry(key(old)).or_default().push_back(index);
    }
    new.iter().map(|new| unused.get_mut(&key(new)).and_then(VecDeque::pop_front)).collect()
}
