//! PUT of the document of a task list.

use super::support::{LIST, MARKDOWN, complete, import, put, read, rename, send};
use crate::support::{Actor, TestApp, faults, json, on_both_databases};

/// A list whose T002 has another text on the server than in the document that is returned.
async fn conflicting(app: &TestApp, ann: &Actor<'_>) -> (String, String) {
    let location = import(app, ann, "/lists", LIST).await;
    rename(ann, &location, "T002", "Add a formatter").await;
    (location, LIST.replace("Add the linter", "Add tests"))
}

on_both_databases! {
    async fn a_document_is_merged_with_the_changes_on_the_server(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/lists", LIST).await;
        complete(&ann, &location, "T002").await;
        let file = LIST.replace("[x] T001", "[ ] T001").replace("T003 Draw ships", "T004 Draw ships") + "- [ ] T005 Sail\n";
        let merged = put(app, &ann, &location, None, file.clone()).await;
        assert_eq!((merged.status, merged.header("cache-control")), (200, "no-store"));
        assert_eq!(merged.fields(), ["changes", "diagnostics", "id", "tasks"]);
        let report = merged.json();
        assert_eq!((report["tasks"].as_u64(), format!("/lists/{}.md", report["id"].as_str().expect("an id"))), (Some(4), location.clone()));
        assert_eq!(report["changes"], json!([
            { "kind": "REOPENED", "key": "T001", "previousKey": null },
            { "kind": "KEPT", "key": "T002", "previousKey": null },
            { "kind": "RENUMBERED", "key": "T004", "previousKey": "T003" },
            { "kind": "ADDED", "key": "T005", "previousKey": null },
        ]), "{report:#}");
        let after = read(app, &ann, &location).await;
        assert_eq!(after.tag(), merged.tag());
        assert_eq!(String::from_utf8_lossy(&after.body), file.replace("[ ] T002", "[x] T002"));
    }

    async fn the_tag_of_a_merge_is_that_of_the_next_export(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/lists", LIST).await;
        for file in [
            LIST.to_owned(), LIST.replace("- [ ] T003 Draw ships\n", ""), LIST.replace("T001", "T009"),
            LIST.replace("[ ]", "[x]"), format!("# Other\n\n{LIST}"), String::new(),
        ] {
            rename(&ann, &location, "T001", "A new text").await;
            let merged = send(app, &ann, ("PUT", &format!("{location}?conflicts=server")), &MARKDOWN, file).await;
            let after = read(app, &ann, &location).await;
            assert_eq!((merged.status, merged.tag()), (200, after.tag()), "{}", String::from_utf8_lossy(&after.body));
            import_again(app, &ann, &location).await;
        }
    }

    async fn a_conflict_without_a_decision_changes_nothing(app) {
        let ann = app.user("ann").await;
        let (location, file) = conflicting(app, &ann).await;
        let before = read(app, &ann, &location).await;
        let error = put(app, &ann, &location, None, file).await.error((409, "CONFLICT"));
        assert_eq!(error["extensions"]["conflicts"], json!([
            { "kind": "TEXT", "key": "T002", "base": "Add the linter", "server": "Add a formatter", "file": "Add tests" },
        ]));
        assert_eq!(read(app, &ann, &location).await.body, before.body);

        let removed = LIST.replace("- [ ] T002 [P] Add the linter\n", "");
        let error = put(app, &ann, &location, None, removed).await.error((409, "CONFLICT"));
        assert_eq!(error["extensions"]["conflicts"], json!([
            { "kind": "REMOVED_IN_FILE", "key": "T002", "base": "Add the linter", "server": "Add a formatter", "file": null },
        ]));
    }

    async fn a_parameter_decides_about_all_conflicts(app) {
        let ann = app.user("ann").await;
        for (parameter, text, kind) in [
            ("conflicts=file", "Add tests", "TEXT"), ("other=1&conflicts=server", "Add a formatter", "KEPT"),
        ] {
            let (location, file) = conflicting(app, &ann).await;
            let merged = put(app, &ann, &format!("{location}?{parameter}"), None, file.clone()).await;
            assert_eq!((merged.status, &merged.json()["changes"][0]["kind"]), (200, &json!(kind)), "{parameter}");
            let after = read(app, &ann, &location).await;
            assert_eq!(String::from_utf8_lossy(&after.body), file.replace("Add tests", text), "{parameter}");
        }
        let (location, file) = conflicting(app, &ann).await;
        for value in ["", "FILE", "both", "file,server", "file&conflicts=server"] {
            let refused = put(app, &ann, &format!("{location}?conflicts={value}"), None, file.clone()).await;
            assert_eq!(faults(&refused.error((400, "BAD_USER_INPUT"))), ["conflicts invalid"], "{value}");
        }
    }

    async fn with_its_tag_a_document_replaces_the_list(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/lists", LIST).await;
        complete(&ann, &location, "T002").await;
        let tag = read(app, &ann, &location).await.tag();
        let file = LIST.replace("- [ ] T003 Draw ships\n", "");
        let merged = put(app, &ann, &location, Some(("if-match", &tag)), file.clone()).await;
        assert_eq!(merged.json()["changes"], json!([
            { "kind": "REOPENED", "key": "T002", "previousKey": null },
            { "kind": "REMOVED", "key": "T003", "previousKey": null },
        ]));
        assert_eq!(String::from_utf8_lossy(&read(app, &ann, &location).await.body), file);
    }
}

/// Merges the first document again, so that the list has the same tasks as in the beginning.
async fn import_again(app: &TestApp, ann: &Actor<'_>, location: &str) {
    let tag = read(app, ann, location).await.tag();
    let path = format!("{location}?conflicts=file");
    let merged = put(app, ann, &path, Some(("if-match", &tag)), LIST).await;
    assert_eq!(merged.status, 200, "{}", String::from_utf8_lossy(&merged.body));
}
