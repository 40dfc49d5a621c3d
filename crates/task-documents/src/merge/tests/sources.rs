//! Tests of the new source: the place, the indentation and the line ends of lines that only the server has.

use super::*;

/// Merges a file into a list whose tasks `trash` are in the trash, and returns the new source.
fn source(old: &str, trash: &[&str], file: &str) -> String {
    let mut list = List::import(old);
    for key in trash {
        list.delete(key);
    }
    let merged = list.merge_all(file, Side::Server);
    assert_eq!(merged.tasks.iter().filter(|task| task.server.is_some()).count(), list.rows.len());
    let again = list.apply(&merged).merge_all(file, Side::Server);
    assert_eq!(again.source, merged.source, "The second merge changes the source.");
    merged.source
}

#[test]
fn an_export_gives_the_source_back() {
    let old =
        "# A\n\n- [ ] T001 a\n  more\n  - [ ] T002 b\n\n    ```\n    code\n    ```\n- [ ] T003 c\n\ntext\n";
    for trash in ["T001", "T002", "T003"] {
        let mut list = List::import(old);
        let export = list.delete(trash).export();
        assert_ne!(export, old);
        let merged = source(old, &[trash], &export);
        assert_eq!(ListDocument::read(&merged).tasks.len(), 3, "{merged}");
        if trash != "T001" {
            assert_eq!(merged, old);
        }
    }
}

#[test]
fn lines_follow_the_nearest_earlier_task_that_is_still_there() {
    let old = "- [ ] T001 a\n- [ ] T002 b\n- [ ] T003 c\n- [ ] T004 d\n";
    let new = source(old, &["T003"], "- [ ] T004 d\n\n# New\n\n- [ ] T001 a\n\ntext\n");
    // T002 is removed by the file, so that T001 is the nearest task.
    assert_eq!(new, "- [ ] T004 d\n\n# New\n\n- [ ] T001 a\n- [ ] T002 b\n- [ ] T003 c\n\ntext\n");
}

#[test]
fn lines_without_an_earlier_task_stand_before_the_first_task() {
    let new = source("- [ ] T001 a\n- [ ] T002 b\n", &["T001"], "# New\n\n* [ ] T002 b\n");
    assert_eq!(new, "# New\n\n- [ ] T001 a\n* [ ] T002 b\n");
}

#[test]
fn lines_stand_at_the_end_of_a_file_without_tasks() {
    let old = "- [ ] T001 a\n- [ ] T002 b";
    assert_eq!(source(old, &["T001"], "text"), "text\n- [ ] T001 a\n- [ ] T002 b\n");
    assert_eq!(source(old, &["T001"], "text\n\n"), "text\n\n- [ ] T001 a\n- [ ] T002 b\n");
    assert_eq!(source(old, &["T001"], ""), "- [ ] T001 a\n- [ ] T002 b\n");
    assert_eq!(source(old, &[], "\u{feff}"), "\u{feff}- [ ] T001 a\n- [ ] T002 b\n");
}

#[test]
fn a_file_without_a_last_line_end_gets_one_before_new_lines() {
    let new = source("- [ ] T001 a\n- [ ] T002 b", &["T002"], "- [ ] T001 a");
    assert_eq!(new, "- [ ] T001 a\n- [ ] T002 b\n");
}

#[test]
fn lines_get_the_line_ends_of_the_file() {
    let old = "- [ ] T001 a\n- [ ] T002 b\n\n  more\n";
    let new = source(old, &["T002"], "- [ ] T001 a\r\ntext\r\n");
    assert_eq!(new, "- [ ] T001 a\r\ntext\r\n- [ ] T002 b\r\n\r\n  more\r\n");
    let new = source(&old.replace('\n', "\r\n"), &["T002"], "- [ ] T001 a\n");
    assert_eq!(new, old);
}

#[test]
fn nested_lines_get_the_indentation_of_a_neighbour_in_another_column() {
    let old = "1. text\n\n   - a\n     - [ ] T001 a\n       - [ ] T002 b\n\n         more\n";
    let new = source(old, &["T002"], "- [ ] T001 a\n\n## Next\n");
    assert_eq!(new, "- [ ] T001 a\n- [ ] T002 b\n\n  more\n\n## Next\n");
}

#[test]
fn lines_are_put_before_text_that_would_hide_them() {
    let old = "- [ ] T001 a\n- [ ] T002 b\n";
    for hiding in
        ["# A\n\n<!-- no end\n", "```\n", "---\nfront: matter\n---\n<!--\n", "\u{feff}<!--\n- [ ] T001 a"]
    {
        let new = source(old, &["T001"], hiding);
        let keys: Vec<String> = ListDocument::read(&new).tasks.into_iter().map(|task| task.key).collect();
        assert_eq!(keys, ["T001", "T002"], "{new}");
    }
}

#[test]
fn details_that_would_hide_nested_tasks_of_the_file_do_not_hide_them() {
    let mut list = List::import("- [ ] T001 a\n- [ ] T002 b\n  <!-- no end\n");
    let merged = list.delete("T002").merge("- [ ] T001 a\n  - [ ] T003 c\n");
    let keys: Vec<&str> = merged.document.tasks.iter().map(|task| task.key.as_str()).collect();
    assert_eq!(keys, ["T002", "T001", "T003"], "{}", merged.source);
    assert_eq!(list.apply(&merged).export(), "\n<!-- -->\n\n- [ ] T001 a\n  - [ ] T003 c\n");
}

#[test]
fn a_line_that_continues_a_paragraph_does_not_become_a_task_at_another_place() {
    let old = "  1. [ ] T001 a\n     1.\n    - [ ] T002 b\n\n     > c\n    - [ ] T003 d\n\n     e\n     1.\n    [ ] f\n";
    assert_eq!(ListDocument::read(old).tasks.len(), 1);
    let new = source(old, &["T001"], "text\n");
    let expected = "- [ ] T001 a 1. - [ ] T002 b\n\n  > c - [ ] T003 d\n\n  e 1. [ ] f\n";
    assert_eq!(new, format!("text\n{expected}"));
}

#[test]
fn blank_lines_before_nested_tasks_are_not_added_by_each_merge() {
    let file = "- [ ] T001 a\n    - [ ] T002 b\n\n  - [ ] T004 d\n";
    let mut list = List::import("- [ ] T001 a\n    - [ ] T002 b\n- [ ] T003 c\n");
    let first = list.delete("T003").merge(file);
    let second = list.apply(&first).merge(file);
    let third = list.apply(&second).merge(file);
    assert_eq!(third.source, second.source);
}

#[test]
fn lines_of_purged_tasks_are_left_out() {
    let mut list = List::import("- [ ] T001 a\n- [ ] T002 b\n- [ ] T003 c\n");
    list.delete("T002").delete("T003").purge("T002");
    assert_eq!(list.merge("- [ ] T001 a\n").source, "- [ ] T001 a\n- [ ] T003 c\n");
}

#[test]
fn a_new_key_is_written_into_the_line_and_nothing_else_is_changed() {
    let old = "- [ ] T001 a\n- [ ] **T002**: b\n  T002 stays here\n";
    let mut list = List::import(old);
    list.edit("T002", |row| row.in_base = false);
    let merged = list.merge("- [ ] T001 a\n- [ ] T002 c\n");
    assert_eq!(merged.source, "- [ ] T001 a\n- [ ] **T003**: b\n  T002 stays here\n- [ ] T002 c\n");
}

#[test]
fn a_kept_task_that_follows_its_neighbour_into_another_phase_is_moved() {
    let mut list = List::import("## Phase 1\n\n- [ ] T001 a\n\n## Phase 2\n\n- [ ] T002 b\n");
    list.create("T001", "made");
    let merged = list.merge("## Phase 1\n\n## Phase 2\n\n- [ ] T001 a\n- [ ] T002 b\n");
    assert_eq!(changes(&merged), ["Moved T001", "Moved T003"]);
}
