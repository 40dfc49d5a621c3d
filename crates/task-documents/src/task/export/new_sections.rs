//! Writes sections that a document does not have.

use super::edits::{After, Before, Edits};
use crate::task::document::TaskDocument;
use crate::task::ending::Ending;
use crate::task::names::Row;
use crate::task::siblings::Siblings;
use crate::task::values::{File, FileKind, Section, TaskValues};
use crate::task::write;

/// The values that have no section in the source.
#[derive(Default)]
pub(super) struct NewSections {
    /// The objective and the rationale.
    pub texts: Vec<Row>,
    /// Sections of checklist items.
    pub sections: Vec<Section>,
    pub risks: bool,
    pub kinds: Vec<FileKind>,
}

impl NewSections {
    /// Whether no section is missing.
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.sections.is_empty() && !self.risks && self.kinds.is_empty()
    }

    /// Writes the sections at the end of the document, in the order of the template.
    pub(super) fn write(
        &self,
        edits: &mut Edits<'_>,
        document: &TaskDocument,
        now: &TaskValues,
        siblings: &Siblings,
    ) {
        if self.is_empty() {
            return;
        }
        let tick = document.spans.tick(edits.source);
        let mut sections = Vec::new();
        for row in &self.texts {
            let text = if *row == Row::Objective { &now.objective } else { &now.rationale };
            sections.push(write::prose_section(*row, text.as_deref()));
        }
        if self.sections.iter().any(|section| Section::WITH_LABELS.contains(section)) {
            sections.push(write::scope_section(&now.items, siblings, &self.sections, tick));
        }
        for section in [Section::Action, Section::Acceptance] {
            if self.sections.contains(&section) {
                sections.push(write::checklist_section(section, &now.items, siblings, tick));
            }
        }
        if self.risks {
            sections.push(write::risks_section(&now.risks.iter().collect::<Vec<_>>()));
        }
        if !self.kinds.is_empty() {
            let files: Vec<&File> = now.files.iter().filter(|file| self.kinds.contains(&file.kind)).collect();
            sections.push(write::files_section(&files));
        }
        let at = match &document.spans.ending {
            Ending::End => edits.source.len(),
            Ending::BeforeSection(heading) => *heading,
            Ending::Closing(line) => {
                let end = edits.source.len();
                edits.insert(end, &format!("{line}\n"), Before::LineEnd, After::Anything);
                end
            }
        };
        for section in sections {
            edits.insert(at, &section, Before::BlankLine, After::BlankLine);
        }
    }
}
