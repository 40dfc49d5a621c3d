//! The use of API keys: what identifies them, when they were used, and which tokens are refused.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Request, header};
use chrono::{DateTime, TimeDelta, Utc};

use super::{ME, REVOKE, assert_refused, created, listed, works};
use crate::support::{GraphqlResponse, TestApp, Value, json, on_both_databases};

const UNKNOWN: &str = "taskhold_key_AbCdEfGhIjKlMnOpQrStUvWxYz01234567894FcdCf";

/// A request with this URL, authorization and cookie.
async fn request(
    app: &TestApp,
    uri: &str,
    authorization: &str,
    cookie: &str,
    body: Value,
) -> GraphqlResponse {
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, authorization)
        .header(header::COOKIE, cookie);
    GraphqlResponse::of(app, request.body(Body::from(body.to_string())).expect("a valid request")).await
}

on_both_databases! {
    async fn a_request_knows_its_key(app) {
        let ann = app.user("ann").await;
        let current = "{ currentApiKey { id name current } me { username } }";
        assert_eq!(ann.data(current, json!({})).await, json!({ "currentApiKey": null, "me": { "username": "ann" } }));
        let (key, id) = ann.api_key(&["ACCOUNT"]).await;
        let (reader, other) = ann.api_key(&["TASKS_READ"]).await;
        for (actor, id) in [(&key, &id), (&reader, &other)] {
            let data = actor.data(current, json!({})).await;
            assert_eq!(data["currentApiKey"], json!({ "id": id, "name": "a key of ann@example.com", "current": true }));
        }
        let is_current = |list: Vec<Value>| list.iter().map(|key| key["current"] == true).collect::<Vec<_>>();
        assert_eq!(is_current(listed(&key).await), [false, true]);
        assert_eq!(is_current(listed(&ann).await), [false, false]);
        let node = "query($id: ID!) { node(id: $id) { ... on ApiKey { id current scopes } } }";
        let own = json!({ "id": other, "current": true, "scopes": ["TASKS_READ"] });
        assert_eq!(reader.data(node, json!({ "id": other })).await["node"], own);
        assert_eq!(reader.data(node, json!({ "id": id })).await["node"], Value::Null);
        assert_eq!(key.data(node, json!({ "id": other })).await["node"]["current"], false);
        assert_eq!(app.user("bob").await.data(node, json!({ "id": id })).await["node"], Value::Null);
    }

    async fn a_key_acts_for_its_user_only(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let key = ann.api_key(&["TASKS_WRITE"]).await.0;
        let task = key.task("by a script").await;
        assert_eq!(ann.read(&task).await["title"], "by a script");
        let bobs = bob.task("bob's").await;
        let get = "query($id: ID!) { task(id: $id) { id } }";
        assert_eq!(key.execute(get, json!({ "id": bobs })).await.code(), "FORBIDDEN");
    }

    async fn a_malformed_token_is_refused_without_the_database(app) {
        let ann = app.user("ann").await;
        let token = ann.api_key(&["ACCOUNT"]).await.0.token().to_owned();
        let replaced = |at: usize, by: &str| format!("{}{by}{}", &token[..at], &token[at + 1..]);
        let other = |at: usize| if &token[at..=at] == "x" { "y" } else { "x" };
        let malformed = [
            replaced(20, other(20)), replaced(48, other(48)), replaced(54, other(54)), token[..54].to_owned(),
            format!("{token}0"), token.to_uppercase(), replaced(20, "-"), replaced(20, "é"), "taskhold_key_".to_owned(),
        ];
        for token in &malformed {
            let (statements, response) = app.statements(app.with_token(token).execute(ME, json!({}))).await;
            // A header is bytes, and the é is two of them.
            assert_refused(&response, "Invalid token");
            assert_eq!(statements, Vec::<String>::new(), "{token}");
        }
        let (statements, response) = app.statements(app.with_token(UNKNOWN).execute(ME, json!({}))).await;
        assert_refused(&response, "Invalid token");
        assert_eq!(statements.len(), 1, "{statements:?}");
    }

    async fn a_key_that_was_used_recently_is_not_read_again(app) {
        let key = app.user("ann").await.api_key(&["TASKS_READ"]).await.0;
        key.data("{ tasks { totalCount } }", json!({})).await;
        let (statements, _) = app.statements(key.data("{ tasks { totalCount } }", json!({}))).await;
        assert!(!statements.iter().any(|sql| sql.contains("api_keys")), "{statements:?}");
    }

    async fn a_token_is_taken_from_the_header_only(app) {
        let token = app.user("ann").await.api_key(&["ACCOUNT"]).await.0.token().to_owned();
        let body = json!({ "query": ME, "token": token, "variables": { "authorization": token } });
        let encoded = format!("/graphql?token={token}&access_token={token}&authorization={token}");
        let cookie = format!("token={token}; authorization=Bearer {token}");
        let works = async |authorization: &str| {
            request(app, &encoded, authorization, &cookie, body.clone()).await.status == 200
        };
        assert!(!works("").await && !works(&token).await && !works(&format!("Token {token}")).await);
        assert!(works(&format!("Bearer {token}")).await);
    }

    async fn the_last_use_is_recorded_in_the_background_at_most_once_a_minute(app) {
        let ann = app.user("ann").await;
        let key = ann.api_key(&["TASKS_READ"]).await.0;
        let writes = Arc::new(AtomicUsize::new(0));
        let counter = writes.clone();
        app.on_statement(move |sql| {
            if sql.starts_with("UPDATE \"api_keys\" SET \"last_used_at\"") {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        let used = async || listed(&ann).await[0].clone();
        let begun = app.clock.now();
        while used().await["lastUsedAt"].is_null() {
            assert!(works(&key).await && app.clock.now() - begun < TimeDelta::seconds(10));
        }
        for _ in 0..20 {
            assert!(works(&key).await);
        }
        let used = used().await;
        let time = used["lastUsedAt"].as_str().expect("a time").parse::<DateTime<Utc>>().expect("a time");
        assert!(time >= begun, "{used}");
        assert!(used["lastUsedIpAddress"].as_str().is_some_and(|address| address.parse::<IpAddr>().is_ok()), "{used}");
        assert_eq!(writes.load(Ordering::Relaxed), 1);
    }

    async fn revoking_an_unknown_key_or_one_of_another_user_fails(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let (key, id) = ann.api_key(&["TASKS_READ"]).await;
        let error = bob.error(REVOKE, json!({ "id": id })).await;
        assert_eq!((&error["extensions"]["code"], &error["extensions"]["required"]), (&json!("FORBIDDEN"), &Value::Null));
        let unknown = json!({ "id": "00000000-0000-7000-8000-000000000000" });
        assert_eq!(bob.execute(REVOKE, unknown).await.code(), "NOT_FOUND");
        assert!(works(&key).await);
        assert_eq!(ann.data(REVOKE, json!({ "id": id })).await["revokeApiKey"]["revokedApiKeyId"], id);
        assert_eq!(ann.execute(REVOKE, json!({ "id": id })).await.code(), "NOT_FOUND");
    }

    async fn a_key_revokes_itself_with_any_scope_but_no_other(app) {
        let ann = app.user("ann").await;
        let other = created(&ann, json!({})).await["apiKey"]["id"].clone();
        for scope in ["TASKS_READ", "TASKS_WRITE", "ACCOUNT"] {
            let (key, id) = ann.api_key(&[scope]).await;
            for id in [&other, &json!("x")] {
                assert_eq!(key.error(REVOKE, json!({ "id": id })).await["extensions"]["required"], "SESSION", "{scope}");
            }
            assert_eq!(key.data(REVOKE, json!({ "id": id })).await["revokeApiKey"]["revokedApiKeyId"], id);
            assert!(!works(&key).await, "{scope}");
        }
        assert_eq!(listed(&ann).await.len(), 1);
    }
}
