//! Indentation: the white space at the beginning of lines, and how many columns text takes.

/// The number of columns from one tab stop to the next.
const TAB: usize = 4;

/// The column behind a text that begins at a column. A tab reaches to the next multiple of four.
pub(crate) fn column_behind(column: usize, text: &str) -> usize {
    text.chars()
        .fold(column, |column, char| if char == '\t' { column + TAB - column % TAB } else { column + 1 })
}

/// The width of a text that begins a line, in columns.
pub(crate) fn width(text: &str) -> usize {
    column_behind(0, text)
}

/// The white space with which a line begins.
pub(crate) fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
