//! Shorthand for the tests of task documents.

use task_documents::diagnostic::Code;
use task_documents::task::{Item, Section, TaskDocument, TaskValues, export};

pub use crate::limits::LIMITS;

/// The values that a document says.
pub fn read(source: &str) -> TaskValues {
    TaskDocument::read(source, &LIMITS).values
}

/// The codes and lines of the diagnostics of a document.
pub fn codes(source: &str) -> Vec<(Code, Option<usize>)> {
    let diagnostics = TaskDocument::read(source, &LIMITS).diagnostics;
    diagnostics.into_iter().map(|found| (found.code, found.line)).collect()
}

/// The export of a document after a change of its values. Reading the export gives the changed values.
pub fn changed(source: &str, change: impl FnOnce(&mut TaskValues)) -> String {
    let document = TaskDocument::read(source, &LIMITS);
    let mut now = document.values.clone();
    change(&mut now);
    let exported = export(source, &document, &now);
    assert_eq!(comparable(&read(&exported)), comparable(&now), "{exported}");
    let back = TaskDocument::read(&exported, &LIMITS);
    assert_eq!(export(&exported, &back, &back.values), exported);
    exported
}

/// The texts of the items of a section. Those of children begin with `> `, those of ticked items with `x `.
pub fn items(values: &TaskValues, section: Section) -> Vec<String> {
    let text = |item: &Item| {
        let child = if item.parent.is_some() { "> " } else { "" };
        let done = if item.done { "x " } else { "" };
        format!("{child}{done}{}", item.text)
    };
    values.items.iter().filter(|item| item.section == section).map(text).collect()
}

/// A new checklist item.
pub fn item(section: Section, text: &str, parent: Option<usize>) -> Item {
    Item { origin: None, section, text: text.to_owned(), done: false, parent }
}

/// Removes items with their children.
pub fn remove_items(values: &mut TaskValues, is_removed: impl Fn(&Item) -> bool) {
    let mut kept: Vec<Item> = Vec::new();
    let mut places = Vec::new();
    for mut item in std::mem::take(&mut values.items) {
        let parent = item.parent.map(|parent| places[parent]);
        let stays = !is_removed(&item) && parent != Some(None);
        places.push(stays.then_some(kept.len()));
        if stays {
            item.parent = parent.flatten();
            kept.push(item);
        }
    }
    values.items = kept;
}

/// The values without origins. The order of items in different sections, and of files of different kinds, has
/// no meaning.
pub fn comparable(values: &TaskValues) -> impl PartialEq + std::fmt::Debug + use<> {
    let items = values.items.iter().enumerate().filter(|(_, item)| item.parent.is_none());
    let mut items: Vec<_> = items
        .map(|(index, item)| {
            let children = values.items.iter().filter(|child| child.parent == Some(index));
            let children: Vec<_> = children.map(|child| (child.text.clone(), child.done)).collect();
            (item.section, item.text.clone(), item.done, children)
        })
        .collect();
    items.sort_by_key(|(section, ..)| *section);
    let mut files: Vec<_> = values.files.iter().map(|file| (file.kind as u8, file.path.clone())).collect();
    files.sort_by_key(|(kind, _)| *kind);
    let risks: Vec<_> = values
        .risks
        .iter()
        .map(|risk| (risk.description.clone(), risk.likelihood, risk.impact, risk.mitigation.clone()))
        .collect();
    let fields = (values.title.clone(), values.date, values.status, values.priority, values.owner.clone());
    (fields, values.objective.clone(), values.rationale.clone(), items, risks, files)
}
