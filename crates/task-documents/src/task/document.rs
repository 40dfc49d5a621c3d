//! What a task document says, and where it says it.

use super::names::Row;
use super::report::Report;
use super::sections::SectionBlocks;
use super::spans::Spans;
use super::values::{Limits, TaskValues};
use super::{checklist, fields, files, prose, risks, sections, title};
use crate::diagnostic::Diagnostic;
use crate::markdown::{BlockKind, Markdown};

/// What a task document says.
#[derive(Clone, Debug)]
pub struct TaskDocument {
    /// The values. Everything that the document does not say has its default value.
    pub values: TaskValues,
    /// What was not read as its writer must have meant it, by line.
    pub diagnostics: Vec<Diagnostic>,
    pub(super) spans: Spans,
}

impl TaskDocument {
    /// Reads a document. Every text is a document.
    pub fn read(source: &str, limits: &Limits) -> Self {
        let markdown = Markdown::parse(source);
        let mut report = Report::new(&markdown.lines);
        let open_block = open_block(&markdown);
        let title = title::read(&markdown, limits.title, &mut report);
        let (values, fields) = fields::read(&markdown, title.fields.clone(), limits.owner, &mut report);
        let sections = sections::find(&markdown, &mut report);
        let mut text = |row: Row, limit: usize, what: &str| {
            let section = sections.iter().find(|section| section.row == row);
            let (text, span) = prose::read(&markdown, section);
            let offset = section.map_or(0, |section| markdown.blocks[section.heading].range.start);
            (text.map(|text| report.cut(&text, limit, offset, what)), span)
        };
        let (objective, objective_span) = text(Row::Objective, limits.objective, "The objective");
        let (rationale, rationale_span) = text(Row::Rationale, limits.rationale, "The rationale");
        let checklist = checklist::read(&markdown, &sections, limits, open_block, &mut report);
        let risks = risks::read(&markdown, &sections, limits, &mut report);
        let files = files::read(&markdown, &sections, limits, open_block, &mut report);
        Self {
            values: TaskValues {
                title: title.text,
                date: values.date,
                status: values.status,
                priority: values.priority,
                owner: values.owner,
                objective,
                rationale,
                items: checklist.items,
                risks: risks.risks,
                files: files.files,
            },
            diagnostics: report.finish(),
            spans: Spans {
                body: markdown.body,
                title: title.span,
                fields,
                objective: objective_span,
                rationale: rationale_span,
                items: checklist.spans,
                first_tick: checklist.first_tick,
                item_places: checklist.places,
                risks: risks.spans,
                tables: risks.tables,
                risks_heading: risks.heading,
                files: files.spans,
                file_places: files.places,
                new_sections: open_block.map(|block| new_sections(&markdown, &sections, block)),
            },
        }
    }
}

/// Where new sections are written before code or HTML without an end: before the block, or before the heading of a
/// section whose text it is.
fn new_sections(markdown: &Markdown<'_>, sections: &[SectionBlocks], open_block: usize) -> usize {
    match sections.last() {
        Some(section)
            if matches!(section.row, Row::Objective | Row::Rationale) && !section.blocks.is_empty() =>
        {
            let is_in_section = section.blocks.end == markdown.blocks.len();
            let heading = markdown.lines.start(markdown.blocks[section.heading].range.start);
            if is_in_section { heading } else { open_block }
        }
        _ => open_block,
    }
}

/// The beginning of the line of the last block if a heading behind the document would be read as a part of it, as
/// it is with code and comments that have no end.
fn open_block(markdown: &Markdown<'_>) -> Option<usize> {
    let last = markdown.children(None).last()?;
    if !matches!(markdown.blocks[last].kind, BlockKind::Code | BlockKind::Html) {
        return None;
    }
    let start = markdown.lines.start(markdown.blocks[last].range.start);
    let continued = format!("\n{}\n\n# Heading\n", &markdown.source[start..]);
    let continued = Markdown::parse(&continued);
    let end = continued.children(None).last()?;
    (!matches!(continued.blocks[end].kind, BlockKind::Heading { .. })).then_some(start)
}
