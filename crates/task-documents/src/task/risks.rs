//! Reads the risks of a task document: the rows of tables.

use std::ops::Range;

use super::columns;
use super::names::Row;
use super::report::Report;
use super::sections::{self, SectionBlocks};
use super::spans::{Columns, RiskSpan, TableSpan};
use super::values::{Limits, Risk};
use super::words;
use crate::diagnostic::Code;
use crate::markdown::{BlockKind, Markdown};
use crate::text;

/// The risks of a document.
#[derive(Default)]
pub(super) struct Risks {
    pub risks: Vec<Risk>,
    pub spans: Vec<RiskSpan>,
    pub tables: Vec<TableSpan>,
    /// The end of the line below which a new table is written.
    pub heading: Option<usize>,
    has_too_many: bool,
}

/// Reads the risks of all sections.
pub(super) fn read(
    markdown: &Markdown<'_>,
    sections: &[SectionBlocks],
    limits: &Limits,
    report: &mut Report<'_>,
) -> Risks {
    let mut risks = Risks::default();
    for section in sections.iter().filter(|section| section.row == Row::Risks) {
        risks.heading.get_or_insert_with(|| section.below_heading(markdown));
        let is_table = |block: &usize| {
            let block = &markdown.blocks[*block];
            let is_table = block.kind == BlockKind::Table && !block.in_quote;
            is_table && !columns::is_too_deep(markdown.source, block.range.start)
        };
        let tables: Vec<_> =
            section.blocks.clone().filter(is_table).map(|block| (block, table(markdown, block))).collect();
        let complete = tables.iter().find_map(|(block, table)| Some((*block, table.clone()?)));
        match (complete, tables.first()) {
            (Some((block, table)), _) => risks.read_table(markdown, block, table, limits, report),
            (None, Some((block, _))) => {
                let message =
                    "The table lacks a column for the risk, the likelihood or the impact. It is not read.";
                report.add(Code::UnreadableValue, markdown.blocks[*block].range.start, message);
            }
            (None, None) => {}
        }
    }
    risks
}

impl Risks {
    fn read_table(
        &mut self,
        markdown: &Markdown<'_>,
        block: usize,
        table: TableSpan,
        limits: &Limits,
        report: &mut Report<'_>,
    ) {
        let columns = table.columns;
        self.tables.push(table);
        for row in markdown.children(Some(block)) {
            if markdown.blocks[row].kind != (BlockKind::Row { header: false }) {
                continue;
            }
            self.read_row(
                markdown,
                line(markdown, markdown.blocks[row].range.start),
                columns,
                limits,
                report,
            );
        }
    }

    fn read_row(
        &mut self,
        markdown: &Markdown<'_>,
        row: Range<usize>,
        columns: Columns,
        limits: &Limits,
        report: &mut Report<'_>,
    ) {
        let source = markdown.source;
        let cells = cells(source, row.clone());
        let cell = |column: usize| cells.get(column).cloned();
        let Some(description) = cell(columns.description).filter(|cell| !cell.is_empty()) else { return };
        let level = |column: usize| {
            let cell = cell(column)?;
            Some((words::read_level(&source[cell.clone()])?, cell))
        };
        let (Some(likelihood), Some(impact)) = (level(columns.likelihood), level(columns.impact)) else {
            let message = "The risk has no likelihood or impact that is Low, Medium or High. It is not read.";
            return report.add(Code::UnreadableValue, row.start, message);
        };
        if self.risks.len() == limits.risks {
            if !std::mem::replace(&mut self.has_too_many, true) {
                let message = format!("A task has at most {} risks. The rest is read as text.", limits.risks);
                report.add(Code::TooMany, row.start, message);
            }
            return;
        }
        let mitigation = columns.mitigation.and_then(cell).map(|cell| cell_text(source, cell));
        self.risks.push(Risk {
            origin: Some(self.risks.len()),
            description: report.cut(
                &cell_text(source, description.clone()),
                limits.risk,
                row.start,
                "The risk",
            ),
            likelihood: likelihood.0,
            impact: impact.0,
            mitigation: mitigation
                .filter(|text| !text.is_empty())
                .map(|text| report.cut(&text, limits.mitigation, row.start, "The mitigation")),
        });
        self.spans.push(RiskSpan {
            line: sections::start_of_line(markdown, row.start)..markdown.lines.end(row.start),
            row,
            table: self.tables.len() - 1,
            description,
            likelihood: likelihood.1,
            impact: impact.1,
        });
    }
}

/// The text of a cell.
pub(super) fn cell_text(source: &str, cell: Range<usize>) -> String {
    text::nfc(&source[cell].replace("\\|", "|"))
}

/// A table that has all columns of a table of risks.
fn table(markdown: &Markdown<'_>, block: usize) -> Option<TableSpan> {
    let start = markdown.blocks[block].range.start;
    let header = line(markdown, start);
    let columns = columns(markdown.source, header.clone())?;
    let delimiters = line(markdown, markdown.lines.end(start));
    let prefix = columns::blank(columns::line_before(markdown.source, start));
    Some(TableSpan { columns, header, delimiters, prefix })
}

fn columns(source: &str, header: Range<usize>) -> Option<Columns> {
    let names: Vec<String> =
        cells(source, header).into_iter().map(|cell| source[cell].to_lowercase()).collect();
    let find = |words: [&str; 2], others: &[usize]| {
        let has_word = |name: &String| words.iter().any(|word| name.contains(word));
        (0..names.len()).find(|column| !others.contains(column) && has_word(&names[*column]))
    };
    let likelihood = find(["likelihood", "probability"], &[])?;
    let impact = find(["impact", "severity"], &[likelihood])?;
    let mitigation = find(["mitigation"; 2], &[likelihood, impact]);
    let description = match mitigation {
        Some(mitigation) => find(["risk"; 2], &[likelihood, impact, mitigation]),
        None => find(["risk"; 2], &[likelihood, impact]),
    }?;
    Some(Columns { description, likelihood, impact, mitigation, count: names.len() })
}

/// The rest of the line that begins here, without white space at its end.
fn line(markdown: &Markdown<'_>, start: usize) -> Range<usize> {
    let end = markdown.lines.end(start);
    start..start + markdown.source[start..end].trim_end().len()
}

/// The cells of a row. An empty cell is a place where a value can be written.
pub(super) fn cells(source: &str, row: Range<usize>) -> Vec<Range<usize>> {
    let text = source[row.clone()].trim_start();
    let mut start = row.end - text.len() + usize::from(text.starts_with('|'));
    let mut cells = Vec::new();
    while start < row.end {
        let end = end_of_cell(source, start, row.end);
        let cell = &source[start..end];
        let content = cell.trim_start();
        let content_start = if content.is_empty() {
            start + usize::from(cell.starts_with([' ', '\t']))
        } else {
            end - content.len()
        };
        cells.push(content_start..content_start + content.trim_end().len());
        start = end + 1;
    }
    cells
}

/// The offset of the next vertical bar without a `\` before it, or the end of the row.
fn end_of_cell(source: &str, start: usize, end: usize) -> usize {
    let bytes = &source.as_bytes()[..end];
    let is_end = |at: &usize| bytes[*at] == b'|' && (*at == 0 || bytes[at - 1] != b'\\');
    (start..end).find(is_end).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_split_at_vertical_bars_that_are_not_escaped() {
        let split = |row: &str| {
            cells(row, 0..row.len()).into_iter().map(|cell| row[cell].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(split("| a | b |"), ["a", "b"]);
        assert_eq!(split("a|b"), ["a", "b"]);
        assert_eq!(split("| a \\| b ||  |"), ["a \\| b", "", ""]);
        assert_eq!(split("|"), [""; 0]);
    }

    #[test]
    fn columns_are_found_by_words_in_their_names() {
        let find = |header: &str| {
            let found = columns(header, 0..header.len());
            found.map(|found| (found.description, found.likelihood, found.impact, found.mitigation))
        };
        assert_eq!(find("| Risk | Likelihood | Impact | Mitigation Plan |"), Some((0, 1, 2, Some(3))));
        assert_eq!(
            find("Risk Mitigation | Severity of risk | Probability | The risk"),
            Some((3, 2, 1, Some(0)))
        );
        assert_eq!(find("| # | RISK | impact | likelihood |"), Some((1, 3, 2, None)));
        assert_eq!(find("| Risk | Impact |"), None);
    }
}
