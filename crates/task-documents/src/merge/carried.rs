//! The lines of a task that only the server has, as the new source gets them.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::ops::Range;

use super::base::by_key;
use super::keys::written;
use super::slots::Layout;
use super::types::Merge;
use crate::indentation::{column_behind, indentation, width};
use crate::list::ListTask;
use crate::list::changes::{self, Change};
use crate::markdown::{BlockKind, Markdown};

/// The columns at which the bullet and the content of a list item begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    bullet: usize,
    content: usize,
}

/// The lines of the tasks that only the server has.
pub(super) struct CarriedLines<'a> {
    input: &'a Merge<'a>,
    layout: Layout,
    written: HashMap<&'a str, &'a ListTask>,
    /// The blocks of the source.
    markdown: LazyCell<Markdown<'a>, Box<dyn FnOnce() -> Markdown<'a> + 'a>>,
    /// The line end of the file, and whether the lines of the source have to be changed to it.
    line_end: &'a str,
    change_line_ends: bool,
}

impl<'a> CarriedLines<'a> {
    pub(super) fn new(input: &'a Merge<'a>, layout: Layout) -> Self {
        let of_source = line_end(input.source.0);
        let line_end = line_end(input.file.0).or(of_source).unwrap_or("\n");
        let change_line_ends = of_source.is_some_and(|of_source| of_source != line_end);
        let source = input.source.0;
        let markdown: LazyCell<_, Box<dyn FnOnce() -> _>> =
            LazyCell::new(Box::new(|| Markdown::parse(source)));
        Self { input, layout, written: by_key(input.source.1), markdown, line_end, change_line_ends }
    }

    /// The line end that new lines have.
    pub(super) fn line_end(&self) -> &'a str {
        self.line_end
    }

    /// The lines of the task `index` of the list with its new key, to stand beside the task `neighbour` of
    /// the file, which is the task `old_neighbour` of the list. The last line has a line end. Blank lines before
    /// a nested task are left out, so that further merges do not add them again.
    pub(super) fn lines(
        &self,
        index: usize,
        key: &str,
        neighbour: Option<&ListTask>,
        old_neighbour: Option<usize>,
    ) -> String {
        let source = self.input.source.0;
        let Some(&task) = self.written.get(self.input.tasks[index].key) else {
            // The row's text is written into the line by the export.
            return format!("- [ ] {}{}", written(key), self.line_end);
        };
        let neighbour = match self.layout {
            Layout::AtBeginning => "- ".to_owned(),
            Layout::AsWritten | Layout::LikeNeighbour => {
                neighbour.map_or_else(|| "- ".to_owned(), |task| bullet(self.input.file.0, task))
            }
        };
        let own = bullet(source, task);
        let old = old_neighbour.and_then(|old| self.written.get(self.input.tasks[old].key));
        let old = old.map_or_else(|| own.clone(), |&old| bullet(source, old));
        let stays = self.layout == Layout::AsWritten && columns(&old) == columns(&neighbour);

        let start = if stays { task.lines.start } else { task.box_content.start - 1 };
        let start = if stays { start + bom_length(&source[start..]) } else { start };
        let end = task.key_span.end;
        let end = end + length_without_blank_lines(&source[end..task.lines.end]);
        let mut changes = vec![(task.key_span.clone(), written(key).to_owned())];
        let mut lines = if stays {
            written_with(source, start..end, &changes)
        } else {
            let (from, to) = (columns(&own).content, columns(&neighbour).content);
            changes.extend(self.wraps_from_further_left(task, from));
            changes.sort_by_key(|(range, _)| range.start);
            format!("{neighbour}{}", indent(&written_with(source, start..end, &changes), from, to))
        };
        if !ends_line(&lines) {
            lines.push_str(self.line_end);
        }
        if self.change_line_ends { with_line_ends(&lines, self.line_end) } else { lines }
    }

    /// The changes that write each paragraph of a task on one line which has a line with less than `from`
    /// columns of white space. With another indentation, such a line could begin a list item.
    fn wraps_from_further_left(&self, task: &ListTask, from: usize) -> Vec<Change> {
        let (source, lines) = (self.input.source.0, &task.lines);
        let blocks = &self.markdown.blocks;
        let first = blocks.partition_point(|block| block.range.start < lines.start);
        let of_task = blocks[first..].iter().take_while(|block| block.range.start < lines.end);
        let is_paragraph = |kind| matches!(kind, BlockKind::Paragraph { .. });
        let paragraphs = of_task.filter(|block| is_paragraph(block.kind) && !block.in_quote);
        let wraps = paragraphs.filter_map(|block| {
            let breaks = line_breaks(source, block.content.clone());
            let is_left = |range: &Range<usize>| width(indentation_before(source, range.end)) < from;
            breaks.iter().any(is_left).then_some(breaks)
        });
        wraps.flatten().map(|range| (range, " ".to_owned())).collect()
    }
}

/// The beginning of the first line of a task, up to its box: the indentation, the bullet and the space
/// behind it.
fn bullet(source: &str, task: &ListTask) -> String {
    let bullet = &source[task.lines.start..task.box_content.start - 1];
    let bullet = bullet.trim_start_matches(BOM);
    match bullet.find(['\n', '\r']) {
        // The bullet has a line of its own.
        Some(end) => format!("{} ", bullet[..end].trim_end()),
        None => bullet.to_owned(),
    }
}

fn columns(bullet: &str) -> Columns {
    Columns { bullet: width(indentation(bullet)), content: width(bullet) }
}

/// A part of the source with changes in it.
fn written_with(source: &str, range: Range<usize>, changes: &[Change]) -> String {
    let moved = |(bytes, new): &Change| (bytes.start - range.start..bytes.end - range.start, new.clone());
    let changes: Vec<Change> = changes.iter().map(moved).collect();
    changes::apply(&source[range.clone()], &changes)
}

/// The line ends in these bytes of the source, each with the white space around it.
fn line_breaks(source: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut breaks = Vec::new();
    let mut at = range.start;
    while let Some(found) = source[at..range.end].find(['\n', '\r']) {
        let start = at + source[at..at + found].trim_end().len();
        let rest = &source[at + found..range.end];
        at += found + rest.len() - rest.trim_start().len();
        breaks.push(start..at);
    }
    breaks
}

/// The white space between the beginning of a line and this byte of it.
fn indentation_before(source: &str, offset: usize) -> &str {
    let start = source[..offset].rfind(['\n', '\r']).map_or(0, |end| end + 1);
    &source[start..offset]
}

/// The text with another indentation of all lines but the first. `from` columns of white space are removed,
/// and `to` spaces are added to every line that is not blank.
///
/// A line with fewer columns continues a paragraph in a block quote. It is written on the line that it
/// continues.
fn indent(text: &str, from: usize, to: usize) -> String {
    let mut lines = text.split_inclusive(['\n', '\r']);
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let mut rest = line;
        let mut column = 0;
        while column < from && rest.starts_with([' ', '\t']) {
            column = column_behind(column, &rest[..1]);
            rest = &rest[1..];
        }
        let is_blank = rest.trim_start().is_empty();
        if column < from && !is_blank {
            out.truncate(out.trim_end().len());
            out.push(' ');
            rest = rest.trim_start();
        } else if !is_blank {
            // A tab can reach behind the columns that are removed.
            out.extend(std::iter::repeat_n(' ', to + column - from));
        }
        out.push_str(rest);
    }
    out
}

const BOM: char = '\u{feff}';

/// The length of the byte order mark at the beginning of the text.
pub(super) fn bom_length(text: &str) -> usize {
    if text.starts_with(BOM) { BOM.len_utf8() } else { 0 }
}

pub(super) fn ends_line(text: &str) -> bool {
    text.ends_with(['\n', '\r'])
}

/// The line end of the first line.
fn line_end(text: &str) -> Option<&'static str> {
    let start = text.find(['\n', '\r'])?;
    Some(match &text.as_bytes()[start..] {
        [b'\r', b'\n', ..] => "\r\n",
        [b'\r', ..] => "\r",
        _ => "\n",
    })
}

/// The length up to and with the last line that is not blank.
fn length_without_blank_lines(text: &str) -> usize {
    let end = text.trim_end().len();
    match text[end..].find(['\n', '\r']).map(|at| end + at) {
        Some(at) if text[at..].starts_with("\r\n") => at + 2,
        Some(at) => at + 1,
        None => text.len(),
    }
}

fn with_line_ends(text: &str, line_end: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', line_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_below_the_first_are_indented_as_the_new_bullet_demands() {
        assert_eq!(indent("a\n  b\n\n      c\n", 2, 4), "a\n    b\n\n        c\n");
        assert_eq!(indent("a\r\n\tb\r\n", 2, 0), "a\r\n  b\r\n");
    }

    #[test]
    fn a_line_that_continues_a_paragraph_from_further_left_joins_it() {
        assert_eq!(indent("a\n    - b\n     c\r\nd\r\n", 5, 2), "a - b\n  c d\r\n");
    }

    #[test]
    fn a_tab_reaches_to_the_next_multiple_of_four() {
        assert_eq!(columns("-\t"), Columns { bullet: 0, content: 4 });
        assert_eq!(columns("  1. "), Columns { bullet: 2, content: 5 });
    }
}
