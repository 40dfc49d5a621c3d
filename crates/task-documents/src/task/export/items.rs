//! Writes changes of the checklist.

use super::edits::Edits;
use super::list::{self, Element};
use super::new_sections::NewSections;
use crate::task::document::TaskDocument;
use crate::task::format;
use crate::task::names;
use crate::task::siblings::{Siblings, longest_increasing};
use crate::task::spans::ListPlace;
use crate::task::values::{Item, Section, TaskValues};
use crate::text::one_line;

/// Writes what differs. Sections that have no place are noted in `missing`.
pub(super) fn write(
    edits: &mut Edits<'_>,
    document: &TaskDocument,
    now: &TaskValues,
    siblings: &Siblings,
    missing: &mut NewSections,
) {
    let tick = document.spans.tick(edits.source);
    let mut writer = Writer { edits, document, now, siblings, tick, stays: Vec::new() };
    writer.find_items_that_stay();
    writer.change_items_that_stay();
    writer.remove_others();
    let mut without_place = Vec::new();
    for section in Section::ALL {
        let top_level: Vec<_> = siblings.top_level(&now.items, section).collect();
        // New children at the end of an item stand before new siblings of the item.
        for parent in &top_level {
            if let Some(origin) = writer.origin(*parent) {
                let place = &document.spans.items[origin].first_child;
                writer.write_siblings(siblings.children(*parent), Some(place));
            }
        }
        if !writer.write_siblings(&top_level, document.spans.item_places.get(section)) {
            without_place.push(section);
        }
    }
    writer.write_labels(&mut without_place);
    missing.sections = without_place;
}

struct Writer<'e, 's, 'd> {
    edits: &'e mut Edits<'s>,
    document: &'d TaskDocument,
    now: &'d TaskValues,
    siblings: &'d Siblings,
    tick: &'d str,
    /// For each present item, whether it stays at its place.
    stays: Vec<bool>,
}

impl<'d> Writer<'_, '_, 'd> {
    /// The index in the document of an item that stays.
    fn origin(&self, item: usize) -> Option<usize> {
        self.now.items[item].origin.filter(|_| self.stays[item])
    }

    fn find_items_that_stay(&mut self) {
        self.stays = vec![false; self.now.items.len()];
        for section in Section::ALL {
            let top_level: Vec<_> = self.siblings.top_level(&self.now.items, section).collect();
            self.find_siblings_that_stay(&top_level, section, None);
            for parent in top_level {
                if let Some(origin) = self.origin(parent) {
                    self.find_siblings_that_stay(self.siblings.children(parent), section, Some(origin));
                }
            }
        }
    }

    fn find_siblings_that_stay(&mut self, items: &[usize], section: Section, parent: Option<usize>) {
        let position = |item: &usize| {
            let origin = self.now.items[*item].origin?;
            let old = self.document.values.items.get(origin)?;
            (old.section == section && old.parent == parent).then_some(origin)
        };
        let positions: Vec<_> = items.iter().map(position).collect();
        for (item, stays) in items.iter().zip(longest_increasing(&positions)) {
            self.stays[*item] = stays;
        }
    }

    fn change_items_that_stay(&mut self) {
        for (index, item) in self.now.items.iter().enumerate() {
            let Some(origin) = self.origin(index) else { continue };
            let (old, span) = (&self.document.values.items[origin], &self.document.spans.items[origin]);
            if item.done != old.done {
                let content = if item.done { self.tick } else { " " };
                self.edits.tick(span.box_content.clone(), content);
            }
            let text = one_line(&item.text);
            if text != old.text {
                self.edits.replace(span.text.clone(), &text);
            }
        }
    }

    fn remove_others(&mut self) {
        let mut stays = vec![false; self.document.values.items.len()];
        for item in 0..self.now.items.len() {
            if let Some(origin) = self.origin(item) {
                stays[origin] = true;
            }
        }
        for (span, _) in self.document.spans.items.iter().zip(stays).filter(|(_, stays)| !stays) {
            self.edits.remove_lines(span.list_item.lines.clone());
        }
    }

    fn write_siblings(&mut self, items: &[usize], place: Option<&ListPlace>) -> bool {
        let elements: Vec<_> = items.iter().map(|item| self.element(*item)).collect();
        list::write(self.edits, &elements, place)
    }

    fn element(&self, item: usize) -> Element<'d> {
        let origin = self.origin(item);
        let children = self.siblings.children(item).iter().filter(|_| origin.is_none());
        Element {
            stays: origin.map(|origin| &self.document.spans.items[origin].list_item),
            text: self.text(&self.now.items[item]),
            children: children.map(|child| self.text(&self.now.items[*child])).collect(),
        }
    }

    fn text(&self, item: &Item) -> String {
        format::item(item, self.tick)
    }

    /// Adds labels with their items to a section that has other labels.
    fn write_labels(&mut self, without_place: &mut Vec<Section>) {
        let Some((place, bullet)) = &self.document.spans.item_places.new_label else { return };
        let mut lines = String::new();
        for section in without_place.extract_if(.., |section| Section::WITH_LABELS.contains(section)) {
            let items = self.siblings.top_level(&self.now.items, section);
            let children = items.map(|item| self.text(&self.now.items[item])).collect();
            let text = names::label_of_section(section).to_owned();
            lines.push_str(&Element { stays: None, text, children }.lines(&place.prefix, bullet));
        }
        if !lines.is_empty() {
            list::insert_at(self.edits, place, &lines, true);
        }
    }
}
