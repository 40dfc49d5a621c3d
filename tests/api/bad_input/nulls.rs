//! Null in the places where a value may be left out: clients of typed languages send it for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::cases::cases;
use crate::support::{Actor, TestApp, Value, code, faults, json, on_both_databases};

/// In these null is a value of its own. Each with the type that it changes, the call, and what is read back.
const UPDATES: [(&str, &str, &str, &str); 3] = [
    ("UpdateTaskInput", "Task", "updateTask", "task"),
    ("UpdateChecklistItemInput", "ChecklistItem", "updateChecklistItem", "item"),
    ("UpdateRiskInput", "Risk", "updateRisk", "risk"),
];

/// What a task holds, apart from what is of its own in each.
const HELD: &str =
    "title description status completed priority labels dueAt version date ownerLabel objective
    rationale checklist { section text done children { section text done } }
    risks { description likelihood impact mitigation } files { path kind } progress { done total }";

/// The types of the schema, as introspection tells them.
struct Schema {
    /// The arguments of root fields by `field`, the fields of inputs by their type.
    places: BTreeMap<String, Vec<(String, Value)>>,
    /// The fields of objects by their type, and whether they can be null.
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
        let (mut places, mut outputs) = (BTreeMap::new(), BTreeMap::new());
        for ty in list(&types) {
            let fields = list(&ty["fields"]).iter();
            let is_null = |field: &Value| (name(field), field["type"]["kind"] != "NON_NULL");
            outputs.insert(name(ty), fields.clone().map(is_null).collect());
            if ["Query", "Mutation"].contains(&name(ty).as_str()) {
                places.extend(fields.map(|field| (name(field), typed(&field["args"]))));
            }
            if !ty["inputFields"].is_null() {
                places.insert(name(ty), typed(&ty["inputFields"]));
            }
        }
        Self { places, outputs }
    }

    /// Puts null into all places of an input that may be left out and are, and notes them.
    fn add_nulls(&self, place: &str, given: &mut Value, met: &mut BTreeSet<String>) {
        for (name, ty) in &self.places[place] {
            let (inside, value) = (innermost(ty), &mut given[name.as_str()]);
            if ty["kind"] != "NON_NULL" && value.is_null() {
                met.insert(format!("{place}.{name}"));
            }
            if !self.places.contains_key(inside) || UPDATES.iter().any(|update| update.0 == inside) {
                continue;
            }
            match value {
                Value::Array(items) => items.iter_mut().for_each(|item| self.add_nulls(inside, item, met)),
                Value::Object(_) => self.add_nulls(inside, value, met),
                _ => {}
            }
        }
        // A place that must not be null has its default.
        let must =
            |name: &str| self.places[place].iter().any(|(at, ty)| at == name && ty["kind"] == "NON_NULL");
        given.as_object_mut().expect("an input").retain(|name, value| !value.is_null() || !must(name));
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn name(value: &Value) -> String {
    value["name"].as_str().expect("a name").to_owned()
}

fn typed(places: &Value) -> Vec<(String, Value)> {
    list(places).iter().map(|place| (name(place), place["type"].clone())).collect()
}

fn innermost(ty: &Value) -> &str {
    if ty["ofType"].is_null() { ty["name"].as_str().expect("a name") } else { innermost(&ty["ofType"]) }
}

/// A case's arguments and query for one of several runs, which must not come into each other's way; bare ones
/// have no more than they must.
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
        query.replace(&format!("{each} {{ id }}"), &format!("{each} {{ {HELD} }}"))
    });
    let query = query
        .replace("{ totalCount }", "{ totalCount nodes { title } pageInfo { hasNextPage } }")
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
    async fn null_is_the_same_as_left_out(app) {
        let schema = Schema::of(app).await;
        let ann = app.user("ann").await;
        let mut met = BTreeSet::new();
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
            met.extend(reached);
            let mut things = Vec::new();
            for _ in 0..3 {
                things.push(ann.full_task("one").await);
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
        let inputs = schema.places.iter().filter(|(place, _)| UPDATES.iter().all(|update| update.0 != *place));
        let nullable = |(place, fields): (&String, &Vec<(String, Value)>)| -> Vec<String> {
            let fields = fields.iter().filter(|(_, ty)| ty["kind"] != "NON_NULL");
            fields.map(|(name, _)| format!("{place}.{name}")).collect()
        };
        let all: BTreeSet<String> = inputs.flat_map(nullable).collect();
        let missing: Vec<&String> = all.difference(&met).collect();
        assert!(missing.is_empty(), "null was not tried in {missing:#?}");
    }

    async fn null_in_an_argument_of_an_inner_field_is_the_same_as_left_out(app) {
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

    async fn null_in_a_change_clears_what_can_be_null_and_is_refused_elsewhere(app) {
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
            for (field, _) in &schema.places[input] {
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
