//! Task documents: the checklist, risks, files and further texts of a task.

use chrono::TimeDelta;

use crate::support::{Actor, TASK, Value, code, faults, json, on_both_databases};

/// The selection of all parts and texts of a task.
const PARTS: &str = "checklist { id section text done children { id section text done children { id } } }
    risks { id description likelihood impact mitigation } files { id path kind }
    progress { done total percent }";

async fn whole(actor: &Actor<'_>, id: &Value) -> Value {
    let query = format!("query($id: ID!) {{ task(id: $id) {{ {TASK} {PARTS} }} }}");
    actor.data(&query, json!({ "id": id })).await["task"].clone()
}

/// The parts without ids and empty lists of children, as in an input.
fn content(parts: &Value) -> Value {
    match parts {
        Value::Array(items) => items.iter().map(content).collect(),
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, value)| {
                *name != "id" && !(*name == "children" && value.as_array().is_some_and(Vec::is_empty))
            });
            kept.map(|(name, value)| (name.clone(), content(value))).collect()
        }
        other => other.clone(),
    }
}

fn item(section: &str, text: &str, done: bool) -> Value {
    json!({ "section": section, "text": text, "done": done })
}

fn phase(text: &str, steps: &[&str]) -> Value {
    let steps: Vec<Value> = steps.iter().map(|step| item("ACTION", step, false)).collect();
    json!({ "section": "ACTION", "text": text, "done": false, "children": steps })
}

/// A task document with all sections, nested items, risks and three kinds of files.
fn document() -> Value {
    json!({
        "title": "Keep the tide tables in the harbour office up to date",
        "date": "2026-11-21",
        "status": "IN_PROGRESS",
        "priority": "HIGH",
        "ownerLabel": "Harbour team / Ämter",
        "labels": ["harbour", "Tides"],
        "objective": "To show the tides of the coming week on the board without anybody typing them.",
        "rationale": "The tables are typed in by hand each Monday.\n\nTwice this year a figure was wrong, \
                      and a ferry waited for water that was not there.",
        "checklist": [
            item("IN_SCOPE", "Reading the figures of the `gauge` service.", true),
            item("IN_SCOPE", "Drawing them on the board.", false),
            item("OUT_OF_SCOPE", "Forecasts beyond a week.", false),
            item("OUT_OF_SCOPE", "The app for visitors.", true),
            item("DELIVERABLE", "A module `tides.py`.", true),
            item("DELIVERABLE", "A page for the board.", false),
            phase("**Phase 1: Data**", &["Ask for access.", "Write the reader.", "Keep the last good figures."]),
            phase("**Phase 2: Board**", &["Draw the curve.", "Mark high water."]),
            phase("**Phase 3: Trial**", &["Run beside the hand-written table for a month."]),
            item("ACCEPTANCE", "The board is never older than an hour.", false),
            item("ACCEPTANCE", "A failed reading is shown as such.", true),
        ],
        "risks": [
            { "description": "The gauge is silent", "likelihood": "LOW", "impact": "HIGH",
              "mitigation": "Show the age of the figures; keep a printed table | in the drawer." },
            { "description": "Summer time", "likelihood": "MEDIUM", "impact": "MEDIUM", "mitigation": "UTC inside." },
            { "description": "Nobody looks", "likelihood": "LOW", "impact": "LOW", "mitigation": null },
        ],
        "files": [
            { "path": "src/harbour/tides.py", "kind": "CREATED" },
            { "path": "tests/test_tides.py", "kind": "CREATED" },
            { "path": "src/harbour/board.py", "kind": "MODIFIED" },
            { "path": "docs/board.md", "kind": "MODIFIED" },
            { "path": "src/harbour/monday_table.py", "kind": "DELETED" },
        ],
    })
}

on_both_databases! {
    async fn a_whole_task_document_is_returned_unchanged(app) {
        let ann = app.user("ann").await;
        let id = ann.create(document()).await["id"].clone();
        let task = whole(&ann, &id).await;
        for (field, value) in document().as_object().expect("fields") {
            assert_eq!(content(&task[field]), *value, "{field}");
        }
        // Six items in IN_SCOPE and DELIVERABLE, three actions with six sub-items, two criteria; four are
        // done.
        assert_eq!(task["progress"], json!({ "done": 3, "total": 15, "percent": 20 }));
        assert_eq!(task["version"], 1);
    }

    async fn a_checklist_is_read_by_section(app) {
        let ann = app.user("ann").await;
        let id = ann.create(document()).await["id"].clone();
        let query = "query($id: ID!, $section: ChecklistSection) { task(id: $id) { checklist(section: $section) { text } } }";
        for (section, count) in [("IN_SCOPE", 2), ("OUT_OF_SCOPE", 2), ("DELIVERABLE", 2), ("ACTION", 3), ("ACCEPTANCE", 2)] {
            let boxes = ann.data(query, json!({ "id": id, "section": section })).await["task"]["checklist"].clone();
            let all = document()["checklist"].clone();
            let expected: Vec<&Value> = all.as_array().expect("boxes").iter()
                .filter(|item| item["section"] == section).map(|item| &item["text"]).collect();
            let texts: Vec<&Value> = boxes.as_array().expect("boxes").iter().map(|item| &item["text"]).collect();
            assert_eq!((texts, boxes.as_array().map(Vec::len)), (expected, Some(count)), "{section}");
        }
    }

    async fn progress_counts_all_items_except_those_out_of_scope(app) {
        let ann = app.user("ann").await;
        let task = ann.create(json!({ "title": "x" })).await;
        let none = json!({ "done": 0, "total": 0, "percent": 0 });
        assert_eq!(whole(&ann, &task["id"]).await["progress"], none);
        let add = "mutation($id: ID!, $input: ChecklistItemInput!) { addChecklistItem(taskId: $id, input: $input) { task { progress { done total percent } } } }";
        for (input, expected) in [
            (item("OUT_OF_SCOPE", "a", true), none),
            (item("ACTION", "b", true), json!({ "done": 1, "total": 1, "percent": 100 })),
            (item("IN_SCOPE", "c", false), json!({ "done": 1, "total": 2, "percent": 50 })),
            (phase("d", &[]), json!({ "done": 1, "total": 3, "percent": 33 })),
            (json!({ "section": "ACTION", "text": "e", "children": [item("ACTION", "f", true)] }),
             json!({ "done": 2, "total": 5, "percent": 40 })),
        ] {
            let data = ann.data(add, json!({ "id": task["id"], "input": input })).await;
            assert_eq!(data["addChecklistItem"]["task"]["progress"], expected, "{input}");
        }
    }

    async fn every_field_of_a_task_update_distinguishes_absent_from_null(app) {
        let ann = app.user("ann").await;
        let fields = [
            ("title", "String"), ("description", "String"), ("status", "TaskStatus"), ("completed", "Boolean"),
            ("priority", "TaskPriority"), ("labels", "[String!]"), ("addLabels", "[String!]"),
            ("removeLabels", "[String!]"), ("dueAt", "DateTime"), ("date", "Date"), ("ownerLabel", "String"),
            ("objective", "String"), ("rationale", "String"),
        ];
        let cleared = ["description", "dueAt", "date", "ownerLabel", "objective", "rationale"];
        let definitions: Vec<String> = fields.iter().map(|(name, ty)| format!("${name}: {ty}")).collect();
        let uses: Vec<String> = fields.iter().map(|(name, _)| format!("{name}: ${name}")).collect();
        let by_variables = format!("mutation($id: ID!, {}) {{ updateTask(id: $id, input: {{ {} }}) {{ task {{ {TASK} }} }} }}",
                                   definitions.join(", "), uses.join(", "));
        let mut full = document();
        for (field, value) in [("description", json!("text")), ("dueAt", json!("2027-01-01T00:00:00.000Z"))] {
            full[field] = value;
        }
        let task = ann.create(full).await;
        let id = &task["id"];
        assert_eq!(ann.data(&by_variables, json!({ "id": id })).await["updateTask"]["task"], task);
        for (field, _) in fields {
            let by_literal = format!("mutation($id: ID!) {{ updateTask(id: $id, input: {{ {field}: null }}) {{ task {{ {TASK} }} }} }}");
            for (query, variables) in [(&by_literal, json!({ "id": id })), (&by_variables, json!({ "id": id, field: null }))] {
                if cleared.contains(&field) {
                    let update = "mutation($id: ID!, $input: UpdateTaskInput!) { updateTask(id: $id, input: $input) { task { id } } }";
                    ann.data(update, json!({ "id": id, "input": { field: task[field] } })).await;
                    let mut changed = ann.data(query, variables).await["updateTask"]["task"].clone();
                    assert_eq!(changed[field], Value::Null, "{field}");
                    ann.data(update, json!({ "id": id, "input": { field: task[field] } })).await;
                    for moved in [field, "version", "updatedAt"] {
                        changed[moved] = task[moved].clone();
                    }
                    assert_eq!(changed, task, "{field}");
                } else {
                    assert_eq!(code(&ann.error(query, variables).await), "BAD_USER_INPUT", "{field}");
                }
            }
        }
    }

    async fn every_field_of_a_part_update_distinguishes_absent_from_null(app) {
        let ann = app.user("ann").await;
        let task = whole(&ann, &ann.create(document()).await["id"]).await;
        let item = &task["checklist"][0];
        let update = "mutation($id: ID!, $text: String, $done: Boolean) {
            updateChecklistItem(id: $id, input: { text: $text, done: $done }) { item { id section text done } task { version } } }";
        let same = ann.data(update, json!({ "id": item["id"] })).await["updateChecklistItem"].clone();
        assert_eq!((&same["item"]["text"], &same["item"]["done"], &same["task"]["version"]), (&item["text"], &item["done"], &json!(1)));
        for field in ["text", "done"] {
            assert_eq!(code(&ann.error(update, json!({ "id": item["id"], field: null })).await), "BAD_USER_INPUT");
        }
        let ticked = ann.data(update, json!({ "id": item["id"], "done": false })).await["updateChecklistItem"].clone();
        assert_eq!((&ticked["item"]["text"], &ticked["item"]["done"], &ticked["task"]["version"]), (&item["text"], &json!(false), &json!(2)));

        let risk = &task["risks"][0];
        let update = "mutation($id: ID!, $description: String, $likelihood: RiskLevel, $impact: RiskLevel, $mitigation: String) {
            updateRisk(id: $id, input: { description: $description, likelihood: $likelihood, impact: $impact, mitigation: $mitigation }) {
                risk { id description likelihood impact mitigation } task { version } } }";
        assert_eq!(ann.data(update, json!({ "id": risk["id"] })).await["updateRisk"], json!({ "risk": risk, "task": { "version": 2 } }));
        for field in ["description", "likelihood", "impact"] {
            assert_eq!(code(&ann.error(update, json!({ "id": risk["id"], field: null })).await), "BAD_USER_INPUT");
        }
        let cleared = ann.data(update, json!({ "id": risk["id"], "mitigation": null })).await["updateRisk"]["risk"].clone();
        assert_eq!((&cleared["mitigation"], &cleared["impact"]), (&Value::Null, &risk["impact"]));
    }

    async fn a_bulk_update_reports_each_task_with_too_many_labels(app) {
        let ann = app.user("ann").await;
        let full: Vec<String> = (0..20).map(|number| format!("label {number}")).collect();
        let mut ids = Vec::new();
        for labels in [json!([]), json!(full), json!(["a"]), json!(full)] {
            ids.push(ann.create(json!({ "title": "x", "labels": labels })).await["id"].clone());
        }
        let stored = app.rows("tasks").await;
        let update = "mutation($ids: [ID!]!) { updateTasks(ids: $ids, input: { addLabels: [\"one more\"] }) { tasks { id } } }";
        let error = ann.error(update, json!({ "ids": ids })).await;
        assert_eq!(faults(&error), ["input.addLabels too_many", "ids.1 too_many", "ids.3 too_many"]);
        assert_eq!(app.rows("tasks").await, stored);
    }

    async fn an_id_identifies_one_object(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let task = whole(&ann, &ann.create(document()).await["id"]).await;
        let create = "mutation($id: ID!) { createTask(input: { id: $id, title: \"x\" }) { task { id } } }";
        for id in [&task["checklist"][0]["id"], &task["risks"][0]["id"], &task["files"][0]["id"], &json!(ann.id), &json!(ann.session_id())] {
            for actor in [&ann, &bob] {
                let error = actor.error(create, json!({ "id": id })).await;
                assert_eq!((code(&error).as_str(), faults(&error)), ("CONFLICT", vec!["input.id taken".to_owned()]));
            }
        }
    }

    async fn createtask_of_a_deleted_account_is_unauthenticated(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        app.execute_sql("DELETE FROM users").await;
        for input in [json!({ "title": "x" }), json!({ "title": "x", "labels": ["a"], "risks": [{ "description": "r", "likelihood": "LOW", "impact": "LOW" }] })] {
            let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
            assert_eq!(code(&ann.error(create, json!({ "input": input })).await), "UNAUTHENTICATED");
        }
    }

    async fn replacing_a_task_keeps_the_parts_that_are_the_same(app) {
        let ann = app.user("ann").await;
        let task = whole(&ann, &ann.create(document()).await["id"]).await;
        let replace = format!("mutation($id: ID!, $input: ReplaceTaskInput!) {{ replaceTask(id: $id, input: $input) {{ task {{ {TASK} {PARTS} }} }} }}");
        app.clock.advance(TimeDelta::seconds(1));
        let same = ann.data(&replace, json!({ "id": task["id"], "input": document() })).await;
        assert_eq!(same["replaceTask"]["task"], task);
        let mut other = document();
        other["risks"] = json!([]);
        other["checklist"][6]["children"][1]["done"] = json!(true);
        let changed = ann.data(&replace, json!({ "id": task["id"], "input": other })).await["replaceTask"]["task"].clone();
        assert_eq!((&changed["version"], &changed["risks"], &changed["files"]), (&json!(2), &json!([]), &task["files"]));
        assert_eq!(content(&changed["checklist"]), other["checklist"]);
        let bare = ann.data(&replace, json!({ "id": task["id"], "input": { "title": "bare" } })).await["replaceTask"]["task"].clone();
        for field in ["labels", "checklist", "risks", "files"] {
            assert_eq!(bare[field], json!([]), "{field}");
        }
        for field in ["date", "ownerLabel", "objective", "rationale"] {
            assert_eq!(bare[field], Value::Null, "{field}");
        }
        assert_eq!((&bare["status"], &bare["priority"], &bare["version"]), (&json!("PENDING"), &json!("MEDIUM"), &json!(3)));
    }

    #[flags("--limit-query-complexity", "1000000")]
    async fn the_number_of_statements_does_not_depend_on_the_size_of_a_page(app) {
        let ann = app.user("ann").await;
        let query = format!("{{ tasks(first: 50) {{ totalCount nodes {{ {TASK} {PARTS} }} edges {{ node {{ {PARTS} }} }} }} }}");
        ann.task("one").await;
        let (few, page) = app.statements(ann.data(&query, json!({}))).await;
        assert_eq!(page["tasks"]["totalCount"], 1);
        let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
        ann.data(create, json!({ "inputs": vec![document(); 60] })).await;
        let (many, page) = app.statements(ann.data(&query, json!({}))).await;
        let nodes = page["tasks"]["nodes"].as_array().expect("tasks");
        assert_eq!((nodes.len(), nodes[49]["checklist"].as_array().map(Vec::len)), (50, Some(11)));
        // Statements for tasks, their number, the owner, checklist, risks, files and progress.
        assert_eq!((few.len(), many.len()), (7, 7), "{many:#?}");
    }

    async fn repeated_selections_do_not_exceed_the_response_limit(app) {
        let ann = app.user("ann").await;
        let boxes: Vec<Value> = (0..500).map(|_| item("ACTION", &"x".repeat(1000), false)).collect();
        let id = ann.create(json!({ "title": "full", "checklist": boxes })).await["id"].clone();
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { a: checklist { text } b: checklist { text } } } }";
        let some = ann.data(query, json!({ "ids": vec![&id; 20] })).await;
        assert_eq!(some["nodes"][19]["b"].as_array().map(Vec::len), Some(500));
        let response = ann.execute(query, json!({ "ids": vec![&id; 100] })).await;
        assert_eq!(code(&response.body["errors"][0]), "QUERY_TOO_COMPLEX");
        let nodes = response.body["data"]["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.iter().filter(|node| !node.is_null()).count(), 30, "half a megabyte twice for each");
    }

    async fn nodes_of_every_type_are_found(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let task = whole(&ann, &ann.create(document()).await["id"]).await;
        let step = &task["checklist"][6]["children"][1];
        let ids = json!([step["id"], task["files"][0]["id"], task["risks"][1]["id"], task["id"], ann.id, ann.session_id(),
                         task["checklist"][6]["id"]]);
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on ChecklistItem { text children { text } } } }";
        let nodes = ann.data(query, json!({ "ids": ids })).await["nodes"].clone();
        let names: Vec<&Value> = nodes.as_array().expect("nodes").iter().map(|node| &node["__typename"]).collect();
        assert_eq!(json!(names), json!(["ChecklistItem", "FileChange", "Risk", "Task", "User", "Session", "ChecklistItem"]));
        let found: Vec<&Value> = nodes.as_array().expect("nodes").iter().map(|node| &node["id"]).collect();
        assert_eq!(json!(found), ids);
        assert_eq!((&nodes[0]["text"], &nodes[6]["children"][1]["text"]), (&step["text"], &step["text"]));
        assert_eq!(bob.data(query, json!({ "ids": ids })).await["nodes"], json!(vec![Value::Null; 7]));
    }
}
