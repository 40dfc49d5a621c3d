//! The new source: the file, with the lines of the tasks that only the server has.

use super::base::by_key;
use super::carried::{CarriedLines, bom_length, ends_line};
use super::keys;
use super::pairing::Pairs;
use super::slots::{Layout, Slot};
use super::types::Merge;
use crate::list::{ListDocument, ListTask};

/// The new source, what it says, and the origin of each of its tasks.
pub(super) struct Composed {
    pub source: String,
    pub document: ListDocument,
    pub slots: Vec<Slot>,
}

/// Writes the lines of the tasks that only the server has into the file. The first layout is used in which
/// all tasks are read as they are meant.
pub(super) fn compose(input: &Merge<'_>, pairs: &Pairs) -> Composed {
    let (file, document) = input.file;
    if pairs.file_of.iter().all(Option::is_some) {
        let slots = (0..document.tasks.len()).map(Slot::File).collect();
        return Composed { source: file.to_owned(), document: document.clone(), slots };
    }
    for layout in [Layout::AsWritten, Layout::LikeNeighbour] {
        let (composed, keys) = compose_as(layout, input, pairs);
        if is_as_planned(input, &composed, &keys) {
            return composed;
        }
    }
    let (composed, keys) = compose_as(Layout::AtBeginning, input, pairs);
    with_slots_of_document(composed, &keys)
}

fn compose_as(layout: Layout, input: &Merge<'_>, pairs: &Pairs) -> (Composed, Vec<String>) {
    let slots = slots(layout, pairs);
    let keys = keys::plan(input, &slots);
    let source = write(layout, input, pairs, &slots, &keys);
    let document = ListDocument::read(&source);
    (Composed { source, document, slots }, keys)
}

/// The tasks in the order of the new source. Those that only the server has follow the nearest earlier
/// task, in the old order, that the file has.
fn slots(layout: Layout, pairs: &Pairs) -> Vec<Slot> {
    let mut first = Vec::new();
    let mut after: Vec<Vec<Slot>> = vec![Vec::new(); pairs.server_of.len()];
    let mut earlier = None;
    for (index, file) in pairs.file_of.iter().enumerate() {
        match (*file, earlier) {
            (Some(file), _) if layout != Layout::AtBeginning => earlier = Some(file),
            (Some(_), _) => {}
            (None, Some(earlier)) => after[earlier].push(Slot::Carried(index)),
            (None, None) => first.push(Slot::Carried(index)),
        }
    }
    for (file, after) in after.into_iter().enumerate() {
        first.push(Slot::File(file));
        first.extend(after);
    }
    first
}

fn write(layout: Layout, input: &Merge<'_>, pairs: &Pairs, slots: &[Slot], keys: &[String]) -> String {
    let (file, document) = input.file;
    let carried = CarriedLines::new(input, layout);
    let mut out = String::with_capacity(file.len() + input.source.0.len());
    let mut copied = 0;
    if slots.first().is_some_and(|slot| slot.carried().is_some()) {
        copied = place_of_first(layout, file, document);
        out.push_str(&file[..copied]);
        if document.tasks.is_empty() && layout == Layout::LikeNeighbour {
            end_paragraph(&mut out, carried.line_end());
        }
    }
    let mut neighbour = document.tasks.first();
    let mut old_neighbour = None;
    let mut is_beginning = layout == Layout::AtBeginning;
    for (slot, key) in slots.iter().zip(keys) {
        match *slot {
            Slot::File(index) => {
                if std::mem::take(&mut is_beginning) {
                    separate(&mut out, carried.line_end());
                }
                let task = &document.tasks[index];
                out.push_str(&file[copied..task.lines.end]);
                copied = task.lines.end;
                neighbour = Some(task);
                old_neighbour = pairs.server_of[index];
            }
            Slot::Carried(index) => {
                if !out[bom_length(&out)..].is_empty() && !ends_line(&out) {
                    out.push_str(carried.line_end());
                }
                out.push_str(&carried.lines(index, key, neighbour, old_neighbour));
            }
        }
    }
    if is_beginning {
        separate(&mut out, carried.line_end());
    }
    out.push_str(&file[copied..]);
    out
}

/// The place of lines that follow no task of the file: before its first task, otherwise at its end.
fn place_of_first(layout: Layout, file: &str, document: &ListDocument) -> usize {
    match (layout, document.tasks.first()) {
        (Layout::AtBeginning, _) => bom_length(file).max(front_matter(file)),
        (_, Some(first)) => first.lines.start.max(bom_length(file)),
        (_, None) => file.len(),
    }
}

/// Ends the paragraph or the table before a new list item.
fn end_paragraph(out: &mut String, line_end: &str) {
    let last_line = out.trim_end_matches(['\n', '\r']).len();
    if !out[bom_length(out)..].trim().is_empty() && !ends_line(out) {
        out.push_str(line_end);
    }
    if out[bom_length(out)..].trim().is_empty() || out.len() - last_line > line_end.len() {
        return;
    }
    out.push_str(line_end);
}

/// Ends the list before the rest of the document, so that nothing of the rest belongs to the last item.
fn separate(out: &mut String, line_end: &str) {
    out.push_str(line_end);
    out.push_str("<!-- -->");
    out.push_str(line_end);
    out.push_str(line_end);
}

/// Whether all tasks are read in their order, with their keys and what they say.
fn is_as_planned(input: &Merge<'_>, composed: &Composed, keys: &[String]) -> bool {
    let (document, file) = (&composed.document, input.file.1);
    if document.tasks.len() != composed.slots.len() {
        return false;
    }
    let written = by_key(input.source.1);
    let is_as_planned = |(task, (slot, key)): (&ListTask, (&Slot, &String))| {
        task.key == *key
            && match *slot {
                Slot::File(index) => {
                    let planned = &file.tasks[index];
                    says_the_same(task, planned)
                        && task.details == planned.details
                        && phase(task, document) == phase(planned, file)
                }
                Slot::Carried(index) => {
                    let planned = written.get(input.tasks[index].key);
                    planned
                        .is_none_or(|planned| says_the_same(task, planned) && words(task).eq(words(planned)))
                }
            }
    };
    document.tasks.iter().zip(composed.slots.iter().zip(keys)).all(is_as_planned)
}

fn says_the_same(task: &ListTask, planned: &ListTask) -> bool {
    task.text == planned.text
        && task.ticked == planned.ticked
        && task.parallel == planned.parallel
        && task.marked_stories == planned.marked_stories
}

fn words(task: &ListTask) -> impl Iterator<Item = &str> {
    task.details.as_deref().unwrap_or_default().split_whitespace()
}

/// The number of the task's phase, or its title when it has no number.
pub(super) fn phase<'a>(task: &ListTask, document: &'a ListDocument) -> Option<(bool, &'a str)> {
    let phase = document.phases.get(task.phase?)?;
    Some(match &phase.number {
        Some(number) => (true, number.as_str()),
        None => (false, phase.title.as_str()),
    })
}

/// The length of the front matter: a first line `---` and everything up to the next line `---`.
fn front_matter(file: &str) -> usize {
    let mut lines = file[bom_length(file)..].split_inclusive('\n');
    let is_mark = |line: &str| line.trim_end() == "---";
    let Some(first) = lines.next().filter(|line| is_mark(line)) else { return 0 };
    let mut length = bom_length(file) + first.len();
    for line in lines {
        length += line.len();
        if is_mark(line) {
            return length;
        }
        if line.starts_with("##") {
            return 0;
        }
    }
    0
}

/// The tasks as the document has them. This corrects the plan if a task is not read as it is meant in any
/// layout.
fn with_slots_of_document(composed: Composed, keys: &[String]) -> Composed {
    let planned: std::collections::HashMap<&str, Slot> =
        keys.iter().map(String::as_str).zip(composed.slots.iter().copied()).collect();
    let mut document = composed.document;
    document.tasks.retain(|task| planned.contains_key(task.key.as_str()));
    let slots = document.tasks.iter().map(|task| planned[task.key.as_str()]).collect();
    Composed { source: composed.source, document, slots }
}
