//! Requests that identify a document by its hash: automatic persisted queries, and manifests of trusted
//! documents.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sha2::{Digest, Sha256};

use crate::support::{Actor, GraphqlResponse, ServerEnv, Value, code, json, on_both_databases};

const QUERY: &str = "{ serverInfo { version } }";

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn persisted(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

/// A request body as Apollo Client and urql send it.
async fn by_hash(actor: &Actor<'_>, query: Option<&str>, hash: &str) -> GraphqlResponse {
    let mut body = json!({ "extensions": persisted(hash) });
    if let Some(query) = query {
        body["query"] = query.into();
    }
    actor.post(body).await
}

on_both_databases! {
    async fn a_document_sent_once_can_be_requested_by_its_hash(app) {
        let anonymous = app.anonymous();
        let unknown = by_hash(&anonymous, None, &hash(QUERY)).await;
        assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::OK, "PERSISTED_QUERY_NOT_FOUND"));
        assert_eq!((&unknown.error()["message"], unknown.body.get("data")), (&json!("PersistedQueryNotFound"), None));
        assert_eq!(unknown.header("cache-control"), "no-store");
        let sent = by_hash(&anonymous, Some(QUERY), &hash(QUERY)).await;
        let known = by_hash(&anonymous, None, &hash(QUERY)).await;
        assert_eq!(known.body, sent.body);
        assert!(known.body["data"]["serverInfo"]["version"].is_string());
        let extensions = persisted(&hash(QUERY)).to_string();
        let url = format!("/graphql?extensions={}", extensions.replace('"', "%22").replace('{', "%7B").replace('}', "%7D"));
        let by_get = GraphqlResponse::of(app, Request::get(url).body(Body::empty()).expect("a valid request")).await;
        assert_eq!(by_get.body, sent.body);
        let by_id = anonymous.post(json!({ "documentId": format!("sha256:{}", hash(QUERY)) })).await;
        assert_eq!(by_id.body, sent.body);
    }

    async fn a_hash_that_does_not_match_the_document_is_refused(app) {
        let wrong = by_hash(&app.anonymous(), Some(QUERY), &hash("something else")).await;
        assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"));
        assert_eq!(by_hash(&app.anonymous(), None, &hash("something else")).await.code(), "PERSISTED_QUERY_NOT_FOUND");
        for extension in [json!({ "version": 2, "sha256Hash": hash(QUERY) }), json!({ "version": 1 }), json!("x"), json!(null)] {
            let response = app.anonymous().post(json!({ "query": QUERY, "extensions": { "persistedQuery": extension } })).await;
            assert_eq!((response.status, response.code().as_str()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"), "{extension}");
        }
    }

    async fn documents_refused_by_the_guard_are_not_registered(app) {
        for bad in ["{", &format!("{{ {} }}", "me { id } ".repeat(400))] {
            assert!(by_hash(&app.anonymous(), Some(bad), &hash(bad)).await.body.get("errors").is_some());
            assert_eq!(by_hash(&app.anonymous(), None, &hash(bad)).await.code(), "PERSISTED_QUERY_NOT_FOUND");
        }
    }

    async fn a_mutation_by_its_hash_needs_post_too(app) {
        let logout = "mutation { logout { success } }";
        by_hash(&app.anonymous(), Some(logout), &hash(logout)).await;
        let url = format!("/graphql?documentId={}", hash(logout));
        let by_get = GraphqlResponse::of(app, Request::get(url).body(Body::empty()).expect("a valid request")).await;
        assert_eq!(by_get.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

/// The formats of manifests, all with the same document.
fn manifests() -> [Value; 3] {
    let text = json!({ hash(QUERY): QUERY });
    [
        text.clone(),
        // Relay's ids are MD5.
        json!({ "0123456789abcdef0123456789abcdef": QUERY, hash(QUERY): QUERY }),
        json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            { "id": hash(QUERY), "name": "Info", "type": "query", "body": QUERY },
        ] }),
    ]
}

#[test]
fn with_a_manifest_only_its_documents_are_executed() {
    for manifest in manifests() {
        let env = ServerEnv::new().with("TRUSTED_DOCUMENTS", "manifest.json");
        env.write("manifest.json", &manifest.to_string());
        let server = env.start(&[]);
        let mut client = server.connect();
        let mut post = |body: Value| client.post_body("", &body).json();
        let version = json!({ "serverInfo": { "version": env!("CARGO_PKG_VERSION") } });
        assert_eq!(post(json!({ "extensions": persisted(&hash(QUERY)) }))["data"], version);
        assert_eq!(post(json!({ "documentId": hash(QUERY) }))["data"], version);
        assert_eq!(post(json!({ "query": QUERY }))["data"], version);
        let other = post(json!({ "query": "{ __typename }" }));
        assert_eq!(code(&other["errors"][0]), "BAD_REQUEST", "{other}");
        let sent = json!({ "query": "{ __typename }", "extensions": persisted(&hash("{ __typename }")) });
        assert_eq!(code(&post(sent)["errors"][0]), "BAD_REQUEST");
        let unknown = post(json!({ "extensions": persisted(&hash("{ __typename }")) }));
        assert_eq!(code(&unknown["errors"][0]), "PERSISTED_QUERY_NOT_FOUND");
    }
}

#[test]
fn an_invalid_manifest_prevents_the_start() {
    for (name, text) in [("broken.json", "{"), ("list.json", "[]"), ("numbers.json", "{\"a\": 1}")] {
        let env = ServerEnv::new().with("TRUSTED_DOCUMENTS", name);
        env.write(name, text);
        let run = env.run(&[]);
        assert!(
            !run.success && run.stderr.contains("TRUSTED_DOCUMENTS") && run.stderr.contains(name),
            "{}",
            run.stderr
        );
    }
    let run = ServerEnv::new().with("TRUSTED_DOCUMENTS", "nowhere.json").run(&[]);
    assert!(!run.success && run.stderr.contains("TRUSTED_DOCUMENTS"), "{}", run.stderr);
}
