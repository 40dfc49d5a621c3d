//! What tasks wait for because of the dependency sections of a document, and the diagnostics about them.

use super::support::{List, keys};
use crate::support::{Actor, Value, json, on_both_databases};

/// Two stories that follow a foundation, and a last phase.
const STORIES: &str = "\
# Tasks: Example

## Phase 1: Setup

- [ ] T001 [P] one

## Phase 2: Foundation

- [ ] T002 [P] two

## Phase 3: User Story 1 - Ships

- [ ] T003 [P] three

## Phase 4: User Story 2 - Tides

- [ ] T004 [P] four
- [ ] T005 [P] [US1] five

## Phase 5: Polish

- [ ] T006 [P] six
";

/// The numbers of the phases on which each phase depends, and whether it is open.
async fn phases(list: &List<'_>) -> Vec<(String, bool)> {
    let phases = list.read("phases { number open dependsOn { number } }").await["phases"].clone();
    let shown = |phase: &Value| {
        let on = phase["dependsOn"].as_array().expect("phases").iter();
        let on: Vec<&str> = on.map(|phase| phase["number"].as_str().expect("a number")).collect();
        (on.join(","), phase["open"] == true)
    };
    phases.as_array().expect("phases").iter().map(shown).collect()
}

/// The keys of the stories on which each story depends.
async fn stories(list: &List<'_>) -> Vec<Vec<String>> {
    let stories = list.read("stories { dependsOn { key } }").await["stories"].clone();
    stories.as_array().expect("stories").iter().map(|story| keys(&story["dependsOn"])).collect()
}

async fn with_section<'a>(owner: &Actor<'a>, sentences: &str) -> List<'a> {
    List::import(owner, &format!("{STORIES}\n## Dependencies\n\n- {sentences}\n")).await
}

/// The codes and keys of the diagnostics of a document.
async fn diagnostics(actor: &Actor<'_>, markdown: &str) -> Vec<String> {
    let query = "query($markdown: String!) { diagnostics(kind: TASK_LIST, markdown: $markdown) { code severity keys } }";
    let found = actor.data(query, json!({ "markdown": markdown })).await["diagnostics"].clone();
    let shown = |diagnostic: &Value| {
        let keys =
            diagnostic["keys"].as_array().expect("keys").iter().map(|key| key.as_str().expect("a key"));
        assert_eq!(diagnostic["severity"], "WARNING");
        [diagnostic["code"].as_str().expect("a code")].into_iter().chain(keys).collect::<Vec<_>>().join(" ")
    };
    found.as_array().expect("diagnostics").iter().map(shown).collect()
}

on_both_databases! {
    async fn phases_depend_on_each_other_by_default(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, STORIES).await;
        let expected = |open: [bool; 5]| ["", "1", "2", "2", "2,3,4"].map(str::to_owned).into_iter().zip(open).collect::<Vec<_>>();
        assert_eq!(phases(&list).await, expected([true, false, false, false, false]));
        assert_eq!(list.ready().await, ["T001"]);
        list.call("completeTask", "T001").await;
        list.call("completeTask", "T002").await;
        assert_eq!(phases(&list).await, expected([true, true, true, true, false]));
        assert_eq!(list.ready().await, ["T003", "T004", "T005"]);
        assert_eq!(list.related("T006", "waitsFor").await, ["T003", "T004", "T005"]);
        for key in ["T003", "T004"] {
            list.call("completeTask", key).await;
        }
        list.delete("T005").await;
        assert_eq!(phases(&list).await, expected([true; 5]), "tasks in the trash do not count");
        assert_eq!(list.ready().await, ["T006"]);
    }

    async fn in_a_document_without_stories_each_phase_depends_on_the_one_before_it(app) {
        let ann = app.user("ann").await;
        let phase = |n: usize| format!("## Phase {n}: Part\n\n- [ ] T{n:03} [P] x\n\n");
        let list = List::import(&ann, &format!("# Tasks: Example\n\n{}{}{}", phase(1), phase(2), phase(3))).await;
        assert_eq!(phases(&list).await.into_iter().map(|phase| phase.0).collect::<Vec<_>>(), ["", "1", "2"]);
        list.call("completeTask", "T002").await;
        assert_eq!(list.ready().await, ["T001", "T003"]);
    }

    async fn a_statement_about_phases_replaces_the_default(app) {
        let ann = app.user("ann").await;
        let list = with_section(&ann, "Phase 4 can start after Phase 1; Phase 5: requires Phases 1 and 3").await;
        assert_eq!(phases(&list).await.into_iter().map(|phase| phase.0).collect::<Vec<_>>(), ["", "1", "2", "1", "1,3"]);
        list.call("completeTask", "T001").await;
        assert_eq!(list.ready().await, ["T002", "T004", "T005"]);
        list.call("completeTask", "T003").await;
        assert_eq!(list.ready().await, ["T002", "T004", "T005", "T006"]);
    }

    async fn a_statement_about_stories_counts_for_all_their_tasks(app) {
        let ann = app.user("ann").await;
        let list = with_section(&ann, "US2 depends on US1").await;
        assert_eq!(stories(&list).await, [vec![], vec!["US1".to_owned()]]);
        for key in ["T001", "T002", "T003"] {
            list.call("completeTask", key).await;
        }
        assert_eq!(list.related("T004", "waitsFor").await, ["T005"], "T005 is marked with US1");
        assert_eq!(list.ready().await, ["T005"]);
        list.call("completeTask", "T005").await;
        assert_eq!(list.ready().await, ["T004"]);
    }

    async fn a_statement_about_tasks_is_a_stated_dependency(app) {
        let ann = app.user("ann").await;
        let list = with_section(&ann, "T002-T003 depend on T006").await;
        assert_eq!(list.related("T002", "blockedBy").await, ["T006"]);
        assert_eq!(list.related("T006", "blocks").await, ["T002", "T003"]);
        assert!(!list.related("T006", "waitsFor").await.contains(&"T002".to_owned()), "only blockedBy counts in a cycle");
    }

    async fn other_statements_count_for_what_tasks_wait_for(app) {
        let ann = app.user("ann").await;
        for (sentence, ready, waits_for) in [
            ("US1 depends on T004", vec!["T004"], vec!["T004"]),
            ("T003 depends on Phase 4", vec!["T004", "T005"], vec!["T004", "T005"]),
            ("Phase 3 (US1): must start only after User Story 2", vec!["T004", "T005"], vec!["T004"]),
        ] {
            let list = with_section(&ann, sentence).await;
            list.call("completeTask", "T001").await;
            list.call("completeTask", "T002").await;
            assert_eq!(list.ready().await, ready, "{sentence}");
            assert_eq!(list.related("T003", "waitsFor").await, waits_for, "{sentence}");
            assert_eq!(list.related("T003", "blockedBy").await, Vec::<String>::new(), "{sentence}");
            assert_eq!(phases(&list).await.into_iter().map(|phase| phase.0).collect::<Vec<_>>(), ["", "1", "2", "2", "2,3,4"]);
        }
    }

    async fn references_that_are_unknown_or_form_cycles_are_reported(app) {
        let ann = app.user("ann").await;
        let texts = |first: &str, second: &str| format!("# Tasks: Example\n\n- [ ] T001 [P] one{first}\n- [{second}\n");
        for (markdown, expected) in [
            (texts(" (depends on T009)", " ] T002 [P] two"), vec!["UNKNOWN_REFERENCE T001"]),
            (texts(" (depends on T002)", " ] T002 [P] two (after T001)"), vec!["DEPENDENCY_CYCLE"]),
            (texts("", "x] T002 [P] two (depends on T001)"), vec!["DONE_EARLY T002 T001"]),
            (texts(" (depends on T001)", " ] T002 [P] two, depends on T001"), vec![]),
        ] {
            let found = diagnostics(&ann, &markdown).await;
            let short: Vec<&str> = found.iter().zip(&expected).map(|(found, expected)| &found[..expected.len().min(found.len())]).collect();
            assert_eq!((short, found.len()), (expected.clone(), expected.len()), "{markdown}: {found:?}");
        }
    }
}
