//! Leaves out the lines of tasks. A task that is nested in such a task remains: its lines move to the left, or a
//! blank line is put before them, but only where they would otherwise not be read as the same task.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::list::changes::{Change, apply, new_offsets};
use crate::list::columns::{moved, width_of_bullet};
use crate::list::tasks::{FoundTask, Tasks};
use crate::list::types::{ListDocument, ListTask};
use crate::markdown::{BlockKind, Markdown};
use crate::text::first_line_end;

/// How often the result is corrected. A later correction is needed where an earlier one was not enough.
const MAX_CORRECTIONS: usize = 3;

/// A task that remains, and what it must be read as.
#[derive(Clone, Debug)]
pub struct Kept {
    pub text: String,
    pub ticked: bool,
}

/// Makes the changes, and leaves out the lines of the tasks for which `kept` is None.
pub fn write(source: &str, document: &ListDocument, kept: &[Option<Kept>], changes: Vec<Change>) -> String {
    if !kept.iter().any(Option::is_none) {
        return apply(source, &changes);
    }
    let markdown = Markdown::parse(source);
    let removal = Removal::new(&markdown, document, kept, changes);
    let mut corrections = Corrections::default();
    for _ in 0..MAX_CORRECTIONS {
        let changes = removal.changes(&corrections);
        let text = apply(source, &changes);
        let missing = removal.missing_corrections(&corrections, &changes, &text);
        if missing.is_empty() {
            return text;
        }
        corrections.moved.extend(missing.moved);
        corrections.blank_lines.extend(missing.blank_lines);
    }
    apply(source, &removal.changes(&corrections))
}

/// What is done so that the tasks that remain are read as before.
#[derive(Default)]
struct Corrections {
    /// The indexes of list items whose lines move to the left by the width of the bullet. The first line of each
    /// is left out.
    moved: BTreeSet<usize>,
    /// The beginnings of lines that get a blank line before them.
    blank_lines: BTreeSet<usize>,
}

impl Corrections {
    fn is_empty(&self) -> bool {
        self.moved.is_empty() && self.blank_lines.is_empty()
    }
}

/// A document of which lines are left out.
struct Removal<'a> {
    markdown: &'a Markdown<'a>,
    tasks: &'a [ListTask],
    kept: &'a [Option<Kept>],
    changes: Vec<Change>,
    /// For each task, the index of its list item.
    items: Vec<usize>,
    /// For each line, whether it is left out. The number of the first line is 1.
    is_left_out: Vec<bool>,
    /// The list items whose first line is left out although other lines of it remain, each with its lines.
    broken: HashMap<usize, Range<usize>>,
}

impl<'a> Removal<'a> {
    fn new(
        markdown: &'a Markdown<'a>,
        document: &'a ListDocument,
        kept: &'a [Option<Kept>],
        mut changes: Vec<Change>,
    ) -> Self {
        let tasks = &document.tasks;
        let mut is_left_out = vec![false; markdown.lines.count() + 2];
        for (task, _) in tasks.iter().zip(kept).filter(|(_, kept)| kept.is_none()) {
            changes.push((task.lines.clone(), String::new()));
            is_left_out[markdown.line(task.lines.start)..=markdown.line(task.lines.end - 1)].fill(true);
        }
        let mut broken = HashMap::new();
        for (index, block) in markdown.blocks.iter().enumerate() {
            let lines = markdown.line(block.range.start)..markdown.line(block.range.end) + 1;
            if matches!(block.kind, BlockKind::Item { .. }) && is_left_out[lines.start] {
                broken.insert(index, lines);
            }
        }
        let items = Tasks::find(markdown).tasks.iter().map(|task| task.item).collect();
        Self { markdown, tasks, kept, changes, items, is_left_out, broken }
    }

    /// All changes, in the order of the document.
    fn changes(&self, corrections: &Corrections) -> Vec<Change> {
        let (source, lines) = (self.markdown.source, &self.markdown.lines);
        let mut changes = self.changes.clone();
        let line_end = first_line_end(source);
        changes.extend(corrections.blank_lines.iter().map(|start| (*start..*start, line_end.to_owned())));
        // The columns by which each line moves more than the line before it, and less.
        let mut steps = vec![(0, 0); lines.count() + 2];
        for item in &corrections.moved {
            let width = width_of_bullet(self.markdown, *item);
            let lines = &self.broken[item];
            steps[lines.start].0 += width;
            steps[lines.end].1 += width;
        }
        let mut columns = 0;
        for (number, (more, less)) in (0..=lines.count()).zip(steps) {
            columns = columns + more - less;
            if columns > 0 && !self.is_left_out[number] {
                changes.push(moved(source, lines.range(number), columns));
            }
        }
        changes.sort_by_key(|(range, _)| (range.start, range.end));
        changes
    }

    /// Reads the result, and returns the corrections that it needs in addition to those that it has.
    fn missing_corrections(&self, made: &Corrections, changes: &[Change], text: &str) -> Corrections {
        let found = Tasks::find(&Markdown::parse(text)).tasks;
        let found: HashMap<usize, &FoundTask> =
            found.iter().map(|task| (task.key_span.start, task)).collect();
        let keys = self.tasks.iter().map(|task| task.key_span.start);
        let mut missing = Corrections::default();
        let mut differing = Vec::new();
        let mut gap = None;
        for (index, key) in new_offsets(changes, keys).into_iter().enumerate() {
            let Some(kept) = &self.kept[index] else {
                gap = Some(self.tasks[index].lines.end);
                continue;
            };
            match found.get(&key) {
                Some(found) if is_same(&self.tasks[index], kept, found) => {}
                Some(_) => differing.push(index),
                None => {
                    let around = self.markdown.ancestors(self.items[index]);
                    let broken =
                        around.filter(|item| self.broken.contains_key(item) && !made.moved.contains(item));
                    let count = missing.moved.len();
                    missing.moved.extend(broken);
                    if missing.moved.len() == count {
                        missing.blank_lines.extend(gap.filter(|gap| !made.blank_lines.contains(gap)));
                    }
                }
            }
        }
        if missing.is_empty() {
            self.separate(&differing, made, &mut missing);
        }
        missing
    }

    /// Separates tasks that have got more lines from what follows them.
    fn separate(&self, differing: &[usize], made: &Corrections, missing: &mut Corrections) {
        for index in differing {
            let behind = self.kept[index + 1..].iter().take_while(|kept| kept.is_none()).count();
            let left_out = index + 1..index + 1 + behind;
            let broken = self.items[left_out.clone()].iter().filter(|item| self.broken.contains_key(item));
            missing.moved.extend(broken.filter(|item| !made.moved.contains(item)));
            let end = left_out.last().map(|last| self.tasks[last].lines.end);
            missing.blank_lines.extend(end.filter(|end| !made.blank_lines.contains(end)));
        }
    }
}

fn is_same(task: &ListTask, kept: &Kept, found: &FoundTask) -> bool {
    (&kept.text, kept.ticked, &task.details) == (&found.text, found.ticked, &found.details)
        && task.parallel == found.marks.parallel
        && task.marked_stories == found.marks.stories
}
