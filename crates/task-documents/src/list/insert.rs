//! Adds the line of a new task to a list document.

use std::ops::Range;

use crate::indentation::{column_behind, width};
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
        Some(task) => {
            let at = document.tasks[task].lines.end;
            // Only where the line would change how nested tasks are read, it gets their indentation.
            let nested = document.tasks[task + 1..].first().filter(|next| next.lines.start == at);
            let like = [Some(&document.tasks[task]), nested].into_iter().flatten();
            like.flat_map(|task| candidates(at, &bullets(source, task))).collect()
        }
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
    blank_lines: BlankLines,
}

/// Where the line has blank lines around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BlankLines {
    None,
    Before,
    Behind,
    Both,
}

/// The blank lines to try, the best first.
const BLANK_LINES: [BlankLines; 4] =
    [BlankLines::None, BlankLines::Before, BlankLines::Behind, BlankLines::Both];

impl Candidate {
    fn write(&self, source: &str, new: &NewLine<'_>, title: &str) -> String {
        let (before, behind) = source.split_at(self.at);
        let line_end = first_line_end(source);
        let mut text = String::with_capacity(source.len() + title.len() + 64);
        text.push_str(before);
        if !before.is_empty() && !before.ends_with(['\n', '\r']) {
            text.push_str(line_end);
        }
        if matches!(self.blank_lines, BlankLines::Before | BlankLines::Both) {
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
        if matches!(self.blank_lines, BlankLines::Behind | BlankLines::Both) {
            text.push_str(line_end);
        }
        text.push_str(behind);
        text
    }
}

/// The indentation and the bullet of a task: with one space behind it, and with the text in the column of the
/// task's box.
fn bullets(source: &str, task: &ListTask) -> [String; 2] {
    let first_line = lines(&source[task.lines.start..task.box_content.start - 1]).next().unwrap_or_default();
    let written = first_line.trim_end();
    let digits = written.trim_end_matches(['.', ')']).trim_end_matches(|char: char| char.is_ascii_digit());
    let (before, bullet) = match written.char_indices().next_back() {
        Some((at, bullet @ ('-' | '*' | '+'))) => (&written[..at], bullet),
        _ => (digits, '-'),
    };
    let spaces = |char: char| if char.is_whitespace() { char } else { ' ' };
    let indentation: String = before.chars().map(spaces).collect();
    let column = width(before);
    let width = column_behind(column, &first_line[before.len()..]) - column;
    let width = width.clamp(2, MAX_SPACES + 1) - 1;
    [1, width].map(|spaces| format!("{indentation}{bullet}{}", " ".repeat(spaces)))
}

/// The candidates at one place, with each bullet and each form of blank lines.
fn candidates(at: usize, bullets: &[String]) -> Vec<Candidate> {
    let with_bullet = |blank_lines: BlankLines| {
        bullets.iter().map(move |bullet| Candidate { at, bullet: bullet.clone(), blank_lines })
    };
    BLANK_LINES.into_iter().flat_map(with_bullet).collect()
}

/// The places at the end of a section without tasks: behind its last block; before its last block, which can
/// be an HTML block or a code block that is not closed; and at the beginning.
fn at_end_of_section(markdown: &Markdown<'_>, section: Range<usize>) -> Vec<Candidate> {
    let (lines, block) = (&markdown.lines, |index: usize| &markdown.blocks[index]);
    let blocks = || markdown.children(None).filter(|index| section.contains(&block(*index).range.start));
    let is_heading = |index: usize| matches!(block(index).kind, BlockKind::Heading { .. });
    let first = blocks().next().filter(|index| is_heading(*index));
    let start = first.map_or(section.start, |heading| lines.end(block(heading).range.start));
    let last = blocks().filter(|index| block(*index).kind != BlockKind::ThematicBreak).last();
    let end = last.map_or(start, |last| lines.end(block(last).range.end.max(1) - 1));
    let before_last = last.map_or(start, |last| lines.start(block(last).range.start)).max(start);
    let bullets = [1, MAX_SPACES].map(|spaces| format!("-{}", " ".repeat(spaces)));
    [end, before_last, start].into_iter().flat_map(|at| candidates(at, &bullets)).collect()
}

/// Whether a document is read as the old tasks and the new one.
fn is_read_as_new(document: &ListDocument, text: &str, index: usize, new: &NewLine<'_>, title: &str) -> bool {
    let mut found = Tasks::find(&Markdown::parse(text)).tasks;
    if found.len() != document.tasks.len() + 1 {
        return false;
    }
    let added = found.remove(index);
    let is_new = (added.key.as_str(), added.text.as_str()) == (new.key, title)
        && (added.marks.parallel, added.marks.stories.as_slice()) == (new.parallel, new.stories)
        && added.details.is_none();
    is_new
        && found.iter().zip(&document.tasks).all(|(found, task)| {
            (&found.key, &found.text, found.ticked, &found.details)
                == (&task.key, &task.text, task.ticked, &task.details)
        })
}
