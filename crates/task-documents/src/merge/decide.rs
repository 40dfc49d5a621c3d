//! What a merge does to each task of the list: box, text, trash and conflicts.

use std::collections::{HashMap, HashSet};

use super::base::{self, BaseTask};
use super::pairing::Pairs;
use super::types::{
    ChangeKind, Conflict, ConflictKind, Decisions, Merge, ServerTask, Side, UnknownDecisions,
};
use crate::list::ListTask;

/// What a merge does to a task of the list.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub text: String,
    pub completed: Option<bool>,
    pub in_trash: bool,
    /// What is reported besides a new key and a new place.
    pub kinds: Vec<ChangeKind>,
}

/// The outcome for each task of the list, and the conflicts without a decision.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub outcomes: Vec<Outcome>,
    pub conflicts: Vec<Conflict>,
}

/// Decides about each task of the list.
///
/// Errors: [`UnknownDecisions`] when a single decision is about a key that has no conflict.
pub(super) fn decide(
    input: &Merge<'_>,
    base: &[Option<BaseTask>],
    pairs: &Pairs,
) -> Result<Decided, UnknownDecisions> {
    let written = base::by_key(input.source.1);
    let mut decider = Decider::new(input.decisions);
    let outcomes = input.tasks.iter().enumerate().map(|(index, task)| {
        let file = pairs.file_of[index].map(|file| &input.file.1.tasks[file]);
        match (file, base[index].as_ref()) {
            (Some(file), Some(base)) if task.in_trash => decider.in_trash(index, task, base, file),
            (Some(file), Some(base)) => paired(&mut decider, index, task, base, file),
            (Some(file), None) => {
                let ticked = written.get(task.key).is_some_and(|written| written.ticked);
                made_on_both_sides(task, ticked, file)
            }
            (None, Some(base)) if !task.in_trash => decider.removed_in_file(index, task, base),
            (None, _) => Outcome::unchanged(task),
        }
    });
    let outcomes = outcomes.collect();
    decider.require_known(input.decisions)?;
    let mut conflicts = decider.undecided;
    conflicts.sort_by_key(|conflict| match pairs.file_of[conflict.task] {
        Some(file) => (false, file),
        None => (true, conflict.task),
    });
    Ok(Decided { outcomes, conflicts })
}

impl Outcome {
    fn unchanged(task: &ServerTask<'_>) -> Self {
        Self { text: task.text.to_owned(), completed: None, in_trash: task.in_trash, kinds: Vec::new() }
    }
}

/// A task that both sides have and that is not in the trash.
fn paired(
    decider: &mut Decider<'_>,
    index: usize,
    task: &ServerTask<'_>,
    base: &BaseTask,
    file: &ListTask,
) -> Outcome {
    let mut outcome = Outcome::unchanged(task);
    merge_text(decider, &mut outcome, index, task, base, file);
    merge_box(&mut outcome, base.ticked, base.has_new_box, file);
    let keeps_box = base.has_new_box && task.completed && !file.ticked;
    if keeps_box && file.text != base.text && file.text != task.text {
        outcome.kinds.push(ChangeKind::KeptOnNewText);
    }
    outcome
}

/// A task that was made on the server, and that the file has with the same key and text. `ticked` is the
/// box that the source has.
fn made_on_both_sides(task: &ServerTask<'_>, ticked: bool, file: &ListTask) -> Outcome {
    let mut outcome = Outcome::unchanged(task);
    merge_box(&mut outcome, ticked, task.completed != ticked, file);
    outcome
}

fn merge_box(outcome: &mut Outcome, base: bool, has_new_box: bool, file: &ListTask) {
    match (file.ticked != base, has_new_box) {
        (true, false) => {
            outcome.completed = Some(file.ticked);
            outcome.kinds.push(if file.ticked { ChangeKind::Completed } else { ChangeKind::Reopened });
        }
        (false, true) => outcome.keep(),
        (false, false) | (true, true) => {}
    }
}

fn merge_text(
    decider: &mut Decider<'_>,
    outcome: &mut Outcome,
    index: usize,
    task: &ServerTask<'_>,
    base: &BaseTask,
    file: &ListTask,
) {
    let side = match (file.text != base.text, base.has_new_text) {
        (false, false) => return,
        (true, true) if file.text == task.text => return,
        (true, false) => Some(Side::File),
        (false, true) => Some(Side::Server),
        (true, true) => decider.side(ConflictKind::Text, index, task, base, Some(file)),
    };
    match side {
        Some(Side::File) => {
            outcome.text.clone_from(&file.text);
            outcome.kinds.push(ChangeKind::Text);
        }
        Some(Side::Server) => outcome.keep(),
        None => {}
    }
}

impl Outcome {
    /// Reports that a value of the server is kept, once for both values.
    fn keep(&mut self) {
        if !self.kinds.contains(&ChangeKind::Kept) {
            self.kinds.push(ChangeKind::Kept);
        }
    }
}

/// The decisions, and the conflicts that have been found so far.
struct Decider<'a> {
    single: HashMap<&'a str, Side>,
    all_others: Option<Side>,
    keys: HashSet<String>,
    undecided: Vec<Conflict>,
}

impl<'a> Decider<'a> {
    fn new(decisions: &'a Decisions) -> Self {
        // Of several decisions about one key, the first counts.
        let single = decisions.single.iter().rev().map(|(key, side)| (key.as_str(), *side)).collect();
        Self { single, all_others: decisions.all_others, keys: HashSet::new(), undecided: Vec::new() }
    }

    /// The decision about a conflict. Without a decision, the conflict is noted.
    ///
    /// Two conflicts can have one key: that of a task which the file removes, and that of a task in the
    /// trash to which the file gives the key. A decision about the key is then about both.
    fn side(
        &mut self,
        kind: ConflictKind,
        index: usize,
        task: &ServerTask<'_>,
        base: &BaseTask,
        file: Option<&ListTask>,
    ) -> Option<Side> {
        let key = file.map_or(task.key, |file| file.key.as_str());
        let side = self.single.get(key).copied().or(self.all_others);
        self.keys.insert(key.to_owned());
        if side.is_none() {
            self.undecided.push(Conflict {
                kind,
                key: key.to_owned(),
                base: base.text.clone(),
                server: task.text.to_owned(),
                file: file.map(|file| file.text.clone()),
                task: index,
            });
        }
        side
    }

    /// A task in the trash that the file has.
    fn in_trash(&mut self, index: usize, task: &ServerTask<'_>, base: &BaseTask, file: &ListTask) -> Outcome {
        let mut outcome = Outcome::unchanged(task);
        let is_same = file.ticked == base.ticked && file.text == base.text && file.details == base.details;
        if is_same {
            return outcome;
        }
        if self.side(ConflictKind::RemovedOnServer, index, task, base, Some(file)) == Some(Side::File) {
            outcome.text.clone_from(&file.text);
            outcome.completed = (file.ticked != task.completed).then_some(file.ticked);
            outcome.in_trash = false;
            outcome.kinds.push(ChangeKind::Restored);
        }
        outcome
    }

    /// A task of the base that the file does not have, and that is not in the trash.
    fn removed_in_file(&mut self, index: usize, task: &ServerTask<'_>, base: &BaseTask) -> Outcome {
        let mut outcome = Outcome::unchanged(task);
        let side = if task.is_changed {
            self.side(ConflictKind::RemovedInFile, index, task, base, None)
        } else {
            Some(Side::File)
        };
        match side {
            Some(Side::File) => {
                outcome.in_trash = true;
                outcome.kinds.push(ChangeKind::Removed);
            }
            Some(Side::Server) => outcome.keep(),
            None => {}
        }
        outcome
    }

    fn require_known(&self, decisions: &Decisions) -> Result<(), UnknownDecisions> {
        let unknown: Vec<usize> = decisions
            .single
            .iter()
            .enumerate()
            .filter(|(_, (key, _))| !self.keys.contains(key))
            .map(|(index, _)| index)
            .collect();
        if unknown.is_empty() { Ok(()) } else { Err(UnknownDecisions(unknown)) }
    }
}
