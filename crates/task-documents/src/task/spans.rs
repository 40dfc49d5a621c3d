//! Where the values of a task document stand in its source. Offsets are bytes.

use std::ops::Range;

use super::ending::Ending;
use super::names::Field;
use super::values::{FileKind, Section};
use crate::boxes;

/// Where the values stand, and where new ones are written.
#[derive(Clone, Debug)]
pub(super) struct Spans {
    /// Behind the byte order mark and the front matter.
    pub body: usize,
    pub title: TitleSpan,
    pub fields: FieldSpans,
    pub objective: ProseSpan,
    pub rationale: ProseSpan,
    /// In the order of the items of the document. The same holds for risks and files.
    pub items: Vec<ItemSpan>,
    /// What is between the brackets of the first ticked box.
    pub first_tick: Option<Range<usize>>,
    /// Where the first item of a section is written.
    pub item_places: Places<Section>,
    pub risks: Vec<RiskSpan>,
    pub tables: Vec<TableSpan>,
    /// The end of the line below which a new table of risks is written.
    pub risks_heading: Option<usize>,
    pub files: Vec<FileSpan>,
    pub file_places: Places<FileKind>,
    /// Where new sections are written.
    pub ending: Ending,
}

impl Spans {
    /// The letter that is written into boxes to tick them.
    pub(super) fn tick<'a>(&self, source: &'a str) -> &'a str {
        boxes::content_of(true, self.first_tick.clone().map(|tick| &source[tick]))
    }
}

/// Where the title stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TitleSpan {
    /// In a heading. The span is without `TASK:`.
    Heading(Range<usize>),
    /// In the heading of a section, which begins at this line. A new title is written above the section.
    SectionHeading(usize),
    /// In the first line of a document without headings.
    Line {
        line: Range<usize>,
        /// The line without `TASK:`.
        span: Range<usize>,
        /// What a heading can replace: the line, with a line below it that underlines it. None if the rest of
        /// the document would be read in another way then.
        heading: Option<Range<usize>>,
    },
    /// The document has neither headings nor lines.
    Missing,
}

/// Where the values of the field lines stand.
#[derive(Clone, Debug, Default)]
pub(super) struct FieldSpans {
    found: [Option<Range<usize>>; Field::ALL.len()],
    /// The last field line.
    pub last: Option<LastFieldLine>,
}

/// The last field line of a document.
#[derive(Clone, Debug)]
pub(super) struct LastFieldLine {
    /// The offset behind its line end.
    pub end: usize,
    /// What a new line begins with: white space, and a bullet if the line is a list item.
    pub prefix: String,
}

impl FieldSpans {
    /// The span of the first value for a field.
    pub(super) fn get(&self, field: Field) -> Option<&Range<usize>> {
        self.found[field as usize].as_ref()
    }

    /// Sets the span of the value for a field.
    pub(super) fn set(&mut self, field: Field, span: Range<usize>) {
        self.found[field as usize] = Some(span);
    }
}

/// Where the text of a section stands.
#[derive(Clone, Debug)]
pub(super) enum ProseSpan {
    /// The document has no such section.
    NoSection,
    /// The section has no text. New text is written below the line that ends here.
    Empty { below: usize },
    Text {
        /// What a new text replaces, with the label of an example.
        span: Range<usize>,
        /// Whether a line below the text makes it a heading for CommonMark.
        is_underlined: bool,
        /// What is removed when the text is cleared. The first is `span`, perhaps with the line of an
        /// underlined heading. Examples follow that would be read as the text.
        cleared: Vec<Range<usize>>,
    },
}

/// Where a list item stands: a checklist item or a file.
#[derive(Clone, Debug)]
pub(super) struct ListItemSpan {
    /// The offset of the bullet or number.
    pub marker: usize,
    /// All lines of the item. If another bullet stands before it in its line, only the item without its line
    /// end.
    pub lines: Range<usize>,
    /// The offset behind its last line.
    pub end: usize,
}

/// Where a checklist item stands.
#[derive(Clone, Debug)]
pub(super) struct ItemSpan {
    pub list_item: ListItemSpan,
    pub box_content: Range<usize>,
    pub text: Range<usize>,
    /// Where the first child is written.
    pub first_child: ListPlace,
}

/// Where a file stands.
#[derive(Clone, Debug)]
pub(super) struct FileSpan {
    pub list_item: ListItemSpan,
    /// The path, with the delimiters of a code span.
    pub path: Range<usize>,
}

/// Where a new list item is written that has no siblings.
#[derive(Clone, Debug)]
pub(super) struct ListPlace {
    /// The end of the line above.
    pub below: usize,
    /// The white space before the bullet.
    pub prefix: String,
    /// Whether blank lines separate the new list from other text.
    pub is_apart: bool,
}

/// Where the first list items below a label or a heading are written.
#[derive(Clone, Debug)]
pub(super) struct Places<K> {
    /// Below a label or a heading.
    pub below: Vec<(K, ListPlace)>,
    /// The end of a section to which a label can be added, with the bullet for it.
    pub new_label: Option<(ListPlace, String)>,
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self { below: Vec::new(), new_label: None }
    }
}

impl<K: Copy + PartialEq> Places<K> {
    /// Adds a place if there is none for this label or heading.
    pub(super) fn add(&mut self, key: K, place: impl FnOnce() -> ListPlace) {
        if self.get(key).is_none() {
            self.below.push((key, place()));
        }
    }

    /// The place for this label or heading.
    pub(super) fn get(&self, key: K) -> Option<&ListPlace> {
        self.below.iter().find(|(of, _)| *of == key).map(|(_, place)| place)
    }
}

/// Where a risk stands.
#[derive(Clone, Debug)]
pub(super) struct RiskSpan {
    /// The row without white space at its ends.
    pub row: Range<usize>,
    /// The line of the row, with its line end.
    pub line: Range<usize>,
    /// The index of its table.
    pub table: usize,
    pub description: Range<usize>,
    pub likelihood: Range<usize>,
    pub impact: Range<usize>,
}

/// A table of risks.
#[derive(Clone, Debug)]
pub(super) struct TableSpan {
    pub columns: Columns,
    /// The header without white space at its ends.
    pub header: Range<usize>,
    /// The line below the header.
    pub delimiters: Range<usize>,
    /// The white space before a row.
    pub prefix: String,
}

/// The columns of a table of risks, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub description: usize,
    pub likelihood: usize,
    pub impact: usize,
    pub mitigation: Option<usize>,
    /// The number of columns.
    pub count: usize,
}
