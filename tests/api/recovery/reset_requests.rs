//! Requests for a new password: the same response and the same statements for every name, and a mail to the stored
//! address of an active account.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{NEW_PASSWORD, REQUEST_RESET, request_reset, reset, succeeds};
use crate::support::{GraphqlResponse, TestApp, code, faults, json, on_both_databases};

/// The SQL statements of one request that were run before the response, in their order: those of the asynchronous
/// task that inserts the row.
async fn statements_of_request(app: &TestApp, who: &str) -> (Vec<String>, GraphqlResponse) {
    let by_task = Arc::new(Mutex::new(BTreeMap::<String, Vec<String>>::new()));
    let recorded = by_task.clone();
    app.on_statement(move |sql| {
        let task = tokio::task::try_id().map(|id| id.to_string()).unwrap_or_default();
        recorded.lock().expect("no holder panics").entry(task).or_default().push(sql.to_owned());
    });
    let response = app.anonymous().execute(REQUEST_RESET, json!({ "who": who })).await;
    app.on_statement(|_| {});
    let by_task = by_task.lock().expect("no holder panics").clone();
    let inserts = |sql: &String| sql.starts_with("INSERT INTO \"reset_requests\"");
    let own = by_task.into_values().find(|statements| statements.iter().any(inserts));
    (own.expect("the request inserts a row"), response)
}

on_both_databases! {
    async fn the_mail_goes_to_the_stored_address_of_an_active_account_only(app) {
        let ann = app.user("ann").await;
        app.user("gone").await;
        app.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'gone'").await;
        app.record_mails().await;
        for who in ["unknown", "unknown@example.com", "gone", "gone@example.com", "a\0b", "ann@example.com\nbcc: x", "%"] {
            request_reset(app, who).await;
        }
        assert_eq!(app.queued_mails().await, Vec::<String>::new());
        for who in [" ANN@Example.com", "Ann"] {
            app.clock.advance(chrono::TimeDelta::minutes(2));
            request_reset(app, who).await;
            assert_eq!(app.queued_mails().await, ["reset-password: ann@example.com"], "{who}");
        }
        let response = reset(app, &app.link_token("RESET", &ann.email).await, NEW_PASSWORD).await;
        succeeds(&response);
        assert_eq!(response.body["data"]["resetPassword"]["email"], ann.email);
    }

    async fn every_name_gets_the_same_response_after_the_same_statements(app) {
        app.user("ann").await;
        app.user("gone").await;
        app.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'gone'").await;
        let (expected, known) = statements_of_request(app, "ann").await;
        assert!(!expected.iter().any(|sql| sql.contains("users")), "{expected:#?}");
        let message = "If there is such an account, a mail with a link is on its way.";
        assert_eq!(known.body, json!({ "data": { "requestPasswordReset": { "message": message } } }));
        let head = |response: &GraphqlResponse| {
            let mut headers = response.headers.clone();
            headers.remove("x-request-id");
            (response.status, headers)
        };
        // The second request for ann is beyond the limit of its address.
        for who in ["ann", "ann@example.com", "unknown", "unknown@example.com", "gone", "x\0", &"é".repeat(254)] {
            let (statements, response) = statements_of_request(app, who).await;
            assert_eq!(statements, expected, "{who}");
            assert_eq!((head(&response), &response.body), (head(&known), &known.body), "{who}");
        }
    }

    async fn a_blank_or_long_name_is_refused(app) {
        for (who, rule) in [("", "required"), (" \u{3000}", "required"), ("é".repeat(255).as_str(), "too_long")] {
            let error = app.anonymous().error(REQUEST_RESET, json!({ "who": who })).await;
            let expected = vec![format!("usernameOrEmail {rule}")];
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", expected));
        }
        assert!(app.rows("reset_requests").await.is_empty());
    }
}
