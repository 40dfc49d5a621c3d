//! The columns of list items and lines: tabs reach to the next multiple of four.

use std::ops::Range;

use crate::markdown::Markdown;

/// The number of columns from one tab stop to the next.
const TAB: usize = 4;
/// If more white space follows a bullet, the content is code, and only one space belongs to the bullet.
const MAX_SPACES: usize = 4;

/// The column behind a text that begins at a column. The text has only white space and bullets.
fn column_behind(column: usize, text: &str) -> usize {
    text.chars()
        .fold(column, |column, char| if char == '\t' { column + TAB - column % TAB } else { column + 1 })
}

fn leading_white_space(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The number of columns from the bullet of a list item to its content.
pub fn width_of_bullet(markdown: &Markdown<'_>, item: usize) -> usize {
    let start = markdown.blocks[item].range.start;
    let line = markdown.lines.start(start)..markdown.lines.end(start);
    let text = &markdown.source[start..line.end];
    let digits = text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let bullet = digits + 1;
    let spaces = leading_white_space(text.get(bullet..).unwrap_or_default());
    let behind_bullet = column_behind(column_behind(0, &markdown.source[line.start..start]), &text[..bullet]);
    let width = column_behind(behind_bullet, spaces) - behind_bullet;
    let is_blank = text.trim_end().len() <= bullet;
    bullet + if is_blank || width > MAX_SPACES { 1 } else { width }
}

/// The bytes to replace in order to move a line to the left, and what is written there. A line with less white
/// space moves as far as it can.
pub fn moved(source: &str, line: Range<usize>, columns: usize) -> (Range<usize>, String) {
    let space = leading_white_space(&source[line.clone()]);
    if !space.contains('\t') {
        return (line.start..line.start + space.len().min(columns), String::new());
    }
    let remaining = column_behind(0, space).saturating_sub(columns);
    (line.start..line.start + space.len(), " ".repeat(remaining))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_of_an_item_begins_behind_its_bullet() {
        let cases = [
            ("- a", 2),
            ("-   a", 4),
            ("-    a", 5),
            ("-     a", 2),
            ("-\n  a", 2),
            ("10. a", 4),
            ("1)\ta", 4),
            ("-\ta", 4),
            ("*", 2),
        ];
        for (source, width) in cases {
            assert_eq!(width_of_bullet(&Markdown::parse(source), 0), width, "{source:?}");
        }
        assert_eq!(width_of_bullet(&Markdown::parse("- -\ta"), 1), 2);
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
