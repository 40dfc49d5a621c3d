//! Properties of every merge, for documents with repeated keys, repeated texts and nested tasks.

use proptest::prelude::*;

use super::super::Change;
use super::*;
use crate::list::ListTask;
use crate::text::lines;

/// A line of a document: mostly a task with one of a few keys and texts, at some depth.
fn line() -> impl Strategy<Value = String> {
    let indentation = prop::sample::select(vec!["", "", "", "  ", "    ", "\t"]);
    let bullet = prop::sample::select(vec!["-", "-", "*", "1.", "10)", "-   ", "-\t", "- -", "-\n  "]);
    let mark = prop::sample::select(vec![" ", "x", "~"]);
    let key = prop::sample::select(vec!["T001", "T002", "T003", "T004", "T005", "T1.2"]);
    let text = prop::sample::select(vec!["", " a", " b", " c [P]", ": d", " [US1] e", " [P] [US2] f"]);
    let task = (indentation, bullet, mark, key, text).prop_map(|(indentation, bullet, mark, key, text)| {
        format!("{indentation}{bullet} [{mark}] {key}{text}")
    });
    #[rustfmt::skip]
    let other = vec![
        "", "text", "  more", "## Phase 2: B", "```", "  ```", "<!--", "-->", "---", "    code", "===", "> quote",
        "  > quote", "<div>", "  <div>", "| a |", "|---|", "  | a |", "  |---|", "[a]: b", "-", "  1.", "  - text",
        "     - text", "\tmore", "\\", "`", "e\u{301}",
    ];
    prop_oneof![5 => task, 1 => prop::sample::select(other).prop_map(str::to_owned)]
}

fn document() -> impl Strategy<Value = String> {
    let line_end = prop::sample::select(vec!["\n", "\n", "\r\n", "\r"]);
    let start = prop::sample::select(vec!["", "", "", "\u{feff}", "---\na: b\n---\n"]);
    let lines = prop::collection::vec(line(), 0..12);
    (start, lines, line_end, any::<bool>()).prop_map(|(start, lines, line_end, ends)| {
        let text = format!("{start}{}", lines.join("\n")).replace('\n', line_end);
        if ends { text + line_end } else { text }
    })
}

/// A list with some tasks that were changed, and some in the trash.
fn list() -> impl Strategy<Value = List> {
    (document(), prop::collection::vec((0..8_u8, any::<bool>()), 12)).prop_map(|(source, edits)| {
        let mut list = List::import(&source);
        for (row, (edit, in_base)) in list.rows.iter_mut().zip(edits) {
            row.in_base = in_base || edit > 4;
            row.is_changed = edit < 4;
            match edit {
                0 => row.completed = !row.completed,
                1 => row.text = "server".to_owned(),
                2 | 3 => row.in_trash = true,
                _ => {}
            }
        }
        list
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_merged_with_itself_changes_nothing(source in document()) {
        let list = List::import(&source);
        for from_current in [false, true] {
            let merged = list.try_merge(&source, from_current, &Decisions::default()).unwrap();
            prop_assert_eq!(&merged.source, &source);
            prop_assert!(merged.changes.is_empty() && merged.conflicts.is_empty());
            prop_assert!(merged.tasks.iter().all(|task| task.completed.is_none() && task.in_file));
        }
    }

    #[test]
    fn no_task_is_lost_and_every_change_is_told(
        list in list(),
        file in document(),
        from_current: bool,
        side in prop::sample::select(vec![Side::File, Side::Server]),
    ) {
        let merged = list.try_merge(&file, from_current, &all(side)).unwrap();
        let read = ListDocument::read(&merged.source);
        prop_assert_eq!(&read.tasks, &merged.document.tasks);
        prop_assert_eq!(read.tasks.len(), merged.tasks.len());
        let mut servers: Vec<usize> = merged.tasks.iter().filter_map(|task| task.server).collect();
        servers.sort_unstable();
        prop_assert_eq!(servers, (0..list.rows.len()).collect::<Vec<_>>());
        let in_file = merged.tasks.iter().filter(|task| task.in_file).count();
        prop_assert_eq!(in_file, ListDocument::read(&file).tasks.len());

        for (task, written) in merged.tasks.iter().zip(&merged.document.tasks) {
            let Some(server) = task.server else { continue };
            let row = &list.rows[server];
            let told = |kinds: &[ChangeKind]| kinds.iter().any(|kind| has(&merged, *kind, server));
            prop_assert_eq!(!row.in_trash && task.in_trash, told(&[ChangeKind::Removed]));
            prop_assert_eq!(row.in_trash && !task.in_trash, told(&[ChangeKind::Restored]));
            prop_assert!(task.text == row.text || told(&[ChangeKind::Text, ChangeKind::Restored]));
            let status = [ChangeKind::Completed, ChangeKind::Reopened, ChangeKind::Restored];
            prop_assert!(task.completed.is_none() || told(&status));
            let is_renumbered = !task.in_trash && written.key != row.key;
            prop_assert_eq!(is_renumbered, told(&[ChangeKind::Renumbered]));
        }
        let mut once: Vec<_> = merged.changes.iter().map(|change| (change.task, change.kind)).collect();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), merged.changes.len());
    }

    #[test]
    fn the_new_source_says_what_the_file_and_the_old_lines_say(
        list in list(),
        file in document(),
        from_current: bool,
    ) {
        let merged = list.try_merge(&file, from_current, &all(Side::Server)).unwrap();
        let all_lines = |text| lines(text).map(|line| line.trim_start_matches('\u{feff}'));
        let mut new_lines = all_lines(&merged.source);
        for line in all_lines(&file) {
            prop_assert!(new_lines.any(|new| new == line), "{line:?} is not in {}", merged.source);
        }
        let says = |task: &ListTask| (task.text.clone(), task.ticked, task.parallel, task.marked_stories.clone());
        let words = |task: &ListTask| -> Vec<String> {
            let details = task.details.as_deref().unwrap_or_default();
            details.split_whitespace().map(str::to_owned).collect()
        };
        let (old, new) = (ListDocument::read(&list.source), ListDocument::read(&file));
        let mut of_file = new.tasks.iter();
        for (task, written) in merged.tasks.iter().zip(&merged.document.tasks) {
            let before = if task.in_file {
                of_file.next().unwrap()
            } else {
                let key = &list.rows[task.server.unwrap()].key;
                old.tasks.iter().find(|old| old.key == *key).unwrap()
            };
            prop_assert_eq!(says(written), says(before), "{}", merged.source);
            prop_assert_eq!(words(written), words(before), "{}", merged.source);
        }
    }

    #[test]
    fn the_same_file_merged_again_changes_nothing(mut list in list(), file in document()) {
        let merged = list.merge_all(&file, Side::File);
        let again = list.apply(&merged).merge(&file);
        prop_assert!(again.conflicts.is_empty());
        // A task that could not be read at its place, and stands at the beginning of the document, is now the
        // first in the old order. It can find a place again before the first task of the file.
        let is_right = |change: &Change| match change.kind {
            ChangeKind::Kept => true,
            ChangeKind::Moved => !again.tasks[change.task].in_file,
            _ => false,
        };
        prop_assert!(again.changes.iter().all(is_right), "{:?}", again.changes);
        let rows = list.rows.clone();
        // Blank lines between tasks that only the server has can be left out by the second merge.
        let third = list.apply(&again).merge(&file);
        prop_assert_eq!(&third.source, &list.source);
        prop_assert_eq!(&list.rows, &rows);
    }
}
