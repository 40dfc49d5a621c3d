//! The limits of documents and bodies: each is tested at the limit and one beyond it, on SQLite only.

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use std::convert::Infallible;

use crate::support::{Actor, DatabaseKind, GraphqlResponse, TestApp, code, json};

async fn with_app(test: impl AsyncFnOnce(&TestApp)) {
    TestApp::with(DatabaseKind::Sqlite, &[], test).await;
}

/// Asserts that a document at a limit succeeds and that one beyond it is refused.
async fn assert_limit(actor: &Actor<'_>, within: &str, beyond: &str, message: &str) {
    actor.data(within, json!({})).await;
    assert_too_complex(actor, beyond, message).await;
}

async fn assert_too_complex(actor: &Actor<'_>, query: &str, message: &str) {
    let response = actor.execute(query, json!({})).await;
    let error = response.error();
    assert_eq!(code(&error), "QUERY_TOO_COMPLEX", "{error:#}");
    assert!(error["message"].as_str().is_some_and(|text| text.starts_with(message)), "{message}: {error:#}");
    assert_eq!(response.body.get("data"), None);
}

async fn assert_bad_request(actor: &Actor<'_>, query: &str) {
    let response = actor.execute(query, json!({})).await;
    let errors = response.body["errors"].as_array().expect("the document is refused");
    assert!(errors.iter().all(|error| code(error) == "BAD_REQUEST"), "{query}: {errors:#?}");
}

/// Concatenates `count` parts.
fn repeat(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

#[tokio::test]
async fn a_document_has_at_most_16_kib() {
    with_app(async |app| {
        let padded = |length: usize| format!("{:#<length$}", "{ serverInfo { version } } ");
        assert_limit(
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
        assert_limit(&app.anonymous(), &nested(32), &nested(33), "Query nesting is 33; the limit is 32.")
            .await;
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
        assert_limit(&ann, &tokens(2_000), &tokens(2_001), "Number of tokens is 2001; the limit is 2000.")
            .await;
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
        assert_limit(&ann, &deep("id"), &deep("owner { id }"), "Query depth is 11; the limit is 10.").await;
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
        assert_limit(
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
        let aliases =
            |count| format!("{{ serverInfo {{ {} }} }}", repeat(count, |n| format!("a{n}: version ")));
        assert_limit(
            &app.anonymous(),
            &aliases(20),
            &aliases(21),
            "Number of aliases is 21; the limit is 20.",
        )
        .await;
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
        assert_limit(&ann, &query(10), &query(11), "Number of root fields is 11; the limit is 10.").await;
        let create = |n| format!("a{n}: createTask(input: {{ title: \"{n}\" }}) {{ task {{ id }} }} ");
        let mutation = |count| format!("mutation {{ {} }}", repeat(count, create));
        assert_limit(&ann, &mutation(5), &mutation(6), "Number of root fields is 6; the limit is 5.").await;
        assert_eq!(app.rows("tasks").await.len(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_request_has_at_most_one_sign_in_field() {
    with_app(async |app| {
        app.user("ann").await;
        let login = "login(input: { usernameOrEmail: \"ann\", password: \"correct-horse-1\" }) { tokenType }";
        let register = "register(input: { email: \"b@example.com\", password: \"correct-horse-1\" }) { tokenType }";
        for query in [
            format!("mutation {{ a: {login} b: {login} }}"),
            format!("mutation {{ {login} {register} }}"),
            format!("mutation {{ ...A ...B }} fragment A on Mutation {{ a: {login} }} fragment B on Mutation {{ {register} }}"),
        ] {
            assert_too_complex(&app.anonymous(), &query, "Number of credential fields is 2; the limit is 1.").await;
        }
        assert_eq!(app.rows("users").await.len(), 1);
        app.anonymous().data(&format!("mutation {{ {login} }}"), json!({})).await;
    })
    .await;
}

#[tokio::test]
async fn a_location_has_at_most_3_directives() {
    with_app(async |app| {
        let anonymous = app.anonymous();
        let directives =
            |count: usize| format!("{{ serverInfo {{ version {} }} }}", "@skip(if: false) ".repeat(count));
        anonymous.data("{ serverInfo @skip(if: false) @include(if: true) { version } }", json!({})).await;
        // Three directives are within the limit, but the same directive is repeated.
        assert_bad_request(&anonymous, &directives(3)).await;
        let message = "Number of directives in one place is 4; the limit is 3.";
        assert_too_complex(&anonymous, &directives(4), message).await;
        let on_variable = "query($x: Int @a @b @c @d) { tasks(first: $x) { totalCount } }";
        assert_too_complex(&anonymous, on_variable, message).await;
        assert_too_complex(&anonymous, "query @a @b @c @d { __typename }", message).await;
    })
    .await;
}

#[tokio::test]
async fn a_document_has_at_most_20_fragments_and_5_operations() {
    with_app(async |app| {
        let fragments = |count| {
            let spreads = repeat(count, |n| format!("...F{n} "));
            let all = repeat(count, |n| format!("fragment F{n} on ServerInfo {{ version }} "));
            format!("{{ serverInfo {{ {spreads} }} }} {all}")
        };
        let anonymous = app.anonymous();
        assert_limit(
            &anonymous,
            &fragments(20),
            &fragments(21),
            "Number of fragments is 21; the limit is 20.",
        )
        .await;
        let operations = |count| repeat(count, |n| format!("query Q{n} {{ __typename }} "));
        let response = anonymous.post(json!({ "query": operations(5), "operationName": "Q4" })).await;
        assert_eq!(response.body["data"]["__typename"], "Query");
        assert_too_complex(&anonymous, &operations(6), "Number of operations is 6; the limit is 5.").await;
    })
    .await;
}

#[tokio::test]
async fn a_document_has_a_complexity_of_at_most_5000() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let message = "Query complexity is 5001; the limit is 5000.";
        let ids = "id ".repeat(50);
        // 1 + 98 × (1 + 50), and 1 for each additional field.
        let literal = |more: usize| {
            format!("{{ tasks(first: 98) {{ nodes {{ {ids} }} }} {} }}", "__typename ".repeat(more))
        };
        assert_limit(&ann, &literal(1), &literal(2), message).await;
        let variable = |more: usize| {
            let query = format!(
                "query($n: Int) {{ tasks(last: $n) {{ nodes {{ {ids} }} }} {} }}",
                "__typename ".repeat(more)
            );
            json!({ "query": query, "variables": { "n": 98 } })
        };
        assert!(ann.post(variable(1)).await.body.get("errors").is_none());
        assert_eq!(ann.post(variable(2)).await.error()["message"], message);
        // Page sizes out of range and products beyond 64 bits do not bypass the limit.
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

/// A document with a complexity of 4,592, plus the conditions of its filter and one for each additional
/// field.
fn costly(definitions: &str, arguments: &str, extra_fields: usize) -> String {
    let (ids, names) = ("id ".repeat(50), "name ".repeat(extra_fields));
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
            let query = |extra_fields| costly(definitions, &arguments, extra_fields);
            let remaining = 5_000 - 4_592 - 100 * texts;
            ann.data(&query(remaining), variables.clone()).await;
            let error = ann.error(&query(remaining + 1), variables.clone()).await;
            assert_eq!(
                error["message"], "Query complexity is 5001; the limit is 5000.",
                "{filter} {variables}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_complexity_of_a_page_uses_its_actual_size() {
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
                let query = |extra_fields| costly(definitions, &format!("{name}: {size}"), extra_fields);
                ann.data(&query(408), variables.clone()).await;
                let response = ann.execute(&query(409), variables.clone()).await;
                assert_eq!(response.body.get("errors").is_some(), length == 90, "{name}: {size} {variables}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_total_size_of_all_uses_of_variables_is_limited() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        ann.task("one").await;
        let long = json!({ "f": { "labels": vec!["x"; 30_000] } });
        let used_repeatedly = |count: usize| {
            format!("query($f: TaskFilter!) {{ tasks(filter: {{ and: [{}] }}) {{ totalCount }} }}", "{ not: $f } ".repeat(count))
        };
        let inside = "query($f: TaskFilter!) { tasks(first: 100) { nodes { owner { tasks(filter: $f) { totalCount } } } } }";
        let spread = "query($f: TaskFilter!) { me { ...A ...B } } fragment A on User { ...B ...C ...C }
            fragment B on User { ...C ...C ...C ...C ...C ...C ...C ...C } fragment C on User { tasks(filter: $f) { totalCount } }";
        ann.data(&used_repeatedly(2), long.clone()).await;
        for query in [&used_repeatedly(20), inside, spread] {
            let error = ann.error(query, long.clone()).await;
            let message = error["message"].as_str().expect("a message");
            assert_eq!(code(&error), "QUERY_TOO_COMPLEX", "{query}");
            assert!(message.starts_with("Size of all uses of variables in bytes is "), "{message}");
        }
    })
    .await;
}

/// The limits are checked before other errors, in the documented order.
#[tokio::test]
async fn limits_are_checked_before_other_errors() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let deep = format!("{} a {}", "me { ".repeat(11), "}".repeat(11));
        let aliases = repeat(21, |n| format!("a{n}: name "));
        for (query, message) in [
            (format!("{}{}", "[ ".repeat(33), "x".repeat(16 << 10)), "Query length in bytes"),
            (format!("{}\"", "[ ".repeat(2_001)), "Query nesting"),
            (format!("{}\"", "a ".repeat(2_001)), "Number of tokens"),
            (format!("{{ me {{ {aliases} {deep} }} }}"), "Query depth"),
            (format!("{{ me {{ {aliases} {} }} }}", "id ".repeat(1_000)), "Number of selections"),
            (format!("query($x: Int @nope) {{ me {{ {aliases} nope __typename {{ x }} }} tasks(filter: {{ not: null not: null }}) {{ x }} {} }}", "__typename ".repeat(10)), "Number of aliases"),
            (format!("mutation {{ {} }} {}", "nope ".repeat(6), repeat(21, |n| format!("fragment F{n} on User {{ id @a @b @c @d }} "))), "Number of root fields"),
            (format!("mutation {{ login {{ x @a @b @c @d }} register }} {}", repeat(21, |n| format!("fragment F{n} on User {{ id }} "))), "Number of credential fields"),
            (format!("{{ me {{ id @a @b @c @d }} }} {}", repeat(21, |n| format!("fragment F{n} on User {{ id }} "))), "Number of directives in one place"),
            (format!("{} {}", repeat(6, |n| format!("query Q{n} {{ nope }} ")), repeat(21, |n| format!("fragment F{n} on User {{ id }} "))), "Number of fragments"),
            (repeat(5, |n| format!("query Q{n} {{ nope }} ")) + &costly("", "first: 100", 1).replacen("query", "query L", 1), "Number of operations"),
            (costly("($x: Int @nope)", "first: 100, filter: { not: null not: null }, nope: 1", 1), "Query complexity"),
            (costly("", "first: 100", 1).replacen("me {", "a: me { x: id x: name __typename { x } } me {", 1), "Query complexity"),
        ] {
            assert_too_complex(&ann, &query, message).await;
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
async fn a_body_has_at_most_1_mib_with_or_without_a_length() {
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
async fn recursive_and_exponential_documents_are_refused() {
    with_app(async |app| {
        let ann = app.user("ann").await;
        let bomb = |inner: &str| {
            let fragment = |n: usize| format!("fragment F{n} on User {{ ...F{} ...F{} }} ", n + 1, n + 1);
            format!("{{ me {{ ...F0 }} }} {} fragment F19 on User {{ {inner} }}", repeat(19, fragment))
        };
        assert_too_complex(&ann, &bomb("id"), "Number of selections").await;
        assert_too_complex(&ann, &bomb("tasks { nodes { id } }"), "Number of selections").await;
        for query in [
            "{ me { ...A } } fragment A on User { ...A }",
            "{ me { ...A } } fragment A on User { id ...B } fragment B on User { tasks { nodes { owner { ...A } } } }",
            "{ me { id } } fragment A on User { ...B } fragment B on User { ...A }",
            "{ __schema { types { ...A } } } fragment A on __Type { ofType { ...A } }",
        ] {
            assert_bad_request(&ann, query).await;
        }
        for bracket in ["{", "[", "(", "{a", "{...", "{a(b:[", "query($x:["] {
            assert_too_complex(&ann, &bracket.repeat(16_000 / bracket.len()).chars().take(16_000).collect::<String>(), "Query nesting").await;
            assert_too_complex(&ann, &format!("{{ me {}", bracket.repeat(5_000).chars().take(5_000).collect::<String>()), "Query nesting").await;
        }
        for closing in ["}", "]", ")", "\"", "\"\"\"", "#", "\\", "...", "$", "\u{feff}"] {
            assert_bad_request(&ann, &closing.repeat(1_000)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn recursive_introspection_is_limited() {
    with_app(async |app| {
        let anonymous = app.anonymous();
        let recursive = |times: usize| {
            format!(
                "{{ __schema {{ types {{ {} name {} }} }} }}",
                "fields { type { ".repeat(times),
                "} } ".repeat(times)
            )
        };
        assert_limit(&anonymous, &recursive(3), &recursive(4), "Introspection depth is 4; the limit is 3.")
            .await;
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

/// The introspection query of graphql-js with all options, as GraphiQL and code generators send it.
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
async fn the_introspection_query_of_graphiql_succeeds() {
    with_app(async |app| {
        let data = app.anonymous().data(INTROSPECTION, json!({})).await;
        assert_eq!(data["__schema"]["mutationType"]["name"], "Mutation");
        assert!(data["__schema"]["types"].as_array().is_some_and(|types| types.len() > 30));
    })
    .await;
}

#[tokio::test]
async fn the_complexity_of_nodes_depends_on_the_number_of_ids() {
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
async fn server_info_reports_the_limits() {
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

/// For a block string without an end the parser falls back to an empty string and continues behind it.
#[tokio::test]
async fn text_behind_an_unterminated_string_is_not_parsed() {
    with_app(async |app| {
        let anonymous = app.anonymous();
        for depth in [1, 40, 500, 2_000, 7_900] {
            for open in ["\"\"\"a\"", "\"\"\"", "\"\"\"\\\"\"\"", "\"a\n\"", "\"a\\\n\""] {
                let nested =
                    format!("{{ nodes(ids: [{open}{}{}]) {{ id }} }}", "[".repeat(depth), "]".repeat(depth));
                assert_bad_request(&anonymous, &nested).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn everything_that_the_parser_accepts_as_a_token_is_counted() {
    with_app(async |app| {
        let anonymous = app.anonymous();
        let list = |part: &str| {
            format!("{{ tasks(filter: {{ status: [{}] }}) {{ totalCount }} }}", part.repeat(3_000))
        };
        for part in ["x\u{feff}", "-1", "1-", "1.5-", "1e5-", "ä", "\u{feff}\"\""] {
            assert_too_complex(&anonymous, &list(part), "Number of tokens").await;
        }
        let repeated = "{ tasks(filter: { text: \"a\", text\u{feff}: \"b\" }) { totalCount } }";
        assert_bad_request(&anonymous, repeated).await;
    })
    .await;
}
