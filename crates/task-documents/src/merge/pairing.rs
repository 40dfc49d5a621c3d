//! Which task of the file is which task of the list.

use std::collections::HashMap;

use super::base::BaseTask;
use super::types::ServerTask;
use crate::list::ListTask;

/// The pairs of tasks of the list and tasks of the file, in both directions.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    /// For each task of the list, the index of the same task in the file.
    pub file_of: Vec<Option<usize>>,
    /// For each task of the file, the index of the same task in the list.
    pub server_of: Vec<Option<usize>>,
}

impl Pairs {
    fn none(server: usize, file: usize) -> Self {
        Self { file_of: vec![None; server], server_of: vec![None; file] }
    }

    fn add(&mut self, server: usize, file: usize) {
        self.file_of[server] = Some(file);
        self.server_of[file] = Some(server);
    }

    fn is_free(&self, server: usize, file: usize) -> bool {
        self.file_of[server].is_none() && self.server_of[file].is_none()
    }
}

/// Pairs the tasks: by key and text, then by a text that occurs once, then by key. A task that was made on
/// the server is the task of the file with its key and its text.
pub(super) fn pair(base: &[Option<BaseTask>], tasks: &[ServerTask<'_>], file: &[ListTask]) -> Pairs {
    let mut pairs = Pairs::none(base.len(), file.len());
    let file_by_key: HashMap<&str, usize> =
        file.iter().enumerate().map(|(index, task)| (task.key.as_str(), index)).collect();
    let in_base = || base.iter().enumerate().filter_map(|(index, task)| Some((index, task.as_ref()?)));
    let by_key = |pairs: &mut Pairs, server: usize, key: &str, text: Option<&str>| {
        let Some(&other) = file_by_key.get(key) else { return };
        if pairs.is_free(server, other) && text.is_none_or(|text| file[other].text == text) {
            pairs.add(server, other);
        }
    };

    for (server, task) in in_base() {
        by_key(&mut pairs, server, &task.key, Some(&task.text));
    }
    for (server, other) in same_text(base, file, &pairs) {
        pairs.add(server, other);
    }
    for (server, task) in in_base() {
        by_key(&mut pairs, server, &task.key, None);
    }
    let made_on_server =
        tasks.iter().enumerate().filter(|(index, task)| base[*index].is_none() && !task.in_trash);
    for (server, task) in made_on_server {
        by_key(&mut pairs, server, task.key, Some(task.text));
    }
    pairs
}

/// The tasks without a pair whose text is not empty and occurs once among the tasks without a pair on each
/// side.
fn same_text(base: &[Option<BaseTask>], file: &[ListTask], pairs: &Pairs) -> Vec<(usize, usize)> {
    let free_base = base.iter().enumerate().filter(|(index, _)| pairs.file_of[*index].is_none());
    let free_base = free_base.filter_map(|(index, task)| Some((index, task.as_ref()?.text.as_str())));
    let free_file = file.iter().enumerate().filter(|(index, _)| pairs.server_of[*index].is_none());
    let once_in_file = once(free_file.map(|(index, task)| (index, task.text.as_str())));
    let mut same: Vec<(usize, usize)> = once(free_base)
        .into_iter()
        .filter_map(|(text, server)| Some((server, once_in_file.get(text).copied()?)))
        .collect();
    same.sort_unstable();
    same
}

/// The texts that are not empty and occur once, each with its index.
fn once<'a>(texts: impl Iterator<Item = (usize, &'a str)>) -> HashMap<&'a str, usize> {
    let mut all: HashMap<&str, Option<usize>> = HashMap::new();
    for (index, text) in texts.filter(|(_, text)| !text.is_empty()) {
        all.entry(text).and_modify(|first| *first = None).or_insert(Some(index));
    }
    all.into_iter().filter_map(|(text, index)| Some((text, index?))).collect()
}
