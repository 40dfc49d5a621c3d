//! GraphQL over HTTP: methods, media types, headers, CORS, health routes and the playground.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};

use crate::support::{GraphqlResponse, TestApp, Value, json, on_both_databases};

const JSON: &str = "application/json; charset=utf-8";
const NEWER: &str = "application/graphql-response+json; charset=utf-8";
const NEWER_NAME: &str = "application/graphql-response+json";

/// Sends a request with these headers and this body.
async fn send(
    app: &TestApp,
    method: Method,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> GraphqlResponse {
    let request = Request::builder().method(method).uri(uri);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    GraphqlResponse::of(app, request.body(Body::from(body.to_owned())).expect("a valid request")).await
}

async fn post(app: &TestApp, accept: &str, body: &str) -> GraphqlResponse {
    let headers = [("content-type", "application/json"), ("accept", accept)];
    send(app, Method::POST, "/graphql", &headers, body).await
}

async fn get(app: &TestApp, uri: &str, accept: &str) -> GraphqlResponse {
    send(app, Method::GET, uri, &[("accept", accept)], "").await
}

fn content_type(response: &GraphqlResponse) -> &str {
    response.header("content-type")
}

on_both_databases! {
    async fn get_executes_queries_but_not_mutations(app) {
        let response = get(app, "/graphql?query=%7BserverInfo%7Bversion%7D%7D", "application/json").await;
        assert_eq!((response.status, content_type(&response)), (StatusCode::OK, JSON));
        assert_eq!(response.body["data"]["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));

        let uri = "/graphql?query=mutation%20M%7Blogout%7Bsuccess%7D%7D%20query%20Q%7B__typename%7D";
        let response = get(app, &format!("{uri}&operationName=M"), "*/*").await;
        assert_eq!((response.status, response.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
        assert_eq!(response.error()["extensions"]["status"], 405);
        assert_eq!(response.code(), "BAD_REQUEST");
        let response = get(app, &format!("{uri}&operationName=Q"), "*/*").await;
        assert_eq!(response.body["data"]["__typename"], "Query");
    }

    async fn get_accepts_variables_and_operation_name(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        let uri = "/graphql?query=query%20Q(%24n%3A%20Int)%7Btasks(first%3A%20%24n)%7Bnodes%7Btitle%7D%7D%7D\
                   &variables=%7B%22n%22%3A1%7D&operationName=Q";
        let token = format!("bearer {}", ann.token());
        let response = send(app, Method::GET, uri, &[("authorization", &token)], "").await;
        assert_eq!(response.body["data"]["tasks"]["nodes"], json!([{ "title": "one" }]));
        assert_eq!(response.header("cache-control"), "no-store");
    }

    async fn document_errors_have_the_status_that_the_media_type_requires(app) {
        for query in ["{", "{ nope }", "query($x: Int!) { __typename @include(if: $x) }", "{ a { a } }"] {
            let body = json!({ "query": query }).to_string();
            let response = post(app, "application/json", &body).await;
            assert_eq!((response.status, content_type(&response)), (StatusCode::OK, JSON), "{query}");
            let newer = post(app, NEWER_NAME, &body).await;
            assert_eq!((newer.status, content_type(&newer)), (StatusCode::BAD_REQUEST, NEWER), "{query}");
            for response in [response, newer] {
                assert!(response.body.get("data").is_none() && response.body["errors"].is_array(), "{:#}", response.body);
            }
        }
    }

    async fn request_errors_have_the_same_status_in_every_media_type(app) {
        let long = format!("{{\"query\": \"{}\"}}", " ".repeat(1 << 20));
        let deep = format!("{{\"query\": \"{{__typename}}\", \"variables\": {{\"a\": {}{} }} }}", "[".repeat(63), "]".repeat(63));
        for (body, status, code) in [
            ("", 400, "BAD_REQUEST"),
            ("nonsense", 400, "BAD_REQUEST"),
            ("[]", 400, "BAD_REQUEST"),
            ("[{\"query\": \"{__typename}\"}]", 400, "BAD_REQUEST"),
            ("\"{__typename}\"", 400, "BAD_REQUEST"),
            ("{}", 400, "BAD_REQUEST"),
            ("{\"query\": 5}", 400, "BAD_REQUEST"),
            ("{\"query\": \"{__typename}\", \"query\": \"{me{id}}\"}", 400, "BAD_REQUEST"),
            ("{\"query\": \"{__typename}\", \"variables\": []}", 400, "BAD_REQUEST"),
            ("{\"query\": \"{__typename}\", \"variables\": \"{}\"}", 400, "BAD_REQUEST"),
            ("{\"query\": \"{__typename}\", \"operationName\": 1}", 400, "BAD_REQUEST"),
            ("{\"query\": \"{__typename}\", \"extensions\": 1}", 400, "BAD_REQUEST"),
            (long.as_str(), 413, "BAD_REQUEST"),
        ] {
            for accept in ["application/json", NEWER_NAME] {
                let response = post(app, accept, body).await;
                let shown: String = body.chars().take(60).collect();
                assert_eq!(response.status.as_u16(), status, "{shown}");
                let error = response.error();
                assert_eq!((response.code().as_str(), &error["extensions"]["status"]), (code, &json!(status)), "{shown}");
                assert!(error["extensions"]["requestId"].is_string());
            }
        }
        assert_eq!(post(app, NEWER_NAME, &deep).await.code(), "QUERY_TOO_COMPLEX");
    }

    async fn only_json_bodies_are_accepted(app) {
        let body = r#"{"query": "{__typename}"}"#;
        for (content_type, status) in [
            ("application/json", 200), ("application/json; charset=utf-8", 200), ("Application/JSON;charset=\"UTF-8\"", 200),
            ("application/json; charset=latin1", 415), ("text/plain", 415), ("application/graphql", 415),
            ("multipart/form-data; boundary=x", 415), ("application/x-www-form-urlencoded", 415), ("", 415),
        ] {
            let response = send(app, Method::POST, "/graphql", &[("content-type", content_type)], body).await;
            assert_eq!(response.status.as_u16(), status, "{content_type}");
        }
        assert_eq!(send(app, Method::POST, "/graphql", &[], body).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    async fn the_response_has_the_media_type_that_the_client_prefers(app) {
        for (accept, expected) in [
            ("*/*", JSON), ("application/*", JSON), ("application/json", JSON), (NEWER_NAME, NEWER),
            ("application/graphql-response+json, application/json;q=0.9", NEWER),
            ("application/graphql-response+json;q=0.5, application/json", JSON),
            ("application/graphql-response+json, */*;q=0.1", NEWER),
            ("text/html;q=0.4, application/json;q=0.5", JSON),
        ] {
            let response = post(app, accept, r#"{"query": "{__typename}"}"#).await;
            assert_eq!((response.status, content_type(&response)), (StatusCode::OK, expected), "{accept}");
        }
        for accept in ["text/html", "image/*", "application/json;q=0", "nonsense"] {
            assert_eq!(post(app, accept, r#"{"query": "{__typename}"}"#).await.status, StatusCode::NOT_ACCEPTABLE, "{accept}");
        }
    }

    async fn other_methods_get_405_with_the_allowed_methods(app) {
        for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let response = send(app, method, "/graphql", &[], "").await;
            assert_eq!((response.status, response.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, POST"));
            assert_eq!(response.code(), "BAD_REQUEST");
        }
    }

    async fn two_authorization_headers_are_refused(app) {
        let headers = [("content-type", "application/json"), ("authorization", "Bearer a"), ("authorization", "Bearer a")];
        let response = send(app, Method::POST, "/graphql", &headers, r#"{"query": "{__typename}"}"#).await;
        assert_eq!((response.status, response.code().as_str()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"));
    }

    async fn only_the_bearer_scheme_authenticates(app) {
        let ann = app.user("ann").await;
        let message = async |value: &str| {
            let headers = [("content-type", "application/json"), ("authorization", value)];
            let response = send(app, Method::POST, "/graphql", &headers, r#"{"query": "{me{id}}"}"#).await;
            (response.status.as_u16(), response.header("www-authenticate").to_owned(), response.body["errors"][0]["message"].clone())
        };
        let invalid = || (401, r#"Bearer error="invalid_token", error_description="Invalid token""#.to_owned(), json!("Invalid token"));
        let none = || (401, "Bearer".to_owned(), json!("Authentication required"));
        let good = || (200, String::new(), Value::Null);
        for (value, expected) in [
            (format!("Bearer {}", ann.token()), good()), (format!("bEARER  {}", ann.token()), good()),
            ("Basic YTpi".into(), none()), (String::new(), none()), (ann.token().to_owned(), none()),
            ("Bearer".into(), invalid()), ("Bearer ".into(), invalid()), ("Bearer x y".into(), invalid()),
            (format!("Bearer {}", "a".repeat(5_000)), invalid()),
        ] {
            assert_eq!(message(&value).await, expected, "{value}");
        }
    }

    async fn public_fields_can_be_requested_with_an_invalid_token(app) {
        let broken = app.with_token("broken");
        let response = broken.execute("{ serverInfo { version } }", json!({})).await;
        assert_eq!((response.status, response.body.get("errors")), (StatusCode::OK, None));
        let mixed = broken.execute("{ serverInfo { version } task(id: \"x\") { id } }", json!({})).await;
        assert_eq!(mixed.status, StatusCode::OK);
        assert!(mixed.body["data"]["serverInfo"]["version"].is_string(), "{:#}", mixed.body);
        assert_eq!(mixed.code(), "UNAUTHENTICATED");
    }

    async fn an_operation_without_any_data_gets_an_error_status(app) {
        let queries = ["{ me { id } }", "{ __typename me { id } task(id: \"x\") { id } }",
                       "mutation { createTask(input: { title: \"x\" }) { task { id } } }"];
        for query in queries {
            let response = app.anonymous().execute(query, json!({})).await;
            assert_eq!((response.status, response.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"), "{query}");
            assert_eq!(response.body.get("data"), None);
        }
    }

    async fn every_response_has_its_request_id(app) {
        let sent = async |id: &str| send(app, Method::GET, "/healthz", &[("x-request-id", id)], "").await.header("x-request-id").to_owned();
        for id in ["a", "A-z_0.9", &"x".repeat(128)] {
            assert_eq!(sent(id).await, id);
        }
        for id in ["", "a b", "ä", &"x".repeat(129), "<script>"] {
            let made = sent(id).await;
            assert!(made != id && made.len() == 36, "{made}");
        }
        let response = post(app, "*/*", r#"{"query": "{"}"#).await;
        assert_eq!(response.error()["extensions"]["requestId"], response.header("x-request-id"));
        assert_eq!(response.header("x-content-type-options"), "nosniff");
    }

    async fn health_and_readiness_routes_respond(app) {
        assert_eq!(get(app, "/healthz", "*/*").await.status, StatusCode::OK);
        assert_eq!(get(app, "/readyz", "*/*").await.status, StatusCode::OK);
        let nothing = get(app, "/nothing", "*/*").await;
        assert_eq!((nothing.status, nothing.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
        let wrong = send(app, Method::POST, "/healthz", &[], "").await;
        assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "BAD_REQUEST"));
    }

    async fn browsers_get_the_playground_with_a_strict_content_security_policy(app) {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let page = get(app, "/graphql", browser).await;
        assert_eq!((page.status, content_type(&page)), (StatusCode::OK, "text/html; charset=utf-8"));
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(get(app, "/playground/licences.txt", "*/*").await.status, StatusCode::OK);
        assert_eq!(get(app, "/", browser).await.header("location"), "graphql");
        assert_eq!(get(app, "/graphql", "*/*").await.status, StatusCode::BAD_REQUEST);
    }

    async fn a_trailing_slash_is_ignored_and_redirects_browsers(app) {
        let headers = [("content-type", "application/json")];
        let response = send(app, Method::POST, "/graphql/", &headers, r#"{"query": "{__typename}"}"#).await;
        assert_eq!((response.status, &response.body["data"]["__typename"]), (StatusCode::OK, &json!("Query")));
        let response = get(app, "/graphql/?query=%7B__typename%7D", "application/json").await;
        assert_eq!((response.status, &response.body["data"]["__typename"]), (StatusCode::OK, &json!("Query")));
        assert_eq!(send(app, Method::PUT, "/graphql/", &[], "").await.status, StatusCode::METHOD_NOT_ALLOWED);
        for (uri, location) in [("/graphql/", "../graphql"), ("/graphql/?query=%7Bme%7Bid%7D%7D", "../graphql?query=%7Bme%7Bid%7D%7D")] {
            let response = get(app, uri, "text/html").await;
            assert_eq!((response.status, response.header("location")), (StatusCode::TEMPORARY_REDIRECT, location));
        }
    }

    async fn urls_in_the_playground_are_relative(app) {
        let request = Request::get("/graphql").header("accept", "text/html").body(Body::empty()).expect("valid");
        let page = axum::body::to_bytes(app.send(request).await.into_body(), 1 << 20).await.expect("a page");
        let page = String::from_utf8(page.to_vec()).expect("text");
        assert!(page.contains("\"playground/playground.js\"") && !page.contains("\"/"), "{page}");
    }

    async fn playground_assets_support_gzip_and_etags(app) {
        for asset in ["/playground/playground.js", "/playground/playground.css"] {
            let get = async |headers: &[(&str, &str)]| send(app, Method::GET, asset, headers, "").await;
            for refused in ["", "br, identity", "gzip;q=0", "gzip; q=0.0"] {
                let plain = get(&[("accept-encoding", refused)]).await;
                assert_eq!((plain.status, plain.header("content-encoding")), (StatusCode::OK, ""), "{refused}");
                assert_eq!(plain.header("vary"), "accept-encoding");
            }
            for taken in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5"] {
                let packed = get(&[("accept-encoding", taken)]).await;
                assert_eq!((packed.status, packed.header("content-encoding")), (StatusCode::OK, "gzip"), "{taken}");
                assert_eq!(packed.header("vary"), "accept-encoding");
            }
            let tag = get(&[]).await.header("etag").to_owned();
            let again = get(&[("if-none-match", &tag)]).await;
            assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, tag.as_str()));
            let other = get(&[("if-none-match", "W/\"of another version\"")]).await;
            assert_eq!((other.status, other.header("cache-control")), (StatusCode::OK, "no-cache"));
        }
    }

    #[flags("--graphiql", "false")]
    async fn the_playground_can_be_disabled(app) {
        assert_eq!(get(app, "/graphql", "text/html").await.status, StatusCode::NOT_ACCEPTABLE);
        assert_eq!(get(app, "/playground/playground.js", "*/*").await.status, StatusCode::NOT_FOUND);
    }

    #[flags("--introspection", "false")]
    async fn without_introspection_errors_suggest_no_names(app) {
        let response = app.anonymous().execute("{ __schema { types { name } } }", json!({})).await;
        assert_eq!(response.code(), "BAD_REQUEST");
        let response = app.anonymous().execute("{ taskz { id } serverInf { version } }", json!({})).await;
        assert!(!response.body.to_string().to_lowercase().contains("did you mean"), "{:#}", response.body);
        assert_eq!(app.anonymous().execute("{ __typename }", json!({})).await.body["data"]["__typename"], "Query");
    }

    #[flags("--cors-origins", "https://app.example.com, http://localhost:3000")]
    async fn only_listed_cors_origins_are_allowed(app) {
        let preflight = async |origin: &str| {
            let headers = [("origin", origin), ("access-control-request-method", "POST"),
                           ("access-control-request-headers", "authorization,content-type,apollo-require-preflight")];
            send(app, Method::OPTIONS, "/graphql", &headers, "").await
        };
        for origin in ["https://app.example.com", "http://localhost:3000"] {
            let response = preflight(origin).await;
            assert_eq!(response.header("access-control-allow-origin"), origin);
            assert_eq!(response.header("access-control-allow-credentials"), "");
            assert_eq!(response.header("access-control-max-age"), "7200");
            let allowed = response.header("access-control-allow-headers");
            for name in ["authorization", "x-apollo-operation-name", "apollographql-client-version", "traceparent"] {
                assert!(allowed.contains(name), "{allowed}");
            }
            let headers = [("origin", origin), ("content-type", "application/json")];
            let response = send(app, Method::POST, "/graphql", &headers, r#"{"query": "{__typename}"}"#).await;
            assert_eq!(response.header("access-control-allow-origin"), origin);
            assert_eq!(response.header("access-control-expose-headers"), "x-request-id,retry-after,etag,location");
        }
        for origin in ["https://evil.example.com", "https://app.example.com.evil.com", "null", "http://app.example.com"] {
            assert_eq!(preflight(origin).await.header("access-control-allow-origin"), "", "{origin}");
        }
    }

    #[flags("--cors-origins", "HTTPS://App.Example.com:443,https://bücher.example,capacitor://LocalHost")]
    async fn cors_origins_are_compared_in_normalized_form(app) {
        for origin in ["https://app.example.com", "https://xn--bcher-kva.example", "capacitor://localhost"] {
            let headers = [("origin", origin), ("content-type", "application/json")];
            let response = send(app, Method::POST, "/graphql", &headers, r#"{"query": "{__typename}"}"#).await;
            assert_eq!(response.header("access-control-allow-origin"), origin);
        }
    }

    async fn without_listed_origins_cors_is_disabled(app) {
        let headers = [("origin", "https://app.example.com"), ("content-type", "application/json")];
        let response = send(app, Method::POST, "/graphql", &headers, r#"{"query": "{__typename}"}"#).await;
        assert_eq!((response.status, response.header("access-control-allow-origin")), (StatusCode::OK, ""));
        assert!(response.headers.get(header::ACCESS_CONTROL_ALLOW_METHODS).is_none());
    }
}
