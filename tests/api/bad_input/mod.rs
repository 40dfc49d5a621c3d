//! Invalid input values: each is refused with its path and the rule that it breaks, as a variable and as a
//! literal, and nothing is written. The values are in [`rows`]; a new argument or input field fails a test
//! until it has rows.

pub mod cases;
mod list_rows;
mod nulls;
mod rows;

use std::collections::BTreeSet;

use crate::support::{Actor, TASK, Value, code, faults, json, on_both_databases};
use cases::{Case, cases};
use rows::{Row, bad_ids, good_ids, longest};

const UNKNOWN_ID: &str = "00000000-0000-7000-8000-000000000000";

/// Asserts that a value is refused, sent as a variable and, if it fits into the limits, as a literal.
async fn assert_refused(actor: &Actor<'_>, case: &Case, path: &str, value: &Value, fault: &str) {
    let arguments = with_value_at(&case.good, path, value.clone());
    let literal = case.by_literals(&arguments);
    let fits = literal.len() < 16_000 && literal.matches(": ").count() < 500;
    let literal = fits.then(|| (literal, json!({})));
    for (query, variables) in literal.into_iter().chain([(case.by_variables(), arguments.clone())]) {
        let response = actor.execute(&query, variables).await;
        let shown: String = format!("{} of {path}: {value}", case.field).chars().take(300).collect();
        assert!(response.body.get("errors").is_some(), "{shown} was accepted");
        let error = response.error();
        assert_eq!(
            (code(&error).as_str(), faults(&error)),
            ("BAD_USER_INPUT", vec![fault.to_owned()]),
            "{shown}"
        );
        let found = &error["extensions"]["fields"][0]["message"];
        assert!(found.as_str().is_some_and(|message| !message.is_empty()), "{shown}: {error:#}");
    }
}

/// The arguments with the value at a path such as `orderBy.0.field` replaced.
pub fn with_value_at(good: &Value, path: &str, value: Value) -> Value {
    let mut all = good.clone();
    let mut target = &mut all;
    for step in path.split('.') {
        target = match step.parse::<usize>() {
            Ok(index) => &mut target[index],
            Err(_) => &mut target[step],
        };
    }
    *target = value;
    all
}

/// Collects the paths of all arguments and input fields of a root field, such as `filter.dueAt.from`. A
/// recursive input type is entered once.
fn collect_paths(types: &Value, ty: &Value, path: &str, outer_types: &[&str], found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    let mut ty = ty;
    while !ty["ofType"].is_null() {
        ty = &ty["ofType"];
    }
    let name = ty["name"].as_str().expect("the named type has a name");
    let fields = types.as_array().expect("types").iter().find(|known| known["name"] == name);
    let fields = fields.and_then(|known| known["inputFields"].as_array());
    for field in fields.into_iter().flatten().filter(|_| !outer_types.contains(&name)) {
        let nested = format!("{path}.{}", field["name"].as_str().expect("a name"));
        collect_paths(types, &field["type"], &nested, &[outer_types, &[name]].concat(), found);
    }
}

on_both_databases! {
    #[flags("--limit-credentials-per-minute", "0")]
    async fn every_invalid_value_is_refused_with_its_path_and_nothing_is_written(app) {
        let ann = app.user("ann").await;
        let things = ann.things("one").await;
        for case in cases(&things) {
            let stored = app.all_rows().await;
            for (path, value, rule) in &case.rows {
                let fault = if rule.contains(' ') { format!("{path}.{rule}") } else { format!("{path} {rule}") };
                assert_refused(&ann, &case, path, value, &fault).await;
            }
            assert_eq!(app.all_rows().await, stored, "{}", case.field);
        }
    }

    async fn every_argument_and_input_field_has_rows(app) {
        let ty = "name ofType { name ofType { name ofType { name } } }";
        let args = format!("fields {{ name args {{ name type {{ {ty} }} }} }}");
        let query = format!("{{ __schema {{ queryType {{ {args} }} mutationType {{ {args} }}
            types {{ name inputFields {{ name type {{ {ty} }} }} }} }} }}");
        let schema = app.anonymous().data(&query, json!({})).await["__schema"].clone();
        let mut expected = BTreeSet::new();
        for root in ["queryType", "mutationType"] {
            for field in schema[root]["fields"].as_array().expect("fields") {
                for argument in field["args"].as_array().expect("arguments") {
                    let [field, argument_name] = [&field["name"], &argument["name"]].map(|name| name.as_str().expect("a name"));
                    let path = format!("{field}.{argument_name}");
                    collect_paths(&schema["types"], &argument["type"], &path, &[], &mut expected);
                }
            }
        }
        let without_indices = |field: &str, path: &str| {
            let steps: Vec<&str> = path.split('.').filter(|step| step.parse::<usize>().is_err()).collect();
            format!("{field}.{}", steps.join("."))
        };
        let cases = cases(&json!({}));
        let covered: BTreeSet<String> = cases.iter()
            .flat_map(|case| case.rows.iter().flat_map(|(path, _, rule)| {
                let inside = rule.split_once(' ').map_or(path.clone(), |(inside, _)| format!("{path}.{inside}"));
                [path, &inside].map(|path| without_indices(case.field, path))
            }))
            .collect();
        let missing: Vec<&String> = expected.difference(&covered).collect();
        assert!(missing.is_empty(), "no rows: {missing:#?}");
    }

    async fn ids_that_are_unknown_or_of_another_user_change_nothing(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let things = ann.things("one").await;
        let stored = app.all_rows().await;
        for case in cases(&things).iter().filter(|case| case.field != "node") {
            let Some((path, thing)) = case.target() else { continue };
            let found_faults = if path == "ids.0" { vec!["ids.0 invalid"] } else { Vec::new() };
            for (id, expected) in [(thing, "FORBIDDEN"), (UNKNOWN_ID, "NOT_FOUND")] {
                let error = bob.error(&case.by_variables(), with_value_at(&case.good, path, json!(id))).await;
                let found = (code(&error), error["path"].clone());
                assert_eq!(found, (expected.to_owned(), json!([case.field])), "{}", case.field);
                assert_eq!(faults(&error), found_faults, "{}", case.field);
            }
            // The input is validated before the access to the object is checked.
            let missing = |(path, value, rule): &&Row| path.starts_with("input.") && *value == "" && *rule == "required";
            if let Some((path, value, rule)) = case.rows.iter().find(missing) {
                let faulty = bob.error(&case.by_variables(), with_value_at(&case.good, path, value.clone())).await;
                assert_eq!(faults(&faulty), [format!("{path} {rule}")], "{}", case.field);
            }
        }
        assert_eq!(app.all_rows().await, stored);
    }

    async fn ids_in_upper_case_are_equivalent(app) {
        let ann = app.user("ann").await;
        let things = ann.things("one").await.to_string();
        let names = ["id", "item", "risk", "file", "other", "claim", "released"];
        let upper_case = names.iter().fold(things.to_uppercase(), |text, name| text.replace(&name.to_uppercase(), name));
        for case in cases(&serde_json::from_str(&upper_case).expect("the text is still JSON")) {
            let Some((_, thing)) = case.target() else { continue };
            let data = ann.data(&case.by_variables(), case.good.clone()).await;
            // That of completeClaim shows the task.
            let shows_it = case.field == "completeClaim" || data.to_string().contains(&thing.to_lowercase());
            assert!(shows_it, "{}: {data}", case.field);
        }
    }

    async fn one_invalid_id_of_many_fails_the_bulk_call_and_is_reported(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let (one, two, gone) = (ann.task("one").await, ann.task("two").await, ann.task("gone").await);
        let bobs = bob.task("bob's").await;
        ann.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": gone })).await;
        let stored = app.all_rows().await;
        for call in [
            "updateTasks(ids: $ids, input: { title: \"x\" }) { tasks { id } }",
            "completeTasks(ids: $ids) { tasks { id } }",
            "deleteTasks(ids: $ids) { deletedTaskIds }",
        ] {
            for (bad, expected) in [(bobs.as_str(), "FORBIDDEN"), (UNKNOWN_ID, "NOT_FOUND"), (gone.as_str(), "NOT_FOUND")] {
                let ids = [one.as_str(), bad, two.as_str(), bad];
                let error = ann.error(&format!("mutation($ids: [ID!]!) {{ {call} }}"), json!({ "ids": ids })).await;
                assert_eq!(code(&error), expected, "{call}");
                assert_eq!(faults(&error).first().map(String::as_str), Some("ids.1 invalid"), "{call}");
            }
        }
        assert_eq!(app.all_rows().await, stored);
    }

    async fn a_client_chosen_id_of_another_user_is_taken(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        bob.create(json!({ "id": UNKNOWN_ID, "title": "bob's" })).await;
        let delete = "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }";
        for state in ["live", "in the trash"] {
            let stored = app.all_rows().await;
            let input = json!({ "id": UNKNOWN_ID, "title": "ann's" });
            let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
            let error = ann.error(create, json!({ "input": input })).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("CONFLICT", vec!["input.id taken".to_owned()]), "{state}");
            let create = "mutation($inputs: [CreateTaskInput!]!) { createTasks(inputs: $inputs) { tasks { id } } }";
            let error = ann.error(create, json!({ "inputs": [{ "title": "first" }, input] })).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("CONFLICT", vec!["inputs.1.id taken".to_owned()]), "{state}");
            assert!(!error.to_string().contains("bob"), "{error:#}");
            assert_eq!(app.all_rows().await, stored);
            if state == "live" {
                bob.data(delete, json!({ "id": UNKNOWN_ID })).await;
            }
        }
    }

    async fn an_item_can_only_be_placed_beside_its_section_and_under_an_action(app) {
        let ann = app.user("ann").await;
        let query = "mutation($input: CreateTaskInput!) { createTask(input: $input) {
            task { id checklist { id children { id } } } } }";
        let step = json!({ "section": "ACTION", "text": "a step" });
        let checklist = json!([
            { "section": "ACTION", "text": "a phase", "children": [step] },
            { "section": "ACTION", "text": "another", "children": [step] },
            { "section": "IN_SCOPE", "text": "an item" },
        ]);
        let input = json!({ "input": { "title": "x", "checklist": checklist } });
        let task = ann.data(query, input.clone()).await["createTask"]["task"].clone();
        let other = ann.data(query, input).await["createTask"]["task"].clone();
        let id = |pointer: &str| task.pointer(pointer).expect("the item exists").clone();
        let (phase, step_id, scope) = (id("/checklist/0/id"), id("/checklist/0/children/0/id"), id("/checklist/2/id"));
        let (next, next_step) = (id("/checklist/1/id"), id("/checklist/1/children/0/id"));
        let theirs = other["checklist"][0]["id"].clone();
        let stored = app.all_rows().await;
        let add = "mutation($taskId: ID!, $input: ChecklistItemInput!, $parentId: ID, $before: ID) {
            addChecklistItem(taskId: $taskId, input: $input, parentId: $parentId, before: $before) { item { id } } }";
        let in_scope = json!({ "section": "IN_SCOPE", "text": "x" });
        for (input, parent, before, fault) in [
            (&step, &theirs, &Value::Null, "parentId invalid"),
            (&step, &scope, &Value::Null, "parentId invalid"),
            (&step, &step_id, &Value::Null, "parentId invalid"),
            (&in_scope, &scope, &Value::Null, "parentId invalid"),
            (&in_scope, &phase, &Value::Null, "parentId invalid"),
            (&step, &phase, &phase, "before invalid"),
            (&step, &phase, &next_step, "before invalid"),
            (&step, &Value::Null, &step_id, "before invalid"),
            (&step, &Value::Null, &scope, "before invalid"),
            (&step, &Value::Null, &theirs, "before invalid"),
            (&in_scope, &Value::Null, &phase, "before invalid"),
        ] {
            let arguments = json!({ "taskId": task["id"], "input": input, "parentId": parent, "before": before });
            let error = ann.error(add, arguments.clone()).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec![fault.to_owned()]), "{arguments}");
        }
        let to = "mutation($id: ID!, $before: ID) { moveChecklistItem(id: $id, before: $before) { item { id } } }";
        for (id, before) in [(&phase, &scope), (&phase, &step_id), (&phase, &theirs), (&step_id, &next),
                             (&step_id, &next_step), (&scope, &phase)] {
            let error = ann.error(to, json!({ "id": id, "before": before })).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["before invalid".to_owned()]));
        }
        assert_eq!(app.all_rows().await, stored);
    }

    async fn malformed_ids_give_null_nodes(app) {
        let ann = app.user("ann").await;
        let query = "query($ids: [ID!]!, $id: ID!) { nodes(ids: $ids) { id } node(id: $id) { id } }";
        let ids: Vec<Value> = bad_ids().into_iter().map(Value::from).collect();
        for id in &ids {
            let data = ann.data(query, json!({ "id": id, "ids": ids })).await;
            assert_eq!(data, json!({ "node": null, "nodes": vec![Value::Null; ids.len()] }), "{id}");
        }
        assert_eq!(ann.data(query, json!({ "id": 5, "ids": good_ids(100) })).await["nodes"][99], Value::Null);
    }

    async fn texts_of_the_maximum_length_are_accepted_in_any_script(app) {
        let ann = app.user("ann").await;
        for text in longest(200) {
            let task = ann.create(json!({ "title": text, "description": "" })).await;
            assert_eq!(task["title"].as_str().map(|title| title.chars().count()), Some(200), "{text}");
        }
        for text in longest(20_000) {
            let id = ann.create(json!({ "title": "x", "description": text })).await["id"].clone();
            let task = ann.read(id.as_str().expect("an id")).await;
            assert_eq!(task["description"].as_str().map(|text| text.chars().count()), Some(20_000));
        }
        let rename = "mutation($name: String) { updateProfile(input: { name: $name }) { user { name } } }";
        for text in longest(100) {
            let user = ann.data(rename, json!({ "name": text })).await["updateProfile"]["user"].clone();
            assert_eq!(user["name"].as_str().map(|name| name.chars().count()), Some(100), "{text}");
        }
    }

    async fn texts_of_task_parts_of_the_maximum_length_are_accepted_in_any_script(app) {
        let ann = app.user("ann").await;
        let query = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task {
            ownerLabel objective rationale labels checklist { text children { text } }
            risks { description mitigation } files { path } } } }";
        for script in 0..4 {
            let text = |max| json!(longest(max)[script]);
            let step = json!({ "section": "ACTION", "text": text(1_000) });
            let task = ann.data(query, json!({ "input": {
                "title": "x", "ownerLabel": text(200), "objective": text(1_000), "rationale": text(10_000),
                "labels": [text(50)],
                "checklist": [{ "section": "ACTION", "text": text(1_000), "children": [step] }],
                "risks": [{ "description": text(1_000), "likelihood": "LOW", "impact": "LOW", "mitigation": text(2_000) }],
                "files": [{ "path": text(500), "kind": "DELETED" }],
            } })).await;
            for (pointer, max) in [
                ("/ownerLabel", 200), ("/objective", 1_000), ("/rationale", 10_000), ("/labels/0", 50),
                ("/checklist/0/text", 1_000), ("/checklist/0/children/0/text", 1_000),
                ("/risks/0/description", 1_000), ("/risks/0/mitigation", 2_000), ("/files/0/path", 500),
            ] {
                let kept = task["createTask"]["task"].pointer(pointer).and_then(Value::as_str).expect("text");
                assert_eq!(kept.chars().count(), max, "{pointer}");
            }
        }
    }

    async fn a_task_has_at_most_the_maximum_number_of_parts(app) {
        let ann = app.user("ann").await;
        let step = json!({ "section": "ACTION", "text": "a step" });
        let risk = json!({ "description": "x", "likelihood": "LOW", "impact": "LOW" });
        let file = json!({ "path": "x", "kind": "MODIFIED" });
        let phase = json!({ "section": "ACTION", "text": "a phase", "children": vec![&step; 248] });
        let labels: Vec<String> = (0..20).flat_map(|n| [format!("Label {n}"), format!("LABEL {n}")]).collect();
        let full = json!({ "title": "x", "labels": labels, "checklist": [phase, phase, step],
                           "risks": vec![&risk; 100], "files": vec![&file; 500] });
        let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task {
            id labels checklist { id children { id } } risks { id } files { id } progress { total } } } }";
        let task = ann.data(create, json!({ "input": full })).await["createTask"]["task"].clone();
        let count = |list: &str| task[list].as_array().map(Vec::len);
        assert_eq!(["labels", "checklist", "risks", "files"].map(count), [20, 3, 100, 500].map(Some));
        assert_eq!(task["progress"]["total"], 499);

        let phase = json!({ "section": "ACTION", "text": "a phase", "children": [step] });
        let add = "mutation($id: ID!, $item: ChecklistItemInput!) {
            addChecklistItem(taskId: $id, input: $item) { item { id } } }";
        assert_eq!(faults(&ann.error(add, json!({ "id": task["id"], "item": phase })).await), ["input too_many"]);
        ann.data(add, json!({ "id": task["id"], "item": step })).await;
        let stored = app.all_rows().await;
        for (call, fault) in [
            ("addChecklistItem(taskId: $id, input: { section: ACTION, text: \"x\" })", "input too_many"),
            ("addChecklistItem(taskId: $id, input: { section: ACTION, text: \"x\" }, parentId: $phase)", "input too_many"),
            ("addRisk(taskId: $id, input: { description: \"x\", likelihood: LOW, impact: LOW })", "input too_many"),
            ("addFileChange(taskId: $id, input: { path: \"x\", kind: CREATED })", "input too_many"),
            ("updateTask(id: $id, input: { addLabels: [\"another\"] })", "input.addLabels too_many"),
        ] {
            let phase = if call.contains("$phase") { ", $phase: ID!" } else { "" };
            let query = format!("mutation($id: ID!{phase}) {{ {call} {{ task {{ id }} }} }}");
            let error = ann.error(&query, json!({ "id": task["id"], "phase": task["checklist"][0]["id"] })).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec![fault.to_owned()]), "{call}");
        }
        assert_eq!(app.all_rows().await, stored);
        let again = "mutation($id: ID!) { updateTask(id: $id, input: { addLabels: [\"lAbEl 7\"] }) { task { version } } }";
        assert_eq!(ann.data(again, json!({ "id": task["id"] })).await["updateTask"]["task"]["version"], 2);
    }

    async fn a_date_is_any_day_of_four_digit_years(app) {
        let ann = app.user("ann").await;
        let query = "mutation($date: Date) { createTask(input: { title: \"x\", date: $date }) { task { date } } }";
        for day in ["0001-01-01", "1582-10-10", "2028-02-29", "9999-12-31"] {
            assert_eq!(ann.data(query, json!({ "date": day })).await["createTask"]["task"]["date"], day);
        }
    }

    async fn account_values_at_the_limits_are_accepted(app) {
        let register = "mutation($input: RegisterInput!) { register(input: $input) { user { id } } }";
        let address = format!("{}@{}.{}.{}.com", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(57));
        assert_eq!(address.len(), 254);
        for input in [
            json!({ "email": address, "password": format!("a1{}", "🔑".repeat(126)) }),
            json!({ "email": "b@example.com", "password": "pass-wö1", "username": "abc", "name": null }),
            json!({ "email": "c@example.com", "password": "pass w1d", "username": "a".repeat(32) }),
            json!({ "email": "d@example.com", "password": "pass-w1d", "username": null, "confirmPassword": null }),
        ] {
            app.anonymous().data(register, json!({ "input": input })).await;
        }
    }

    async fn all_faults_of_a_call_are_reported_together(app) {
        let ann = app.user("ann").await;
        let update = "mutation($id: ID!, $input: UpdateTaskInput!, $version: Int) {
            updateTask(id: $id, input: $input, expectedVersion: $version) { task { id } } }";
        let input = json!({ "title": "", "description": "\0", "status": null, "completed": null, "priority": null });
        let error = ann.error(update, json!({ "id": "x", "input": input })).await;
        assert_eq!(faults(&error), [
            "id invalid", "input.title required", "input.description invalid", "input.status required",
            "input.completed required", "input.priority required",
        ]);
        let input = json!({ "title": 5, "dueAt": "soon", "status": "DONE", "owner": "bob" });
        let error = ann.error(update, json!({ "id": null, "input": input, "version": 0.5 })).await;
        assert_eq!(faults(&error), [
            "id required", "input.dueAt invalid", "input.owner invalid", "input.status invalid",
            "input.title invalid", "expectedVersion invalid",
        ]);
        let literal = "mutation { updateTask(id: null, expectedVersion: 0.5,
            input: { title: 5, dueAt: \"soon\", status: \"PENDING\", owner: \"bob\" }) { task { id } } }";
        assert_eq!(faults(&ann.error(literal, json!({})).await), [
            "id required", "expectedVersion invalid", "input.title invalid", "input.dueAt invalid",
            "input.status invalid", "input.owner invalid",
        ]);
        let list = "query { tasks(first: 0, last: 101, after: \"x\", filter: { not: { not: { not: { not: { not: { not: {} } } } } } }) { totalCount } }";
        assert_eq!(faults(&ann.error(list, json!({})).await), [
            "filter.not.not.not.not.not.not too_many", "last conflicting", "after conflicting",
            "first out_of_range", "last out_of_range", "after invalid",
        ]);
    }

    async fn an_error_message_has_one_sentence_per_fault(app) {
        let error = app.user("ann").await.error("mutation { createTask(input: { title: \" \", labels: [\"\"] }) { task { id } } }", json!({})).await;
        assert_eq!(error["message"], "Title must not be empty. Item 1 of labels must not be empty.");
        assert_eq!(error["extensions"]["fields"], json!([
            { "path": ["input", "title"], "message": "must not be empty", "rule": "required" },
            { "path": ["input", "labels", 0], "message": "must not be empty", "rule": "required" },
        ]));
    }

    async fn a_due_date_is_any_instant_of_four_digit_years(app) {
        let ann = app.user("ann").await;
        for (sent, shown) in [
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z"),
            ("1969-12-31T23:59:59.9996Z", "1969-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00-14:00", "0001-01-01T14:00:00.000Z"),
            ("2028-02-29T23:30:00-01:00", "2028-03-01T00:30:00.000Z"),
            ("2026-11-21t09:30:00z", "2026-11-21T09:30:00.000Z"),
        ] {
            let id = ann.create(json!({ "title": "x", "dueAt": sent })).await["id"].clone();
            assert_eq!(ann.read(id.as_str().expect("an id")).await["dueAt"], shown, "{sent}");
        }
    }

    async fn nullable_values_accept_null(app) {
        let ann = app.user("ann").await;
        let task = ann.create(json!({ "title": "x", "description": null, "dueAt": null })).await;
        let query = format!("mutation($id: ID!) {{
            updateTask(id: $id, input: {{ description: null, dueAt: null }}, expectedVersion: null) {{ task {{ {TASK} }} }} }}");
        assert_eq!(ann.data(&query, json!({ "id": task["id"] })).await["updateTask"]["task"], task);
        let list = "{ tasks(first: null, after: null, last: null, before: null, orderBy: null, filter: {
            and: null, or: null, not: null, completed: null, status: null, priority: null,
            dueAt: { from: null, before: null, isNull: null }, createdAt: null }) { totalCount } }";
        assert_eq!(ann.data(list, json!({})).await["tasks"]["totalCount"], 1);
    }

    async fn a_list_in_a_filter_may_be_longer_than_a_statement_has_parameters(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        let query = "query($status: [TaskStatus!], $priority: [TaskPriority!]) {
            tasks(filter: { status: $status, priority: $priority }) { totalCount } }";
        let many = json!({ "status": vec!["PENDING"; 40_000], "priority": vec!["MEDIUM"; 40_000] });
        assert_eq!(ann.data(query, many).await["tasks"]["totalCount"], 1);
    }

    async fn the_task_list_of_a_user_validates_its_arguments_too(app) {
        let ann = app.user("ann").await;
        let error = ann.error("{ me { id tasks(first: 0, last: 5) { totalCount } } }", json!({})).await;
        assert_eq!((code(&error).as_str(), &error["path"]), ("BAD_USER_INPUT", &json!(["me", "tasks"])));
        assert_eq!(faults(&error), ["last conflicting", "first out_of_range"]);
    }
}
