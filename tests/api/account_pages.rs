//! The pages that the links of mails lead to: bytes, headers and methods, and that their operations are trusted
//! documents. `tests/browser` presses their buttons.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt;

use crate::support::{ServerEnv, TestApp, Value, code, json, on_both_databases};

const PAGES: [&str; 2] = ["/account/reset-password", "/account/verify-email"];
const FILES: [(&str, &str); 4] = [
    (PAGES[0], "text/html; charset=utf-8"),
    (PAGES[1], "text/html; charset=utf-8"),
    ("/account/page.js", "text/javascript; charset=utf-8"),
    ("/account/page.css", "text/css; charset=utf-8"),
];

/// The status, the headers without the request id, and the body.
type Answer = (StatusCode, Vec<(String, String)>, String);

async fn send(app: &TestApp, method: Method, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let request = Request::builder().method(method).uri(uri);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let (parts, body) = app.send(request.body(Body::empty()).expect("a valid request")).await.into_parts();
    let body = body.collect().await.expect("the body is complete").to_bytes();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let named = parts.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = named.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    (parts.status, headers, text(&body))
}

async fn get(app: &TestApp, uri: &str) -> Answer {
    send(app, Method::GET, uri, &[]).await
}

fn header<'a>((_, headers, _): &'a Answer, name: &str) -> &'a str {
    headers.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
}

on_both_databases! {
    async fn the_account_pages_have_strict_headers(app) {
        for (path, media_type) in FILES {
            let page = get(app, path).await;
            assert_eq!((page.0, header(&page, "content-type")), (StatusCode::OK, media_type), "{path}");
            for (name, value) in [
                ("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-content-type-options", "nosniff"),
                ("set-cookie", ""),
            ] {
                assert_eq!(header(&page, name), value, "{path}: {name}");
            }
            let policy = header(&page, "content-security-policy");
            assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
        }
    }

    async fn the_account_pages_are_the_same_for_every_request(app) {
        let ann = app.user("ann").await;
        let token = format!("Bearer {}", ann.token());
        let headers = [
            ("host", "evil.example.com"), ("x-forwarded-host", "evil.example.com"), ("x-forwarded-proto", "https"),
            ("origin", "https://evil.example.com"), ("referer", "https://evil.example.com/"), ("accept", "application/json"),
            ("accept-language", "de"), ("accept-encoding", "gzip"), ("cookie", "a=b"), ("authorization", &token),
            ("if-none-match", "*"), ("range", "bytes=0-9"), ("user-agent", "a scanner of links"),
        ];
        for (path, _) in FILES {
            let plain = get(app, path).await;
            let other = send(app, Method::GET, &format!("{path}?token=x&%00"), &headers).await;
            assert_eq!(other, plain, "{path}");
            let (status, head, body) = send(app, Method::HEAD, path, &headers).await;
            assert_eq!((status, &head, body.as_str()), (StatusCode::OK, &plain.1, ""), "{path}");
        }
    }

    async fn account_pages_refuse_other_methods_with_405(app) {
        for (path, _) in FILES {
            for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
                let answer = send(app, method.parse().expect("a method"), path, &[]).await;
                assert_eq!((answer.0, header(&answer, "allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET,HEAD"), "{method} {path}");
                let body: Value = serde_json::from_str(&answer.2).expect("JSON");
                assert_eq!(code(&body["errors"][0]), "BAD_REQUEST");
            }
        }
    }

    /// A relative redirect is right under every path prefix, and browsers keep the fragment.
    async fn a_slash_after_the_name_of_an_account_page_is_removed(app) {
        for path in PAGES {
            let answer = get(app, &format!("{path}/")).await;
            let location = path.replacen("/account", "..", 1);
            assert_eq!((answer.0, header(&answer, "location")), (StatusCode::TEMPORARY_REDIRECT, location.as_str()));
        }
        for path in ["/account", "/account/", "/account/operations.json", "/account/reset-password/page.js"] {
            assert_eq!(get(app, path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }

    async fn urls_in_the_account_pages_are_relative(app) {
        for path in PAGES {
            let (_, _, html) = get(app, path).await;
            let urls = html.split(['"', '\'']).filter(|part| part.contains('/') && !part.contains(['<', ' ']));
            assert_eq!(urls.collect::<Vec<_>>(), Vec::<&str>::new(), "{path}");
            assert!(html.contains("\"page.js\"") && html.contains("\"page.css\""), "{html}");
        }
        let (_, _, script) = get(app, "/account/page.js").await;
        assert!(script.contains("fetch(\"../graphql\"") && !script.contains("\"/"), "{script}");
    }

    #[flags("--graphiql", "false", "--introspection", "false")]
    async fn the_account_pages_do_not_depend_on_the_playground(app) {
        for (path, _) in FILES {
            assert_eq!(get(app, path).await.0, StatusCode::OK, "{path}");
        }
    }
}

/// Links that lead to another application.
const TEMPLATES: [(&str, &str); 2] = [
    ("RESET_URL_TEMPLATE", "https://tasks.example.com/reset#{token}"),
    ("VERIFY_URL_TEMPLATE", "https://tasks.example.com/verify#{token}"),
];

#[test]
fn account_pages_that_are_switched_off_do_not_exist_and_their_operations_are_not_trusted() {
    let env = ServerEnv::new().with("TRUSTED_DOCUMENTS", "manifest.json").with("ACCOUNT_PAGES", "false");
    env.write("manifest.json", &json!({ "other": "{ __typename }" }).to_string());
    let server = TEMPLATES.into_iter().fold(env, |env, (name, value)| env.with(name, value)).start(&[]);
    for path in FILES.map(|(path, _)| path).into_iter().chain(["/account/reset-password/"]) {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    let with_pages = ServerEnv::new().start(&[]);
    for (name, text) in operations(&with_pages.get("/account/page.js").body) {
        let response = server.post("", &text, &json!({})).json();
        assert_eq!(response["errors"][0]["message"], REFUSAL, "{name}");
    }
    assert_eq!(server.post("", "{ __typename }", &json!({})).json()["data"]["__typename"], "Query");
}

const REFUSAL: &str = "The server executes only its trusted documents.";

/// The operations at the beginning of the script of the pages, by their names.
fn operations(script: &str) -> Vec<(String, String)> {
    let json = script.strip_prefix("const OPERATIONS = ").expect("the operations come first");
    let operations: Value =
        serde_json::Deserializer::from_str(json).into_iter().next().expect("a value").expect("JSON");
    let operations = operations.as_object().expect("an object").clone();
    operations.into_iter().map(|(name, text)| (name, text.as_str().expect("a text").to_owned())).collect()
}

#[test]
fn the_operations_of_the_account_pages_are_trusted_documents() {
    let env = ServerEnv::new().with("TRUSTED_DOCUMENTS", "manifest.json").with("INTROSPECTION", "false");
    env.write("manifest.json", &json!({ "other": "{ __typename }" }).to_string());
    let server = env.with("GRAPHIQL", "false").start(&[]);
    let operations = operations(&server.get("/account/page.js").body);
    assert_eq!(operations.len(), 3);
    let token = "0".repeat(44);
    let input = json!({ "token": token, "newPassword": "correct-horse-2" });
    for (name, text) in &operations {
        let (variables, expected) = match name.as_str() {
            "resetPassword" => (json!({ "input": input }), json!("INVALID_CREDENTIALS")),
            "verifyEmail" => (json!({ "token": token }), json!("INVALID_CREDENTIALS")),
            _ => (json!({}), Value::Null),
        };
        let response = server.post("", text, &variables).json();
        assert_eq!(response["errors"][0]["extensions"]["code"], expected, "{name}");
        let changed = server.post("", &format!("{text} "), &variables).json();
        assert_eq!(changed["errors"][0]["message"], REFUSAL, "{name}");
        let by_id = server.connect().post_body("", &json!({ "documentId": name })).json();
        assert_eq!(code(&by_id["errors"][0]), "PERSISTED_QUERY_NOT_FOUND", "{name}");
    }
    let (_, rules) = operations.iter().find(|(name, _)| name == "serverInfo").expect("it asks for the rules");
    let response = server.post("", rules, &json!({})).json();
    assert_eq!(response["data"]["serverInfo"]["passwordRules"].as_array().map(Vec::len), Some(4));
}
