//! The guard with a schema and a policy of its own: what it refuses comes from them, not from the crate.

use async_graphql_value::{ConstValue, Name, Variables};
use graphql_guard::{
    CostlyField, CountedList, Error, ExclusiveFields, Guard, Limits, PathSegment, Policy, Rule, Scalar,
    SearchCondition, find_operation, subscriptions_as_queries,
};

const SDL: &str = "
    scalar Color
    input Where { words: String, not: Where }
    type Book { title: String!, pages: [String!]!, scan: String! }
    type BookEdge { node: Book! }
    type BookConnection { edges: [BookEdge!]! }
    type Shelf { books: [Book!]!, label: String }
    type Query {
        shelf(first: Int): Shelf!
        books(first: Int, last: Int, where: Where): BookConnection!
        byIsbn(isbns: [ID!]!): [Book!]!
        painted(color: Color!): Book
    }
    type Mutation { open: Book, close: Book, read: Book }
    type Subscription { shelf(first: Int): Shelf!, painted: Book }
    schema { query: Query, mutation: Mutation, subscription: Subscription }
";

fn guard(complexity: usize) -> Guard {
    let policy = Policy {
        page_types: &["Shelf"],
        exclusive: ExclusiveFields { names: &["open", "close"], quantity: "Number of covers" },
        default_page_size: 3,
        max_page_size: 50,
        unpaged_list_size: 7,
        counted_lists: &[CountedList { field: "byIsbn", argument: "isbns" }],
        search: SearchCondition { argument: "where", field: "words", complexity: 40 },
        costly_fields: &[CostlyField { types: &["Book"], fields: &["scan"], complexity: 90 }],
        scalars: &[Scalar { name: "Color", is_valid: |text| text.starts_with('#'), example: "#00ff00" }],
        max_value_errors: 2,
    };
    let limits = Limits {
        request_bytes: 1 << 20,
        query_bytes: 1_000,
        nesting: 20,
        tokens: 200,
        depth: 10,
        complexity,
        aliases: 10,
        root_fields: 4,
    };
    Guard::new(SDL, policy, limits)
}

fn complexity(query: &str) -> usize {
    let guard = guard(usize::MAX);
    let document = guard.parse(query).expect("it is within the limits");
    guard.check_variables(&document, &Variables::default()).expect("it is within the limits")
}

fn refusal(query: &str) -> String {
    guard(usize::MAX).parse(query).expect_err("it exceeds a limit").to_string()
}

fn value_errors(query: &str, variables: Variables) -> Vec<Error> {
    let guard = guard(usize::MAX);
    let document = guard.parse(query).expect("it is within the limits");
    let operation = find_operation(&document, None).expect("there is one operation");
    guard.check_values(&document, operation, &variables).expect_err("a value is invalid")
}

#[test]
fn the_policy_says_how_many_items_a_list_has() {
    assert_eq!(complexity("{ books { edges { node { title } } } }"), 1 + 3 * 3);
    assert_eq!(complexity("{ books(first: 5) { edges { node { title } } } }"), 1 + 5 * 3);
    assert_eq!(complexity("{ books(last: 500) { edges { node { title } } } }"), 1 + 50 * 3);
    assert_eq!(complexity("{ byIsbn(isbns: [1, 2]) { title pages } }"), 1 + 2 * 2);
    assert_eq!(complexity("{ shelf(first: 5) { label books { title pages } } }"), 1 + 5 * (1 + 1 + 2));
    assert_eq!(complexity("{ a: painted(color: \"#\") { title } }"), 2);
}

#[test]
fn a_costly_field_has_the_complexity_of_the_policy() {
    assert_eq!(complexity("{ books(first: 5) { edges { node { title scan } } } }"), 1 + 5 * (3 + 90));
    assert_eq!(complexity("{ a: painted(color: \"#\") { b: scan c: scan } }"), 1 + 2 * 90);
}

#[test]
fn every_search_text_adds_to_its_connection() {
    let query =
        "{ books(first: 1, where: { words: \"a\", not: { words: \"b\" } }) { edges { node { title } } } }";
    assert_eq!(complexity(query), 1 + 3 + 2 * 40);
    assert_eq!(complexity(&query.replace("\"a\"", "\" \"")), 1 + 3 + 40);
}

#[test]
fn a_complexity_above_the_limit_is_refused() {
    let guard = guard(9);
    let document = guard.parse("{ books { edges { node { title } } } }").expect("it is within the limits");
    let error = guard.check_variables(&document, &Variables::default()).expect_err("10 is above 9");
    assert_eq!(error.to_string(), "Query complexity is 10; the limit is 9.");
}

#[test]
fn exclusive_fields_are_counted_in_the_words_of_the_policy() {
    assert_eq!(
        refusal("mutation { open { title } close { title } }"),
        "Number of covers is 2; the limit is 1."
    );
    assert!(guard(9).parse("mutation { open { title } read { title } }").is_ok());
}

#[test]
fn a_scalar_is_checked_by_its_function() {
    let errors = value_errors("{ painted(color: \"green\") { title } }", Variables::default());
    let [Error::Values(errors)] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!(errors[0].path, [PathSegment::Field("color".to_owned())]);
    assert_eq!(errors[0].rule, Rule::Invalid);
    assert_eq!(errors[0].message, "is not a valid Color like #00ff00");
}

#[test]
fn no_more_errors_are_collected_than_the_policy_says() {
    let ids = ConstValue::List(vec![ConstValue::Boolean(true); 5]);
    let mut variables = Variables::default();
    variables.insert(Name::new("ids"), ids);
    let errors = value_errors("query($ids: [ID!]!) { byIsbn(isbns: $ids) { title } }", variables);
    let [Error::Values(errors)] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!(errors.len(), 2);
}

#[test]
fn a_subscription_selects_exactly_one_field_unconditionally() {
    let check = |query: &str| {
        let guard = guard(usize::MAX);
        let document = guard.parse(query).expect("it is within the limits");
        let operation = find_operation(&document, None).expect("there is one operation");
        guard.check_subscription(&document, operation).map_err(|error| error.to_string())
    };
    for query in [
        "subscription { shelf { label } }",
        "subscription { a: shelf(first: 2) { label } a: shelf(first: 2) { books { title } } }",
        "subscription { ...A } fragment A on Subscription { ... on Subscription { ... { shelf { label } } } }",
    ] {
        assert_eq!(check(query), Ok(()), "{query}");
    }
    let one = "A subscription selects exactly one field.";
    let condition = "A fragment at the root of a subscription needs the type Subscription.";
    let directive = "The field of a subscription cannot have a directive.";
    for (query, message) in [
        ("subscription { shelf { label } painted { title } }", one),
        ("subscription { a: shelf { label } ...A } fragment A on Subscription { shelf { label } }", one),
        ("subscription { shelf { label } __typename }", one),
        ("subscription { __typename }", "A subscription cannot select __typename at its root."),
        ("subscription { ... on Query { shelf { label } } }", condition),
        ("subscription { ...A } fragment A on Query { shelf { label } }", condition),
        ("subscription { books }", "Unknown field \"books\" on type \"Subscription\"."),
        ("subscription { shelf @include(if: true) { label } }", directive),
        ("subscription { ...A @skip(if: false) } fragment A on Subscription { shelf { label } }", directive),
        ("subscription { ... @include(if: true) { shelf { label } } }", directive),
    ] {
        assert_eq!(check(query), Err(message.to_owned()), "{query}");
    }
}

#[test]
fn subscriptions_become_queries_with_the_same_fields() {
    let text = "subscription A { ...A ... on Subscription { shelf { books { ... on Book { title } } } } }
        subscription B { ...A } fragment A on Subscription { shelf { label } }";
    let guard = guard(usize::MAX);
    let mut document = guard.parse(text).expect("it is within the limits");
    subscriptions_as_queries(&mut document);
    let expected =
        guard.parse(&text.replace("subscription", "query       ").replace("on Subscription", "on Query"));
    let expected = expected.expect("it is valid");
    // The positions differ, and the operations have no order.
    let text = |debug: String| {
        let parts =
            debug.split("Pos(").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest).to_owned());
        parts.collect::<String>()
    };
    for name in ["A", "B"] {
        let operation =
            |document| format!("{:?}", find_operation(document, Some(name)).expect("it has the name"));
        assert_eq!(text(operation(&document)), text(operation(&expected)));
    }
    assert_eq!(text(format!("{:?}", document.fragments)), text(format!("{:?}", expected.fragments)));
}
