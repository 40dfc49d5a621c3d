//! What holds for every list document and every change of it.

use std::collections::HashSet;

use proptest::prelude::*;
use task_documents::list::{ListDocument, ListTask, NewLine, Place, TaskState, export, insert, next_key};

use super::generated::{documents, headings, nested_lists, texts};
use super::seeds::{LIST, TASK_DOCUMENT};

/// What a task is read as, without its place. The key is as it is written.
type Values = (String, String, bool, bool, Vec<String>, Option<String>);

fn values(source: &str, task: &ListTask) -> Values {
    let key = source[task.key_span.clone()].to_owned();
    let (text, stories) = (task.text.clone(), task.marked_stories.clone());
    (key, text, task.ticked, task.parallel, stories, task.details.clone())
}

fn all_values(source: &str) -> Vec<Values> {
    ListDocument::read(source).tasks.iter().map(|task| values(source, task)).collect()
}

/// Lines that belonged to no task can become details of the task above them when the lines between are left
/// out.
fn without_details(values: Values) -> Values {
    (values.0, values.1, values.2, values.3, values.4, None)
}

/// The text of a task that was given this text: on one line, without white space around it.
fn normalized(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ").nfc().collect()
}

/// The export in which each task has the text and the box that `change` gives it; None leaves it out.
fn exported(source: &str, change: impl Fn(usize) -> Option<(Option<String>, Option<bool>)>) -> String {
    let document = ListDocument::read(source);
    let changed: Vec<_> = (0..document.tasks.len()).map(change).collect();
    let state = |key: &str| {
        let index = document.tasks.iter().position(|task| task.key == key)?;
        let task = &document.tasks[index];
        let (text, completed) = changed[index].as_ref()?;
        let text = text.as_deref().unwrap_or(&task.text);
        Some(TaskState { text, completed: completed.unwrap_or(task.ticked), in_trash: false })
    };
    export(source, &document, state)
}

fn check_reading(source: &str) {
    let document = ListDocument::read(source);
    assert_eq!(exported(source, |_| Some((None, None))), source);
    let keys: HashSet<_> = document.tasks.iter().map(|task| &task.key).collect();
    assert_eq!(keys.len(), document.tasks.len());
    let mut end = 0;
    for task in &document.tasks {
        assert!(end <= task.lines.start && task.lines.start < task.lines.end);
        assert!(task.lines.start == 0 || source[..task.lines.start].ends_with(['\n', '\r', '\u{feff}']));
        assert!(task.lines.end == source.len() || source[..task.lines.end].ends_with(['\n', '\r']));
        let parts = [&task.box_content, &task.key_span, &task.text_span];
        assert!(task.lines.start < parts[0].start && parts[2].end <= task.lines.end);
        assert!(parts[0].end < parts[1].start && parts[1].end <= parts[2].start);
        assert!(task.phase.is_none_or(|phase| document.phases[phase].section.contains(&task.lines.start)
            || document.phases[phase].number.is_none()));
        end = task.lines.end;
    }
    let lines: Vec<_> = document.diagnostics.iter().map(|found| found.line).collect();
    assert!(lines.is_sorted(), "{lines:?}");
}

#[test]
fn the_real_documents_have_the_properties() {
    for source in [LIST, TASK_DOCUMENT] {
        for source in [source.to_owned(), source.replace('\n', "\r\n"), format!("\u{feff}{source}")] {
            check_reading(&source);
            check_reading(source.trim_end());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_unchanged_document_is_identical_and_its_tasks_are_in_order(source in documents(20)) {
        check_reading(&source);
    }

    #[test]
    fn a_tick_changes_one_box_and_one_task(source in documents(20), choice in any::<prop::sample::Index>()) {
        let document = ListDocument::read(&source);
        if document.tasks.is_empty() {
            return Ok(());
        }
        let chosen = choice.index(document.tasks.len());
        let task = &document.tasks[chosen];
        let changed = exported(&source, |index| Some((None, (index == chosen).then_some(!task.ticked))));
        let content = &task.box_content;
        let behind = changed.len() - (source.len() - content.end);
        prop_assert_eq!(&changed[..content.start], &source[..content.start]);
        prop_assert_eq!(&changed[behind..], &source[content.end..]);
        let mut expected = all_values(&source);
        expected[chosen].2 = !task.ticked;
        prop_assert_eq!(all_values(&changed), expected);
    }

    #[test]
    fn a_new_text_is_read_again(
        source in documents(12), choice in any::<prop::sample::Index>(), text in texts(),
    ) {
        let document = ListDocument::read(&source);
        if document.tasks.is_empty() {
            return Ok(());
        }
        let chosen = choice.index(document.tasks.len());
        let text = normalized(&text);
        let changed = exported(&source, |index| Some(((index == chosen).then(|| text.clone()), None)));
        let mut expected = all_values(&source);
        expected[chosen].1 = text;
        prop_assert_eq!(all_values(&changed), expected, "{}", changed);
    }

    #[test]
    fn the_tasks_that_are_not_left_out_remain(
        source in nested_lists(), left_out in any::<u16>(), reworded in any::<u16>(), text in texts(),
    ) {
        let is_in = |set: u16, index: usize| set & (1 << (index % 16)) != 0;
        let text = normalized(&text);
        let new_text = |index: usize| is_in(reworded, index).then(|| text.clone());
        let changed = exported(&source, |index| {
            (!is_in(left_out, index)).then(|| (new_text(index), Some(is_in(reworded, index))))
        });
        let mut expected = Vec::new();
        for (index, values) in all_values(&source).into_iter().enumerate() {
            let mut values = without_details(values);
            values.1 = new_text(index).unwrap_or(values.1);
            values.2 = is_in(reworded, index);
            expected.extend((!is_in(left_out, index)).then_some(values));
        }
        let read: Vec<_> = all_values(&changed).into_iter().map(without_details).collect();
        prop_assert_eq!(read, expected, "{}", changed);
    }

    #[test]
    fn leaving_out_tasks_of_any_document_ends(source in documents(20), left_out in any::<u16>()) {
        let is_left_out = |index: usize| left_out & (1 << (index % 16)) != 0;
        exported(&source, |index| (!is_left_out(index)).then(|| (Some("a".to_owned()), None)));
    }

    #[test]
    fn a_new_line_is_read_as_one_more_task(
        source in prop_oneof![nested_lists(), headings()],
        choice in any::<prop::sample::Index>(),
        title in texts(),
        parallel in any::<bool>(),
        stories in prop::sample::subsequence(vec!["US1".to_owned(), "US2a".to_owned()], 0..=2),
    ) {
        let document = ListDocument::read(&source);
        let places = (0..document.tasks.len()).map(Place::After)
            .chain((0..document.phases.len()).map(Place::EndOfPhase));
        let places: Vec<_> = places.chain([Place::EndOfDocument]).collect();
        let place = places[choice.index(places.len())];
        let key = next_key(document.tasks.iter().map(|task| task.key.as_str()));
        let title = normalized(&title);
        let new = NewLine { key: &key, parallel, stories: &stories, title: &title };
        let (changed, index) = insert(&source, &document, place, new);
        let mut expected = all_values(&source);
        expected.insert(index, (key.clone(), title.clone(), false, parallel, stories.clone(), None));
        prop_assert_eq!(all_values(&changed), expected, "{:?} {}", place, changed);
        let task = &ListDocument::read(&changed).tasks[index];
        match place {
            Place::EndOfPhase(phase) => {
                let phase = &document.phases[phase];
                let read = ListDocument::read(&changed);
                let now = task.phase.map(|phase| (&read.phases[phase].number, &read.phases[phase].title));
                prop_assert_eq!(now, Some((&phase.number, &phase.title)), "{}", changed);
            }
            Place::After(after) => prop_assert_eq!(index, after + 1),
            Place::EndOfDocument => prop_assert_eq!(index, document.tasks.len()),
        }
    }
}
