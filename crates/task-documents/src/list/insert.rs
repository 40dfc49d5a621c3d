//! Adds the line of a new task to a list document.

use std::ops::Range;

use crate::list::marks::Reader;
use crate::list::tasks::Tasks;
use crate::list::types::{ListDocument, ListTask, NewLine, Place};
use crate::markdown::{BlockKind, Markdown};
use crate::text::{first_line_end, lines, one_line};

/// The greatest number of spaces between a bullet and what is not code.
const MAX_SPACES: usize = 4;

/// The document with one more line, and the index that the new task has in it.
pub fn insert(source: &str, document: &ListDocument, place: Place, new: NewLine<'_>) -> (String, usize) {
    let is_in = |phase: usize| move |task: &ListTask| task.phase == Some(phase);
    let before = match place {
        Place::After(task) => Some(task),
        Place::EndOfPhase(phase) => document.tasks.iter().rposition(is_in(phase)),
        Place::EndOfDocument => document.tasks.len().checked_sub(1),
    };
    let candidates = match before {
        Some(task) => behind_task(source, &document.tasks[task]),
        None => {
            let markdown = Markdown::parse(source);
            let section = match place {
                Place::EndOfPhase(phase) => document.phases[phase].section.clone(),
                _ => markdown.body..source.len(),
            };
            at_end_of_section(&markdown, section)
        }
    };
    let title = one_line(new.title);
    let results = candidates.iter().map(|candidate| {
        let index = document.tasks.partition_point(|task| task.lines.start < candidate.at);
        (candidate.write(source, &new, &title), index)
    });
    let is_right = |(text, index): &(String, usize)| is_read_as_new(document, text, *index, &new, &title);
    let mut results = results.peekable();
    let first = results.peek().cloned();
    // If no candidate is right, the first is what was asked for.
    results.find(is_right).or(first).unwrap_or_else(|| (source.to_owned(), 0))
}

/// A line that may be read as the new task.
struct Candidate {
    at: usize,
    /// The indentation, the bullet and the white space behind it.
    bullet: String,
    has_blank_line_before: bool,
}

impl Candidate {
    fn write(&self, source: &str, new: &NewLine<'_>, title: &str) -> String {
        let (before, behind) = source.split_at(self.at);
        let line_end = first_line_end(source);
        let mut text = String::with_capacity(source.len() + title.len() + 64);
        text.push_str(before);
        if !before.is_empty() && !before.ends_with(['\n', '\r']) {
            text.push_str(line_end);
        }
        if self.has_blank_line_before {
            text.push_str(line_end);
        }
        text.push_str(&self.bullet);
        text.push_str("[ ] ");
        text.push_str(new.key);
        let parallel = new.parallel.then(|| " [P]".to_owned());
        let stories = (!new.stories.is_empty()).then(|| format!(" [{}]", new.stories.join("+")));
        let reader = match (&parallel, &stories) {
            (None, None) => Reader::default(),
            _ => Reader::behind_marks(),
        };
        text.extend(parallel.into_iter().chain(stories));
        if !title.is_empty() {
            text.push_str(if reader.needs_backslash(title) { " \\" } else { " " });
            text.push_str(title);
        }
        text.push_str(line_end);
        text.push_str(behind);
        text
    }
}

/// The places behind the lines of a task. If they do not suit lines that follow, a blank line or the indentation of
/// the task's text can help.
fn behind_task(source: &str, task: &ListTask) -> Vec<Candidate> {
    let first_line = lines(&source[task.lines.start..task.box_content.start - 1]).next().unwrap_or_default();
    let written = first_line.trim_end();
    let digits = written.trim_end_matches(['.', ')']).trim_end_matches(|char: char| char.is_ascii_digit());
    let (before, bullet) = match written.char_indices().next_back() {
        Some((at, bullet @ ('-' | '*' | '+'))) => (&written[..at], bullet),
        _ => (digits, '-'),
    };
    let spaces = |char: char| if char.is_whitespace() { char } else { ' ' };
    let indentation: String = before.chars().map(spaces).collect();
    let width = (first_line.len() - before.len()).clamp(2, MAX_SPACES + 1) - 1;
    let candidate = |spaces: usize, has_blank_line_before: bool| Candidate {
        at: task.lines.end,
        bullet: format!("{indentation}{bullet}{}", " ".repeat(spaces)),
        has_blank_line_before,
    };
    vec![candidate(1, false), candidate(width, false), candidate(1, true), candidate(width, true)]
}

/// The places at the end of a section without tasks. In a section that ends with an HTML block or with a code
/// block that is not closed, the place is before the block.
fn at_end_of_section(markdown: &Markdown<'_>, section: Range<usize>) -> Vec<Candidate> {
    let lines = &markdown.lines;
    let is_in = |at: usize| section.contains(&at);
    let blocks = || markdown.children(None).filter(|block| is_in(markdown.blocks[*block].range.start));
    let is_break = |block: &usize| markdown.blocks[*block].kind == BlockKind::ThematicBreak;
    let last = blocks().filter(|block| !is_break(block)).last();
    let end = last.map_or(section.start, |block| lines.end(markdown.blocks[block].range.end.max(1) - 1));
    let begins_with_heading =
        blocks().next().is_some_and(|block| matches!(markdown.blocks[block].kind, BlockKind::Heading { .. }));
    let start = if begins_with_heading { lines.end(section.start) } else { section.start };
    let candidate = |at: usize, has_blank_line_before: bool| Candidate {
        at,
        bullet: "- ".to_owned(),
        has_blank_line_before,
    };
    [(end, false), (end, true), (start, false), (start, true)].map(|(at, blank)| candidate(at, blank)).into()
}

/// Whether a document is read as the old tasks and the new one.
fn is_read_as_new(document: &ListDocument, text: &str, index: usize, new: &NewLine<'_>, title: &str) -> bool {
    let mut found = Tasks::find(&Markdown::parse(text)).tasks;
    if found.len() != document.tasks.len() + 1 {
        return false;
    }
    let added = found.remove(index);
    let is_new = (added.key.as_str(), added.text.as_str()) == (new.key, title)
        && (added.marks.parallel, added.marks.stories.as_slice()) == (new.parallel, new.stories);
    is_new
        && found.iter().zip(&document.tasks).all(|(found, task)| {
            (&found.key, &found.text, found.ticked, &found.details)
                == (&task.key, &task.text, task.ticked, &task.details)
        })
}
