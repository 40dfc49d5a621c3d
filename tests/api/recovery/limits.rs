//! The limits of mails and of the requests for them.

use chrono::TimeDelta;

use super::mails::add_waiting_mails;
use super::{
    CHANGE_EMAIL, REQUEST_RESET, RESET, SEND_VERIFICATION, VERIFY, addresses, change_email, login,
    request_reset, requests_are_processed, succeeds,
};
use crate::api::ownership::row;
use crate::support::{Actor, GraphqlResponse, PASSWORD, TestApp, Value, json, on_both_databases};

/// The time that RATE_LIMITED tells to wait, in seconds.
fn retry_after(response: &GraphqlResponse) -> i64 {
    let error = response.error();
    assert_eq!((response.code().as_str(), response.status.as_u16()), ("RATE_LIMITED", 429), "{error:#}");
    let wait = error["extensions"]["retryAfter"].as_i64().expect("seconds");
    assert_eq!(response.header("retry-after"), wait.to_string());
    wait
}

async fn send(actor: &Actor<'_>) -> GraphqlResponse {
    actor.execute(SEND_VERIFICATION, json!({})).await
}

/// The operations that LIMIT_CREDENTIALS_PER_MINUTE counts since mails are sent, with variables that succeed or not.
fn counted(email: &str) -> [(&'static str, &'static str, Value); 6] {
    let change = json!({ "input": { "newEmail": email, "currentPassword": "wrong-horse-1" } });
    let reset = json!({ "input": { "token": "x", "newPassword": PASSWORD } });
    [
        ("requestPasswordReset", REQUEST_RESET, json!({ "who": "x" })),
        ("resetPassword", RESET, reset),
        ("verifyEmail", VERIFY, json!({ "token": "x" })),
        ("sendVerificationEmail", SEND_VERIFICATION, json!({})),
        ("changeEmail", CHANGE_EMAIL, change),
        ("createApiKey", row("createApiKey").query, json!({})),
    ]
}

async fn assert_full_queue(app: &TestApp, ann: &Actor<'_>) {
    for response in [
        send(ann).await,
        change_email(ann, "new@example.com").await,
        app.anonymous().execute(REQUEST_RESET, json!({ "who": "ann" })).await,
    ] {
        assert_eq!((response.code().as_str(), response.status.as_u16()), ("SERVICE_UNAVAILABLE", 503));
    }
}

on_both_databases! {
    async fn an_address_gets_one_verification_mail_a_minute_and_five_an_hour(app) {
        app.record_mails().await;
        let ann = app.user("ann").await;
        assert!((50..=60).contains(&retry_after(&send(&ann).await)));
        for _ in 0..4 {
            app.clock.advance(TimeDelta::seconds(61));
            succeeds(&send(&ann).await);
        }
        app.clock.advance(TimeDelta::seconds(61));
        let wait = retry_after(&send(&ann).await);
        assert!((3_200..=3_300).contains(&wait), "{wait}");
        assert_eq!(app.queued_mails().await, ["verify-email: ann@example.com"; 5]);
        app.clock.advance(TimeDelta::seconds(wait));
        succeeds(&send(&ann).await);
    }

    async fn the_limit_of_an_address_holds_for_all_who_mail_to_it(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        succeeds(&change_email(&ann, "new@example.com").await);
        assert!(retry_after(&change_email(&bob, "NEW@Example.com").await) > 50);
        assert_eq!(addresses(&bob).await["pendingEmail"], Value::Null);
        succeeds(&change_email(&bob, "other@example.com").await);
        // A mail to a taken address counts in the same way.
        app.clock.advance(TimeDelta::minutes(2));
        succeeds(&change_email(&bob, "ann@example.com").await);
        assert!(retry_after(&change_email(&bob, "Ann@example.com").await) > 50);
    }

    async fn a_request_for_a_new_password_beyond_the_limit_queues_no_mail_and_does_not_tell(app) {
        app.user("ann").await;
        app.record_mails().await;
        for (wait, mails) in [(0, 1), (30, 0), (31, 1), (61, 1), (61, 1), (61, 1), (61, 0), (3_600, 1)] {
            app.clock.advance(TimeDelta::seconds(wait));
            request_reset(app, "ann").await;
            assert_eq!(app.queued_mails().await, vec!["reset-password: ann@example.com"; mails], "after {wait} s");
        }
    }

    async fn a_registration_beyond_the_limit_succeeds_without_a_mail(app) {
        app.user("ann").await;
        app.record_mails().await;
        app.execute_sql("DELETE FROM users").await;
        let ann = app.user("ann").await;
        assert_eq!(app.queued_mails().await, Vec::<String>::new());
        assert_eq!(addresses(&ann).await["emailVerified"], false);
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_network_may_ask_for_thirty_new_passwords_in_an_hour(app) {
        app.user("ann").await;
        let ask = async |number: usize| {
            let who = if number.is_multiple_of(2) { "ann".to_owned() } else { format!("unknown{number}") };
            app.anonymous().execute(REQUEST_RESET, json!({ "who": who })).await
        };
        for number in 0..30 {
            succeeds(&ask(number).await);
        }
        requests_are_processed(app).await;
        for number in 0..2 {
            assert!(retry_after(&ask(number).await) > 3_500);
        }
        assert!(app.rows("reset_requests").await.is_empty());
        app.clock.advance(TimeDelta::minutes(61));
        succeeds(&ask(0).await);
    }

    #[flags("--limit-credentials-per-minute", "0", "--limit-mails-per-hour", "0", "--limit-reset-requests-per-hour", "0")]
    async fn zero_switches_the_limits_off(app) {
        let ann = app.user("ann").await;
        app.record_mails().await;
        for _ in 0..8 {
            succeeds(&send(&ann).await);
            succeeds(&change_email(&ann, "new@example.com").await);
        }
        for number in 0..32 {
            app.anonymous().data(REQUEST_RESET, json!({ "who": if number < 8 { "ann" } else { "unknown" } })).await;
        }
        requests_are_processed(app).await;
        let queued = app.queued_mails().await;
        for kind in ["verify-email: ", "confirm-email: ", "reset-password: "] {
            assert_eq!(queued.iter().filter(|mail| mail.starts_with(kind)).count(), 8, "{kind}");
        }
    }

    #[flags("--limit-credentials-per-minute", "1", "--limit-mails-per-hour", "0")]
    async fn the_limit_of_a_client_address_holds_for_each_operation(app) {
        // The registration has used up the limit.
        let ann = app.user("ann").await;
        for (name, query, variables) in counted("new@example.com") {
            let response = ann.execute(query, variables).await;
            assert_eq!(response.code(), "RATE_LIMITED", "{name}");
        }
    }

    #[flags("--limit-credentials-per-minute", "7", "--limit-mails-per-hour", "0")]
    async fn each_operation_counts_once_towards_the_limit_of_its_client_address(app) {
        let ann = app.user("ann").await;
        for (name, query, variables) in counted("new@example.com") {
            let code = ann.execute(query, variables).await.body["errors"][0]["extensions"]["code"].clone();
            assert!(code.is_null() || code == "INVALID_CREDENTIALS", "{name}: {code}");
        }
        assert_eq!(login(app, "ann", PASSWORD).await.code(), "RATE_LIMITED");
    }

    async fn each_operation_may_be_once_in_a_request(app) {
        let ann = app.user("ann").await;
        for field in ["requestPasswordReset", "resetPassword", "verifyEmail", "sendVerificationEmail", "changeEmail", "createApiKey"] {
            let query = row(field).query;
            let (head, rest) = query.split_once('{').expect("a selection");
            let selection = rest.trim_end().strip_suffix('}').expect("the end of the selection");
            let query = format!("{head} {{ a: {selection} b: {selection} }}", selection = selection.trim());
            let error = ann.error(&query, json!({ "verify": "x", "reset": "x" })).await;
            assert_eq!(error["extensions"]["code"], "QUERY_TOO_COMPLEX", "{field}");
            assert_eq!(error["message"], "Number of credential fields is 2; the limit is 1.", "{field}");
        }
    }

    async fn beyond_ten_thousand_waiting_mails_no_link_is_promised(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::minutes(2));
        add_waiting_mails(app, "other@example.com", 10_000).await;
        app.record_mails().await;
        let stored = (app.all_rows().await, app.link_token_rows().await);
        assert_full_queue(app, &ann).await;
        assert_eq!((app.all_rows().await, app.link_token_rows().await), stored);
        // Notices and the mail of a registration are left out.
        ann.api_key(&["ACCOUNT"]).await;
        app.user("bob").await;
        assert_eq!(app.queued_mails().await, Vec::<String>::new());
        app.execute_sql("DELETE FROM mails").await;
        succeeds(&send(&ann).await);
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn an_address_gets_twenty_notices_an_hour(app) {
        let ann = app.user("ann").await;
        app.record_mails().await;
        for _ in 0..22 {
            ann.api_key(&["ACCOUNT"]).await;
        }
        assert_eq!(app.queued_mails().await, ["api-key-created: ann@example.com"; 20]);
        app.clock.advance(TimeDelta::minutes(61));
        ann.api_key(&["ACCOUNT"]).await;
        assert_eq!(app.queued_mails().await.len(), 1);
    }
}
