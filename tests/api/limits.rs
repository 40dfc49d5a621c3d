//! The limits of documents and bodies: each at its edge, and one beyond. No database matters here.

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use std::convert::Infallible;

use crate::support::{Actor, DatabaseKind, GraphqlResponse, TestApp, code, json};

async fn with_app(test: impl AsyncFnOnce(&TestApp)) {
    TestApp::with(DatabaseKind::Sqlite, &[], test).await;
}

/// Asks just within a limit, and one beyond it.
async fn edge(actor: &Actor<'_>, within: &str, beyond: &str, message: &str) {
    actor.data(within, json!({})).await;
    too_complex(actor, beyond, message).await;
}

async fn too_complex(actor: &Actor<'_>, query: &str, message: &str) {
    let response = actor.execute(query, json!({})).await;
    let error = response.error();
    assert_eq!(code(&error), "QUERY_TOO_COMPLEX", "{error:#}");
    assert!(error["message"].as_str().is_some_and(|told| told.starts_with(message)), "{message}: {error:#}");
    assert_eq!(response.body.get("data"), None);
}

async fn bad_request(actor: &Actor<'_>, query: &str) {
    let response = actor.execute(query, json!({})).await;
    let errors = response.body["errors"].as_array().expect("it is refused");
    assert!(errors.iter().all(|error| code(error) == "BAD_REQUEST"), "{query}: {errors:#?}");
}

/// So many parts in a row.
fn row(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

#[tokio::test]
async fn a_document_has_at_most_16_kib() {
    with_app(async |app| {
        let padded = |length: usize| format!("{:#<length$}", "{ serverInfo { version } } ");
        edge(
            &app.anonymous(),
            &padded(16 << 10),
            &padded((16 << 10) + 1),
            "Query length in bytes is 16385; the limit is 16384.",
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn brackets_nest_at_most_32_deep() {
    with_app(async |app| {
        let nested =
            |depth: usize| format!("{}{{__typename}}{}", "{...".repeat(depth - 1), "}".repeat(depth - 1));
        edge(&app.anonymous(), &nested(32), &nested(33), "Query nesting is 33; the limit is 32.").await;
    })
    .await;
}

#[tokio::test]
async fn a_document_has_at_most_2000_tokens() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let tokens = |count: usize| {
            format!("{{ tasks(filter: {{ status: [{}] }}) {{ totalCount }} }}", "BLOCKED ".repeat(count - 16))
        };
        edge(&ann, &tokens(2_000), &tokens(2_001), "Number of tokens is 2001; the limit is 2000.").await;
    })
    .await;
}

#[tokio::test]
async fn fields_nest_at_most_10_deep() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let deep = |inner: &str| {
            let thrice = "tasks(first: 1) { nodes { owner { tasks(first: 1) { nodes { owner { tasks(first: 1) { nodes {";
            format!("{{ me {{ {thrice} {inner} {}", "}".repeat(10))
        };
        edge(&ann, &deep("id"), &deep("owner { id }"), "Query depth is 11; the limit is 10.").await;
    })
    .await;
}

#[tokio::test]
async fn a_document_has_at_most_1000_selections() {
    with_app(async |app| {
        let selections = |own: usize| {
            format!(
                "{{ serverInfo {{ {} {} }} }} fragment L on ServerInfo {{ {} }}",
                "...L ".repeat(99),
                "version ".repeat(own),
                "version ".repeat(9)
            )
        };
        edge(
            &app.anonymous(),
            &selections(9),
            &selections(10),
            "Number of selections is 1001; the limit is 1000.",
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_document_has_at_most_20_aliases() {
    with_app(async |app| {
        let aliases = |count| format!("{{ serverInfo {{ {} }} }}", row(count, |n| format!("a{n}: version ")));
        edge(&app.anonymous(), &aliases(20), &aliases(21), "Number of aliases is 21; the limit is 20.").await;
    })
    .await;
}

#[tokio::test]
async fn an_operation_has_at_most_10_root_fields_and_a_mutation_5() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let query = |count: usize| {
            format!("{{ ...A {} }} fragment A on Query {{ __typename }}", "__typename ".repeat(count - 1))
        };
        edge(&ann, &query(10), &query(11), "Number of root fields is 11; the limit is 10.").await;
        let create = |n| format!("a{n}: createTask(input: {{ title: \"{n}\" }}) {{ task {{ id }} }} ");
        let mutation = |count| format!("mutation {{ {} }}", row(count, create));
        edge(&ann, &mutation(5), &mutation(6), "Number of root fields is 6; the limit is 5.").await;
        assert_eq!(app.rows("tasks").await.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_request_signs_in_once() {
    with_app(async |app| {
        app.user("ann").await;
        let login = "login(input: { usernameOrEmail: \"ann\", password: \"correct-horse-1\" }) { tokenType }";
        let register = "register(input: { email: \"b@example.com\", password: \"correct-horse-1\" }) { tokenType }";
        for query in [
            format!("mutation {{ a: {login} b: {login} }}"),
            format!("mutation {{ {login} {register} }}"),
            format!("mutation {{ ...A ...B }} fragment A on Mutation {{ a: {login} }} fragment B on Mutation {{ {register} }}"),
        ] {
            too_complex(&app.anonymous(), &query, "Number of sign-in fields is 2; the limit is 1.").await;
        }
        assert_eq!(app.rows("users").await.len(), 1);
        app.anonymous().data(&format!("mutation {{ {login} }}"), json!({})).await;
    })
    .await;
}

#[tokio::test]
async fn a_place_has_at_most_3_directives() {
    with_app(async |app| {
        let anonymous = app.anonymous();
        let directives =
            |count: usize| format!("{{ serverInfo {{ version {} }} }}", "@skip(if: false) ".repeat(count));
        anonymous.data("{ serverInfo @skip(if: false) @include(if: true) { version } }", json!({})).await;
        // Three are within the limit, and one too many of a kind.
        bad_request(&anonymous, &directives(3)).await;
        let message = "Number of directives in one place is 4; the limit is 3.";
        too_complex(&anonymous, &directives(4), message).await;
        let on_variable = "query($x: Int @a @b @c @d) { tasks(first: $x) { totalCount } }";
        too_complex(&anonymous, on_variable, message).await;
        too_complex(&anonymous, "query @a @b @c @d { __typename }", message).await;
    })
    .await;
}

#[tokio::test]
async fn a_document_has_at_most_20_fragments_and_5_operations() {
    with_app(async |app| {
        let fragments = |count| {
            let spreads = row(count, |n| format!("...F{n} "));
            let all = row(count, |n| format!("fragment F{n} on ServerInfo {{ version }} "));
            format!("{{ serverInfo {{ {spreads} }} }} {all}")
        };
        let anonymous = app.anonymous();
        edge(&anonymous, &fragments(20), &fragments(21), "Number of fragments is 21; the limit is 20.").await;
        let operations = |count| row(count, |n| format!("query Q{n} {{ __typename }} "));
        let response = anonymous.post(json!({ "query": operations(5), "operationName": "Q4" })).await;
        assert_eq!(response.body["data"]["__typename"], "Query");
        too_complex(&anonymous, &operations(6), "Number of operations is 6; the limit is 5.").await;
    })
    .await;
}

#[tokio::test]
async fn a_document_has_a_complexity_of_at_most_5000() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let message = "Query complexity is 5001; the limit is 5000.";
        let ids = "id ".repeat(50);
        // 1 + 98 × (1 + 50), and 1 for each field beside.
        let literal = |more: usize| {
            format!("{{ tasks(first: 98) {{ nodes {{ {ids} }} }} {} }}", "__typename ".repeat(more))
        };
        edge(&ann, &literal(1), &literal(2), message).await;
        let variable = |more: usize| {
            let query = format!(
                "query($n: Int) {{ tasks(last: $n) {{ nodes {{ {ids} }} }} {} }}",
                "__typename ".repeat(more)
            );
            json!({ "query": query, "variables": { "n": 98 } })
        };
        assert!(ann.post(variable(1)).await.body.get("errors").is_none());
        assert_eq!(ann.post(variable(2)).await.error()["message"], message);
        // Sizes out of bounds and products beyond 64 bits are no way around it.
        let nested = |size: &str| {
            format!(
                "{{ me {{ {} id {} }}",
                format!("tasks(first: {size}) {{ nodes {{ owner {{ ").repeat(2),
                "} } }".repeat(2)
            )
        };
        for size in ["100", "2147483647", "99999999999999999999", "-5"] {
            let response = ann.execute(&format!("{} }}", nested(size)), json!({})).await;
            assert!(
                ["QUERY_TOO_COMPLEX", "BAD_USER_INPUT"].contains(&response.code().as_str()),
                "{size}: {:#}",
                response.body
            );
        }
    })
    .await;
}

/// A document that costs 4,592, the conditions of its filter apart, and one for each field beside.
fn costly(definitions: &str, arguments: &str, beside: usize) -> String {
    let (ids, names) = ("id ".repeat(50), "name ".repeat(beside));
    format!("query{definitions} {{ tasks({arguments}) {{ nodes {{ {ids} }} }} me {{ {names} }} }}")
}

#[tokio::test]
async fn a_text_condition_adds_100_to_its_field() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        for (definitions, filter, variables, texts) in [
            ("", "{ text: \"a b\" }", json!({}), 1),
            ("", "{ and: [{ text: \"a\", completed: true }], or: { not: { text: \"b\" } } }", json!({}), 2),
            ("", "{ text: \" \", labels: [\"a\"] }", json!({}), 0),
            ("", "{ text: null }", json!({}), 0),
            (
                "($f: TaskFilter)",
                "$f",
                json!({ "f": { "not": { "text": "a" }, "or": [{ "text": "b" }, { "labels": ["text"] }] } }),
                2,
            ),
            ("($f: TaskFilter!)", "{ and: [$f, $f], text: \"b\" }", json!({ "f": { "text": "a" } }), 3),
            ("($f: TaskFilter)", "$f", json!({}), 0),
            ("($f: TaskFilter = { text: \"a\" })", "$f", json!({}), 1),
            ("($f: TaskFilter = { text: \"a\" })", "$f", json!({ "f": null }), 0),
            ("($t: String)", "{ text: $t }", json!({ "t": "a" }), 1),
            ("($t: String)", "{ text: $t }", json!({}), 0),
            ("($t: String = \"a\")", "{ text: $t }", json!({}), 1),
        ] {
            let arguments = format!("first: 90, filter: {filter}");
            let query = |beside| costly(definitions, &arguments, beside);
            let room = 5_000 - 4_592 - 100 * texts;
            ann.data(&query(room), variables.clone()).await;
            let error = ann.error(&query(room + 1), variables.clone()).await;
            assert_eq!(
                error["message"], "Query complexity is 5001; the limit is 5000.",
                "{filter} {variables}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_counts_as_long_as_it_is_whatever_says_so() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        for (definitions, size, variables, length) in [
            ("", "null", json!({}), 20),
            ("($n: Int)", "$n", json!({}), 20),
            ("($n: Int)", "$n", json!({ "n": null }), 20),
            ("($n: Int)", "$n", json!({ "n": 90 }), 90),
            ("($n: Int)", "$n", json!({ "n": 90.0 }), 90),
            ("($n: Int = 90)", "$n", json!({}), 90),
            ("($n: Int = 90)", "$n", json!({ "n": null }), 20),
        ] {
            for name in ["first", "last"] {
                let query = |beside| costly(definitions, &format!("{name}: {size}"), beside);
                ann.data(&query(408), variables.clone()).await;
                let response = ann.execute(&query(409), variables.clone()).await;
                assert_eq!(response.body.get("errors").is_some(), length == 90, "{name}: {size} {variables}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn variables_are_no_longer_than_a_request_however_often_they_are_used() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        ann.task("one").await;
        let long = json!({ "f": { "labels": vec!["x"; 30_000] } });
        let often = |count: usize| {
            format!("query($f: TaskFilter!) {{ tasks(filter: {{ and: [{}] }}) {{ totalCount }} }}", "{ not: $f } ".repeat(count))
        };
        let inside = "query($f: TaskFilter!) { tasks(first: 100) { nodes { owner { tasks(filter: $f) { totalCount } } } } }";
        let spread = "query($f: TaskFilter!) { me { ...A ...B } } fragment A on User { ...B ...C ...C }
            fragment B on User { ...C ...C ...C ...C ...C ...C ...C ...C } fragment C on User { tasks(filter: $f) { totalCount } }";
        ann.data(&often(2), long.clone()).await;
        for query in [&often(20), inside, spread] {
            let error = ann.error(query, long.clone()).await;
            let message = error["message"].as_str().expect("a message");
            assert_eq!(code(&error), "QUERY_TOO_COMPLEX", "{query}");
            assert!(message.starts_with("Size of all uses of variables in bytes is "), "{message}");
        }
    })
    .await;
}

/// Whatever else is wrong with it, and the limits in the order in which they are documented.
#[tokio::test]
async fn a_document_over_a_limit_is_refused_for_that() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let deep = format!("{} a {}", "me { ".repeat(11), "}".repeat(11));
        let aliases = row(21, |n| format!("a{n}: name "));
        for (query, message) in [
            (format!("{}{}", "[ ".repeat(33), "x".repeat(16 << 10)), "Query length in bytes"),
            (format!("{}\"", "[ ".repeat(2_001)), "Query nesting"),
            (format!("{}\"", "a ".repeat(2_001)), "Number of tokens"),
            (format!("{{ me {{ {aliases} {deep} }} }}"), "Query depth"),
            (format!("{{ me {{ {aliases} {} }} }}", "id ".repeat(1_000)), "Number of selections"),
            (format!("query($x: Int @nope) {{ me {{ {aliases} nope __typename {{ x }} }} tasks(filter: {{ not: null not: null }}) {{ x }} {} }}", "__typename ".repeat(10)), "Number of aliases"),
            (format!("mutation {{ {} }} {}", "nope ".repeat(6), row(21, |n| format!("fragment F{n} on User {{ id @a @b @c @d }} "))), "Number of root fields"),
            (format!("mutation {{ login {{ x @a @b @c @d }} register }} {}", row(21, |n| format!("fragment F{n} on User {{ id }} "))), "Number of sign-in fields"),
            (format!("{{ me {{ id @a @b @c @d }} }} {}", row(21, |n| format!("fragment F{n} on User {{ id }} "))), "Number of directives in one place"),
            (format!("{} {}", row(6, |n| format!("query Q{n} {{ nope }} ")), row(21, |n| format!("fragment F{n} on User {{ id }} "))), "Number of fragments"),
            (row(5, |n| format!("query Q{n} {{ nope }} ")) + &costly("", "first: 100", 1).replacen("query", "query L", 1), "Number of operations"),
            (costly("($x: Int @nope)", "first: 100, filter: { not: null not: null }, nope: 1", 1), "Query complexity"),
            (costly("", "first: 100", 1).replacen("me {", "a: me { x: id x: name __typename { x } } me {", 1), "Query complexity"),
        ] {
            too_complex(&ann, &query, message).await;
        }
    })
    .await;
}

#[tokio::test]
async fn json_nests_at_most_64_deep() {
    with_app(async |app| {
        let body = |depth: usize| {
            let lists = format!("{}{}", "[".repeat(depth - 2), "]".repeat(depth - 2));
            format!("{{\"query\": \"{{ __typename }}\", \"variables\": {{\"x\": {lists}}}}}")
        };
        assert!(post(app, body(64)).await.body.get("errors").is_none());
        for depth in [65, 5_000, 500_000] {
            let error = post(app, body(depth)).await.error();
            assert_eq!(code(&error), "QUERY_TOO_COMPLEX");
            assert_eq!(error["message"], format!("JSON nesting is {depth}; the limit is 64."));
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_has_at_most_1_mib_whether_its_length_is_told_or_not() {
    with_app(async |app| {
        let query = "{\"query\": \"{ __typename }\"}";
        let padded = |length: usize| query.to_owned() + &" ".repeat(length - query.len());
        let stream = |length: usize| {
            let chunks = [Ok::<_, Infallible>(Bytes::from(padded(length)))];
            Body::from_stream(futures_util::stream::iter(chunks))
        };
        assert_eq!(post(app, padded(1 << 20)).await.body["data"]["__typename"], "Query");
        assert_eq!(post(app, stream(1 << 20)).await.body["data"]["__typename"], "Query");
        for body in [Body::from(padded((1 << 20) + 1)), stream((1 << 20) + 1)] {
            let response = post(app, body).await;
            assert_eq!(response.status, 413);
            let error = response.error();
            assert_eq!((code(&error).as_str(), &error["extensions"]["status"]), ("BAD_REQUEST", &json!(413)));
        }
    })
    .await;
}

async fn post(app: &TestApp, body: impl Into<Body>) -> GraphqlResponse {
    let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    GraphqlResponse::of(app, request.body(body.into()).expect("a valid request")).await
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let bomb = |inner: &str| {
            let fragment = |n: usize| format!("fragment F{n} on User {{ ...F{} ...F{} }} ", n + 1, n + 1);
            format!("{{ me {{ ...F0 }} }} {} fragment F19 on User {{ {inner} }}", row(19, fragment))
        };
        too_complex(&ann, &bomb("id"), "Number of selections").await;
        too_complex(&ann, &bomb("tasks { nodes { id } }"), "Number of selections").await;
        for query in [
            "{ me { ...A } } fragment A on User { ...A }",
            "{ me { ...A } } fragment A on User { id ...B } fragment B on User { tasks { nodes { owner { ...A } } } }",
            "{ me { id } } fragment A on User { ...B } fragment B on User { ...A }",
            "{ __schema { types { ...A } } } fragment A on __Type { ofType { ...A } }",
        ] {
            bad_request(&ann, query).await;
        }
        for bracket in ["{", "[", "(", "{a", "{...", "{a(b:[", "query($x:["] {
            too_complex(&ann, &bracket.repeat(16_000 / bracket.len()).chars().take(16_000).collect::<String>(), "Query nesting").await;
            too_complex(&ann, &format!("{{ me {}", bracket.repeat(5_000).chars().take(5_000).collect::<String>()), "Query nesting").await;
        }
        for closing in ["}", "]", ")", "\"", "\"\"\"", "#", "\\", "...", "$", "\u{feff}"] {
            bad_request(&ann, &closing.repeat(1_000)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn introspection_does_not_go_round_in_circles() {
    with_app(async |app| {
        let anonymous = app.anonymous();
        let circle = |times: usize| {
            format!(
                "{{ __schema {{ types {{ {} name {} }} }} }}",
                "fields { type { ".repeat(times),
                "} } ".repeat(times)
            )
        };
        edge(&anonymous, &circle(3), &circle(4), "Introspection depth is 4; the limit is 3.").await;
        for list in ["inputFields", "fields { args", "interfaces", "possibleTypes"] {
            let step = if list.contains('{') { format!("{list} {{ type {{ ") } else { format!("{list} {{ ") };
            let query = format!("{{ __type(name: \"Task\") {{ {} name", step.repeat(4));
            let close = "}".repeat(query.matches('{').count());
            let response = anonymous.execute(&format!("{query} {close}"), json!({})).await;
            assert!(response.body.get("errors").is_some(), "{list}");
        }
    })
    .await;
}

/// What graphql-js writes, with all of its options, as GraphiQL and code generators send it.
const INTROSPECTION: &str = "
    query IntrospectionQuery {
      __schema {
        description
        queryType { name kind }
        mutationType { name kind }
        subscriptionType { name kind }
        types { ...FullType }
        directives {
          name description isRepeatable locations
          args(includeDeprecated: true) { ...InputValue }
        }
      }
    }
    fragment FullType on __Type {
      kind name description specifiedByURL isOneOf
      fields(includeDeprecated: true) {
        name description
        args(includeDeprecated: true) { ...InputValue }
        type { ...TypeRef }
        isDeprecated deprecationReason
      }
      inputFields(includeDeprecated: true) { ...InputValue }
      interfaces { ...TypeRef }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      possibleTypes { ...TypeRef }
    }
    fragment InputValue on __InputValue {
      name description type { ...TypeRef } defaultValue isDeprecated deprecationReason
    }
    fragment TypeRef on __Type {
      kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
        kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
    }";

#[tokio::test]
async fn the_introspection_of_graphiql_passes() {
    with_app(async |app| {
        let data = app.anonymous().data(INTROSPECTION, json!({})).await;
        assert_eq!(data["__schema"]["mutationType"]["name"], "Mutation");
        assert!(data["__schema"]["types"].as_array().is_some_and(|types| types.len() > 30));
    })
    .await;
}

#[tokio::test]
async fn nodes_cost_as_much_as_they_are_asked_for() {
    TestApp::with(DatabaseKind::Sqlite, &[], async |app| {
        let ann = app.user("ann").await;
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on User { tasks(first: 50) { nodes { title } } } } }";
        let ids = |count| json!({ "ids": vec![&ann.id; count] });
        ann.data(query, ids(45)).await;
        assert_eq!(ann.execute(query, ids(100)).await.code(), "QUERY_TOO_COMPLEX");
    })
    .await;
}

#[tokio::test]
async fn the_limits_can_be_asked_for() {
    let names = "titleLength queryDepth queryComplexity requestBytes answerBytes jsonNesting queryBytes queryNesting
        queryTokens querySelections queryAliases queryDirectives queryFragments queryOperations queryRootFields mutationRootFields";
    let query = format!("{{ serverInfo {{ limits {{ {names} }} }} }}");
    let limits = json!({
        "titleLength": 200, "queryDepth": 10, "queryComplexity": 5000, "requestBytes": 1 << 20, "answerBytes": 32 << 20,
        "jsonNesting": 64, "queryBytes": 16 << 10, "queryNesting": 32, "queryTokens": 2000, "querySelections": 1000,
        "queryAliases": 20, "queryDirectives": 3, "queryFragments": 20, "queryOperations": 5, "queryRootFields": 10,
        "mutationRootFields": 5,
    });
    with_app(async |app| {
        assert_eq!(app.anonymous().data(&query, json!({})).await["serverInfo"]["limits"], limits);
    })
    .await;
    let flags = ["--limit-query-tokens", "99", "--limit-root-fields", "4", "--limit-query-depth", "3"];
    TestApp::with(DatabaseKind::Sqlite, &flags, async |app| {
        let mut limits = limits.clone();
        for (name, limit) in
            [("queryTokens", 99), ("queryRootFields", 4), ("mutationRootFields", 2), ("queryDepth", 3)]
        {
            limits[name] = json!(limit);
        }
        assert_eq!(app.anonymous().data(&query, json!({})).await["serverInfo"]["limits"], limits);
    })
    .await;
}

/// The parser falls back to an empty string where a block has no end, and reads on behind it.
#[tokio::test]
async fn what_stands_behind_a_string_without_an_end_is_not_read() {
    with_app(async |app| {
        let anonymous = app.anonymous();
        for depth in [1, 40, 500, 2_000, 7_900] {
            for open in ["\"\"\"a\"", "\"\"\"", "\"\"\"\\\"\"\"", "\"a\n\"", "\"a\\\n\""] {
                let nested =
                    format!("{{ nodes(ids: [{open}{}{}]) {{ id }} }}", "[".repeat(depth), "]".repeat(depth));
                bad_request(&anonymous, &nested).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_parser_takes_for_tokens_is_counted() {
    with_app(async |app| {
        let anonymous = app.anonymous();
        let list = |part: &str| {
            format!("{{ tasks(filter: {{ status: [{}] }}) {{ totalCount }} }}", part.repeat(3_000))
        };
        for part in ["x\u{feff}", "-1", "1-", "1.5-", "1e5-", "ä", "\u{feff}\"\""] {
            too_complex(&anonymous, &list(part), "Number of tokens").await;
        }
        let repeated = "{ tasks(filter: { text: \"a\", text\u{feff}: \"b\" }) { totalCount } }";
        bad_request(&anonymous, repeated).await;
    })
    .await;
}
