//! Writes changes of the field lines.

use std::ops::Range;

use super::edits::{After, Before, Edits};
use crate::task::document::TaskDocument;
use crate::task::names::Field;
use crate::task::spans::TitleSpan;
use crate::task::values::TaskValues;
use crate::task::write::{field_line, field_value};

/// Writes the values that differ: into their field lines, or into new ones.
pub(super) fn write(edits: &mut Edits<'_>, document: &TaskDocument, now: &TaskValues) {
    let mut new_lines = Vec::new();
    for field in Field::ALL {
        let value = field_value(field, now);
        if value == field_value(field, &document.values) {
            continue;
        }
        match document.spans.fields.get(field) {
            Some(span) => write_value(edits, span.clone(), value.as_deref().unwrap_or_default()),
            None => new_lines.extend(value.map(|value| field_line(field, &value))),
        }
    }
    if new_lines.is_empty() {
        return;
    }
    match &document.spans.fields.last {
        Some(last) => {
            let lines: String = new_lines.iter().map(|line| format!("{}{line}\n", last.prefix)).collect();
            edits.insert(last.end, &lines, Before::LineEnd, After::Anything);
        }
        None => {
            let lines: String = new_lines.iter().map(|line| format!("{line}\n")).collect();
            edits.insert(below_title(edits.source, document), &lines, Before::BlankLine, After::BlankLine);
        }
    }
}

fn write_value(edits: &mut Edits<'_>, span: Range<usize>, value: &str) {
    let (before, after) = edits.source.split_at(span.end);
    // The line can end with a `\` that is not part of the value.
    let value = match value.strip_suffix('\\') {
        Some(shorter) if after.starts_with('\\') => shorter,
        _ => value,
    };
    let needs_space = span.is_empty() && !before.ends_with([' ', '\t']);
    edits.replace(span, &if needs_space { format!(" {value}") } else { value.to_owned() });
}

/// The end of the line of the title.
pub(super) fn below_title(source: &str, document: &TaskDocument) -> usize {
    let title = match &document.spans.title {
        TitleSpan::Heading(span) | TitleSpan::Line(_, span) => span.end,
        TitleSpan::Missing => return document.spans.body,
    };
    let rest = &source[title..];
    let line_end = rest.find(['\n', '\r']).unwrap_or(rest.len());
    let length = if rest[line_end..].starts_with("\r\n") { 2 } else { 1 };
    source.len().min(title + line_end + length)
}
