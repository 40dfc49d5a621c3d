//! Writes the document of a task that has none, and the sections that a document lacks.

use super::format;
use super::names::{self, Field, Row};
use super::prose;
use super::siblings::Siblings;
use super::spans::Columns;
use super::values::{File, FileKind, Item, Risk, Section, TaskValues};
use super::words;
use crate::text;

/// The columns of a new table of risks.
const COLUMNS: Columns = Columns { description: 0, likelihood: 1, impact: 2, mitigation: Some(3), count: 4 };

/// A new document for a task that has none.
pub fn write(values: &TaskValues) -> String {
    let mut document = format!("# TASK: {}\n\n", format::title(&values.title, true));
    for field in Field::ALL {
        if let Some(value) = field_value(field, values) {
            document.push_str(&field_line(field, &value));
            document.push('\n');
        }
    }
    document.push_str("\n---\n");
    let items = Siblings::of(&values.items);
    let sections = [
        prose_section(Row::Objective, values.objective.as_deref()),
        prose_section(Row::Rationale, values.rationale.as_deref()),
        scope_section(&values.items, &items, &Section::WITH_LABELS, "x"),
        checklist_section(Section::Action, &values.items, &items, "x"),
        checklist_section(Section::Acceptance, &values.items, &items, "x"),
        risks_section(&values.risks.iter().collect::<Vec<_>>()),
        files_section(&values.files.iter().collect::<Vec<_>>()),
    ];
    for section in sections {
        document.push('\n');
        document.push_str(&section);
    }
    document
}

/// The value of a field as it is written. None if the task has none.
pub(super) fn field_value(field: Field, values: &TaskValues) -> Option<String> {
    match field {
        Field::Date => values.date.map(|date| date.format("%Y-%m-%d").to_string()),
        Field::Status => Some(words::status_text(values.status).to_owned()),
        Field::Priority => Some(words::priority_text(values.priority).to_owned()),
        Field::Owner => values.owner.as_deref().map(format::field_value).filter(|owner| !owner.is_empty()),
    }
}

/// A field line without its line end.
pub(super) fn field_line(field: Field, value: &str) -> String {
    format!("**{}**: {value}", field.name())
}

/// The section of the objective or the rationale.
pub(super) fn prose_section(row: Row, text: Option<&str>) -> String {
    let heading = row.heading();
    match text.map(|text| text::with_line_feeds(text.trim())).filter(|text| !text.is_empty()) {
        Some(text) => format!("{heading}\n\n{}\n", prose::with_escapes(&text)),
        None => format!("{heading}\n"),
    }
}

/// The section with all labels, and with the items of these sections below them.
pub(super) fn scope_section(items: &[Item], siblings: &Siblings, sections: &[Section], tick: &str) -> String {
    let mut text = format!("{}\n\n", Row::Scope.heading());
    for section in Section::WITH_LABELS {
        text.push_str(&format!("- {}\n", names::label_of_section(section)));
        let items = siblings.top_level(items, section).map(|index| &items[index]);
        let items = items.filter(|item| sections.contains(&item.section));
        text.extend(items.map(|item| format!("  - {}\n", format::item(item, tick))));
    }
    text
}

/// The section of the items of one section.
pub(super) fn checklist_section(section: Section, items: &[Item], siblings: &Siblings, tick: &str) -> String {
    let mut text = format!("{}\n", Row::Checklist(section).heading());
    for (position, parent) in siblings.top_level(items, section).enumerate() {
        if position == 0 {
            text.push('\n');
        }
        text.push_str(&format!("- {}\n", format::item(&items[parent], tick)));
        let children = siblings.children(parent).iter().map(|child| &items[*child]);
        text.extend(children.map(|child| format!("  - {}\n", format::item(child, tick))));
    }
    text
}

/// The section of the risks.
pub(super) fn risks_section(risks: &[&Risk]) -> String {
    format!("{}\n\n{}", Row::Risks.heading(), risks_table(risks))
}

/// A new table of risks.
pub(super) fn risks_table(risks: &[&Risk]) -> String {
    let mut table = "| Risk | Likelihood | Impact | Mitigation Plan |\n|---|---|---|---|\n".to_owned();
    table.extend(risks.iter().map(|risk| format::row(risk, COLUMNS) + "\n"));
    table
}

/// The section of the files.
pub(super) fn files_section(files: &[&File]) -> String {
    let mut text = format!("{}\n\n", Row::Files.heading());
    for kind in FileKind::ALL {
        text.push_str(&format!("- {}\n", names::label_of_kind(kind)));
        let files = files.iter().filter(|file| file.kind == kind);
        text.extend(files.map(|file| format!("  - {}\n", format::file(file))));
    }
    text
}
