//! The result of a merge: the tasks of the new source, and what is reported about them.

use std::collections::HashMap;

use super::base::by_key;
use super::decide::{Decided, Outcome};
use super::pairing::Pairs;
use super::slots::Slot;
use super::source::{self, Composed};
use super::types::{Change, ChangeKind, Merge, Merged, MergedTask};
use crate::list::{ListDocument, ListTask};

/// The result, from what was decided about the tasks of the list and from the new source.
pub(super) fn merged(input: &Merge<'_>, pairs: &Pairs, decided: Decided, composed: Composed) -> Merged {
    let Composed { source, document, slots } = composed;
    let written = by_key(input.source.1);
    let mut changes = Vec::new();
    let mut removed = Vec::new();
    let mut tasks = Vec::with_capacity(slots.len());
    for (position, (slot, task)) in slots.iter().zip(&document.tasks).enumerate() {
        let (server, in_file) = match *slot {
            Slot::File(file) => (pairs.server_of[file], true),
            Slot::Carried(server) => (Some(server), false),
        };
        let Some(server) = server else {
            let change = Change {
                kind: ChangeKind::Added,
                key: task.key.clone(),
                previous_key: None,
                server: None,
                task: position,
            };
            changes.push(change);
            tasks.push(added(task));
            continue;
        };
        let outcome = &decided.outcomes[server];
        let kinds = kinds(input, server, outcome, &written, &document, task);
        let is_removed = kinds.contains(&ChangeKind::Removed);
        let previous = input.tasks[server].key;
        let key = if is_removed { previous } else { task.key.as_str() };
        let change = |kind| Change {
            kind,
            key: key.to_owned(),
            previous_key: (kind == ChangeKind::Renumbered).then(|| previous.to_owned()),
            server: Some(server),
            task: position,
        };
        let of_task = kinds.into_iter().map(change);
        if is_removed {
            removed.extend(of_task);
        } else {
            changes.extend(of_task);
        }
        tasks.push(MergedTask {
            server: Some(server),
            text: outcome.text.clone(),
            completed: outcome.completed,
            in_trash: outcome.in_trash,
            in_file,
        });
    }
    changes.append(&mut removed);
    Merged { conflicts: decided.conflicts, changes, source, document, tasks }
}

fn added(task: &ListTask) -> MergedTask {
    MergedTask {
        server: None,
        text: task.text.clone(),
        completed: task.ticked.then_some(true),
        in_trash: false,
        in_file: true,
    }
}

/// What is reported about a task of the list. A task in the trash gets another key and another place
/// without a report.
fn kinds(
    input: &Merge<'_>,
    server: usize,
    outcome: &Outcome,
    written: &HashMap<&str, &ListTask>,
    document: &ListDocument,
    task: &ListTask,
) -> Vec<ChangeKind> {
    let mut kinds = outcome.kinds.clone();
    let before = &input.tasks[server];
    if !outcome.in_trash && before.key != task.key {
        kinds.push(ChangeKind::Renumbered);
    }
    let stays = !outcome.in_trash && !before.in_trash;
    let is_moved = |old: &&ListTask| place(old, input.source.1) != place(task, document);
    if stays && written.get(before.key).is_some_and(is_moved) {
        kinds.push(ChangeKind::Moved);
    }
    kinds.sort_unstable();
    kinds
}

/// What a task must change to be reported as moved.
fn place<'a>(
    task: &'a ListTask,
    document: &'a ListDocument,
) -> (bool, Vec<&'a str>, Option<(bool, &'a str)>) {
    let mut stories: Vec<&str> = task.stories.iter().map(String::as_str).collect();
    stories.sort_unstable();
    stories.dedup();
    (task.parallel, stories, source::phase(task, document))
}
