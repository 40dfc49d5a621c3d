//! Requests that are refused, each with its status and the shape of its error.

use super::support::{KINDS, LIST, MARKDOWN, import, put, read, send};
use crate::support::{faults, on_both_databases};

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

on_both_databases! {
    async fn a_document_must_be_text_that_can_be_stored(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            for request in [("POST", path), ("PUT", location.as_str())] {
                for bytes in [&b"# \xff"[..], b"\xc3", b"a\0b"] {
                    let headers = [("content-type", "text/markdown"), ("if-match", "*")];
                    let refused = send(app, &ann, request, &headers, bytes).await;
                    assert_eq!(faults(&refused.error((400, "BAD_USER_INPUT"))), ["markdown invalid"], "{request:?}");
                }
            }
            assert_eq!(read(app, &ann, &location).await.body, document.as_bytes());
        }
    }

    #[flags("--limit-request-bytes", "4096")]
    async fn a_document_that_is_too_large_is_refused(app) {
        let ann = app.user("ann").await;
        for (path, _) in KINDS {
            assert_eq!(send(app, &ann, ("POST", path), &MARKDOWN, vec![b' '; 4_096]).await.status, 201);
            send(app, &ann, ("POST", path), &MARKDOWN, vec![b' '; 4_097]).await.error((413, "BAD_REQUEST"));
        }
    }

    async fn the_token_is_checked_before_the_document_is_read(app) {
        let large = || vec![b' '; 2 << 20];
        let ann = app.user("ann").await;
        let broken = app.with_token("broken");
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            for request in [("POST", path), ("PUT", &location), ("GET", &location)] {
                let none = send(app, &app.anonymous(), request, &MARKDOWN, large()).await;
                assert_eq!(none.error((401, "UNAUTHENTICATED"))["message"], "Authentication required");
                assert_eq!(none.header("www-authenticate"), "Bearer");
                let invalid = send(app, &broken, request, &[], large()).await;
                assert_eq!(invalid.error((401, "UNAUTHENTICATED"))["message"], "Invalid token");
                assert!(invalid.header("www-authenticate").starts_with("Bearer error=\"invalid_token\""));
                assert_eq!(invalid.header("cache-control"), "no-store");
            }
            send(app, &ann, ("POST", path), &MARKDOWN, large()).await.error((413, "BAD_REQUEST"));
            put(app, &ann, &location, Some(("if-match", "*")), large()).await.error((413, "BAD_REQUEST"));
        }
    }

    async fn content_codings_are_refused(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let headers = [("content-type", "text/markdown"), ("content-encoding", "gzip")];
            let refused = send(app, &ann, ("POST", path), &headers, document).await;
            refused.error((415, "BAD_REQUEST"));
            assert_eq!(refused.header("accept-encoding"), "identity");
            let refused = send(app, &ann, ("POST", path), &[], document).await;
            refused.error((415, "BAD_REQUEST"));
            assert_eq!(refused.header("accept-encoding"), "");
        }
    }

    async fn other_methods_get_405_with_the_allowed_methods(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
                let refused = send(app, &ann, (method, path), &[], "").await;
                assert_eq!((refused.status, refused.header("allow")), (405, "POST"), "{method}");
            }
            for method in ["POST", "DELETE", "PATCH", "OPTIONS"] {
                let refused = send(app, &ann, (method, &location), &[], "").await;
                refused.error((405, "BAD_REQUEST"));
                assert_eq!(refused.header("allow"), "GET,HEAD,PUT", "{method}");
            }
        }
    }

    async fn an_id_must_be_a_uuid_that_exists(app) {
        let ann = app.user("ann").await;
        for (path, document) in KINDS {
            let condition = Some(("if-match", "*"));
            for id in ["1", "x%2Fy", "00000000000070008000000000000000", ""] {
                let location = format!("{path}/{id}.md");
                for refused in [send(app, &ann, ("GET", &location), &[], "").await, put(app, &ann, &location, condition, document).await] {
                    assert_eq!(faults(&refused.error((400, "BAD_USER_INPUT"))), ["id invalid"], "{location}");
                }
            }
            let location = format!("{path}/{UNKNOWN}.md");
            send(app, &ann, ("GET", &location), &[], "").await.error((404, "NOT_FOUND"));
            put(app, &ann, &location, condition, document).await.error((404, "NOT_FOUND"));
            for location in [format!("{path}/{UNKNOWN}"), format!("{path}/{UNKNOWN}.txt"), format!("{path}/"), format!("{path}/a/b.md")] {
                send(app, &ann, ("GET", &location), &[], "").await.error((404, "NOT_FOUND"));
            }
        }
    }

    async fn the_id_of_the_other_kind_is_not_found(app) {
        let ann = app.user("ann").await;
        for ((path, document), (other, _)) in [(KINDS[0], KINDS[1]), (KINDS[1], KINDS[0])] {
            let location = import(app, &ann, path, document).await.replace(path, other);
            send(app, &ann, ("GET", &location), &[], "").await.error((404, "NOT_FOUND"));
        }
    }

    async fn all_faults_of_the_address_are_reported_together(app) {
        let ann = app.user("ann").await;
        let refused = put(app, &ann, "/lists/1.md?conflicts=x", None, LIST).await;
        assert_eq!(faults(&refused.error((400, "BAD_USER_INPUT"))), ["id invalid", "conflicts invalid"]);
    }

    async fn two_authorization_headers_are_refused(app) {
        let headers = [("authorization", "Bearer a"), ("authorization", "Bearer a")];
        send(app, &app.anonymous(), ("POST", "/lists"), &headers, LIST).await.error((400, "BAD_REQUEST"));
    }

    async fn the_request_id_of_the_client_is_in_the_error(app) {
        let refused = send(app, &app.anonymous(), ("GET", "/lists/1.md"), &[("x-request-id", "mine")], "").await;
        assert_eq!(refused.error((401, "UNAUTHENTICATED"))["extensions"]["requestId"], "mine");
    }

    #[flags("--cors-origins", "https://app.example.com")]
    async fn pages_of_listed_origins_may_use_the_routes(app) {
        let ann = app.user("ann").await;
        let origin = ("origin", "https://app.example.com");
        for (path, document) in KINDS {
            let location = import(app, &ann, path, document).await;
            let asked = [origin, ("access-control-request-method", "PUT"),
                         ("access-control-request-headers", "authorization,content-type,if-match,if-none-match")];
            let preflight = send(app, &app.anonymous(), ("OPTIONS", &location), &asked, "").await;
            assert_eq!(preflight.status, 200);
            assert_eq!(preflight.header("access-control-allow-methods"), "GET,POST,PUT");
            let allowed = preflight.header("access-control-allow-headers");
            assert!(["authorization", "if-match", "if-none-match"].iter().all(|name| allowed.contains(name)), "{allowed}");
            let found = send(app, &ann, ("GET", &location), &[origin], "").await;
            assert_eq!(found.header("access-control-allow-origin"), origin.1);
            let exposed = found.header("access-control-expose-headers");
            assert!(["etag", "location"].iter().all(|name| exposed.split(',').any(|header| header == *name)), "{exposed}");
        }
    }
}
