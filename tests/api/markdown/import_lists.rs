//! Import and export of task lists.

use super::support::{ENTRY, LIST, export, import, read, task_with_key, tasks};
use crate::support::{Value, json, on_both_databases};

on_both_databases! {
    async fn a_list_becomes_tasks_and_is_exported_byte_for_byte(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        assert_eq!(export(&ann, &list).await, LIST);
        let fields = "title version phases { number title purpose goal priority mvp story { key }
            progress { done total } tasks { totalCount nodes { key } } }
            stories { key title priority mvp goal progress { done total } tasks { nodes { key } } }
            progress { done total } owner { id } diagnostics { code }";
        let read = read(&ann, &list, fields).await;
        assert_eq!(read, json!({
            "title": "Harbour map", "version": 1, "owner": { "id": ann.id }, "diagnostics": [],
            "progress": { "done": 1, "total": 3 },
            "phases": [
                { "number": "1", "title": "Setup", "purpose": "Prepare the project", "goal": null, "priority": null,
                  "mvp": false, "story": null, "progress": { "done": 1, "total": 2 },
                  "tasks": { "totalCount": 2, "nodes": [{ "key": "T001" }, { "key": "T002" }] } },
                { "number": "2", "title": "User Story 1 - Ships", "purpose": null, "goal": "Show ships", "priority": 1,
                  "mvp": true, "story": { "key": "US1" }, "progress": { "done": 0, "total": 1 },
                  "tasks": { "totalCount": 1, "nodes": [{ "key": "T003" }] } },
            ],
            "stories": [{
                "key": "US1", "title": "Ships", "priority": 1, "mvp": true, "goal": "Show ships",
                "progress": { "done": 0, "total": 1 }, "tasks": { "nodes": [{ "key": "T003" }] } }],
        }), "{read:#}");
        let entries: Vec<Value> = tasks(&ann, &list).await.into_iter().map(|mut task| {
            task.as_object_mut().expect("a task").remove("id");
            task
        }).collect();
        assert_eq!(entries[0], json!({
            "key": "T001", "text": "Create the project in src/main.rs", "title": "Create the project in src/main.rs",
            "details": null, "parallel": false, "status": "COMPLETED", "completed": true, "version": 1,
            "phase": { "number": "1", "title": "Setup" }, "stories": [], "paths": ["src/main.rs"] }));
        assert_eq!(entries[2]["details"], "  Each ship has a name.");
        assert_eq!(entries[2]["stories"], json!([{ "key": "US1" }]));
    }

    async fn a_tick_changes_one_byte_of_the_document(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let id = task_with_key(&ann, &list, "T002").await;
        let toggle = "mutation($id: ID!) { toggleTask(id: $id) { task { completed } } }";
        ann.data(toggle, json!({ "id": id })).await;
        assert_eq!(export(&ann, &list).await, LIST.replace("[ ] T002", "[x] T002"));
        ann.data(toggle, json!({ "id": id })).await;
        assert_eq!(export(&ann, &list).await, LIST);
    }

    async fn a_new_title_becomes_the_text(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let id = task_with_key(&ann, &list, "T002").await;
        let update = format!("mutation($id: ID!, $title: String!) {{
            updateTask(id: $id, input: {{ title: $title }}) {{ task {{ {ENTRY} }} }} }}");
        let task = ann.data(&update, json!({ "id": id, "title": "Add a formatter" })).await;
        assert_eq!(task["updateTask"]["task"]["text"], "Add a formatter");
        assert_eq!(export(&ann, &list).await, LIST.replace("Add the linter", "Add a formatter"));
    }

    async fn a_second_import_with_the_same_id_returns_the_first_list(app) {
        let ann = app.user("ann").await;
        let id = "6f1b3f2e-0000-4000-8000-000000000001";
        let query = "mutation($input: ImportTaskListInput!) {
            importTaskList(input: $input) { taskList { id title markdown } } }";
        let first = ann.data(query, json!({ "input": { "id": id, "markdown": LIST } })).await;
        let second = ann.data(query, json!({ "input": { "id": id, "markdown": "# Other" } })).await;
        assert_eq!(first, second);
    }
}
