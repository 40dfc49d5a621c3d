//! The columns of list items and lines: tabs reach to the next multiple of four.

use std::ops::Range;

use crate::indentation::{column_behind, indentation, width};
use crate::markdown::Markdown;

/// The columns of a document, counted from 0.
pub struct Columns {
    /// For each line, the column of its first character that is not white space. The number of the first line
    /// is 1.
    pub lines: Vec<usize>,
    /// For each block that begins a line or stands behind bullets only, its column.
    pub blocks: Vec<usize>,
}

impl Columns {
    pub fn new(markdown: &Markdown<'_>) -> Self {
        let column_of_line = |number| {
            let line = markdown.lines.range(number);
            let start = line.start.max(markdown.body).min(line.end);
            width(indentation(&markdown.source[start..line.end]))
        };
        let lines = std::iter::once(0).chain((1..=markdown.lines.count()).map(column_of_line)).collect();
        let mut blocks = Vec::with_capacity(markdown.blocks.len());
        let (mut at, mut column) = (markdown.body, 0);
        for block in &markdown.blocks {
            let start = markdown.lines.start(block.range.start).max(markdown.body);
            if start > at {
                (at, column) = (start, 0);
            }
            if block.range.start > at {
                column = column_behind(column, &markdown.source[at..block.range.start]);
                at = block.range.start;
            }
            blocks.push(column);
        }
        Self { lines, blocks }
    }
}

/// The bytes to replace in order to move a line to the left, and what is written there. A line with less
/// white space moves as far as it can.
pub fn moved(source: &str, line: Range<usize>, columns: usize) -> (Range<usize>, String) {
    let space = indentation(&source[line.clone()]);
    if !space.contains('\t') {
        return (line.start..line.start + space.len().min(columns), String::new());
    }
    let remaining = width(space).saturating_sub(columns);
    (line.start..line.start + space.len(), " ".repeat(remaining))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_reach_to_the_next_multiple_of_four() {
        let markdown = Markdown::parse("\u{feff}a\n-\t- b\n    - c\n\td\n  \t\t e\n");
        let columns = Columns::new(&markdown);
        assert_eq!(columns.lines, [0, 0, 0, 4, 4, 9, 0]);
        // The paragraph a, the items with b and c with their paragraphs, and the paragraph d and e.
        assert_eq!(columns.blocks, [0, 0, 4, 6, 4, 6]);
    }

    #[test]
    fn lines_move_to_the_left() {
        for (line, columns, expected) in
            [("    a", 2, "  a"), (" a", 2, "a"), ("a", 2, "a"), ("\ta", 2, "  a"), (" \t a", 4, " a")]
        {
            let (range, text) = moved(line, 0..line.len(), columns);
            let mut result = line.to_owned();
            result.replace_range(range, &text);
            assert_eq!(result, expected, "{line:?}");
        }
    }
}
