//! Tests of which tasks are the same: renumbered files, repeated keys, repeated and empty texts.

use super::*;

fn lines(tasks: &[&str]) -> String {
    tasks.iter().map(|task| format!("- [ ] {task}\n")).collect()
}

fn completed(list: &List) -> Vec<&str> {
    list.rows.iter().filter(|row| row.completed && !row.in_trash).map(|row| row.text.as_str()).collect()
}

#[test]
fn a_file_that_inserts_a_task_and_renumbers_the_others_keeps_each_status_with_its_task() {
    let mut list = List::import(&lines(&["T001 a", "T002 b", "T003 c"]));
    list.complete("T002");
    let merged = list.merge(&lines(&["T001 new", "T002 a", "T003 b", "T004 c"]));
    assert_eq!(
        changes(&merged),
        ["Added T001", "Renumbered T001 T002", "Renumbered T002 T003", "Kept T003", "Renumbered T003 T004"]
    );
    assert_eq!(completed(list.apply(&merged)), ["b"]);
}

#[test]
fn a_file_that_removes_a_task_and_renumbers_the_others_removes_that_task() {
    let mut list = List::import(&lines(&["T001 a", "T002 b", "T003 c"]));
    let new = lines(&["T001 b", "T002 c"]);
    let merged = list.merge(&new);
    // The task in the trash has got another key, but the key that the reader knows is reported.
    assert_eq!(changes(&merged), ["Renumbered T002 T001", "Renumbered T003 T002", "Removed T001"]);
    list.apply(&merged);
    assert_eq!(list.row("T003").text, "a");
    assert_eq!(list.export(), new);
}

#[test]
fn two_tasks_can_exchange_their_keys() {
    let mut list = List::import(&lines(&["T001 a", "T002 b"]));
    list.complete("T001");
    let merged = list.merge(&lines(&["T002 a", "T001 b"]));
    assert_eq!(changes(&merged), ["Renumbered T001 T002", "Kept T002", "Renumbered T002 T001"]);
    assert_eq!(completed(list.apply(&merged)), ["a"]);
}

#[test]
fn a_text_that_occurs_twice_does_not_pair_tasks() {
    let list = List::import(&lines(&["T001 a", "T002 a"]));
    let merged = list.merge(&lines(&["T003 a", "T002 b"]));
    assert_eq!(changes(&merged), ["Added T003", "Text T002", "Removed T001"]);
}

#[test]
fn a_text_that_occurs_once_among_the_tasks_without_a_pair_pairs_them() {
    let list = List::import(&lines(&["T001 a", "T002 a"]));
    assert_eq!(changes(&list.merge(&lines(&["T001 a", "T003 a"]))), ["Renumbered T002 T003"]);
}

#[test]
fn empty_texts_do_not_pair_tasks() {
    let list = List::import(&lines(&["T001", "T002 b"]));
    assert_eq!(changes(&list.merge(&lines(&["T002 b", "T003"]))), ["Added T003", "Removed T001"]);
    assert_eq!(changes(&list.merge(&lines(&["T002 b", "T001 a"]))), ["Text T001"]);
}

#[test]
fn repeated_keys_are_different_tasks() {
    let source = lines(&["T001 a", "T001 b", "T001 c"]);
    let mut list = List::import(&source);
    list.complete("T001#2");
    let merged = list.merge(&lines(&["T001 b", "T001 c", "T001 a"]));
    assert_eq!(
        changes(&merged),
        ["Renumbered T001#2 T001", "Kept T001", "Renumbered T001#3 T001#2", "Renumbered T001 T001#3"]
    );
    assert_eq!(completed(list.apply(&merged)), ["b"]);
}

#[test]
fn a_repeat_in_the_trash_keeps_its_key_behind_the_others() {
    let source = lines(&["T001 a", "T001 b", "T002 c"]);
    let mut list = List::import(&source);
    list.delete("T001#2");
    let merged = list.merge(&list.export());
    assert_eq!((changes(&merged), merged.source.as_str()), (vec![], source.as_str()));
    list.apply(&merged);
    assert!(list.row("T001#2").in_trash);
}

#[test]
fn a_first_repeat_in_the_trash_gets_another_key() {
    let source = lines(&["T001 a", "T001 b"]);
    let mut list = List::import(&source);
    list.delete("T001").complete("T001#2");
    for is_current in [false, true] {
        let mut list = list.clone();
        let export = list.export();
        let merged = list.try_merge(&export, is_current, &Decisions::default()).unwrap();
        assert_eq!(changes(&merged), ["Renumbered T001#2 T001"]);
        list.apply(&merged);
        assert!(list.row("T002").in_trash);
        assert_eq!((list.row("T001").text.as_str(), list.export()), ("b", export));
    }
}

#[test]
fn with_the_present_revision_repeats_are_matched_by_their_position() {
    let mut list = List::import(&lines(&["T001 a", "T001 a", "T001 a"]));
    list.delete("T001").complete("T001#3");
    let merged = list.merge_current(&list.export().replacen("[ ]", "[x]", 1));
    assert_eq!(changes(&merged), ["Renumbered T001#2 T001", "Completed T001", "Renumbered T001#3 T001#2"]);
}

#[test]
fn a_task_made_on_the_server_with_a_key_of_the_file_and_another_text_is_another_task() {
    let mut list = List::import(&lines(&["T001 a"]));
    list.create("T001", "made");
    let merged = list.merge(&lines(&["T001 a", "T002 other"]));
    assert_eq!(changes(&merged), ["Renumbered T002 T003", "Added T002"]);
    let again = list.apply(&merged).merge(&lines(&["T001 a", "T002 other"]));
    assert_eq!(changes(&again), Vec::<String>::new());
}

#[test]
fn a_kept_task_gives_its_key_to_a_task_of_the_file() {
    let mut list = List::import(&lines(&["T001 a", "T002 b"]));
    list.complete("T001");
    let merged = list.merge_all(&lines(&["T001 b"]), Side::Server);
    assert_eq!(changes(&merged), ["Renumbered T001 T002", "Kept T002", "Renumbered T002 T001"]);
}

#[test]
fn two_conflicts_can_have_one_key_and_one_decision() {
    let mut list = List::import(&lines(&["T001 a", "T002 b"]));
    list.complete("T001").delete("T002");
    let new = "- [x] T001 b\n";
    let merged = list.merge(new);
    assert_eq!(conflicts(&merged), ["RemovedOnServer T001: b, b, b", "RemovedInFile T001: a, a, -"]);
    let decisions = Decisions { single: vec![("T001".to_owned(), Side::File)], all_others: None };
    let merged = list.try_merge(new, false, &decisions).unwrap();
    assert_eq!(changes(&merged), ["Restored T001", "Renumbered T002 T001", "Removed T001"]);
}

#[test]
fn a_claimed_task_is_not_removed_by_a_file_with_the_present_revision() {
    let source = lines(&["T001 a"]);
    let document = ListDocument::read(&source);
    let claimed = ServerTask {
        key: "T001",
        text: "a",
        completed: false,
        in_trash: false,
        in_base: true,
        is_changed: true,
    };
    let merged = merge(Merge {
        source: (&source, &document),
        tasks: &[claimed],
        file: ("", &ListDocument::read("")),
        from_current: true,
        decisions: &Decisions::default(),
    });
    assert_eq!(conflicts(&merged.unwrap()), ["RemovedInFile T001: a, a, -"]);
}

#[test]
fn a_row_without_lines_in_the_source_is_not_lost() {
    let rows = ["T001", "T007"].map(|key| ServerTask {
        key,
        text: "a",
        completed: false,
        in_trash: false,
        in_base: true,
        is_changed: true,
    });
    for from_current in [false, true] {
        let merged = merge(Merge {
            source: ("- [ ] T001 a\n", &ListDocument::read("- [ ] T001 a\n")),
            tasks: &rows,
            file: ("- [ ] T001 a\n", &ListDocument::read("- [ ] T001 a\n")),
            from_current,
            decisions: &all(Side::Server),
        });
        let merged = merged.unwrap();
        assert_eq!(merged.tasks.iter().map(|task| task.server).collect::<Vec<_>>(), [Some(0), Some(1)]);
        assert_eq!(merged.source, "- [ ] T001 a\n- [ ] T007\n");
    }
}

#[test]
fn thousands_of_repeats_are_merged_in_a_moment() {
    let same: Vec<String> = (0..5_000).map(|index| format!("T001 text {}", index % 2)).collect();
    let source = lines(&same.iter().map(String::as_str).collect::<Vec<_>>());
    let mut list = List::import(&source);
    list.rows.iter_mut().for_each(|row| row.in_base = false);
    let file = lines(&["T001 other"; 5_000]);
    let started = std::time::Instant::now();
    let merged = list.merge(&file);
    assert_eq!(merged.tasks.len(), 10_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
