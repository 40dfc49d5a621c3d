//! Writes changes of the files.

use super::edits::Edits;
use super::list::{self, Element};
use super::new_sections::NewSections;
use crate::task::document::TaskDocument;
use crate::task::format;
use crate::task::names;
use crate::task::siblings::longest_increasing;
use crate::task::values::{File, FileKind, TaskValues};
use crate::text::one_line;

/// Writes what differs. Kinds of files that have no place are noted in `missing`.
pub(super) fn write(
    edits: &mut Edits<'_>,
    document: &TaskDocument,
    now: &TaskValues,
    missing: &mut NewSections,
) {
    let mut removed = vec![true; document.values.files.len()];
    let mut without_place = Vec::new();
    for kind in FileKind::ALL {
        let files: Vec<&File> = now.files.iter().filter(|file| file.kind == kind).collect();
        let position = |file: &&File| {
            let origin = file.origin?;
            (document.values.files.get(origin)?.kind == kind).then_some(origin)
        };
        let positions: Vec<_> = files.iter().map(position).collect();
        let stays = longest_increasing(&positions);
        let mut elements = Vec::new();
        for (index, file) in files.into_iter().enumerate() {
            let origin = positions[index].filter(|_| stays[index]);
            if let Some(origin) = origin {
                removed[origin] = false;
                write_path(edits, document, origin, file);
            }
            let stays = origin.map(|origin| &document.spans.files[origin].list_item);
            elements.push(Element { stays, text: format::file(file), children: Vec::new() });
        }
        if !list::write(edits, &elements, document.spans.file_places.get(kind)) {
            without_place.push((kind, elements));
        }
    }
    for (span, _) in document.spans.files.iter().zip(removed).filter(|(_, removed)| *removed) {
        edits.remove_lines(span.list_item.lines.clone());
    }
    missing.kinds = without_place.iter().map(|(kind, _)| *kind).collect();
    if let Some((place, bullet)) = &document.spans.file_places.new_label
        && !without_place.is_empty()
    {
        let lines = without_place.into_iter().map(|(kind, elements)| {
            let children = elements.into_iter().map(|element| element.text).collect();
            let label = Element { stays: None, text: names::label_of_kind(kind).to_owned(), children };
            label.lines(&place.prefix, bullet)
        });
        list::insert_at(edits, place, &lines.collect::<String>(), true);
        missing.kinds.clear();
    }
}

/// Writes the path of a file that stays at its place.
fn write_path(edits: &mut Edits<'_>, document: &TaskDocument, origin: usize, file: &File) {
    let path = one_line(&file.path);
    if path == document.values.files[origin].path {
        return;
    }
    let span = document.spans.files[origin].path.clone();
    let is_code = edits.source[span.clone()].starts_with('`') || path.contains('`');
    let text = if is_code { format::code_span(&path) } else { path };
    edits.replace(span, &text);
}
