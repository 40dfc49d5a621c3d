//! Tests of merging, with a small list that stores what the server stores.

mod invariants;
mod model;
mod pairs;
mod sources;
mod tables;

use super::{ChangeKind, Decisions, Merge, Merged, ServerTask, Side, UnknownDecisions, merge};
use crate::list::{self, ListDocument, NewLine, Place, TaskState};

/// A task of a list as the server stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    key: String,
    text: String,
    completed: bool,
    in_trash: bool,
    in_base: bool,
    is_changed: bool,
    /// A name that never changes, so that a test knows the task again.
    id: u32,
}

/// A list as the server stores it.
#[derive(Clone, Debug)]
struct List {
    source: String,
    rows: Vec<Row>,
    next_id: u32,
}

impl List {
    fn import(source: &str) -> Self {
        let mut list = Self { source: source.to_owned(), rows: Vec::new(), next_id: 0 };
        for task in ListDocument::read(source).tasks {
            let id = list.new_id();
            let (key, text, completed) = (task.key, task.text, task.ticked);
            let row = Row { key, text, completed, in_trash: false, in_base: true, is_changed: false, id };
            list.rows.push(row);
        }
        list
    }

    fn new_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    fn row(&self, key: &str) -> &Row {
        self.rows.iter().find(|row| row.key == key).unwrap()
    }

    fn edit(&mut self, key: &str, edit: impl FnOnce(&mut Row)) -> &mut Self {
        let row = self.rows.iter_mut().find(|row| row.key == key).unwrap();
        edit(row);
        row.is_changed = true;
        self
    }

    fn complete(&mut self, key: &str) -> &mut Self {
        self.edit(key, |row| row.completed = true)
    }

    fn reopen(&mut self, key: &str) -> &mut Self {
        self.edit(key, |row| row.completed = false)
    }

    fn reword(&mut self, key: &str, text: &str) -> &mut Self {
        self.edit(key, |row| text.clone_into(&mut row.text))
    }

    fn delete(&mut self, key: &str) -> &mut Self {
        self.edit(key, |row| row.in_trash = true)
    }

    fn purge(&mut self, key: &str) -> &mut Self {
        self.rows.retain(|row| row.key != key);
        self
    }

    /// Creates a task with the next free key after the task `after`.
    fn create(&mut self, after: &str, text: &str) -> String {
        let document = ListDocument::read(&self.source);
        // The source can still have the lines of a purged task, whose key must not be given to a new line.
        let keys = document.tasks.iter().map(|task| task.key.as_str());
        let key = list::next_key(keys.chain(self.rows.iter().map(|row| row.key.as_str())));
        let after = document.tasks.iter().position(|task| task.key == after).unwrap();
        let new = NewLine { key: &key, parallel: false, stories: &[], title: text };
        let (source, _) = list::insert(&self.source, &document, Place::After(after), new);
        let id = self.new_id();
        let row = Row {
            key: key.clone(),
            text: text.to_owned(),
            completed: false,
            in_trash: false,
            in_base: false,
            is_changed: true,
            id,
        };
        self.source = source;
        let earlier = self.rows.iter().position(|row| row.key == document.tasks[after].key);
        self.rows.insert(earlier.unwrap() + 1, row);
        key
    }

    fn export(&self) -> String {
        let document = ListDocument::read(&self.source);
        list::export(&self.source, &document, |key| {
            let row = self.rows.iter().find(|row| row.key == key)?;
            Some(TaskState { text: &row.text, completed: row.completed, in_trash: row.in_trash })
        })
    }

    fn try_merge(
        &self,
        file: &str,
        from_current: bool,
        decisions: &Decisions,
    ) -> Result<Merged, UnknownDecisions> {
        let tasks: Vec<ServerTask<'_>> = self
            .rows
            .iter()
            .map(|row| ServerTask {
                key: &row.key,
                text: &row.text,
                completed: row.completed,
                in_trash: row.in_trash,
                in_base: row.in_base,
                is_changed: row.is_changed && !from_current,
            })
            .collect();
        let (source, new) = (ListDocument::read(&self.source), ListDocument::read(file));
        merge(Merge {
            source: (&self.source, &source),
            tasks: &tasks,
            file: (file, &new),
            from_current,
            decisions,
        })
    }

    /// Merges a file that was made from an earlier version.
    fn merge(&self, file: &str) -> Merged {
        self.try_merge(file, false, &Decisions::default()).unwrap()
    }

    fn merge_all(&self, file: &str, side: Side) -> Merged {
        self.try_merge(file, false, &all(side)).unwrap()
    }

    /// Merges a file that was made from the list as it is now.
    fn merge_current(&self, file: &str) -> Merged {
        self.try_merge(file, true, &Decisions::default()).unwrap()
    }

    /// Stores the result of a merge, as the server does.
    fn apply(&mut self, merged: &Merged) -> &mut Self {
        assert_eq!(merged.conflicts, []);
        assert_eq!(merged.document.tasks.len(), merged.tasks.len());
        let mut rows = Vec::new();
        for (task, written) in merged.tasks.iter().zip(&merged.document.tasks) {
            let old = task.server.map(|index| self.rows[index].clone());
            rows.push(Row {
                key: written.key.clone(),
                text: task.text.clone(),
                completed: task.completed.unwrap_or(old.as_ref().is_some_and(|old| old.completed)),
                in_trash: task.in_trash,
                in_base: task.in_file,
                is_changed: false,
                id: old.map_or_else(|| self.new_id(), |old| old.id),
            });
        }
        self.rows = rows;
        self.source.clone_from(&merged.source);
        self
    }

    fn active_keys(&self) -> Vec<&str> {
        self.rows.iter().filter(|row| !row.in_trash).map(|row| row.key.as_str()).collect()
    }
}

fn all(side: Side) -> Decisions {
    Decisions { single: Vec::new(), all_others: Some(side) }
}

/// The changes in short: the kind, the previous key if there is one, and the key.
fn changes(merged: &Merged) -> Vec<String> {
    let short = |change: &super::Change| match &change.previous_key {
        Some(previous) => format!("{:?} {previous} {}", change.kind, change.key),
        None => format!("{:?} {}", change.kind, change.key),
    };
    merged.changes.iter().map(short).collect()
}

/// The conflicts in short: the kind, the key, and the texts of base, server and file.
fn conflicts(merged: &Merged) -> Vec<String> {
    let short = |conflict: &super::Conflict| {
        let file = conflict.file.as_deref().unwrap_or("-");
        let (kind, key, base, server) = (conflict.kind, &conflict.key, &conflict.base, &conflict.server);
        format!("{kind:?} {key}: {base}, {server}, {file}")
    };
    merged.conflicts.iter().map(short).collect()
}

fn has(merged: &Merged, kind: ChangeKind, server: usize) -> bool {
    merged.changes.iter().any(|change| change.kind == kind && change.server == Some(server))
}
