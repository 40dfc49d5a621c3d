//! Writes changes of the title, the objective and the rationale.

use super::edits::{After, Before, Edits};
use super::list;
use super::new_sections::NewSections;
use crate::task::document::TaskDocument;
use crate::task::names::Row;
use crate::task::spans::{ListPlace, ProseSpan, TitleSpan};
use crate::task::values::TaskValues;
use crate::task::{format, prose};
use crate::text;

/// Writes the objective and the rationale if they differ. Texts that have no section are noted in `missing`.
pub(super) fn write(
    edits: &mut Edits<'_>,
    document: &TaskDocument,
    now: &TaskValues,
    missing: &mut NewSections,
) {
    let old = &document.values;
    let objective = (Row::Objective, &now.objective, &old.objective, &document.spans.objective);
    let rationale = (Row::Rationale, &now.rationale, &old.rationale, &document.spans.rationale);
    for (row, now, old, span) in [objective, rationale] {
        let now = text::with_line_feeds(now.as_deref().unwrap_or_default().trim());
        if now == old.as_deref().unwrap_or_default() {
            continue;
        }
        match span {
            ProseSpan::NoSection => missing.texts.push(row),
            ProseSpan::Empty { below } => {
                let place = ListPlace { below: *below, prefix: String::new(), is_apart: true };
                list::insert_at(edits, &place, &(prose::with_escapes(&now) + "\n"), true);
            }
            ProseSpan::Text { cleared, .. } if now.is_empty() => {
                for range in cleared {
                    edits.replace(range.clone(), "");
                }
            }
            ProseSpan::Text { span, is_underlined, .. } => {
                let after = if *is_underlined { After::Anything } else { After::NewBlock };
                edits.replace_block(span.clone(), &prose::with_escapes(&now), after);
            }
        }
    }
}

/// Writes the title if it differs. In a document without headings it becomes a heading if others are added,
/// or if it would not be read as a line.
pub(super) fn write_title(
    edits: &mut Edits<'_>,
    document: &TaskDocument,
    now: &TaskValues,
    adds_headings: bool,
) {
    let is_changed = text::one_line(&now.title) != document.values.title;
    match &document.spans.title {
        TitleSpan::Heading(span) if is_changed => {
            let before = &edits.source[..span.start];
            let is_closed =
                text::lines(&edits.source[span.end..]).next().is_some_and(|rest| rest.contains('#'));
            let write = if is_closed { format::title_without_end } else { format::title };
            let title = write(&now.title, has_prefix(before));
            let space = if before.ends_with([' ', '\t']) { "" } else { " " };
            let title = format!("{space}{title}");
            match span.is_empty() {
                true => edits.insert_first(span.start, &title, Before::Anything, After::Anything),
                false => edits.replace(span.clone(), &title),
            }
        }
        TitleSpan::Line { line, span, heading } if is_changed || adds_headings => {
            let title = if is_changed { &now.title } else { &edits.source[span.clone()] };
            let has_prefix = span.start > line.start;
            let is_plain = title.starts_with(char::is_alphabetic) || has_prefix;
            match heading {
                // The heading has been written above the line.
                None if adds_headings => {}
                Some(replaced) if adds_headings || !is_plain => {
                    let prefix = &edits.source[line.start..span.start];
                    let title = format::title(title, has_prefix);
                    edits.replace(replaced.clone(), &format!("# {prefix}{title}"));
                }
                _ => edits.replace(span.clone(), &format::title_without_end(title, has_prefix)),
            }
        }
        TitleSpan::Missing if is_changed || adds_headings || !edits.has_only_ticks() => {
            let title = format!("# {}\n", format::title(&now.title, false));
            edits.insert_first(document.spans.body, &title, Before::LineEnd, After::BlankLine);
        }
        _ => {}
    }
}

/// Whether `TASK:` stands before a title, and not only the `#` of the heading.
fn has_prefix(before: &str) -> bool {
    before.trim_end().ends_with(':')
}
