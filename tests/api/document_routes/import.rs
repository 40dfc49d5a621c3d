//! POST of a document.

use std::sync::Arc;

use tokio::sync::Notify;

use super::support::{KINDS, LIST, MARKDOWN, id_of, import, read, send};
use crate::support::{json, on_both_databases};

/// Documents whose bytes a careless reader would change.
const DELICATE: [&str; 6] = [
    "",
    "\u{feff}# Tasks: BOM\r\n\r\n- [ ] T001 One\r\n",
    "# Mixed  \r\n\n- [X] T001 Two spaces  \r- [ ] T002 No line end",
    "# Decomposed: e\u{301}\n\n- [ ] T001 a\u{308}\n\n\n",
    "\n\n\t- [ ] T001 Indented\n",
    "---\nfront: matter\n---\n# \u{1f6a2}\n",
];

on_both_databases! {
    async fn a_document_is_imported_and_can_be_read_where_location_says(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let response = send(app, &ann, ("POST", path), &MARKDOWN, document).await;
            assert_eq!((response.status, response.header("cache-control")), (201, "no-store"));
            assert_eq!(response.header("content-type"), "application/json; charset=utf-8");
            let report = response.json();
            let id = report["id"].as_str().expect("an id");
            assert_eq!(response.header("location"), format!("{path}/{id}.md"));
            let expected = match path {
                "/lists" => json!({ "id": id, "title": "Harbour map", "tasks": 3, "diagnostics": [] }),
                _ => json!({ "id": id, "title": "Draw ships", "diagnostics": [] }),
            };
            assert_eq!(report, expected);
            let stored = read(app, &ann, response.header("location")).await;
            assert_eq!((stored.body.as_slice(), stored.tag()), (document.as_bytes(), response.tag()));
        }
    }

    async fn every_byte_of_a_document_is_kept(app) {
        let ann = app.user("ann").await;
        for (path, _) in KINDS {
            for document in DELICATE {
                let location = import(app, &ann, path, document).await;
                let stored = read(app, &ann, &location).await;
                assert_eq!(String::from_utf8_lossy(&stored.body), document, "{path}");
            }
        }
    }

    async fn an_import_is_completed_when_its_client_disconnects_and_a_stop_waits_for_it(app) {
        let ann = app.user("ann").await;
        let begun = Arc::new(Notify::new());
        let notify = begun.clone();
        app.on_statement(move |sql| {
            if sql.starts_with("INSERT INTO \"task_lists\"") {
                notify.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = begun.notified() => {}
            response = send(app, &ann, ("POST", "/lists"), &MARKDOWN, LIST) => panic!("it ended first: {response:?}"),
        }
        app.api.drain().await;
        let stored = ann.data("{ taskLists { totalCount } tasks { totalCount } }", json!({})).await;
        assert_eq!(stored, json!({ "taskLists": { "totalCount": 1 }, "tasks": { "totalCount": 3 } }));
    }

    async fn a_document_is_plain_text_or_markdown_in_utf_8(app) {
        let ann = app.user("ann").await;
        for (content_type, status) in [
            ("text/markdown", 201), ("text/plain", 201), ("Text/Markdown; charset=UTF-8; variant=GFM", 201),
            ("text/plain;charset=\"utf-8\"", 201), ("text/markdown; charset=latin1", 415), ("text/html", 415),
            ("application/json", 415), ("application/x-www-form-urlencoded", 415), ("", 415),
        ] {
            for (path, document) in KINDS {
                let response = send(app, &ann, ("POST", path), &[("content-type", content_type)], document).await;
                assert_eq!(response.status, status, "{content_type}");
            }
        }
    }

    async fn diagnostics_have_the_same_values_as_in_graphql(app) {
        let ann = app.user("ann").await;
        let document = format!("{LIST}\n**Total tasks**: 5\n- [ ] Without a key\n- [ ] T002 Again\n");
        let report = send(app, &ann, ("POST", "/lists"), &MARKDOWN, document).await;
        let query = "query($id: ID!) { taskList(id: $id) { diagnostics {
            code severity line message keys claimed counted } } }";
        let data = ann.data(query, json!({ "id": id_of(report.header("location")) })).await;
        let diagnostics = &report.json()["diagnostics"];
        assert_eq!(*diagnostics, data["taskList"]["diagnostics"]);
        let mismatch = diagnostics.as_array().and_then(|all| all.iter().find(|one| one["code"] == "COUNT_MISMATCH"));
        let mismatch = mismatch.expect("a mismatch");
        assert_eq!((&mismatch["severity"], &mismatch["claimed"], &mismatch["counted"]), (&json!("WARNING"), &json!(5), &json!(4)));
    }

    async fn a_list_with_too_many_tasks_is_refused(app) {
        let ann = app.user("ann").await;
        let tasks: String = (0..5_001).map(|n| format!("- [ ] T{n:04} x\n")).collect();
        let refused = send(app, &ann, ("POST", "/lists"), &MARKDOWN, tasks).await.error((400, "BAD_USER_INPUT"));
        assert_eq!(crate::support::faults(&refused), ["markdown too_many"]);
    }
}
