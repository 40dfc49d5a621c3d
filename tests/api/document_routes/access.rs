//! Access control of the routes: each is requested with every kind of credential. A new route needs a row here.

use super::support::{KINDS, MARKDOWN, RouteResponse, id_of, import, put, read, send};
use crate::api::scopes::{SCOPE_SETS, assert_missing, covers};
use crate::support::{Actor, TestApp, json, on_both_databases};

/// A route: its method, whether its path names a document, and the scope that an API key needs.
const ROUTES: [(&str, bool, &str); 4] = [
    ("POST", false, "TASKS_WRITE"),
    ("GET", true, "TASKS_READ"),
    ("HEAD", true, "TASKS_READ"),
    ("PUT", true, "TASKS_WRITE"),
];

/// Sends the document of a kind to a route.
async fn request(
    app: &TestApp,
    actor: &Actor<'_>,
    (method, names_document, _): (&str, bool, &str),
    (path, location, document): (&str, &str, &str),
) -> RouteResponse {
    let headers = [MARKDOWN[0], ("if-match", "*")];
    let path = if names_document { location } else { path };
    send(app, actor, (method, path), &headers, document).await
}

/// All rows that the routes may change.
async fn stored(app: &TestApp) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["tasks", "task_lists", "checklist_items"] {
        rows.extend(app.rows(table).await);
    }
    rows
}

on_both_databases! {
    async fn without_a_valid_token_no_route_does_anything(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            let before = stored(app).await;
            for route in ROUTES {
                for actor in [app.anonymous(), app.with_token("broken"), app.with_token(&format!("{}x", ann.token()))] {
                    let refused = request(app, &actor, route, (path, &location, document)).await;
                    assert_eq!(refused.status, 401, "{route:?} {path}");
                    assert!(refused.header("www-authenticate").starts_with("Bearer") && refused.header("etag").is_empty());
                }
            }
            assert_eq!(stored(app).await, before);
        }
    }

    async fn the_documents_of_other_users_are_forbidden(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            let before = stored(app).await;
            for route in ROUTES.into_iter().filter(|(_, names_document, _)| *names_document) {
                let refused = request(app, &bob, route, (path, &location, document)).await;
                assert_eq!((refused.status, refused.header("etag")), (403, ""), "{route:?} {path}");
                if route.0 != "HEAD" {
                    refused.error((403, "FORBIDDEN"));
                }
            }
            assert_eq!(stored(app).await, before);
        }
    }

    async fn documents_in_the_trash_are_not_found(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        for ((path, document), delete) in KINDS.into_iter().zip([
            "mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }",
            "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }",
        ]) {
            let location = import(app, &ann, path, document).await;
            ann.data(delete, json!({ "id": id_of(&location) })).await;
            send(app, &ann, ("GET", &location), &[], "").await.error((404, "NOT_FOUND"));
            put(app, &ann, &location, Some(("if-match", "*")), document).await.error((404, "NOT_FOUND"));
            send(app, &bob, ("GET", &location), &[], "").await.error((403, "FORBIDDEN"));
        }
    }

    async fn a_key_needs_the_scope_of_the_route(app) {
        let ann = app.user("ann").await;
        for scopes in SCOPE_SETS {
            let key = ann.api_key(scopes).await.0;
            for (path, document) in KINDS {
                let location = import(app, &ann, path, document).await;
                for route in ROUTES {
                    let response = request(app, &key, route, (path, &location, document)).await;
                    let shown = format!("{route:?} {path} with {scopes:?}");
                    if covers(scopes, route.2) {
                        assert!((200..300).contains(&response.status), "{shown}: {response:?}");
                    } else {
                        assert_eq!(response.status, 403, "{shown}");
                        if route.0 != "HEAD" {
                            assert_missing(&response.error((403, "FORBIDDEN")), route.2, &shown);
                        }
                    }
                }
            }
        }
    }

    async fn a_missing_scope_is_reported_before_the_document_is_read(app) {
        let ann = app.user("ann").await;
        let key = ann.api_key(&["TASKS_READ"]).await.0;
        for (path, _) in KINDS {
            for request in [("POST", path.to_owned()), ("PUT", format!("{path}/1.md?conflicts=x"))] {
                let refused = send(app, &key, (request.0, &request.1), &[], vec![0xff; 2 << 20]).await;
                assert_missing(&refused.error((403, "FORBIDDEN")), "TASKS_WRITE", path);
            }
        }
    }

    #[flags("--require-verified-email", "true")]
    async fn documents_can_be_changed_only_with_a_verified_address_if_the_server_requires_it(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let refused = send(app, &ann, ("POST", path), &MARKDOWN, document).await.error((403, "FORBIDDEN"));
            assert_eq!(refused["extensions"]["required"], "VERIFIED_EMAIL");
        }
    }

    async fn a_session_that_has_ended_is_refused(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/lists", KINDS[0].1).await;
        read(app, &ann, &location).await;
        ann.data("mutation { logout { success } }", json!({})).await;
        send(app, &ann, ("GET", &location), &[], "").await.error((401, "UNAUTHENTICATED"));
    }
}
