//! Writes the present values of a task into its document. Only the spans of values that differ are changed.

mod edits;
mod fields;
mod files;
mod items;
mod list;
mod new_sections;
mod risks;
mod texts;

use self::edits::Edits;
use self::new_sections::NewSections;
use super::document::TaskDocument;
use super::siblings::Siblings;
use super::values::TaskValues;

/// The document with the present values. Only the spans of values that differ are changed. `document` is what
/// the source says.
pub fn export(source: &str, document: &TaskDocument, now: &TaskValues) -> String {
    let mut edits = Edits::new(source);
    let mut missing = NewSections::default();
    let siblings = Siblings::of(&now.items);
    texts::write(&mut edits, document, now, &mut missing);
    items::write(&mut edits, document, now, &siblings, &mut missing);
    risks::write(&mut edits, document, now, &mut missing);
    files::write(&mut edits, document, now, &mut missing);
    fields::write(&mut edits, document, now, &missing);
    missing.write(&mut edits, document, now, &siblings);
    // A document without headings gets one with its title before other headings are added.
    texts::write_title(&mut edits, document, now, !missing.is_empty());
    edits.apply()
}
