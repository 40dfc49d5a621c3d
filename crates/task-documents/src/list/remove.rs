//! Leaves out the lines of tasks. A task that is nested in such a task remains: its lines move to the left,
//! or a blank line is put before them, but only where they would otherwise not be read as the same task.

use std::collections::{BTreeMap, BTreeSet};

use crate::list::changes::{Change, apply, new_offsets};
use crate::list::columns::{Columns, moved};
use crate::list::tasks::{FoundTask, Tasks};
use crate::list::types::{ListDocument, ListTask};
use crate::markdown::Markdown;
use crate::text::first_line_end;

/// How often the result is corrected. A later correction is needed where an earlier one was not enough.
const MAX_CORRECTIONS: usize = 4;

/// Other columns for lines that move, behind and before the column of the bullet. A list item can have up to
/// three columns more than the text around it, so one of them suits if the bullet or another line has some of
/// these.
const OTHER_INDENTATIONS: [isize; 4] = [3, -3, -2, -1];

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
    let mut made = Corrections::default();
    let (first, fault) = removal.write(&mut made, MAX_CORRECTIONS);
    if fault == Fault::None {
        return first;
    }
    made.has_comments = true;
    let (separated, fault_of_separated) = removal.write(&mut made, 1);
    match (fault_of_separated, fault) {
        (Fault::None, _) => return separated,
        (_, Fault::OtherDetails) => return first,
        _ => made.has_comments = false,
    }
    let mut others = OTHER_INDENTATIONS.into_iter().map(|indentation| {
        made.indentation = indentation;
        removal.write(&mut made, 1)
    });
    others.find(|(_, fault)| *fault != Fault::OtherTasks).map_or(first, |(text, _)| text)
}

/// What is wrong with a result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Lines that belonged to no task have become details of the task before them.
    OtherDetails,
    /// The tasks are not those that remain, or a correction is missing.
    OtherTasks,
}

impl Fault {
    fn of(is_complete: bool, is_same: bool) -> Self {
        match (is_complete, is_same) {
            (false, _) => Self::OtherTasks,
            (true, false) => Self::OtherDetails,
            (true, true) => Self::None,
        }
    }
}

/// What is done so that the tasks that remain are read as before.
#[derive(Default)]
struct Corrections {
    /// The indexes of list items whose lines move to the left.
    moved: BTreeSet<usize>,
    /// The first line of such an item that remains begins where the bullet was, or this number of
    /// columns behind it.
    indentation: isize,
    /// The beginnings of lines that get a blank line before them.
    blank_lines: BTreeSet<usize>,
    /// Whether these are comments instead of blank lines. A comment ends a list item in front of an indented
    /// code fence too.
    has_comments: bool,
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
    columns: Columns,
    /// The list items whose first line is left out although other lines of it remain, each with the smallest
    /// column of the blocks in it that remain.
    broken: BTreeMap<usize, usize>,
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
        let columns = Columns::new(markdown);
        let mut first_columns = vec![usize::MAX; markdown.blocks.len()];
        let mut broken = BTreeMap::new();
        for (index, block) in markdown.blocks.iter().enumerate().rev() {
            let line = markdown.line(block.range.start);
            if is_left_out[line] && first_columns[index] < usize::MAX {
                broken.insert(index, first_columns[index]);
            }
            let column = if is_left_out[line] { first_columns[index] } else { columns.lines[line] };
            if let Some(parent) = block.parent {
                first_columns[parent] = column.min(first_columns[parent]);
            }
        }
        let items = Tasks::find(markdown).tasks.iter().map(|task| task.item).collect();
        Self { markdown, tasks, kept, changes, items, is_left_out, columns, broken }
    }

    /// The document without the lines, and what is wrong with it.
    fn write(&self, made: &mut Corrections, max_corrections: usize) -> (String, Fault) {
        for _ in 0..max_corrections {
            let changes = self.changes(made);
            let text = apply(self.markdown.source, &changes);
            let result = Markdown::parse(&text);
            if result.body != self.markdown.body {
                // A thematic break has become the first line, and would begin front matter.
                made.blank_lines.insert(self.markdown.body);
                continue;
            }
            let found = Tasks::find(&result).tasks;
            let (missing, is_same) = self.missing_corrections(made, &changes, &found);
            if missing.is_empty() {
                let is_complete = found.len() == self.kept.iter().flatten().count();
                return (text, Fault::of(is_complete, is_same));
            }
            made.moved.extend(missing.moved);
            made.blank_lines.extend(missing.blank_lines);
        }
        (apply(self.markdown.source, &self.changes(made)), Fault::OtherTasks)
    }

    /// All changes, in the order of the document.
    fn changes(&self, corrections: &Corrections) -> Vec<Change> {
        let (source, lines) = (self.markdown.source, &self.markdown.lines);
        let mut changes = self.changes.clone();
        let line_end = first_line_end(source);
        let separators = corrections.blank_lines.iter().map(|start| {
            let comment = self.comment(*start).filter(|_| corrections.has_comments);
            (*start..*start, comment.unwrap_or_default() + line_end)
        });
        changes.extend(separators);
        let mut columns = 0;
        for (number, (more, less)) in (0..=lines.count()).zip(self.steps(corrections)) {
            columns = columns + more - less;
            if columns > 0 && !self.is_left_out[number] {
                changes.push(moved(source, lines.range(number), columns));
            }
        }
        changes.sort_by_key(|(range, _)| (range.start, range.end));
        // Lines of a text that is replaced need not move.
        let mut end = 0;
        changes.retain(|(range, _)| {
            let is_free = range.start >= end;
            end = range.end.max(end);
            is_free
        });
        changes
    }

    /// A comment in the column of the bullet of the task whose lines end here and are left out.
    fn comment(&self, end: usize) -> Option<String> {
        let task = self.tasks.partition_point(|task| task.lines.end < end);
        let item = self.items.get(task).filter(|_| self.tasks[task].lines.end == end)?;
        Some(" ".repeat(self.columns.blocks[*item]) + "<!-- -->")
    }

    /// For each line, the columns by which it moves to the left more than the line before it, and less.
    fn steps(&self, corrections: &Corrections) -> Vec<(usize, usize)> {
        let mut steps = vec![(0, 0); self.markdown.lines.count() + 2];
        // The moved items around the present one: the end of each, the columns by which its lines move, and
        // the column that the leftmost of them gets.
        let mut around: Vec<(usize, usize, usize)> = Vec::new();
        for item in &corrections.moved {
            let block = &self.markdown.blocks[*item];
            while around.pop_if(|(end, ..)| *end <= *item).is_some() {}
            let (_, moved, outer) = around.last().copied().unwrap_or_default();
            let bullet = self.columns.blocks[*item].saturating_add_signed(corrections.indentation);
            let target = bullet.saturating_sub(moved).max(outer);
            let width = self.broken[item].saturating_sub(moved).saturating_sub(target);
            around.push((block.end, moved + width, target));
            steps[self.markdown.line(block.range.start)].0 += width;
            steps[self.markdown.line(block.range.end) + 1].1 += width;
        }
        steps
    }

    /// The corrections that the result needs in addition to those that it has, and whether all tasks that it
    /// has are read as before.
    fn missing_corrections(
        &self,
        made: &Corrections,
        changes: &[Change],
        found: &[FoundTask],
    ) -> (Corrections, bool) {
        let mut found: BTreeMap<usize, &FoundTask> =
            found.iter().map(|task| (task.key_span.start, task)).collect();
        let mut missing = Corrections::default();
        let mut differing = Vec::new();
        // The ends of the lines that are left out: in the result, and in the source.
        let mut gaps = BTreeMap::new();
        for (index, offset) in new_offsets(changes, self.offsets()).into_iter().enumerate() {
            let Some(kept) = &self.kept[index] else {
                gaps.insert(offset, self.tasks[index].lines.end);
                continue;
            };
            let found = found.remove(&offset);
            if found.is_some_and(|found| is_same(&self.tasks[index], kept, found)) {
                continue;
            }
            let around = self.markdown.ancestors(self.items[index]);
            let count = missing.moved.len();
            let broken = around.filter(|item| self.broken.contains_key(item));
            missing.moved.extend(broken.filter(|item| !made.moved.contains(item)));
            match found {
                _ if missing.moved.len() > count => {}
                Some(_) => differing.push(index),
                None => self.separate_from_text_before(index, &gaps, made, &mut missing),
            }
        }
        if missing.moved.is_empty() && missing.blank_lines.is_subset(&made.blank_lines) {
            self.separate(&differing, made, &mut missing);
            // What is left in `found` was text before.
            let before = found.keys().filter_map(|key| gaps.range(..=key).next_back());
            missing.blank_lines.extend(before.map(|(_, end)| end));
        }
        missing.blank_lines.retain(|end| !made.blank_lines.contains(end));
        (missing, differing.is_empty())
    }

    /// Separates a task that is not found from text before it: by a blank line, then by moving that text too,
    /// then by blank lines further above.
    fn separate_from_text_before(
        &self,
        task: usize,
        gaps: &BTreeMap<usize, usize>,
        made: &Corrections,
        missing: &mut Corrections,
    ) {
        let is_new = |end: &&usize| !made.blank_lines.contains(end);
        let mut ends = gaps.values().rev().take(MAX_CORRECTIONS);
        let broken = self.broken_before(task).filter(|item| !made.moved.contains(item));
        match ends.next().filter(is_new) {
            Some(end) => drop(missing.blank_lines.insert(*end)),
            None => {
                let count = missing.moved.len();
                missing.moved.extend(broken);
                if missing.moved.len() == count {
                    missing.blank_lines.extend(ends.find(is_new));
                }
            }
        }
    }

    /// The broken items between a task and the task that remains before it.
    fn broken_before(&self, task: usize) -> impl Iterator<Item = usize> {
        let before = self.kept[..task].iter().rposition(Option::is_some);
        let start = before.map_or(0, |before| self.items[before] + 1);
        self.broken.range(start..self.items[task]).map(|(item, _)| *item)
    }

    /// For each task the offset of its key, or of the end of its lines if it is left out.
    fn offsets(&self) -> impl Iterator<Item = usize> {
        let tasks = self.tasks.iter().zip(self.kept);
        tasks.map(|(task, kept)| if kept.is_some() { task.key_span.start } else { task.lines.end })
    }

    /// Separates tasks that have got more lines from what follows them.
    fn separate(&self, differing: &[usize], made: &Corrections, missing: &mut Corrections) {
        for index in differing {
            let behind = self.kept[index + 1..].iter().take_while(|kept| kept.is_none()).count();
            let left_out = index + 1..index + 1 + behind;
            let Some(last) = left_out.last() else { continue };
            let broken = self.broken.range(self.items[*index] + 1..=self.items[last]).map(|(item, _)| *item);
            missing.moved.extend(broken.filter(|item| !made.moved.contains(item)));
            missing.blank_lines.insert(self.tasks[index + 1].lines.end);
        }
    }
}

fn is_same(task: &ListTask, kept: &Kept, found: &FoundTask) -> bool {
    (&kept.text, kept.ticked, &task.details) == (&found.text, found.ticked, &found.details)
        && task.parallel == found.marks.parallel
        && task.marked_stories == found.marks.stories
}
