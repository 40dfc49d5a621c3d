//! Properties of reading and writing generated documents.

use proptest::prelude::*;
use proptest::sample::Index;
use task_documents::task::{TaskDocument, export, write};

use crate::generate::{any_values, changes, document, lines};
use crate::support::{LIMITS, comparable, read};

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, max_shrink_time: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn an_unchanged_document_is_returned_byte_for_byte(source in lines()) {
        let document = TaskDocument::read(&source, &LIMITS);
        prop_assert_eq!(export(&source, &document, &document.values), source);
    }

    #[test]
    fn an_export_says_the_present_values(source in document(), changes in changes()) {
        let document = TaskDocument::read(&source, &LIMITS);
        let mut now = document.values.clone();
        changes.into_iter().for_each(|change| change.make(&mut now));
        let exported = export(&source, &document, &now);
        prop_assert_eq!(comparable(&read(&exported)), comparable(&now), "{}\n----\n{}", source, exported);
    }

    #[test]
    fn an_export_of_lines_says_the_present_values(source in lines(), changes in changes()) {
        let document = TaskDocument::read(&source, &LIMITS);
        let mut now = document.values.clone();
        changes.into_iter().for_each(|change| change.make(&mut now));
        let exported = export(&source, &document, &now);
        prop_assert_eq!(comparable(&read(&exported)), comparable(&now), "{}\n----\n{}", source, exported);
    }

    #[test]
    fn a_new_document_says_the_values(changes in changes()) {
        let mut values = read("# Title");
        changes.into_iter().for_each(|change| change.make(&mut values));
        let written = write(&values);
        prop_assert_eq!(comparable(&read(&written)), comparable(&values), "{}", written);
    }

    #[test]
    fn a_tick_changes_what_is_in_one_box(source in document(), at in any::<Index>()) {
        let document = TaskDocument::read(&source, &LIMITS);
        prop_assume!(!document.values.items.is_empty());
        let mut now = document.values.clone();
        let item = &mut now.items[at.index(document.values.items.len())];
        item.done = !item.done;
        let exported = export(&source, &document, &now);
        let changed: Vec<_> = source.bytes().zip(exported.bytes()).filter(|(old, new)| old != new).collect();
        prop_assert_eq!((changed.len(), exported.len()), (1, source.len()));
        prop_assert_eq!(&read(&exported), &now);
        let back = TaskDocument::read(&exported, &LIMITS);
        prop_assert_eq!(read(&export(&exported, &back, &document.values)), document.values);
    }

    #[test]
    fn values_with_any_text_are_written(source in lines(), now in any_values()) {
        let document = TaskDocument::read(&source, &LIMITS);
        read(&export(&source, &document, &now));
        read(&write(&now));
        prop_assert_eq!(export(&source, &document, &document.values), source);
    }
}
