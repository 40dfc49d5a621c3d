//! Task documents: import, export and replacement.

use super::support::{self, LIST, import, task_with_key, tasks};
use crate::support::{Actor, Value, code, json, on_both_databases};

const DOCUMENT: &str = "\
# TASK: Paint the harbour

**Date**: 2026-11-21
**Status**: In Progress
**Priority**: High
**Owner**: Harbour team

## 1. Objective

Show every ship.

## 3. Scope & Deliverables

- **In Scope**:
  - [ ] The quay
- **Deliverables**:
  - [x] A map

## 4. Implementation Plan / Action Items

- [ ] Draw
  - [x] Measure
- [ ] Paint

## 6. Risks & Mitigation

| Risk | Likelihood | Impact | Mitigation Plan |
|---|---|---|---|
| Rain | High | Low | Wait |

## 7. Files to Modify

- **Created**:
  - `src/map.rs`
";

const VALUES: &str = "title status priority date ownerLabel objective rationale
    checklist { section text done children { text done } }
    risks { description likelihood impact mitigation } files { path kind }";
const IDS: &str = "version checklist { id children { id } } risks { id } files { id }";

/// Imports a task document and returns the id of the task.
async fn import_task(actor: &Actor<'_>, markdown: &str) -> String {
    let query = "mutation($input: ImportTaskInput!) { importTask(input: $input) { task { id } } }";
    let data = actor.data(query, json!({ "input": { "markdown": markdown } })).await;
    data["importTask"]["task"]["id"].as_str().expect("an id").to_owned()
}

async fn read(actor: &Actor<'_>, id: &str, fields: &str) -> Value {
    let query = format!("query($id: ID!) {{ task(id: $id) {{ {fields} }} }}");
    actor.data(&query, json!({ "id": id })).await["task"].clone()
}

async fn export(actor: &Actor<'_>, id: &str) -> String {
    read(actor, id, "markdown").await["markdown"].as_str().expect("text").to_owned()
}

const REPLACE: &str = "mutation($id: ID!, $markdown: String!, $version: Int!) {
    replaceTaskDocument(id: $id, markdown: $markdown, expectedVersion: $version) {
        task { id version } diagnostics { code } } }";

/// Replaces the document of a task, which must have this version, and returns the new version.
async fn replace(actor: &Actor<'_>, id: &str, markdown: &str, version: i32) -> Value {
    let variables = json!({ "id": id, "markdown": markdown, "version": version });
    actor.data(REPLACE, variables).await["replaceTaskDocument"]["task"]["version"].clone()
}

on_both_databases! {
    async fn a_document_becomes_a_task_and_is_exported_byte_for_byte(app) {
        let ann = app.user("ann").await;
        for document in [DOCUMENT.to_owned(), format!("\u{feff}{}", DOCUMENT.replace('\n', "\r\n")), DOCUMENT.trim_end().to_owned()] {
            let id = import_task(&ann, &document).await;
            assert_eq!(export(&ann, &id).await, document);
            assert_eq!(read(&ann, &id, VALUES).await, json!({
                "title": "Paint the harbour", "status": "IN_PROGRESS", "priority": "HIGH", "date": "2026-11-21",
                "ownerLabel": "Harbour team", "objective": "Show every ship.", "rationale": null,
                "checklist": [
                    { "section": "IN_SCOPE", "text": "The quay", "done": false, "children": [] },
                    { "section": "DELIVERABLE", "text": "A map", "done": true, "children": [] },
                    { "section": "ACTION", "text": "Draw", "done": false, "children": [{ "text": "Measure", "done": true }] },
                    { "section": "ACTION", "text": "Paint", "done": false, "children": [] },
                ],
                "risks": [{ "description": "Rain", "likelihood": "HIGH", "impact": "LOW", "mitigation": "Wait" }],
                "files": [{ "path": "src/map.rs", "kind": "CREATED" }],
            }));
        }
    }

    async fn changed_values_change_only_their_own_bytes(app) {
        let ann = app.user("ann").await;
        let id = import_task(&ann, DOCUMENT).await;
        let update = "mutation($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { task { id } } }";
        ann.data(update, json!({ "id": id, "input": { "status": "COMPLETED", "title": "Paint the port", "date": null } })).await;
        let ids = read(&ann, &id, IDS).await;
        let item = "mutation($id: ID!, $input: UpdateChecklistItemInput!) { updateChecklistItem(id: $id, input: $input) { item { id } } }";
        ann.data(item, json!({ "id": ids["checklist"][0]["id"], "input": { "done": true } })).await;
        ann.data("mutation($id: ID!) { removeChecklistItem(id: $id) { removedId } }", json!({ "id": ids["checklist"][2]["id"] })).await;
        let risk = "mutation($id: ID!, $input: UpdateRiskInput!) { updateRisk(id: $id, input: $input) { risk { id } } }";
        ann.data(risk, json!({ "id": ids["risks"][0]["id"], "input": { "mitigation": "Wait|see" } })).await;
        let file = "mutation($id: ID!) { addFileChange(taskId: $id, input: { path: \"src/quay.rs\", kind: CREATED }) { file { id } } }";
        ann.data(file, json!({ "id": id })).await;
        let expected = DOCUMENT
            .replace("Paint the harbour", "Paint the port")
            .replace("In Progress", "Completed")
            .replace("**Date**: 2026-11-21", "**Date**: ")
            .replace("[ ] The quay", "[x] The quay")
            .replace("- [ ] Draw\n  - [x] Measure\n", "")
            .replace("Low | Wait", "Low | Wait\\|see")
            .replace("  - `src/map.rs`\n", "  - `src/map.rs`\n  - `src/quay.rs`\n");
        assert_eq!(export(&ann, &id).await, expected);
    }

    async fn a_replaced_document_keeps_the_ids_of_what_stays(app) {
        let ann = app.user("ann").await;
        let id = import_task(&ann, DOCUMENT).await;
        let before = read(&ann, &id, IDS).await;
        assert_eq!(replace(&ann, &id, DOCUMENT, 1).await, 1, "replacing a document by itself changes nothing");
        assert_eq!(read(&ann, &id, IDS).await, before);
        let new = DOCUMENT.replace("- [ ] Draw\n", "- [ ] Plan\n- [ ] Draw\n").replace("  - [ ] The quay\n", "").replace("Rain", "Snow");
        assert_eq!(replace(&ann, &id, &new, 1).await, 2);
        let after = read(&ann, &id, IDS).await;
        assert_eq!(after["checklist"][2], before["checklist"][2], "the item and its child keep their ids");
        assert_eq!((&after["files"], after["risks"] == before["risks"]), (&before["files"], false));
        assert_eq!(export(&ann, &id).await, new);
        let error = ann.error(REPLACE, json!({ "id": id, "markdown": new, "version": 1 })).await;
        assert_eq!((code(&error).as_str(), &error["extensions"]["currentVersion"]), ("CONFLICT", &json!(2)));
    }

    async fn values_outside_the_document_stay_when_it_is_replaced(app) {
        let ann = app.user("ann").await;
        let input = json!({ "title": "one", "description": "Why", "labels": ["dock"], "dueAt": "2027-01-01T00:00:00.000Z" });
        let id = ann.create(input).await["id"].as_str().expect("an id").to_owned();
        replace(&ann, &id, DOCUMENT, 1).await;
        let task = ann.read(&id).await;
        assert_eq!((&task["title"], &task["description"], &task["labels"], &task["dueAt"]),
            (&json!("Paint the harbour"), &json!("Why"), &json!(["dock"]), &json!("2027-01-01T00:00:00.000Z")));
        assert_eq!(export(&ann, &id).await, DOCUMENT);
    }

    async fn a_task_without_a_document_gets_one_that_is_read_as_an_equal_task(app) {
        let ann = app.user("ann").await;
        let id = ann.full_task("plain").await["id"].as_str().expect("an id").to_owned();
        let document = export(&ann, &id).await;
        assert!(document.starts_with("# TASK: plain\n") && document.contains("## 7. Files to Modify"), "{document}");
        let copy = import_task(&ann, &document).await;
        assert_eq!(read(&ann, &copy, VALUES).await, read(&ann, &id, VALUES).await);
        assert_eq!(export(&ann, &copy).await, document);
    }

    async fn a_second_import_with_the_same_id_returns_the_first_task(app) {
        let ann = app.user("ann").await;
        let id = "6f1b3f2e-0000-4000-8000-000000000003";
        let query = "mutation($input: ImportTaskInput!) { importTask(input: $input) { task { id title version } } }";
        let first = ann.data(query, json!({ "input": { "id": id, "markdown": DOCUMENT } })).await;
        let second = ann.data(query, json!({ "input": { "id": id, "markdown": "# Other" } })).await;
        assert_eq!(first, second);
        let list = "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) { taskList { id } } }";
        let error = ann.error(list, json!({ "input": { "id": id, "markdown": LIST } })).await;
        assert_eq!(code(&error), "CONFLICT", "an id names one object");
    }

    async fn the_title_of_a_document_becomes_the_text_of_a_list_task(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let id = task_with_key(&ann, &list, "T002").await;
        replace(&ann, &id, DOCUMENT, 1).await;
        let task = tasks(&ann, &list).await[1].clone();
        assert_eq!((&task["text"], &task["title"], &task["status"]),
            (&json!("Paint the harbour"), &json!("Paint the harbour"), &json!("IN_PROGRESS")));
        assert_eq!(support::export(&ann, &list).await, LIST.replace("Add the linter", "Paint the harbour"));
        assert_eq!(export(&ann, &id).await, DOCUMENT);
    }

    async fn diagnostics_tell_what_was_not_understood(app) {
        let ann = app.user("ann").await;
        let query = "query($kind: DocumentKind!, $markdown: String!) {
            diagnostics(kind: $kind, markdown: $markdown) { code severity line message keys claimed counted } }";
        let list = "# Tasks: T\n\nTotal tasks: 3\n\n- [ ] T001 a\n- [?] T001 b\n- [ ] no key\n";
        let found = ann.data(query, json!({ "kind": "TASK_LIST", "markdown": list })).await["diagnostics"].clone();
        let codes: Vec<&str> = found.as_array().expect("diagnostics").iter().map(|it| it["code"].as_str().expect("a code")).collect();
        assert_eq!(codes, ["COUNT_MISMATCH", "UNKNOWN_MARK", "DUPLICATE_KEY", "UNKEYED_BOX"], "{found:#}");
        assert_eq!((&found[0]["claimed"], &found[0]["counted"], &found[0]["line"]), (&json!(3), &json!(2), &json!(3)));
        assert_eq!((&found[2]["keys"], &found[2]["severity"]), (&json!(["T001#2"]), &json!("WARNING")));
        let task = ann.data(query, json!({ "kind": "TASK", "markdown": "# TASK: [Title]\n\n**Status**: Soon\n" })).await;
        let codes: Vec<&str> = task["diagnostics"].as_array().expect("diagnostics").iter().map(|it| it["code"].as_str().expect("a code")).collect();
        assert_eq!(codes, ["PLACEHOLDER", "UNREADABLE_VALUE"]);
        let id = import_task(&ann, "# TASK: [Title]\n\n**Status**: Soon\n").await;
        let read = read(&ann, &id, "diagnostics { code }").await;
        assert_eq!(read["diagnostics"], json!([{ "code": "PLACEHOLDER" }, { "code": "UNREADABLE_VALUE" }]));
    }

    async fn replacing_a_document_by_its_export_changes_nothing(app) {
        let ann = app.user("ann").await;
        let plain = ann.full_task("plain").await["id"].as_str().expect("an id").to_owned();
        let imported = import_task(&ann, DOCUMENT).await;
        support::update(&ann, &imported, json!({ "status": "COMPLETED" })).await;
        for (id, version) in [(plain, 1), (imported, 2)] {
            let before = app.all_rows().await;
            let document = export(&ann, &id).await;
            assert_eq!(replace(&ann, &id, &document, version).await, version);
            assert_eq!(app.all_rows().await, before);
        }
    }
}
