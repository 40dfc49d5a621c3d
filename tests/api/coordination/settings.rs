//! The settings of task lists: the ordering, when a list is imported and later.

use axum::body::Body;
use axum::http::Request;

use super::support::{List, UNKNOWN_ID, list_of};
use crate::api::markdown::support::merge;
use crate::support::{Value, code, json, on_both_databases};

const UPDATE: &str = "mutation($id: ID!, $input: UpdateTaskListInput!, $expectedVersion: Int) {
    updateTaskList(id: $id, input: $input, expectedVersion: $expectedVersion) { taskList { ordering version } } }";

fn variables(list: &List<'_>, input: Value, expected: Value) -> Value {
    json!({ "id": list.id, "input": input, "expectedVersion": expected })
}

on_both_databases! {
    async fn the_ordering_can_be_changed(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &list_of(&["one", "two"], "")).await;
        assert_eq!(list.read("ordering version").await, json!({ "ordering": "MARKED", "version": 1 }));
        assert_eq!(list.ready().await, ["T001"]);
        let markdown = list.read("markdown").await;
        let update = async |input: Value| ann.data(UPDATE, variables(&list, input, Value::Null)).await["updateTaskList"]["taskList"].clone();
        assert_eq!(update(json!({ "ordering": "EXPLICIT" })).await, json!({ "ordering": "EXPLICIT", "version": 2 }));
        assert_eq!(list.ready().await, ["T001", "T002"]);
        for input in [json!({ "ordering": "EXPLICIT" }), json!({ "ordering": null }), json!({})] {
            assert_eq!(update(input).await, json!({ "ordering": "EXPLICIT", "version": 2 }), "it stays as it is");
        }
        assert_eq!(update(json!({ "ordering": "MARKED" })).await, json!({ "ordering": "MARKED", "version": 3 }));
        assert_eq!((list.ready().await, list.version("T001").await), (vec!["T001".to_owned()], 1));
        assert_eq!(list.read("markdown").await, markdown);
    }

    async fn a_list_that_is_imported_by_the_route_uses_the_order_of_the_document(app) {
        let ann = app.user("ann").await;
        let request = Request::post("/lists").header("authorization", format!("Bearer {}", ann.token()));
        let request = request.header("content-type", "text/markdown").body(Body::from(list_of(&["one", "two"], "")));
        assert_eq!(app.send(request.expect("the request is valid")).await.status(), 201);
        let lists = ann.data("{ taskLists { nodes { ordering readyTasks { nodes { key } } } } }", json!({})).await;
        let expected = json!({ "ordering": "MARKED", "readyTasks": { "nodes": [{ "key": "T001" }] } });
        assert_eq!(lists["taskLists"]["nodes"], json!([expected]));
    }

    async fn a_repeated_import_does_not_change_the_ordering(app) {
        let ann = app.user("ann").await;
        let import = "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) { taskList { ordering version } } }";
        for ordering in ["EXPLICIT", "MARKED"] {
            let input = json!({ "id": UNKNOWN_ID, "markdown": list_of(&["one"], ""), "ordering": ordering });
            let imported = ann.data(import, json!({ "input": input })).await;
            assert_eq!(imported["importTaskList"]["taskList"], json!({ "ordering": "EXPLICIT", "version": 1 }));
        }
    }

    async fn an_expected_version_that_is_not_the_lists_is_a_conflict(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &list_of(&["one"], "")).await;
        for (input, expected) in [(json!({ "ordering": "EXPLICIT" }), 2), (json!({ "ordering": "MARKED" }), 0), (json!({}), 7)] {
            let error = ann.error(UPDATE, variables(&list, input, json!(expected))).await;
            assert_eq!((code(&error).as_str(), &error["extensions"]["status"]), ("CONFLICT", &json!(409)));
            assert_eq!(error["extensions"]["currentVersion"], 1);
            assert!(error["message"].as_str().is_some_and(|message| !message.contains("task was")), "{error:#}");
        }
        let updated = ann.data(UPDATE, variables(&list, json!({ "ordering": "EXPLICIT" }), json!(1))).await;
        assert_eq!(updated["updateTaskList"]["taskList"]["version"], 2);
    }

    async fn of_concurrent_changes_with_one_expected_version_one_succeeds(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &list_of(&["one"], "")).await;
        let update = variables(&list, json!({ "ordering": "EXPLICIT" }), json!(1));
        let responses = futures_util::future::join_all((0..8).map(|_| ann.execute(UPDATE, update.clone()))).await;
        let succeeded = responses.iter().filter(|response| response.body.get("errors").is_none()).count();
        assert_eq!(succeeded, 1);
        assert!(responses.iter().filter(|response| response.body.get("errors").is_some()).all(|response| response.code() == "CONFLICT"));
    }

    async fn only_a_list_that_is_not_in_the_trash_can_be_changed(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let list = List::import(&ann, &list_of(&["one"], "")).await;
        let update = variables(&list, json!({ "ordering": "EXPLICIT" }), Value::Null);
        assert_eq!(bob.execute(UPDATE, update.clone()).await.code(), "FORBIDDEN");
        ann.data("mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }", json!({ "id": list.id })).await;
        assert_eq!(ann.execute(UPDATE, update.clone()).await.code(), "NOT_FOUND");
        let unknown = json!({ "id": UNKNOWN_ID, "input": {}, "expectedVersion": null });
        assert_eq!(ann.execute(UPDATE, unknown).await.code(), "NOT_FOUND");
        ann.data("mutation($id: ID!) { restoreTaskList(id: $id) { taskList { id } } }", json!({ "id": list.id })).await;
        assert_eq!(list.read("ordering").await["ordering"], "MARKED");
    }

    async fn a_merge_keeps_the_ordering_and_a_change_of_it_keeps_the_base_of_a_merge(app) {
        let ann = app.user("ann").await;
        let document = list_of(&["one", "two"], "");
        let list = List::with_ordering(&ann, &document, "EXPLICIT").await;
        list.update("T001", json!({ "status": "COMPLETED" })).await;
        ann.data(UPDATE, variables(&list, json!({ "ordering": "MARKED" }), Value::Null)).await;
        ann.data(UPDATE, variables(&list, json!({ "ordering": "EXPLICIT" }), Value::Null)).await;
        let payload = merge(&ann, &list.id, &document, json!({})).await;
        assert_eq!((payload["applied"].clone(), list.read("ordering").await["ordering"].clone()), (json!(true), json!("EXPLICIT")));
        assert_eq!(list.fields("T001", "status").await["status"], "COMPLETED");
    }
}
