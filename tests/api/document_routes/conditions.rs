//! If-Match and If-None-Match.

use super::support::{KINDS, RouteResponse, id_of, import, put, read, send};
use crate::support::{Actor, json, on_both_databases};

/// Asserts that a condition was not met, and that the error names what the document is now.
async fn assert_failed(response: RouteResponse, actor: &Actor<'_>, location: &str, tag: &str) {
    let error = response.error((412, "CONFLICT"));
    let (current, other) = (&error["extensions"]["currentRevision"], &error["extensions"]["currentVersion"]);
    if location.starts_with("/lists") {
        assert_eq!(
            (format!("\"{}\"", current.as_str().expect("a revision")), other),
            (tag.to_owned(), &json!(null))
        );
    } else {
        assert_eq!((current, other), (&json!(null), &actor.read(id_of(location)).await["version"]));
    }
}

on_both_databases! {
    async fn if_match_names_the_documents_that_may_be_changed(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            let tag = read(app, &ann, &location).await.tag();
            let weak = format!("W/{tag}");
            for condition in ["\"other\"", &weak, "", "malformed", tag.trim_matches('"'), "\"a\", \"b\""] {
                let refused = put(app, &ann, &location, Some(("if-match", condition)), "# Other").await;
                assert_failed(refused, &ann, &location, &tag).await;
                let refused = send(app, &ann, ("GET", &location), &[("if-match", condition)], "").await;
                assert_failed(refused, &ann, &location, &tag).await;
            }
            for condition in ["*", &tag, &format!("\"other\", {tag}"), &format!("{weak},{tag}")] {
                let changed = put(app, &ann, &location, Some(("if-match", condition)), document).await;
                assert_eq!((changed.status, changed.tag()), (200, tag.clone()), "{condition}");
                assert_eq!(send(app, &ann, ("GET", &location), &[("if-match", condition)], "").await.status, 200);
            }
        }
    }

    async fn if_none_match_names_the_documents_that_must_not_be_changed(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            let tag = read(app, &ann, &location).await.tag();
            let put = async |condition: &str| {
                let headers = [("content-type", "text/markdown"), ("if-match", "*"), ("if-none-match", condition)];
                send(app, &ann, ("PUT", &location), &headers, document.replace("ships", "boats")).await
            };
            for condition in ["*", &tag, &format!("W/{tag}, \"other\"")] {
                assert_failed(put(condition).await, &ann, &location, &tag).await;
            }
            assert_eq!(put("\"other\"").await.status, 200);
            assert_eq!(String::from_utf8_lossy(&read(app, &ann, &location).await.body), document.replace("ships", "boats"));
        }
    }
}
