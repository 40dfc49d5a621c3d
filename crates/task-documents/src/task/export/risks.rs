//! Writes changes of the risks.

use std::ops::Range;

use super::edits::{After, Before, Edits, end_of_line};
use super::list;
use super::new_sections::NewSections;
use crate::task::columns;
use crate::task::document::TaskDocument;
use crate::task::format;
use crate::task::risks::{cell_text, cells};
use crate::task::siblings::longest_increasing;
use crate::task::spans::{Columns, ListPlace, RiskSpan};
use crate::task::values::{Risk, TaskValues};
use crate::task::words;
use crate::task::write::risks_table;
use crate::text::one_line;

/// Writes what differs. Risks that have no section are noted in `missing`.
pub(super) fn write(
    edits: &mut Edits<'_>,
    document: &TaskDocument,
    now: &TaskValues,
    missing: &mut NewSections,
) {
    let known = |risk: &Risk| risk.origin.filter(|origin| *origin < document.values.risks.len());
    let positions: Vec<_> = now.risks.iter().map(known).collect();
    let stays = longest_increasing(&positions);
    let origins: Vec<Option<usize>> =
        positions.into_iter().zip(stays).map(|(origin, stays)| origin.filter(|_| stays)).collect();
    let mut removed = vec![true; document.values.risks.len()];
    origins.iter().flatten().for_each(|origin| removed[*origin] = false);
    for (span, _) in document.spans.risks.iter().zip(removed).filter(|(_, removed)| *removed) {
        edits.replace(span.line.clone(), "");
    }
    if now.risks.is_empty() {
        return;
    }
    if document.spans.tables.is_empty() {
        match document.spans.risks_heading {
            Some(below) => {
                let place = ListPlace { below, prefix: String::new(), is_apart: true };
                let table = risks_table(&now.risks.iter().collect::<Vec<_>>());
                list::insert_at(edits, &place, &table, true);
            }
            None => missing.risks = true,
        }
        return;
    }
    Writer::new(edits, document, now, &origins).write(now, &origins);
}

struct Writer<'e, 's, 'd> {
    edits: &'e mut Edits<'s>,
    document: &'d TaskDocument,
    /// The columns of each table, with one for mitigations if a risk of the table has a mitigation.
    columns: Vec<Columns>,
    /// The table of each risk.
    tables: Vec<usize>,
}

impl<'e, 's, 'd> Writer<'e, 's, 'd> {
    fn new(
        edits: &'e mut Edits<'s>,
        document: &'d TaskDocument,
        now: &TaskValues,
        origins: &[Option<usize>],
    ) -> Self {
        let spans = &document.spans;
        let table = |origin: &Option<usize>| origin.map(|origin| spans.risks[origin].table);
        let first = origins.iter().find_map(table).unwrap_or_default();
        let tables = origins.iter().scan(first, |last, origin| {
            *last = table(origin).unwrap_or(*last);
            Some(*last)
        });
        let tables: Vec<usize> = tables.collect();
        let mut columns: Vec<_> = spans.tables.iter().map(|table| table.columns).collect();
        for (risk, table) in now.risks.iter().zip(&tables) {
            let columns = &mut columns[*table];
            if risk.mitigation.is_some() && columns.mitigation.is_none() {
                columns.mitigation = Some(columns.count);
                columns.count += 1;
            }
        }
        Self { edits, document, columns, tables }
    }

    fn write(mut self, now: &TaskValues, origins: &[Option<usize>]) {
        for table in 0..self.columns.len() {
            self.add_column(table);
        }
        let next = origins.iter().find_map(|origin| *origin);
        let mut previous = None;
        for (index, risk) in now.risks.iter().enumerate() {
            let columns = self.columns[self.tables[index]];
            if let Some(origin) = origins[index] {
                self.change(risk, origin, columns);
                previous = Some(origin);
                continue;
            }
            let spans = &self.document.spans;
            let (at, like) = match (previous, next) {
                (Some(previous), _) => (spans.risks[previous].line.end, Some(previous)),
                (None, Some(next)) => (spans.risks[next].line.start, Some(next)),
                (None, None) => (self.below_header(self.tables[index]), None),
            };
            let prefix = match like {
                Some(row) => {
                    columns::blank(columns::line_before(self.edits.source, spans.risks[row].row.start))
                }
                None => spans.tables[self.tables[index]].prefix.clone(),
            };
            let row = format!("{prefix}{}\n", format::row(risk, columns));
            self.edits.insert(at, &row, Before::LineEnd, After::Anything);
        }
    }

    /// The end of the line below the header of a table.
    fn below_header(&self, table: usize) -> usize {
        let delimiters = self.document.spans.tables[table].delimiters.end;
        delimiters + end_of_line(&self.edits.source[delimiters..])
    }

    /// Adds a column for mitigations to a table that has none and needs one.
    fn add_column(&mut self, table: usize) {
        let span = &self.document.spans.tables[table];
        if self.columns[table] != span.columns {
            self.append_cell(span.header.clone(), " Mitigation Plan ");
            self.append_cell(span.delimiters.clone(), "---");
        }
    }

    /// Adds a cell at the end of a row.
    fn append_cell(&mut self, row: Range<usize>, content: &str) {
        let text = &self.edits.source[row.clone()];
        let is_closed = text.ends_with('|') && !text.ends_with("\\|");
        let text = if is_closed { format!("{content}|") } else { format!(" |{content}") };
        self.edits.insert(row.end, text.trim_end(), Before::Anything, After::Anything);
    }

    /// Writes the values that differ into the row of a risk.
    fn change(&mut self, risk: &Risk, origin: usize, columns: Columns) {
        let (old, span) = (&self.document.values.risks[origin], &self.document.spans.risks[origin]);
        if one_line(&risk.description) != old.description {
            self.write_cell(span, span.description.clone(), &risk.description);
        }
        if risk.likelihood != old.likelihood {
            self.write_cell(span, span.likelihood.clone(), words::level_text(risk.likelihood));
        }
        if risk.impact != old.impact {
            self.write_cell(span, span.impact.clone(), words::level_text(risk.impact));
        }
        let Some(column) = columns.mitigation else { return };
        let mitigation = one_line(risk.mitigation.as_deref().unwrap_or_default());
        let cells = cells(self.edits.source, span.row.clone());
        match cells.get(column).cloned() {
            Some(cell) => {
                // A new column can have text in a row that has more cells than the header.
                let is_new = columns != self.document.spans.tables[span.table].columns;
                let old = match is_new {
                    true => cell_text(self.edits.source, cell.clone()),
                    false => old.mitigation.clone().unwrap_or_default(),
                };
                if mitigation != old {
                    self.write_cell(span, cell, &mitigation);
                }
            }
            None if mitigation.is_empty() => {}
            None => {
                for _ in cells.len()..column {
                    self.append_cell(span.row.clone(), " ");
                }
                self.append_cell(span.row.clone(), &format!(" {} ", format::cell(&mitigation)));
            }
        }
    }

    fn write_cell(&mut self, span: &RiskSpan, cell: Range<usize>, value: &str) {
        let source = self.edits.source;
        let mut text = format::cell(value);
        // A row without a vertical bar at its beginning could begin like another block.
        if cell.start == span.row.start && !text.starts_with(char::is_alphabetic) {
            text.insert_str(0, "| ");
        }
        if cell.is_empty() && !source[..cell.start].ends_with([' ', '\t']) {
            text.insert(0, ' ');
        }
        if (cell.is_empty() || text.ends_with('\\')) && source[cell.end..].starts_with('|') {
            text.push(' ');
        }
        self.edits.replace(cell, &text);
    }
}
