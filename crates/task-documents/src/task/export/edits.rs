//! Changes of a source: they are collected, sorted, and written in one pass.

use std::ops::Range;

use crate::task::columns::{self, Marker};
use crate::text::{self, BYTE_ORDER_MARK};

/// What must stand before the text of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Anything,
    /// A blank line if the text would otherwise continue the paragraph before it.
    NewBlock,
    /// The end of a line.
    LineEnd,
    /// A blank line, or the beginning of the document.
    BlankLine,
}

/// What must stand behind an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Anything,
    /// A blank line if the next line would otherwise continue the paragraph before it.
    NewBlock,
    /// A blank line or the end of the document.
    BlankLine,
}

struct Edit {
    range: Range<usize>,
    text: String,
    before: Before,
    after: After,
}

/// The changes of a source.
pub(super) struct Edits<'a> {
    pub source: &'a str,
    line_end: &'static str,
    edits: Vec<Edit>,
    /// The number of the edits that tick or untick a box.
    ticks: usize,
}

impl<'a> Edits<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, line_end: text::first_line_end(source), edits: Vec::new(), ticks: 0 }
    }

    /// Replaces a span.
    pub(super) fn replace(&mut self, range: Range<usize>, text: &str) {
        self.add(range, text, Before::Anything, After::Anything);
    }

    /// Replaces a text that begins with a line and ends before a line end. The rest of its last line stays.
    pub(super) fn replace_block(&mut self, range: Range<usize>, text: &str, after: After) {
        let rest = &self.source[range.end..];
        let line_end = end_of_line(rest);
        let text = format!("{text}{}", text::with_line_feeds(&rest[..line_end]));
        self.add(range.start..range.end + line_end, &text, Before::NewBlock, after);
    }

    /// Inserts text. The line ends of the source replace the LF in it.
    pub(super) fn insert(&mut self, at: usize, text: &str, before: Before, after: After) {
        self.add(at..at, text, before, after);
    }

    /// Inserts text before all other text that is inserted at this offset.
    pub(super) fn insert_first(&mut self, at: usize, text: &str, before: Before, after: After) {
        self.add(at..at, text, before, after);
        self.edits.rotate_right(1);
    }

    /// Replaces what is between the brackets of a box.
    pub(super) fn tick(&mut self, content: Range<usize>, text: &str) {
        self.replace(content, text);
        self.ticks += 1;
    }

    /// Whether nothing is changed but boxes.
    pub(super) fn has_only_ticks(&self) -> bool {
        self.edits.len() == self.ticks
    }

    /// Leaves lines out.
    pub(super) fn remove_lines(&mut self, lines: Range<usize>) {
        let ends_line = self.source[..lines.end].ends_with(['\n', '\r']);
        let after = if ends_line { After::NewBlock } else { After::Anything };
        self.add(lines, "", Before::Anything, after);
    }

    fn add(&mut self, range: Range<usize>, text: &str, before: Before, after: After) {
        let text = if self.line_end == "\n" { text.to_owned() } else { text.replace('\n', self.line_end) };
        self.edits.push(Edit { range, text, before, after });
    }

    /// The changed source. At the same offset, text is inserted in the order in which it was added. An edit
    /// inside of removed lines is left out.
    pub(super) fn apply(mut self) -> String {
        self.edits.sort_by_key(|edit| (edit.range.start, !edit.range.is_empty()));
        let added: usize = self.edits.iter().map(|edit| edit.text.len()).sum();
        let text = String::with_capacity(self.source.len() + added);
        let mut output = Output { text, line_end: self.line_end, after: After::Anything };
        let mut copied = 0;
        for edit in self.edits {
            if edit.range.start < copied {
                continue;
            }
            output.copy(self.source, copied..edit.range.start);
            output.write(&edit);
            copied = edit.range.end;
        }
        output.copy(self.source, copied..self.source.len());
        output.text
    }
}

/// The part of the result that is written.
struct Output {
    text: String,
    line_end: &'static str,
    /// What must stand behind the last edit.
    after: After,
}

impl Output {
    fn copy(&mut self, source: &str, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let next = first_line(&source[range.start..]);
        let is_needed = match std::mem::replace(&mut self.after, After::Anything) {
            After::Anything => false,
            After::NewBlock => continues_paragraph(self.last_line(), next),
            After::BlankLine => !next.trim().is_empty(),
        };
        if is_needed {
            self.text.push_str(self.line_end);
        }
        self.text.push_str(&source[range]);
    }

    fn write(&mut self, edit: &Edit) {
        if edit.before != Before::Anything && !self.is_at_beginning() {
            if !self.text.ends_with(['\n', '\r']) {
                self.text.push_str(self.line_end);
            }
            let is_needed = match edit.before {
                Before::Anything | Before::LineEnd => false,
                Before::NewBlock => continues_paragraph(self.last_line(), first_line(&edit.text)),
                Before::BlankLine => !self.last_line().trim().is_empty(),
            };
            if is_needed {
                self.text.push_str(self.line_end);
            }
        }
        self.text.push_str(&edit.text);
        if edit.after != After::Anything || !edit.text.is_empty() {
            self.after = edit.after;
        }
    }

    fn is_at_beginning(&self) -> bool {
        self.text.trim_start_matches(BYTE_ORDER_MARK).is_empty()
    }

    /// The last complete line.
    fn last_line(&self) -> &str {
        let text = self.text.strip_suffix("\r\n").or_else(|| self.text.strip_suffix(['\n', '\r']));
        let text = text.unwrap_or(&self.text);
        &text[text.rfind(['\n', '\r']).map_or(0, |at| at + 1)..]
    }
}

/// The offset behind the first line end of a text, or its length.
pub(super) fn end_of_line(text: &str) -> usize {
    let line = first_line(text);
    let rest = &text[line.len()..];
    line.len() + if rest.starts_with("\r\n") { 2 } else { rest.len().min(1) }
}

fn first_line(text: &str) -> &str {
    text::lines(text).next().unwrap_or_default()
}

/// Whether a line could be read as a part of the paragraph in the line before it.
fn continues_paragraph(line: &str, next: &str) -> bool {
    let next_indentation = columns::indentation(next);
    let next = &next[next_indentation.len()..];
    let line_indentation = columns::indentation(line);
    let text = &line[line_indentation.len()..];
    let begins_block = columns::begins_heading(next) || next.starts_with("```") || next.starts_with("~~~");
    if text.trim().is_empty() || columns::begins_heading(text) || next.is_empty() || begins_block {
        return false;
    }
    let Some(marker) = Marker::of(next).filter(|marker| next.len() > marker.text.len() + marker.space.len())
    else {
        return true;
    };
    if marker.is_bullet() || matches!(marker.text, "1." | "1)") {
        return false;
    }
    // Another number begins a list only if its line is not a part of the list item that has the paragraph.
    let content = match Marker::of(text) {
        Some(marker) => columns::width(&[line_indentation, marker.text, marker.space].concat()),
        None => columns::width(line_indentation),
    };
    columns::width(next_indentation) >= content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_written_in_the_order_of_the_source() {
        let mut edits = Edits::new("a\r\nb\r\nc");
        edits.replace(6..7, "C");
        edits.insert(3, "1\n", Before::LineEnd, After::Anything);
        edits.insert(3, "2\n", Before::LineEnd, After::Anything);
        edits.replace(3..4, "B");
        edits.insert(7, "d\n", Before::BlankLine, After::BlankLine);
        assert_eq!(edits.apply(), "a\r\n1\r\n2\r\nB\r\nC\r\n\r\nd\r\n");
    }

    #[test]
    fn an_edit_in_removed_lines_is_left_out() {
        let mut edits = Edits::new("a\nb\nc\n");
        edits.replace(2..3, "B");
        edits.remove_lines(0..4);
        assert_eq!(edits.apply(), "c\n");
    }

    #[test]
    fn a_line_that_would_continue_a_paragraph_is_found() {
        for (line, next, expected) in [
            ("- [ ] a", "text", true),
            ("- [ ] a", "| a | b |", true),
            ("- [ ] a", "- [ ] b", false),
            ("- [ ] a", "2. [ ] b", false),
            ("- [ ] a", "  2. [ ] b", true),
            ("- [ ] a", "  1. [ ] b", false),
            ("- [ ] a", "  -", true),
            ("text", "2. [ ] b", true),
            ("", "text", false),
            ("## Plan", "text", false),
            ("text", "## Plan", false),
            ("text", "", false),
        ] {
            assert_eq!(continues_paragraph(line, next), expected, "{line:?} {next:?}");
        }
    }
}
