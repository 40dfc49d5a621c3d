//! How values are written in Markdown, on one line.

use super::names::Row;
use super::spans::Columns;
use super::title;
use super::values::{File, Item, Risk};
use super::words;
use crate::text::one_line;

/// A title in a heading without a closing sequence. `after_prefix` tells whether `TASK:` stands before it.
pub(super) fn title(title: &str, after_prefix: bool) -> String {
    let mut text = title_without_end(title, after_prefix);
    // The last `#` would be read as a closing sequence.
    let before = text.trim_end_matches('#');
    if before.len() < text.len() && (before.is_empty() || before.ends_with([' ', '\t'])) {
        text.push_str(" #");
    }
    text
}

/// A title in a heading that has a closing sequence of `#`, or in a line that is no heading.
pub(super) fn title_without_end(title: &str, after_prefix: bool) -> String {
    let text = one_line(title);
    // A title that begins with `TASK:` would lose it, and one with the name of a section would begin a
    // section.
    let is_misread = title::strip_prefix(&text).is_some() || Row::of_heading(&text).is_some();
    if !after_prefix && is_misread { format!("TASK: {text}") } else { text }
}

/// The value of a field line. A `\` at its end is written twice, because one is not part of the value.
pub(super) fn field_value(value: &str) -> String {
    let value = one_line(value);
    if value.ends_with('\\') { value + "\\" } else { value }
}

/// A checklist item without its bullet. `tick` is written in a ticked box.
pub(super) fn item(item: &Item, tick: &str) -> String {
    let mark = if item.done { tick } else { " " };
    format!("[{mark}] {}", one_line(&item.text))
}

/// A file without its bullet.
pub(super) fn file(file: &File) -> String {
    code_span(&one_line(&file.path))
}

/// Text between as many backticks as it takes.
pub(super) fn code_span(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    let delimiter = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    if longest == 0 { format!("`{text}`") } else { format!("{delimiter}{space}{text}{space}{delimiter}") }
}

/// The content of a cell.
pub(super) fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

/// The row of a risk. Columns with other meanings are empty.
pub(super) fn row(risk: &Risk, columns: Columns) -> String {
    let last = [columns.description, columns.likelihood, columns.impact];
    let last = last.into_iter().chain(columns.mitigation).max().unwrap_or_default();
    let mut row = "|".to_owned();
    for column in 0..=last.max(columns.count.saturating_sub(1).min(MAX_COLUMNS)) {
        let text = match column {
            column if column == columns.description => cell(&risk.description),
            column if column == columns.likelihood => words::level_text(risk.likelihood).to_owned(),
            column if column == columns.impact => words::level_text(risk.impact).to_owned(),
            column if Some(column) == columns.mitigation => {
                risk.mitigation.as_deref().map(cell).unwrap_or_default()
            }
            _ => String::new(),
        };
        row.push(' ');
        row.push_str(&text);
        row.push_str(if text.is_empty() { "|" } else { " |" });
    }
    row
}

/// The number of columns up to which a new row has an empty cell in each column without a meaning.
const MAX_COLUMNS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_written_so_that_it_is_read_again() {
        assert_eq!(title("Plans", false), "Plans");
        assert_eq!(title("Plan", false), "TASK: Plan");
        assert_eq!(title("Task: Plan", false), "TASK: Task: Plan");
        assert_eq!(title("Task: Plan", true), "Task: Plan");
        assert_eq!(title("C#", false), "C#");
        assert_eq!(title("Issue #", false), "Issue # #");
        assert_eq!(title("#", true), "# #");
        assert_eq!(title("a\r\nb", true), "a b");
    }

    #[test]
    fn a_code_span_has_more_backticks_than_its_text() {
        assert_eq!(code_span("a b"), "`a b`");
        assert_eq!(code_span("a`b"), "``a`b``");
        assert_eq!(code_span("``"), "``` `` ```");
    }

    #[test]
    fn values_on_one_line_are_escaped() {
        assert_eq!(cell("a | b\nc"), "a \\| b c");
        assert_eq!(field_value("a\\"), "a\\\\");
    }
}
