//! Validation of the arguments of lists, and the semantics of edge cases in filters.

use super::walk::Page;
use super::{list_faults, negated, numbered};
use crate::support::{Value, json, on_both_databases};

on_both_databases! {
    /// Other tests insert rows directly; here the service creates the tasks and computes their sort keys.
    async fn titles_are_ordered_in_lower_case_by_code_point(app) {
        let ann = app.user("ann").await;
        let sorted = ["!", "A b", "aB", "B", "_", "ß", "É", "f\u{301}", "İ", "ΑΣ", "日", "\u{ff5a}",
                      "\u{10400}", "𝒳"];
        let mut shuffled = sorted;
        shuffled.sort_by_key(|title| title.len() * 7 % 5);
        for title in shuffled {
            ann.task(title).await;
        }
        let query = "{ tasks(orderBy: [{ field: TITLE }]) { nodes { title } } }";
        let list = ann.data(query, Value::Null).await;
        let titles = list["tasks"]["nodes"].as_array().expect("a list").iter();
        let mut lower: Vec<String> = sorted.iter().map(|title| title.to_lowercase()).collect();
        lower.sort();
        let listed: Vec<String> =
            titles.map(|task| task["title"].as_str().expect("text").to_lowercase()).collect();
        assert_eq!(listed, lower);
    }

    async fn an_order_has_at_most_three_keys(app) {
        let ann = app.user("ann").await;
        let key = json!({ "field": "TITLE" });
        Page::of(&ann, json!({ "orderBy": [key, key, key] })).await;
        Page::of(&ann, json!({ "orderBy": key })).await;
        assert_eq!(list_faults(&ann, json!({ "orderBy": [key, key, key, key] })).await, ["orderBy too_many"]);
        let four = json!({ "orderBy": [key, key, key, key], "after": "x", "first": 0 });
        assert_eq!(list_faults(&ann, four).await, ["orderBy too_many", "first out_of_range"]);
    }

    async fn a_filter_has_at_most_five_levels(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        let wrapped = |name: &str, times| (0..times).fold(json!({}), |filter, _| json!({ name: [filter] }));
        for (five, six, path_suffix) in [
            (negated(5, json!({})), negated(6, json!({})), ".not".repeat(6)),
            (wrapped("and", 5), wrapped("and", 6), ".and.0".repeat(6)),
            (wrapped("or", 5), wrapped("or", 6), ".or.0".repeat(6)),
        ] {
            Page::of(&ann, json!({ "filter": five })).await;
            assert_eq!(list_faults(&ann, json!({ "filter": six })).await, [format!("filter{path_suffix} too_many")]);
        }
    }

    async fn a_filter_has_at_most_fifty_conditions(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        let condition = json!({ "completed": false });
        let pair = json!({ "completed": false, "priority": ["MEDIUM"] });
        for (fits, does_not) in [
            (json!({ "and": vec![condition.clone(); 50] }), json!({ "and": vec![condition.clone(); 51] })),
            (json!({ "and": vec![pair.clone(); 25] }), json!({ "and": vec![pair.clone(); 26] })),
            (json!({ "not": { "or": vec![pair.clone(); 12] }, "or": vec![pair.clone(); 13] }),
             json!({ "not": { "or": vec![pair.clone(); 13] }, "or": vec![pair.clone(); 13] })),
        ] {
            Page::of(&ann, json!({ "filter": fits })).await;
            assert_eq!(list_faults(&ann, json!({ "filter": does_not })).await, ["filter too_many"]);
        }
    }

    /// A huge filter without effect must not become a statement that the database cannot run.
    async fn a_huge_filter_is_executed_or_refused_without_an_internal_error(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        for filter in [
            json!({ "and": vec![json!({}); 3_000] }),
            json!({ "or": vec![json!({ "or": [] }); 3_000] }),
            json!({ "or": vec![json!({ "not": { "dueAt": null } }); 3_000] }),
            json!({ "and": vec![negated(4, json!({})); 5_000] }),
        ] {
            assert_eq!(list_faults(&ann, json!({ "filter": filter })).await, ["filter too_many"]);
        }
        let page = Page::of(&ann, json!({ "filter": { "status": vec!["PENDING"; 70_000] } })).await;
        assert_eq!(page.ids.len(), 3);
        let page = Page::of(&ann, json!({ "filter": { "priority": vec!["HIGH"; 70_000] } })).await;
        assert_eq!(page.ids.len(), 0);
        let too_deep = json!({ "and": [negated(4, json!({ "and": vec![json!({}); 3_000] }))] });
        assert!(list_faults(&ann, json!({ "filter": too_deep })).await.len() <= 51);
    }

    async fn all_faults_of_the_arguments_are_reported_together(app) {
        let ann = app.user("ann").await;
        let key = json!({ "field": "TITLE" });
        let arguments = json!({ "first": 0, "last": 101, "filter": { "and": [negated(5, json!({}))] },
                            "orderBy": [key, key, key, key] });
        let mut found_faults = list_faults(&ann, arguments).await;
        found_faults.sort_unstable();
        assert_eq!(found_faults, ["filter.and.0.not.not.not.not.not too_many", "first out_of_range", "last conflicting",
                          "last out_of_range", "orderBy too_many"]);
    }

    async fn unknown_fields_and_values_of_filters_and_orders_are_errors(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        for (arguments, fault) in [
            (json!({ "filter": { "status": ["DONE"] } }), "filter.status.0 invalid"),
            (json!({ "filter": { "status": "pending" } }), "filter.status invalid"),
            (json!({ "filter": { "status": [null] } }), "filter.status.0 required"),
            (json!({ "filter": { "colour": "red" } }), "filter.colour invalid"),
            (json!({ "filter": { "and": [{ "not": { "colour": null } }] } }), "filter.and.0.not.colour invalid"),
            (json!({ "filter": { "or": [null] } }), "filter.or.0 required"),
            (json!({ "filter": { "completed": "true" } }), "filter.completed invalid"),
            (json!({ "filter": { "dueAt": "2027-01-01T00:00:00Z" } }), "filter.dueAt invalid"),
            (json!({ "filter": { "dueAt": { "from": "2027-01-01" } } }), "filter.dueAt.from invalid"),
            (json!({ "filter": { "dueAt": { "to": "2027-01-01T00:00:00Z" } } }), "filter.dueAt.to invalid"),
            (json!({ "filter": [] }), "filter invalid"),
            (json!({ "orderBy": [{ "field": "COLOUR" }] }), "orderBy.0.field invalid"),
            (json!({ "orderBy": [{}] }), "orderBy.0.field required"),
            (json!({ "orderBy": [{ "field": "TITLE", "direction": "UP" }] }), "orderBy.0.direction invalid"),
            (json!({ "orderBy": [{ "field": "TITLE", "nulls": null }] }), "orderBy.0.nulls required"),
            (json!({ "orderBy": [{ "field": "TITLE", "collation": "C" }] }), "orderBy.0.collation invalid"),
        ] {
            assert_eq!(list_faults(&ann, arguments).await, [fault]);
        }
        for literal in [
            "filter: { status: [DONE] }", "filter: { status: [null] }", "filter: { colour: \"red\" }",
            "filter: { not: { dueAt: { to: null } } }", "filter: { dueAt: { from: \"2027\" } }",
            "filter: { completed: 1 }", "orderBy: [{ field: COLOUR }]", "orderBy: [{}]",
            "orderBy: [{ field: TITLE, direction: UP }]", "colour: 1",
        ] {
            let response = ann.execute(&format!("{{ tasks({literal}) {{ totalCount }} }}"), Value::Null).await;
            let is_told = ["BAD_USER_INPUT", "BAD_REQUEST"].contains(&response.code().as_str());
            assert!(is_told, "{literal}: {:#}", response.body);
        }
    }

    async fn an_absent_variable_does_not_hide_other_errors(app) {
        let ann = app.user("ann").await;
        for beside in ["colour: \"red\"", "and: [{ colour: 1 }]", "dueAt: { to: \"2027-01-01T00:00:00Z\" }",
                       "status: [DONE]", "status: [null]", "priority: 3", "dueAt: { from: \"2027\" }"] {
            let query = format!("query($left: Boolean) {{
                tasks(filter: {{ completed: $left, {beside} }}) {{ totalCount }} }}");
            let response = ann.execute(&query, json!({})).await;
            assert!(response.body.get("errors").is_some(), "{beside} was ignored: {:#}", response.body);
            let is_told = ["BAD_USER_INPUT", "BAD_REQUEST"].contains(&response.code().as_str());
            assert!(is_told, "{beside}: {:#}", response.body);
        }
    }

    async fn an_absent_variable_in_a_filter_is_no_condition(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        let query = "query($completed: Boolean, $status: [TaskStatus!], $from: DateTime, $or: [TaskFilter!]) {
            tasks(filter: { completed: $completed, status: $status, createdAt: { from: $from }, or: $or,
                            priority: MEDIUM }) { totalCount } }";
        for (variables, count) in [
            (json!({}), 3),
            (json!({ "completed": null, "or": null }), 3),
            (json!({ "completed": true }), 0),
            (json!({ "status": [] }), 0),
            (json!({ "or": [] }), 0),
            (json!({ "status": "PENDING" }), 3),
            (json!({ "from": "2026-11-21T09:30:02Z" }), 2),
        ] {
            assert_eq!(ann.data(query, variables.clone()).await["tasks"]["totalCount"], count, "{variables}");
        }
    }

    async fn a_bound_between_two_milliseconds_is_not_rounded(app) {
        let ann = app.user("ann").await;
        for at in ["09:30:00.001", "09:30:00.0019999", "09:30:00.002"] {
            ann.create(json!({ "title": at, "dueAt": format!("2026-11-21T{at}Z") })).await;
        }
        let query = "query($at: DateTime) { from: tasks(filter: { dueAt: { from: $at } }) { totalCount }
            before: tasks(filter: { dueAt: { before: $at } }) { totalCount } }";
        for (at, from, before) in [
            ("2026-11-21T09:30:00.001Z", 3, 0),
            ("2026-11-21T09:30:00.00100000000000Z", 3, 0),
            ("2026-11-21T09:30:00.00100000000001Z", 1, 2),
            ("2026-11-21T10:30:00.0019+01:00", 1, 2),
            ("2026-11-21T09:30:00.002Z", 1, 2),
            ("9999-12-31T23:59:59.9999Z", 0, 3),
        ] {
            let counts = json!({ "from": { "totalCount": from }, "before": { "totalCount": before } });
            assert_eq!(ann.data(query, json!({ "at": at })).await, counts, "{at}");
            let literal = query.replace("query($at: DateTime)", "").replace("$at", &format!("\"{at}\""));
            assert_eq!(ann.data(&literal, json!({})).await, counts, "{at}");
        }
    }

    async fn empty_alternatives_match_nothing_and_empty_conditions_match_everything(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        for (filter, count) in [
            (json!({ "status": [] }), 0), (json!({ "priority": [] }), 0), (json!({ "or": [] }), 0),
            (json!({ "labels": [] }), 3), (json!({ "and": [] }), 3), (json!({}), 3),
            (json!({ "not": { "status": [] } }), 3), (json!({ "not": { "or": [] } }), 3), (json!({ "not": { "and": [] } }), 0),
            (json!({ "dueAt": { "from": "2000-01-01T00:00:00Z" } }), 0),
            (json!({ "not": { "dueAt": { "from": "2000-01-01T00:00:00Z" } } }), 3),
            (json!({ "not": { "dueAt": {} } }), 0), (json!({ "text": " \u{3000}" }), 3),
        ] {
            assert_eq!(Page::of(&ann, json!({ "filter": filter })).await.ids.len(), count, "{filter}");
        }
    }
}
