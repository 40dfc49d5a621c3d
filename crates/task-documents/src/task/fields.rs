//! The field lines of a task document, such as `**Status**: Done`.

use std::ops::Range;

use chrono::{Datelike, NaiveDate};

use super::columns::{self, Marker};
use super::labels;
use super::names::Field;
use super::report::Report;
use super::sections;
use super::spans::{FieldSpans, LastFieldLine};
use super::title::is_in_brackets;
use super::values::{Priority, Status};
use super::words::{self, Choice};
use crate::diagnostic::Code;
use crate::markdown::{BlockKind, Markdown};
use crate::text;

/// The values of the field lines.
#[derive(Default)]
pub(super) struct FieldValues {
    pub date: Option<NaiveDate>,
    pub status: Status,
    pub priority: Priority,
    pub owner: Option<String>,
}

/// Reads the field lines in these bytes of the source.
pub(super) fn read(
    markdown: &Markdown<'_>,
    range: Range<usize>,
    owner_limit: usize,
    report: &mut Report<'_>,
) -> (FieldValues, FieldSpans) {
    let (mut values, mut spans) = (FieldValues::default(), FieldSpans::default());
    for block in 0..markdown.blocks.len() {
        let paragraph = &markdown.blocks[block];
        if !matches!(paragraph.kind, BlockKind::Paragraph { .. }) || paragraph.in_quote {
            continue;
        }
        let content = paragraph.content.start.max(range.start)..paragraph.content.end.min(range.end);
        if content.is_empty() {
            continue;
        }
        for line in sections::lines(markdown, content) {
            let Some((field, value)) = field_line(markdown.source, line.clone()) else { continue };
            spans.last = Some(last_field_line(markdown, &line));
            if spans.get(field).is_none() {
                let text = &markdown.source[value.clone()];
                values.set(field, text, value.start, owner_limit, report);
                spans.set(field, value);
            }
        }
    }
    (values, spans)
}

/// The field and the value of a field line.
fn field_line(source: &str, line: Range<usize>) -> Option<(Field, Range<usize>)> {
    let (name, rest) = labels::split(source[line.clone()].trim_start())?;
    let field = Field::of_name(name)?;
    let start = line.end - rest.len();
    let value = rest.trim_end();
    let value = value.strip_suffix('\\').unwrap_or(value).trim_end();
    if value.trim_start().is_empty() {
        // A new value is written behind one space.
        let start = start + usize::from(rest.starts_with([' ', '\t']));
        return Some((field, start..start));
    }
    let end = start + value.len();
    Some((field, end - value.trim_start().len()..end))
}

fn last_field_line(markdown: &Markdown<'_>, line: &Range<usize>) -> LastFieldLine {
    let source = markdown.source;
    let start = line.start + columns::indentation(&source[line.clone()]).len();
    let before = columns::line_before(source, start);
    let bullet_start = before.len() - before.trim_start().len();
    let marker = Marker::of(&before[bullet_start..]);
    let prefix = match marker {
        Some(marker) => columns::blank(&before[..bullet_start]) + &marker.of_new_sibling(),
        None => columns::blank(before),
    };
    LastFieldLine { end: markdown.lines.end(line.start), prefix }
}

impl FieldValues {
    /// Sets a value to what a field line says. A value that cannot be used is reported.
    fn set(&mut self, field: Field, text: &str, offset: usize, owner_limit: usize, report: &mut Report<'_>) {
        let mut offers_choices = false;
        let is_usable = match field {
            Field::Date => {
                self.date = read_date(text);
                self.date.is_some()
            }
            Field::Status => take(words::read_status(text), &mut self.status, &mut offers_choices),
            Field::Priority => take(words::read_priority(text), &mut self.priority, &mut offers_choices),
            Field::Owner => {
                let owner = report.cut(&text::nfc(text), owner_limit, offset, "The owner");
                self.owner = Some(owner).filter(|owner| !owner.is_empty());
                true
            }
        };
        let name = field.name();
        if offers_choices || is_in_brackets(text) || text.contains("YYYY") {
            report.add(
                Code::Placeholder,
                offset,
                format!("The value of {name} is a placeholder of a template."),
            );
        } else if !is_usable && !text.is_empty() {
            let message = match field {
                Field::Date => {
                    "The date is not a day in the form YYYY-MM-DD. The task has no date.".to_owned()
                }
                _ => format!("The value of {name} is not known. The task has the default value."),
            };
            report.add(Code::UnreadableValue, offset, message);
        }
    }
}

fn take<T>(choice: Choice<T>, value: &mut T, offers_choices: &mut bool) -> bool {
    match choice {
        Choice::Value(read) => {
            *value = read;
            return true;
        }
        Choice::Several => *offers_choices = true,
        Choice::Unknown => {}
    }
    false
}

/// A day of the years 1 to 9999 as YYYY-MM-DD.
fn read_date(text: &str) -> Option<NaiveDate> {
    let date: NaiveDate = text.parse().ok()?;
    ((1..=9999).contains(&date.year()) && date.to_string() == text).then_some(date)
}
