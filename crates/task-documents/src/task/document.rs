//! What a task document says, and where it says it.

use super::ending::{Ending, OpenBlock};
use super::names::Row;
use super::report::Report;
use super::spans::Spans;
use super::values::{Limits, TaskValues};
use super::{checklist, fields, files, prose, risks, sections, title};
use crate::diagnostic::Diagnostic;
use crate::markdown::Markdown;

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
        let open_block = OpenBlock::of(&markdown);
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
        let open_at = open_block.as_ref().map(|block| block.start);
        let ending = open_block.map_or(Ending::End, |block| block.ending(&markdown, &sections));
        let checklist = checklist::read(&markdown, &sections, limits, open_at, &mut report);
        let risks = risks::read(&markdown, &sections, limits, &mut report);
        let files = files::read(&markdown, &sections, limits, open_at, &mut report);
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
                ending,
            },
        }
    }
}
