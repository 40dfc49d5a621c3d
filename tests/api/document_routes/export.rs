//! GET and HEAD of a document.

use super::support::{KINDS, LIST, complete, import, read, send};
use crate::support::on_both_databases;

on_both_databases! {
    async fn a_document_is_sent_as_markdown_that_is_validated_on_each_use(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            let found = read(app, &ann, &location).await;
            assert_eq!(found.header("content-type"), "text/markdown; charset=utf-8");
            assert_eq!(found.header("cache-control"), "private, no-cache");
            assert_eq!(found.header("content-length"), document.len().to_string());
            let head = send(app, &ann, ("HEAD", &location), &[], "").await;
            assert_eq!((head.status, head.body.len()), (200, 0));
            for name in ["content-type", "cache-control", "content-length", "etag"] {
                assert_eq!(head.header(name), found.header(name), "{name}");
            }
        }
    }

    async fn an_unchanged_document_is_not_sent_again(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            let tag = read(app, &ann, &location).await.tag();
            for method in ["GET", "HEAD"] {
                for known in [&tag, "*", &format!("\"other\", W/{tag}")] {
                    let same = send(app, &ann, (method, &location), &[("if-none-match", known)], "").await;
                    assert_eq!((same.status, same.body.len(), same.tag()), (304, 0, tag.clone()), "{known}");
                    assert_eq!(same.header("cache-control"), "private, no-cache");
                    if method == "HEAD" {
                        assert_eq!(same.header("content-length"), document.len().to_string());
                    }
                }
                let changed = send(app, &ann, (method, &location), &[("if-none-match", "\"other\"")], "").await;
                assert_eq!((changed.status, changed.tag()), (200, tag.clone()));
            }
        }
    }

    async fn a_change_of_a_task_changes_the_document_and_its_tag(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/lists", LIST).await;
        let before = read(app, &ann, &location).await.tag();
        complete(&ann, &location, "T002").await;
        let after = send(app, &ann, ("GET", &location), &[("if-none-match", &before)], "").await;
        assert_eq!(after.status, 200);
        assert_ne!(after.tag(), before);
        assert_eq!(String::from_utf8_lossy(&after.body), LIST.replace("[ ] T002", "[x] T002"));
    }

    async fn a_task_without_a_document_has_one_too(app) {
        let ann = app.user("ann").await;
        let id = ann.task("Water the plants").await;
        let document = read(app, &ann, &format!("/tasks/{id}.md")).await;
        assert!(document.body.starts_with(b"# TASK: Water the plants\n\n**Status**: Pending\n"), "{document:?}");
    }
}
