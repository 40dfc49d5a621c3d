//! Writes changes of the field lines.

use std::ops::Range;

use super::edits::{After, Before, Edits, end_of_line};
use super::new_sections::NewSections;
use crate::task::document::TaskDocument;
use crate::task::ending::Ending;
use crate::task::format;
use crate::task::names::Field;
use crate::task::spans::TitleSpan;
use crate::task::values::{Priority, Status, TaskValues};
use crate::task::write::{field_line, field_value};
use crate::text::one_line;

/// Writes the values that differ: into their field lines, or into new ones.
pub(super) fn write(edits: &mut Edits<'_>, document: &TaskDocument, now: &TaskValues, missing: &NewSections) {
    if let TitleSpan::SectionHeading(heading) = document.spans.title {
        let is_lost = matches!(document.spans.ending, Ending::BeforeSection(_)) && !missing.is_empty();
        // Field lines in a section can be a part of a value that changes.
        let is_in_danger = has_field_values(&document.values) && !edits.has_only_ticks();
        if is_lost || is_in_danger || !is_same_heading(document, now) {
            write_above(edits, now, heading, false);
        }
        return;
    }
    if !missing.is_empty() && matches!(document.spans.title, TitleSpan::Line { heading: None, .. }) {
        return write_above(edits, now, document.spans.body, true);
    }
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

/// Writes a title and field lines above what has been the title: the heading of a section, or a line that
/// cannot be a heading. Field lines below it do not count then: those of a section are outside, and others
/// are not the first if `all` fields are written.
fn write_above(edits: &mut Edits<'_>, now: &TaskValues, at: usize, all: bool) {
    let mut text = format!("# {}\n\n", format::title(&now.title, false));
    for field in Field::ALL {
        let value = field_value(field, now).or(all.then(String::new));
        text.extend(value.map(|value| field_line(field, &value) + "\n"));
    }
    edits.insert(at, &text, Before::BlankLine, After::BlankLine);
}

/// Whether a value of a field line is not the default value.
fn has_field_values(values: &TaskValues) -> bool {
    let (status, priority) = (Status::default(), Priority::default());
    let is_default = values.status == status && values.priority == priority;
    !is_default || values.date.is_some() || values.owner.is_some()
}

/// Whether the title and the values of all field lines are those of the source.
fn is_same_heading(document: &TaskDocument, now: &TaskValues) -> bool {
    let is_same = |field| field_value(field, now) == field_value(field, &document.values);
    one_line(&now.title) == document.values.title && Field::ALL.into_iter().all(is_same)
}

fn write_value(edits: &mut Edits<'_>, span: Range<usize>, value: &str) {
    let (before, after) = edits.source.split_at(span.end);
    // The line can end with a `\` that is not part of the value.
    let value = match value.strip_suffix('\\') {
        Some(shorter) if after.trim_start_matches([' ', '\t']).starts_with('\\') => shorter,
        _ => value,
    };
    let needs_space = span.is_empty() && !before.ends_with([' ', '\t']);
    edits.replace(span, &if needs_space { format!(" {value}") } else { value.to_owned() });
}

/// The end of the line of the title.
pub(super) fn below_title(source: &str, document: &TaskDocument) -> usize {
    let title = match &document.spans.title {
        TitleSpan::Heading(span) => span.end,
        TitleSpan::Line { span, heading, .. } => heading.as_ref().map_or(span.end, |heading| heading.end),
        TitleSpan::SectionHeading(_) | TitleSpan::Missing => return document.spans.body,
    };
    title + end_of_line(&source[title..])
}
