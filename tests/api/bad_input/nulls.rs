//! Null for optional values: it must mean the same as an absent value, because clients in typed languages
//! send it.

use std::collections::{BTreeMap, BTreeSet};

use super::cases::cases;
use crate::support::{Actor, TestApp, Value, code, faults, json, on_both_databases};

/// The inputs in which null has its own meaning, with the type that they change, the mutation and its payload
/// field.
const UPDATES: [(&str, &str, &str, &str); 3] = [
    ("UpdateTaskInput", "Task", "updateTask", "task"),
    ("UpdateChecklistItemInput", "ChecklistItem", "updateChecklistItem", "item"),
    ("UpdateRiskInput", "Risk", "updateRisk", "risk"),
];

/// The fields of a task except its ids and times.
const CONTENT: &str =
    "title description status completed priority labels dueAt version date ownerLabel objective
    rationale checklist { section text done children { section text done } }
    risks { description likelihood impact mitigation } files { path kind } progress { done total }";

/// The types of the schema, from introspection.
struct Schema {
    /// The arguments of root fields by field name, and the fields of inputs by type name.
    inputs: BTreeMap<String, Vec<(String, Value)>>,
    /// The fields of objects by type name, and whether they are nullable.
    outputs: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Schema {
    async fn of(app: &TestApp) -> Self {
        let ty = "type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        let query = format!(
            "{{ __schema {{ queryType {{ name }} mutationType {{ name }} types {{ name
                fields {{ name type {{ kind }} args {{ name {ty} }} }} inputFields {{ name {ty} }} }} }} }}"
        );
        let types = app.anonymous().data(&query, json!({})).await["__schema"]["types"].clone();
        let (mut inputs, mut outputs) = (BTreeMap::new(), BTreeMap::new());
        for ty in list(&types) {
            let fields = list(&ty["fields"]).iter();
            let is_null = |field: &Value| (name(field), field["type"]["kind"] != "NON_NULL");
            outputs.insert(name(ty), fields.clone().map(is_null).collect());
            if ["Query", "Mutation"].contains(&name(ty).as_str()) {
                inputs.extend(fields.map(|field| (name(field), typed(&field["args"]))));
            }
            if !ty["inputFields"].is_null() {
                inputs.insert(name(ty), typed(&ty["inputFields"]));
            }
        }
        Self { inputs, outputs }
    }

    /// Sets all absent optional values of an input to null and records their names.
    fn add_nulls(&self, owner: &str, given: &mut Value, tried: &mut BTreeSet<String>) {
        for (name, ty) in &self.inputs[owner] {
            let (inside, value) = (named_type(ty), &mut given[name.as_str()]);
            if ty["kind"] != "NON_NULL" && value.is_null() {
                tried.insert(format!("{owner}.{name}"));
            }
            if !self.inputs.contains_key(inside) || UPDATES.iter().any(|update| update.0 == inside) {
                continue;
            }
            match value {
                Value::Array(items) => items.iter_mut().for_each(|item| self.add_nulls(inside, item, tried)),
                Value::Object(_) => self.add_nulls(inside, value, tried),
                _ => {}
            }
        }
        // A non-null value that is absent has a default.
        let is_non_null =
            |name: &str| self.inputs[owner].iter().any(|(at, ty)| at == name && ty["kind"] == "NON_NULL");
        given.as_object_mut().expect("an input").retain(|name, value| !value.is_null() || !is_non_null(name));
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn name(value: &Value) -> String {
    value["name"].as_str().expect("a name").to_owned()
}

fn typed(values: &Value) -> Vec<(String, Value)> {
    list(values).iter().map(|value| (name(value), value["type"].clone())).collect()
}

fn named_type(ty: &Value) -> &str {
    if ty["ofType"].is_null() { ty["name"].as_str().expect("a name") } else { named_type(&ty["ofType"]) }
}

/// The arguments and the query of a case for one of several runs, which must not conflict. With `is_bare` the
/// arguments contain only the required values.
fn prepared(field: &str, run: usize, is_bare: bool, good: &Value, query: &str) -> (Value, String) {
    let mut good = good.clone();
    match field {
        "tasks" if is_bare => good = json!({}),
        "replaceTask" if is_bare => good["input"] = json!({ "title": "x" }),
        "tasks" => {
            good["filter"] = json!({ "completed": false, "and": [{ "dueAt": {}, "createdAt": { "from": "2000-01-01T00:00:00Z" } }],
                                     "not": { "status": "BLOCKED" } });
        }
        "register" => good["input"]["email"] = json!(format!("new@{run}.example.com")),
        _ => {}
    }
    let query = ["task", "tasks"].iter().fold(query.to_owned(), |query, each| {
        query.replace(&format!("{each} {{ id }}"), &format!("{each} {{ {CONTENT} }}"))
    });
    let query = query
        .replace("{ totalCount }", "{ totalCount nodes { title } pageInfo { hasNextPage } }")
        .replace("taskList { id }", "taskList { title }")
        .replace("item { id }", "item { text done } task { version }")
        .replace("risk { id }", "risk { description mitigation } task { version }");
    (good, if field == "register" { query.replace("tokenType", "user { name isActive }") } else { query })
}

async fn response(actor: &Actor<'_>, query: &str, variables: Value) -> Value {
    let response = actor.execute(query, variables.clone()).await;
    assert!(response.body.get("errors").is_none(), "{query} {variables}: {:#}", response.body);
    response.body["data"].clone()
}

on_both_databases! {
    async fn null_means_the_same_as_an_absent_value(app) {
        let schema = Schema::of(app).await;
        let ann = app.user("ann").await;
        let mut tried = BTreeSet::new();
        let fields: Vec<&str> = cases(&json!({})).iter().map(|case| case.field).collect();
        let bare = [false, true].into_iter();
        let turns = bare.flat_map(|is_bare| fields.iter().enumerate().map(move |(number, field)| (number, *field, is_bare)));
        for (number, field, is_bare) in turns.filter(|turn| !turn.2 || ["tasks", "replaceTask"].contains(&turn.1)) {
            let (mut reached, case) = (BTreeSet::new(), &cases(&json!({}))[number]);
            let (mut given, _) = prepared(field, 0, is_bare, &case.good, "");
            schema.add_nulls(field, &mut given, &mut reached);
            if reached.is_empty() {
                continue;
            }
            tried.extend(reached);
            let mut things = Vec::new();
            for _ in 0..3 {
                things.push(ann.things("one").await);
            }
            let mut responses = Vec::new();
            for (run, thing) in things.iter().enumerate() {
                let case = &cases(thing)[number];
                let (mut given, mut query) = prepared(field, run, is_bare, &case.good, &case.by_variables());
                if run > 0 {
                    schema.add_nulls(field, &mut given, &mut BTreeSet::new());
                }
                if run == 2 {
                    query = prepared(field, run, is_bare, &given, &case.by_literals(&given)).1;
                    given = json!({});
                }
                responses.push(response(&ann, &query, given).await);
            }
            assert_eq!(responses[1], responses[0], "{field}: null by a variable");
            assert_eq!(responses[2], responses[0], "{field}: null in the document");
        }
        let inputs = schema.inputs.iter().filter(|(place, _)| UPDATES.iter().all(|update| update.0 != *place));
        let nullable = |(place, fields): (&String, &Vec<(String, Value)>)| -> Vec<String> {
            let fields = fields.iter().filter(|(_, ty)| ty["kind"] != "NON_NULL");
            fields.map(|(name, _)| format!("{place}.{name}")).collect()
        };
        let all: BTreeSet<String> = inputs.flat_map(nullable).collect();
        let missing: Vec<&String> = all.difference(&tried).collect();
        assert!(missing.is_empty(), "null was not tried for {missing:#?}");
    }

    async fn null_in_an_argument_of_a_nested_field_means_the_same_as_an_absent_value(app) {
        let ann = app.user("ann").await;
        ann.full_task("one").await;
        let plain = "{ me { tasks { nodes { checklist { text } } } } }";
        let nulls = "query($section: ChecklistSection) { me { tasks(first: null, after: null, last: null, before: null,
            filter: null, orderBy: null) { nodes { checklist(section: $section) { text } } } } }";
        let expected = ann.data(plain, json!({})).await;
        for variables in [json!({}), json!({ "section": null })] {
            assert_eq!(ann.data(nulls, variables).await, expected);
        }
    }

    async fn null_in_an_update_clears_nullable_fields_and_is_refused_for_others(app) {
        let schema = Schema::of(app).await;
        let ann = app.user("ann").await;
        let input = json!({ "title": "x", "description": "x", "dueAt": "2027-01-01T00:00:00Z", "date": "2027-01-01",
            "ownerLabel": "x", "objective": "x", "rationale": "x", "checklist": [{ "section": "ACTION", "text": "x" }],
            "risks": [{ "description": "x", "likelihood": "LOW", "impact": "LOW", "mitigation": "x" }] });
        let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) {
            task { id checklist { id } risks { id } } } }";
        let task = ann.data(create, json!({ "input": input })).await["createTask"]["task"].clone();
        let ids = [&task["id"], &task["checklist"][0]["id"], &task["risks"][0]["id"]];
        let mut cleared = Vec::new();
        for ((input, output, call, part), id) in UPDATES.into_iter().zip(ids) {
            for (field, _) in &schema.inputs[input] {
                let shown = if schema.outputs[output].contains_key(field) { field.as_str() } else { "id" };
                let query = format!("mutation($id: ID!, $input: {input}!) {{ {call}(id: $id, input: $input) {{ {part} {{ {shown} }} }} }}");
                let change = json!({ "id": id, "input": { field: null } });
                if schema.outputs[output].get(field) == Some(&true) {
                    cleared.push(field.as_str());
                    assert_eq!(ann.data(&query, change).await[call][part], json!({ field: null }));
                } else {
                    let error = ann.error(&query, change).await;
                    assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec![format!("input.{field} required")]));
                }
            }
        }
        assert_eq!(cleared, ["description", "dueAt", "date", "ownerLabel", "objective", "rationale", "mitigation"]);
    }
}
