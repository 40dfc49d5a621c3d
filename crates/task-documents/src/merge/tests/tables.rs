//! One test for each row of the tables that say what a merge does.

use super::*;

const BASE: &str =
    "# Tasks\n\n## Phase 1: A\n\n- [ ] T001 one\n- [x] T002 two\n\n## Phase 2: B\n\n- [ ] T003 three\n";

fn list() -> List {
    List::import(BASE)
}

fn file(from: &str, to: &str) -> String {
    assert!(BASE.contains(from));
    BASE.replace(from, to)
}

#[test]
fn a_file_without_changes_changes_nothing() {
    let merged = list().merge(BASE);
    assert_eq!((changes(&merged), merged.source.as_str()), (vec![], BASE));
    assert!(merged.tasks.iter().all(|task| task.completed.is_none() && task.in_file && !task.in_trash));
}

#[test]
fn a_box_that_only_the_server_changed_is_kept() {
    let mut list = list();
    let merged = list.complete("T001").reopen("T002").merge(BASE);
    assert_eq!(changes(&merged), ["Kept T001", "Kept T002"]);
    list.apply(&merged);
    assert!(list.row("T001").completed && !list.row("T002").completed);
    assert_eq!(list.source, BASE);
}

#[test]
fn a_box_that_only_the_file_changed_completes_or_reopens_the_task() {
    let mut list = list();
    let merged = list.merge(&file("[ ] T001", "[x] T001").replace("[x] T002", "[ ] T002"));
    assert_eq!(changes(&merged), ["Completed T001", "Reopened T002"]);
    list.apply(&merged);
    assert!(list.row("T001").completed && !list.row("T002").completed);
}

#[test]
fn the_same_change_of_a_box_on_both_sides_is_no_change() {
    let merged = list().complete("T001").merge(&file("[ ] T001", "[x] T001"));
    assert_eq!((changes(&merged), merged.tasks[0].completed), (vec![], None));
}

#[test]
fn a_status_without_a_tick_stays_when_the_file_has_an_empty_box() {
    // The task is in progress: it is changed, and its box is not ticked.
    let merged = list().edit("T001", |_| {}).merge(BASE);
    assert_eq!((changes(&merged), merged.tasks[0].completed), (vec![], None));
}

#[test]
fn a_text_that_only_the_server_changed_is_kept() {
    let merged = list().reword("T001", "uno").merge(BASE);
    assert_eq!((changes(&merged), merged.tasks[0].text.as_str()), (vec!["Kept T001".to_owned()], "uno"));
    assert_eq!(merged.source, BASE);
}

#[test]
fn a_text_that_only_the_file_changed_is_taken_over() {
    let merged = list().merge(&file("one", "uno"));
    assert_eq!((changes(&merged), merged.tasks[0].text.as_str()), (vec!["Text T001".to_owned()], "uno"));
}

#[test]
fn the_same_text_on_both_sides_is_no_conflict() {
    let merged = list().reword("T001", "uno").merge(&file("one", "uno"));
    assert_eq!((changes(&merged), conflicts(&merged)), (vec![], vec![]));
}

#[test]
fn two_new_texts_are_a_conflict() {
    let mut list = list();
    let new = file("one", "uno");
    let merged = list.reword("T001", "eins").merge(&new);
    assert_eq!(conflicts(&merged), ["Text T001: one, eins, uno"]);
    assert_eq!(changes(&list.merge_all(&new, Side::File)), ["Text T001"]);
    let merged = list.merge_all(&new, Side::Server);
    assert_eq!((changes(&merged), merged.tasks[0].text.as_str()), (vec!["Kept T001".to_owned()], "eins"));
    assert_eq!(merged.source, new);
}

#[test]
fn a_task_can_be_ticked_and_reworded_in_one_file() {
    let merged = list().merge(&file("[ ] T001 one", "[X] T001 uno"));
    assert_eq!(changes(&merged), ["Text T001", "Completed T001"]);
}

#[test]
fn a_completion_that_is_kept_on_a_new_text_is_reported() {
    let merged = list().complete("T001").merge(&file("one", "uno"));
    assert_eq!(changes(&merged), ["Text T001", "Kept T001", "KeptOnNewText T001"]);
}

#[test]
fn text_and_box_of_one_task_that_are_kept_are_one_change() {
    let merged = list().complete("T001").reword("T001", "uno").merge(BASE);
    assert_eq!(changes(&merged), ["Kept T001"]);
}

#[test]
fn another_phase_another_story_and_another_mark_are_moves() {
    let moved = file("- [x] T002 two\n", "").replace("T001 one", "T001 [P] one");
    let moved = moved.replace("T003 three\n", "T003 [US1] three\n- [x] T002 two\n");
    assert_eq!(changes(&list().merge(&moved)), ["Moved T001", "Moved T003", "Moved T002"]);
}

#[test]
fn another_place_in_the_same_phase_and_other_details_are_not_reported() {
    let new = file("- [ ] T001 one\n- [x] T002 two", "- [x] T002 two\n- [ ] T001 one\n\n  more");
    let merged = list().merge(&new);
    assert_eq!((changes(&merged), merged.source), (vec![], new));
}

#[test]
fn a_phase_with_the_same_number_is_the_same_phase() {
    assert_eq!(changes(&list().merge(&file("Phase 2: B", "Phase 2: C"))), Vec::<String>::new());
}

#[test]
fn a_task_that_only_the_file_has_is_created() {
    let mut list = list();
    let merged = list.merge(&file("- [ ] T003 three", "- [ ] T003 three\n- [x] T004 four\n- [ ] T005 five"));
    assert_eq!(changes(&merged), ["Added T004", "Added T005"]);
    list.apply(&merged);
    assert!(list.row("T004").completed && !list.row("T005").completed);
}

#[test]
fn a_task_that_the_server_has_not_changed_is_removed_with_the_file() {
    let mut list = list();
    let new = file("- [ ] T001 one\n", "");
    let merged = list.merge(&new);
    assert_eq!(changes(&merged), ["Removed T001"]);
    list.apply(&merged);
    assert!(list.row("T001").in_trash);
    assert_eq!(list.export(), new);
    assert_eq!(
        list.edit("T001", |row| row.in_trash = false).export(),
        "# Tasks\n\n## Phase 1: A\n\n- [ ] T001 one\n- [x] T002 two\n\n## Phase 2: B\n\n- [ ] T003 three\n"
    );
}

#[test]
fn a_task_that_the_server_has_changed_is_not_removed_without_a_decision() {
    let mut list = list();
    let new = file("- [ ] T001 one\n", "");
    let merged = list.complete("T001").merge(&new);
    assert_eq!(conflicts(&merged), ["RemovedInFile T001: one, one, -"]);
    assert_eq!(changes(&list.merge_all(&new, Side::File)), ["Removed T001"]);
    let merged = list.merge_all(&new, Side::Server);
    assert_eq!(changes(&merged), ["Kept T001"]);
    list.apply(&merged);
    assert!(!list.row("T001").in_base);
    assert_eq!(changes(&list.merge(&new)), Vec::<String>::new());
}

#[test]
fn a_task_in_the_trash_that_the_file_does_not_have_stays_there() {
    let mut list = list();
    let merged = list.delete("T001").merge(&file("- [ ] T001 one\n", ""));
    assert_eq!(changes(&merged), Vec::<String>::new());
    list.apply(&merged);
    assert!(list.row("T001").in_trash);
}

#[test]
fn a_task_in_the_trash_that_the_file_has_not_changed_stays_there() {
    let mut list = list();
    let new = file("three", "drei");
    let merged = list.delete("T001").merge(&new);
    assert_eq!((changes(&merged), conflicts(&merged)), (vec!["Text T003".to_owned()], vec![]));
    list.apply(&merged);
    assert!(list.row("T001").in_trash && list.row("T001").in_base);
    assert!(!list.export().contains("T001"));
}

#[test]
fn a_task_in_the_trash_that_the_file_has_changed_is_a_conflict() {
    let mut list = list();
    list.delete("T001");
    for new in ["[x] T001 one", "[ ] T001 uno", "[ ] T001 one\n  more"] {
        let new = file("[ ] T001 one", new);
        let merged = list.merge(&new);
        assert_eq!(merged.conflicts.len(), 1);
        assert_eq!(merged.conflicts[0].kind, super::super::ConflictKind::RemovedOnServer);
        assert_eq!(changes(&list.merge_all(&new, Side::Server)), Vec::<String>::new());
        let merged = list.merge_all(&new, Side::File);
        assert_eq!(changes(&merged), ["Restored T001"]);
        let mut list = list.clone();
        assert_eq!(list.apply(&merged).export(), new);
    }
}

#[test]
fn a_task_that_was_made_on_the_server_stays_after_its_neighbour() {
    let mut list = list();
    let key = list.create("T001", "made");
    let merged = list.merge(&file("- [x] T002 two", "- [x] T009 nine\n- [x] T002 two"));
    assert_eq!((key.as_str(), changes(&merged)), ("T004", vec!["Added T009".to_owned()]));
    assert_eq!(list.apply(&merged).active_keys(), ["T001", "T004", "T009", "T002", "T003"]);
}

#[test]
fn a_task_that_was_made_on_the_server_gives_its_key_to_a_task_of_the_file() {
    let mut list = list();
    list.create("T003", "made");
    let merged = list.merge(&format!("{BASE}- [ ] T004 four\n"));
    assert_eq!(changes(&merged), ["Renumbered T004 T005", "Added T004"]);
    let export = list.apply(&merged).export();
    assert_eq!(export, format!("{BASE}- [ ] T005 made\n- [ ] T004 four\n"));
}

#[test]
fn a_task_that_both_sides_made_with_the_same_key_and_text_is_one_task() {
    let mut list = list();
    list.create("T003", "made");
    let merged = list.merge(&format!("{BASE}- [x] T004 made\n"));
    assert_eq!(changes(&merged), ["Completed T004"]);
    assert_eq!(merged.tasks.len(), 4);
}

#[test]
fn a_file_that_still_has_a_purged_task_adds_it_as_a_new_task() {
    let merged = list().delete("T001").purge("T001").merge(BASE);
    assert_eq!(changes(&merged), ["Added T001"]);
}

#[test]
fn a_task_that_comes_back_after_a_file_has_removed_it_is_a_new_task() {
    let mut list = list();
    let merged = list.merge(&file("- [ ] T001 one\n", ""));
    let merged = list.apply(&merged).merge(BASE);
    assert_eq!(changes(&merged), ["Added T001"]);
    list.apply(&merged);
    assert_eq!(list.rows.iter().filter(|row| row.text == "one" && row.in_trash).count(), 1);
    assert_eq!(list.export(), BASE);
}

#[test]
fn with_the_present_revision_the_file_replaces_the_list() {
    let mut list = list();
    list.complete("T001").reword("T003", "drei").delete("T002");
    list.create("T003", "made");
    let export = list.export();
    assert_eq!(changes(&list.merge_current(&export)), Vec::<String>::new());
    let new = export.replace("[x] T001", "[ ] T001").replace("- [ ] T004 made\n", "").replace("drei", "tres");
    let merged = list.merge_current(&new);
    assert_eq!(changes(&merged), ["Reopened T001", "Text T003", "Removed T004"]);
    assert_eq!(list.apply(&merged).export(), new);
}

#[test]
fn a_text_that_is_read_in_another_form_is_no_change_with_the_present_revision() {
    let mut list = list();
    let export = list.reword("T001", ": uno").export();
    assert!(export.contains("T001 \\: uno"));
    let merged = list.merge_current(&export);
    assert_eq!((changes(&merged), merged.tasks[0].text.as_str()), (vec![], ": uno"));
}

#[test]
fn with_the_present_revision_a_task_of_the_trash_is_not_restored_by_its_key() {
    let mut list = list();
    let merged = list.delete("T001").merge_current(BASE);
    assert_eq!(changes(&merged), ["Added T001"]);
    list.apply(&merged);
    assert_eq!(list.export(), BASE);
    assert!(list.row("T004").in_trash);
}

#[test]
fn a_decision_about_one_key_comes_before_the_decision_about_all_others() {
    let mut list = list();
    list.reword("T001", "eins").reword("T003", "drei");
    let new = file("one", "uno").replace("three", "tres");
    let decisions =
        Decisions { single: vec![("T003".to_owned(), Side::File)], all_others: Some(Side::Server) };
    let merged = list.try_merge(&new, false, &decisions).unwrap();
    assert_eq!(changes(&merged), ["Kept T001", "Text T003"]);
    let decisions = Decisions { all_others: None, ..decisions };
    let merged = list.try_merge(&new, false, &decisions).unwrap();
    assert_eq!((conflicts(&merged).len(), changes(&merged)), (1, vec!["Text T003".to_owned()]));
}

#[test]
fn a_decision_about_a_key_without_a_conflict_is_refused() {
    let single = vec![("T001".to_owned(), Side::File), ("T002".to_owned(), Side::File)];
    let mut list = list();
    let new = file("one", "uno");
    let decisions = Decisions { single, all_others: None };
    let refused = list.reword("T001", "eins").try_merge(&new, false, &decisions);
    assert_eq!(refused.unwrap_err(), UnknownDecisions(vec![1]));
}

#[test]
fn conflicts_of_removed_tasks_and_removals_come_last() {
    let mut list = list();
    list.complete("T001").reword("T003", "drei");
    let new = "# Tasks\n\n## Phase 2: B\n\n- [ ] T003 tres\n- [ ] T004 four\n";
    let merged = list.merge(new);
    assert_eq!(conflicts(&merged), ["Text T003: three, drei, tres", "RemovedInFile T001: one, one, -"]);
    let merged = list.merge_all(new, Side::File);
    assert_eq!(changes(&merged), ["Text T003", "Added T004", "Removed T001", "Removed T002"]);
}
