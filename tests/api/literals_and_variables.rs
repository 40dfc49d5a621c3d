//! Validation of literals and variables as the GraphQL specification requires. async-graphql itself does not
//! check an argument that contains an absent variable, nor whether a variable's type fits its position.

use crate::support::{Actor, Value, code, faults, json, on_both_databases};

const CREATE: &str = "createTask(input: { title: \"x\" }) { task { title } }";

/// Asserts that an operation is not valid GraphQL and is refused before execution.
async fn assert_invalid(actor: &Actor<'_>, query: &str, variables: Value) -> Value {
    let response = actor.execute(query, variables).await;
    let error = response.body["errors"][0].clone();
    assert_eq!(code(&error), "BAD_REQUEST", "{query}: {:#}", response.body);
    assert_eq!(response.body.get("data"), None, "{query}");
    error
}

on_both_databases! {
    async fn an_absent_variable_does_not_hide_other_faults(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        let stored = app.all_rows().await;
        for (input, fault) in [
            ("title: \"x\", description: $text, owner: \"bob\"", "input.owner invalid"),
            ("title: 5, description: $text", "input.title invalid"),
            ("title: null, description: $text", "input.title required"),
            ("description: $text", "input.title required"),
            ("title: \"x\", description: $text, status: \"PENDING\"", "input.status invalid"),
            ("title: \"x\", description: $text, status: DONE", "input.status invalid"),
            ("title: \"x\", description: $text, dueAt: \"soon\"", "input.dueAt invalid"),
        ] {
            let query = format!("mutation($text: String) {{ createTask(input: {{ {input} }}) {{ task {{ id }} }} }}");
            let error = ann.error(&query, json!({})).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec![fault.to_owned()]), "{input}");
        }
        let list = "query($done: Boolean, $not: TaskFilter, $to: DateTime) {
            tasks(filter: { completed: $done, not: $not, dueAt: { before: $to, after: 5 } }) { totalCount } }";
        let error = ann.error(list, json!({ "not": { "or": [{}, { "owner": 1 }] } })).await;
        assert_eq!(faults(&error), ["filter.not.or.1.owner invalid", "filter.dueAt.after invalid"]);
        assert_eq!(app.all_rows().await, stored);
    }

    async fn values_in_fragments_and_directives_are_checked_too(app) {
        let ann = app.user("ann").await;
        for (query, expected) in [
            ("query($n: Int) { ...A } fragment A on Query { ... { tasks(first: true, last: $n) { totalCount } } }", "first invalid"),
            ("query($id: ID!) { ...A } fragment A on Query { node(id: $id) { id } }", "id required"),
            ("query($n: Int!) { me { ...A } } fragment A on User { tasks(first: $n) { totalCount } }", "first required"),
            ("{ me @include(if: \"yes\") { id } }", "if invalid"),
            ("query($yes: Boolean!) { me @skip(if: $yes) { id } }", "if required"),
            ("query($n: Int = \"one\") { tasks(first: $n) { totalCount } }", "first invalid"),
            ("query($n: [TaskStatus!] = [PENDING, DONE]) { tasks(filter: { status: $n }) { totalCount } }", "filter.status.1 invalid"),
        ] {
            let error = ann.error(query, json!({})).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec![expected.to_owned()]), "{query}");
        }
    }

    async fn a_variable_is_refused_where_its_type_does_not_fit(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        let stored = app.all_rows().await;
        for (query, variables) in [
            ("query($x: ID) { task(id: $x) { id } }", json!({ "x": id })),
            ("query($x: String!) { task(id: $x) { id } }", json!({ "x": id })),
            ("query($x: ID!) { nodes(ids: $x) { id } }", json!({ "x": id })),
            ("query($x: [ID]!) { nodes(ids: $x) { id } }", json!({ "x": [id] })),
            ("query($x: ID) { nodes(ids: [$x]) { id } }", json!({ "x": id })),
            ("query($x: String) { tasks(first: $x) { totalCount } }", json!({ "x": "5" })),
            ("query($x: String) { tasks(first: $x) { totalCount } }", json!({})),
            ("query($x: Float) { tasks(first: $x) { totalCount } }", json!({ "x": 5 })),
            ("query($x: String!) { tasks(orderBy: { field: $x }) { totalCount } }", json!({ "x": "TITLE" })),
            ("query($x: TaskOrderField) { tasks(orderBy: { field: $x }) { totalCount } }", json!({ "x": "TITLE" })),
            ("query($x: [TaskStatus]) { tasks(filter: { status: $x }) { totalCount } }", json!({ "x": ["PENDING"] })),
            ("query($x: Boolean) { me @include(if: $x) { id } serverInfo { version } }", json!({ "x": true })),
            ("mutation($x: String) { createTask(input: { title: $x }) { task { id } } }", json!({ "x": "new" })),
            ("mutation($x: CreateTaskInput) { createTask(input: $x) { task { id } } }", json!({ "x": { "title": "new" } })),
            ("mutation($x: ReplaceTaskInput!) { createTask(input: $x) { task { id } } }", json!({ "x": { "title": "new" } })),
            ("mutation($x: Task!) { createTask(input: $x) { task { id } } }", json!({ "x": { "title": "new" } })),
        ] {
            assert_invalid(&ann, query, variables).await;
        }
        let error = assert_invalid(&ann, "query($x: ID) { task(id: $x) { id } }", json!({})).await;
        assert_eq!(error["message"], "The variable $x of type ID stands where ID! is expected.");
        assert_eq!(app.all_rows().await, stored);
    }

    async fn valid_documents_are_accepted(app) {
        let ann = app.user("ann").await;
        let id = ann.task("one").await;
        for (query, variables) in [
            ("query($x: ID! = \"y\") { node(id: $x) { id } }", json!({})),
            ("query($x: ID = \"y\") { node(id: $x) { id } }", json!({})),
            ("query($x: [ID!]!) { nodes(ids: $x) { id } }", json!({ "x": id })),
            ("query { nodes(ids: \"x\") { id } node(id: 5) { id } }", json!({})),
            ("query($x: ID!) { nodes(ids: [$x, 5, \"y\"]) { id } node(id: $x) { id } }", json!({ "x": 7 })),
            ("query($x: Int, $y: String) { tasks(first: $x, after: $y) { totalCount } }", json!({ "y": null })),
            ("query($x: TaskStatus!) { tasks(filter: { status: [$x, BLOCKED], or: { priority: HIGH } }) { totalCount } }", json!({ "x": "PENDING" })),
            ("query($x: OrderDirection) { tasks(orderBy: { field: TITLE, direction: $x }) { totalCount } }", json!({})),
            ("query($x: [TaskOrder!] = [{ field: TITLE, nulls: FIRST }, { field: STATUS }]) { tasks(orderBy: $x) { totalCount } }", json!({})),
            ("query($x: [TaskOrder!]!) { tasks(orderBy: $x) { totalCount } }", json!({ "x": { "field": "TITLE" } })),
            ("query($x: TaskFilter) { tasks(filter: $x) { totalCount } }", json!({ "x": { "status": "PENDING", "dueAt": null } })),
            ("query($x: Boolean = false) { me { id @skip(if: $x) name } }", json!({})),
            ("query($x: String!) { __type(name: $x) { name fields(includeDeprecated: true) { name } } }", json!({ "x": "Task" })),
            ("query($x: DateTime) { tasks(filter: { dueAt: { from: $x, before: \"2027-01-01T00:00:00+01:00\" } }) { totalCount } }", json!({})),
            ("query A($x: ID!) { ...F } query B { me { id } } fragment F on Query { node(id: $x) { id ...G } } fragment G on Node { id }", json!({ "x": id, "unknown": 5 })),
        ] {
            let named = if query.starts_with("query A") { "A" } else { "" };
            let response = ann.post(json!({ "query": query, "variables": variables, "operationName": named })).await;
            assert!(response.body.get("errors").is_none(), "{query}: {:#}", response.body);
        }
    }

    async fn an_argument_with_an_absent_variable_has_its_default(app) {
        let ann = app.user("ann").await;
        let logout = "mutation($scope: LogoutScope) { logout(scope: $scope) { message } }";
        let error = ann.error(logout, json!({ "scope": null })).await;
        assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["scope required".to_owned()]));
        assert_eq!(ann.data(logout, json!({})).await["logout"]["message"], "You are signed out.");
        assert!(app.rows("sessions").await.is_empty());

        let bob = app.user("bob").await;
        let own = "mutation($scope: LogoutScope = OTHERS) { logout(scope: $scope) { message } }";
        assert_eq!(bob.data(own, json!({})).await["logout"]["message"], "You are signed out everywhere else.");
        assert_eq!(app.rows("sessions").await.len(), 1);
    }

    async fn null_is_refused_for_a_non_null_argument_with_a_default(app) {
        let ann = app.user("ann").await;
        for query in [
            "query($x: OrderDirection = DESC) { tasks(orderBy: { field: TITLE, direction: $x }) { totalCount } }",
            "query($x: OrderDirection = null) { tasks(orderBy: { field: TITLE, direction: $x }) { totalCount } }",
        ] {
            let error = ann.error(query, json!({ "x": null })).await;
            assert_eq!(faults(&error), ["orderBy.direction required"], "{query}");
        }
    }

    async fn the_default_of_a_variable_decides_what_is_skipped(app) {
        let ann = app.user("ann").await;
        let query = "query($yes: Boolean = true, $no: Boolean! = false) {
            me { a: name @include(if: $yes) b: name @skip(if: $yes) c: name @include(if: $no) d: name @skip(if: $no) } }";
        assert_eq!(ann.data(query, json!({})).await["me"], json!({ "a": "ann", "d": "ann" }));
        assert_eq!(ann.data(query, json!({ "yes": false, "no": true })).await["me"], json!({ "b": "ann", "c": "ann" }));
    }

    async fn equal_root_fields_with_one_response_key_are_executed_once(app) {
        let ann = app.user("ann").await;
        let other = CREATE.replace("task { title }", "task { status }");
        for (number, query) in [
            format!("mutation {{ {CREATE} {other} }}"),
            format!("mutation {{ {CREATE} ... {{ {other} {CREATE} }} }}"),
            format!("mutation M($yes: Boolean = true) {{ ...A @include(if: $yes) ... @skip(if: $yes) {{ ...B }} ...B }} fragment A on Mutation {{ {CREATE} }} fragment B on Mutation {{ {other} }}"),
            format!("mutation {{ ...A @skip(if: false) ...A ...B }} fragment A on Mutation {{ {CREATE} }} fragment B on Mutation {{ ...A {other} }}"),
        ].iter().enumerate() {
            let both = json!({ "task": { "title": "x", "status": "PENDING" } });
            assert_eq!(ann.data(query, json!({})).await, json!({ "createTask": both }), "{query}");
            assert_eq!(app.rows("tasks").await.len(), number + 1, "{query}");
        }
        let query = format!("mutation {{ __typename x: {CREATE} y: {CREATE} __typename }}");
        let x = json!({ "task": { "title": "x" } });
        assert_eq!(ann.data(&query, json!({})).await, json!({ "__typename": "Mutation", "x": x, "y": x }));
        assert_eq!(app.rows("tasks").await.len(), 6);
        let query = "{ me { id } me { name } }";
        assert_eq!(ann.data(query, json!({})).await["me"], json!({ "id": ann.id, "name": "ann" }));
        // One failing resolver gives one error.
        for query in ["{ task(id: \"x\") { id } task(id: \"x\") { title } }", "mutation { toggleTask(id: \"x\") { task { id } } toggleTask(id: \"x\") { task { title } } }"] {
            let errors = ann.execute(query, json!({})).await.body["errors"].clone();
            assert_eq!(errors.as_array().map(Vec::len), Some(1), "{errors:#}");
        }
    }

    async fn different_fields_with_one_response_key_are_refused(app) {
        let ann = app.user("ann").await;
        let stored = app.all_rows().await;
        let other = CREATE.replace("title: \"x\"", "title: \"y\"");
        for query in [
            format!("mutation {{ {CREATE} createTask: deleteTask(id: \"x\") {{ deletedTaskId }} }}"),
            format!("mutation {{ {CREATE} {other} }}"),
            format!("mutation {{ {CREATE} ... on Mutation {{ {other} }} }}"),
            format!("mutation {{ {CREATE} ...A }} fragment A on Mutation {{ {other} }}"),
            "{ me { x: id ... on User { x: name } } }".to_owned(),
            "{ me { tasks(first: 1) { totalCount } } ... on Query { me { tasks(first: 2) { totalCount } } } }".to_owned(),
            "{ me { tasks { nodes { x: id } } } ...A } fragment A on Query { me { ...B } } fragment B on User { tasks { nodes { x: title } } }".to_owned(),
            "{ node(id: \"x\") { ... on Task { x: version } ... on User { x: name } } }".to_owned(),
            "{ node(id: \"x\") { x: id ... on Task { x: title } } }".to_owned(),
            "{ node(id: \"x\") { ... on Task { x: dueAt } ... on User { x: __typename } } }".to_owned(),
            "{ node(id: \"x\") { ... on Task { x: owner { y: id } } ... on User { x: tasks { y: totalCount } } } }".to_owned(),
        ] {
            assert_invalid(&ann, &query, json!({})).await;
        }
        assert_eq!(app.all_rows().await, stored);
        let query = "query($id: ID!) { node(id: $id) { ... on Task { x: title } ... on Risk { x: description } ... on User { x: email id } } }";
        assert_eq!(ann.data(query, json!({ "id": ann.id })).await["node"], json!({ "x": "ann@example.com", "id": ann.id }));
    }

    async fn invalid_uses_of_typename_are_refused(app) {
        let ann = app.user("ann").await;
        for part in ["@nope", "@skip", "@skip(if: true, unless: false)", "@skip(if: true) @skip(if: true)", "(x: 1)", "{ x }", "@deprecated(if: true)", "@skip(unless: true)"] {
            assert_invalid(&ann, &format!("{{ me {{ id __typename {part} }} }}"), json!({})).await;
        }
        let query = "query($no: Boolean!) { me { a: __typename @skip(if: $no) b: __typename @include(if: true) @skip(if: false) } }";
        assert_eq!(ann.data(query, json!({ "no": true })).await["me"], json!({ "b": "User" }));
    }

    async fn error_locations_are_correct_after_normalization_of_the_document(app) {
        let ann = app.user("ann").await;
        for (query, line, column) in [
            ("\"\"\"\none\ntwo\n\"\"\"\nquery Q {\n  nope\n}", 6, 3),
            ("\"one\" query Q { nope }", 1, 17),
            ("query($a: [ Int ! ]) { nope }", 1, 24),
            ("{ tasks(filter: { text: \"\"\"one\n\\\"\"\"\n\"\"\" }) { nope } }", 3, 10),
            ("{ tasks(filter: { text: \"\\u{1F600}\" }) { nope } }", 1, 42),
            ("{ ... on # one\n Query { nope } }", 2, 10),
        ] {
            let location = assert_invalid(&ann, query, json!({})).await["locations"][0].clone();
            assert_eq!(location, json!({ "line": line, "column": column }), "{query}");
        }
    }

    async fn normalization_does_not_make_an_invalid_document_valid(app) {
        let ann = app.user("ann").await;
        for query in ["\"oops\nquery { __typename }", "query \"x\" query { __typename }", "{ ...fragment } fragment \"x\" fragment on Query { __typename }",
            "\"x\" { __typename }", "query A { __typename { x } } query B { __typename }"] {
            let body = json!({ "query": query, "operationName": query.contains("B {").then_some("B") });
            assert_eq!(ann.post(body).await.body["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{query}");
        }
        for query in ["{ ... on # c\n Query { __typename } }", "{ ...F } fragment F on #c\n Query { __typename }", "query($x: [\u{feff}Int]) { tasks(first: 1) { totalCount } nodes(ids: []) @skip(if: true) { id } ...A @skip(if: true) } fragment A on Query { nodes(ids: []) { id } tasks(first: 1) { totalCount } }"] {
            let response = ann.execute(query, json!({})).await;
            let message = response.body["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
            assert!(message.is_empty() || message.contains("not used"), "{query}: {message}");
        }
    }

    async fn duplicate_fields_of_an_input_object_are_refused(app) {
        let ann = app.user("ann").await;
        let stored = app.all_rows().await;
        for query in [
            "mutation { createTask(input: { title: \"x\", title: \"y\" }) { task { id } } }",
            "mutation { createTask(input: { title: \"x\", risks: [{ description: \"a\" } { description: \"b\" # {\n description: \"c\" }] }) { task { id } } }",
            "query($f: TaskFilter = { not: { completed: true completed: false } }) { tasks(filter: $f) { totalCount } }",
        ] {
            assert_invalid(&ann, query, json!({})).await;
        }
        assert_eq!(app.all_rows().await, stored);
        let query = "mutation { createTask(input: { title: \"title: title: title:\" labels: [\"title\"] priority: LOW status: PENDING }) { title: task { title: id } task { title } } }";
        assert_eq!(ann.data(query, json!({})).await["createTask"]["task"]["title"], "title: title: title:");
    }

    async fn strings_are_parsed_as_the_specification_requires(app) {
        let ann = app.user("ann").await;
        for (literal, value) in [
            (r#""\ud83d\ude00 \u{1F600} \u00e4 \\u{41} \u{22}""#, "😀 😀 ä \\u{41} \""),
            (r#""""one \""" two""""#, "one \"\"\" two"),
            ("\"\"\"\n    one\n      two \\\"\"\"\n\n    three\n  \"\"\"", "one\n  two \"\"\"\n\nthree"),
            ("\"\"\"\n    one\n      two\n\n    three\n  \"\"\"", "one\n  two\n\nthree"),
        ] {
            let query = format!("mutation {{ createTask(input: {{ title: \"x\", description: {literal} }}) {{ task {{ description }} }} }}");
            assert_eq!(ann.data(&query, json!({})).await["createTask"]["task"]["description"], value);
        }
        for literal in [r#""\ud83d""#, r#""\ude00\ud83d""#, r#""\u{}""#, r#""\u{110000}""#, r#""\u{d800}""#, r#""\u{41""#, r#"""" \""" \""""#] {
            let query = format!("mutation {{ createTask(input: {{ title: {literal} }}) {{ task {{ id }} }} }}");
            assert_invalid(&ann, &query, json!({})).await;
        }
    }

    async fn unusual_literals_cause_no_internal_error(app) {
        let ann = app.user("ann").await;
        for literal in ["1e999", &"9".repeat(400), "00", "1.", "0x1", "\"\\ud800\"", "\"\\q\"", "\"a\nb\"", "\"\"\"a\"", "$", "@", "-", "["] {
            assert_invalid(&ann, &format!("{{ tasks(first: {literal}) {{ totalCount }} }}"), json!({})).await;
        }
        for literal in ["1e-999", "1e5", "18446744073709551616", "{}", "\"\"\"\\\"\"\" \"\"\"", "\"\u{0}\""] {
            let error = ann.error(&format!("{{ tasks(first: {literal}) {{ totalCount }} }}"), json!({})).await;
            assert_eq!(code(&error), "BAD_USER_INPUT", "{literal}");
        }
    }

    async fn at_most_a_hundred_faults_are_reported(app) {
        let ann = app.user("ann").await;
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        let found = faults(&ann.error(query, json!({ "ids": vec![true; 100_000] })).await);
        assert_eq!(found.len(), 100);
        assert_eq!(found[99], "ids.99 invalid");
        let unknown: serde_json::Map<String, Value> = (0..50_000).map(|n| (format!("u{n}"), json!(n))).collect();
        let query = "query($filter: TaskFilter!) { tasks(filter: $filter) { totalCount } }";
        assert_eq!(faults(&ann.error(query, json!({ "filter": unknown })).await).len(), 100);

        let query = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
        let input = json!({ "title": "", "labels": vec![""; 150], "files": vec![json!({ "path": " ", "kind": "CREATED" }); 150] });
        let error = ann.error(query, json!({ "input": input })).await;
        let found = faults(&error);
        assert_eq!((found.len(), found[0].as_str(), found[99].as_str()), (100, "input.title required", "input.labels.98 required"));
        // The message contains the same faults.
        let message = error["message"].as_str().expect("a message");
        assert_eq!(message.matches("must not be empty.").count(), 100, "{message}");
    }

    async fn a_json_number_without_a_fraction_is_an_int(app) {
        let ann = app.user("ann").await;
        let task = ann.task("one").await;
        ann.task("two").await;
        let query = "query($n: Int) { a: tasks(first: $n) { nodes { title } } b: tasks(last: $n) { nodes { title } } trash(first: $n) { totalCount } }";
        for number in ["1.0", "1e0", "10e-1", "0.1e1", "1E+0"] {
            let body = format!("{{ \"query\": {}, \"variables\": {{ \"n\": {number} }} }}", json!(query));
            let data = ann.post(serde_json::from_str(&body).expect("it is JSON")).await.body["data"].clone();
            assert_eq!(data, json!({ "a": { "nodes": [{ "title": "two" }] }, "b": { "nodes": [{ "title": "one" }] }, "trash": { "totalCount": 0 } }), "{number}");
        }
        let toggle = "mutation($id: ID!, $version: Int) { toggleTask(id: $id, expectedVersion: $version) { task { version } } }";
        assert_eq!(ann.data(toggle, json!({ "id": task, "version": 1.0 })).await["toggleTask"]["task"]["version"], 2);
        assert_eq!(code(&ann.error(toggle, json!({ "id": task, "version": 1e2 })).await), "CONFLICT");

        for (number, fault) in [(json!(1.5), "first invalid"), (json!(0.1), "first invalid"), (json!(-0.0), "first out_of_range"), (json!(2147483648.0), "first out_of_range"), (json!(1e300), "first out_of_range")] {
            let error = ann.error("query($n: Int) { tasks(first: $n) { totalCount } }", json!({ "n": number })).await;
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec![fault.to_owned()]), "{number}");
        }
        for query in ["{ tasks(first: 1.0) { totalCount } }", "{ tasks(first: 1e0) { totalCount } }", "query($n: Int = 1.0) { tasks(first: $n) { totalCount } }"] {
            assert_eq!(faults(&ann.error(query, json!({})).await), ["first invalid"], "{query}");
        }
    }

    async fn directives_on_variables_are_validated(app) {
        let ann = app.user("ann").await;
        for directive in ["@nope", "@nope(if: true)", "@skip(if: true)", "@include(if: true)", "@skip", "@deprecated", "@specifiedBy(url: \"x\")"] {
            for query in [
                format!("query($n: Int {directive}) {{ tasks(first: $n) {{ totalCount }} }}"),
                format!("query($n: Int = 5 {directive}) {{ tasks(first: $n) {{ totalCount }} }}"),
                format!("query A {{ me {{ id }} }} query B($n: Int {directive}) {{ tasks(first: $n) {{ totalCount }} }}"),
            ] {
                let name = query.contains("query A").then_some("A");
                let error = ann.post(json!({ "query": query, "operationName": name })).await.error();
                assert_eq!(code(&error), "BAD_REQUEST", "{query}");
                assert_eq!(error["locations"][0]["column"], json!(query.find('@').map(|at| at + 1)), "{query}");
            }
        }
    }

    async fn introspection_returns_the_descriptions_of_the_sdl(app) {
        let anonymous = app.anonymous();
        let query = "{ __schema { description queryType { description } } }";
        let schema = anonymous.data(query, json!({})).await["__schema"].clone();
        assert_eq!(schema, json!({ "description": null, "queryType": { "description": "Queries." } }));
        let query = "query($no: Boolean = false) { s: __schema { ...A ... { description } x: description @include(if: $no) } }
            fragment A on __Schema { ... on __Schema { d: description } }";
        assert_eq!(anonymous.data(query, json!({})).await["s"], json!({ "d": null, "description": null }));
        for query in ["{ __schema { description { x } } }", "{ __schema { description(x: 1) } }", "{ __schema { description @nope } }", "{ __schema { x: description x: subscriptionType { name } } }"] {
            assert_eq!(anonymous.execute(query, json!({})).await.body["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{query}");
        }
    }

    async fn a_list_has_at_most_ten_thousand_objects(app) {
        let ann = app.user("ann").await;
        let query = "query($filter: TaskFilter) { tasks(filter: $filter) { totalCount } }";
        for count in [10_001, 200_000] {
            let filter = json!({ "filter": { "or": vec![json!({}); count] } });
            assert_eq!(faults(&ann.error(query, filter).await), ["filter.or too_many"], "{count}");
        }
    }

    async fn a_filter_has_at_most_fifty_conditions_empty_ones_counted(app) {
        let ann = app.user("ann").await;
        let query = "query($filter: TaskFilter) { tasks(filter: $filter) { totalCount } }";
        for part in [json!({}), json!({ "or": [] }), json!({ "completed": false }), json!({ "not": { "and": [] } })] {
            let filter = |count| json!({ "filter": { "and": vec![part.clone(); count] } });
            ann.data(query, filter(50)).await;
            for count in [51, 10_000] {
                let error = ann.error(query, filter(count)).await;
                assert_eq!(faults(&error), ["filter too_many"], "{count} times {part}");
            }
        }
    }
}
