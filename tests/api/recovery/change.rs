//! Changes of the address: the present one stays until the token that was mailed to the new one comes back.

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::{
    CANCEL, CHANGE_EMAIL, NEW_PASSWORD, addresses, change_email, eventually, login, move_to, refuses_link,
    reset, succeeds, verify,
};
use crate::support::{Actor, PASSWORD, TestApp, Value, code, faults, json, on_both_databases};

async fn pending(actor: &Actor<'_>) -> Value {
    addresses(actor).await["pendingEmail"].clone()
}

/// Asserts that exactly one of some requested changes is pending, and that only its token works.
async fn assert_one_is_pending(app: &TestApp, ann: &Actor<'_>, tokens: &[(String, String)]) {
    let pending = pending(ann).await.as_str().expect("a change is pending").to_owned();
    assert_eq!(tokens.iter().filter(|(email, _)| *email == pending).count(), 1);
    for (email, token) in tokens.iter().filter(|(email, _)| *email != pending) {
        refuses_link(&verify(app, token).await, email);
    }
    assert_eq!(addresses(ann).await["email"], ann.email);
    for (email, token) in tokens.iter().filter(|(email, _)| *email == pending) {
        succeeds(&verify(app, token).await);
        let verified = json!({ "email": email, "emailVerified": true, "pendingEmail": null });
        assert_eq!(addresses(ann).await, verified);
    }
}

on_both_databases! {
    async fn the_address_changes_when_the_new_one_is_verified(app) {
        let ann = app.user("ann").await;
        let key = ann.api_key(&["ACCOUNT"]).await.0;
        app.record_mails().await;
        let response = change_email(&ann, " New+1@Example.com ").await;
        let user = json!({ "email": ann.email, "emailVerified": false, "pendingEmail": "New+1@Example.com" });
        assert_eq!(response.body["data"]["changeEmail"]["user"], user);
        assert_eq!(addresses(&ann).await, user);
        let to_both = ["confirm-email: New+1@Example.com", "email-change-requested: ann@example.com"];
        assert_eq!(app.queued_mails().await, to_both);
        let token = app.link_token("CONFIRM", "New+1@Example.com").await;
        assert_eq!(login(app, "new+1@example.com", PASSWORD).await.code(), "INVALID_CREDENTIALS");
        for _ in 0..2 {
            let verified = verify(app, &token).await;
            assert_eq!(verified.body["data"]["verifyEmail"], json!({ "email": "New+1@Example.com" }));
        }
        assert_eq!(app.queued_mails().await, ["email-changed: ann@example.com"]);
        let user = json!({ "email": "New+1@Example.com", "emailVerified": true, "pendingEmail": null });
        for actor in [&ann, &key] {
            assert_eq!(addresses(actor).await, user, "sessions and keys stay");
        }
        succeeds(&login(app, "new+1@example.com", PASSWORD).await);
        assert_eq!(login(app, &ann.email, PASSWORD).await.code(), "INVALID_CREDENTIALS");
    }

    async fn a_later_request_replaces_an_earlier_one(app) {
        let ann = app.user("ann").await;
        succeeds(&change_email(&ann, "one@example.com").await);
        let first = app.link_token("CONFIRM", "one@example.com").await;
        succeeds(&change_email(&ann, "two@example.com").await);
        let second = app.link_token("CONFIRM", "two@example.com").await;
        let tokens = [("one@example.com".to_owned(), first), ("two@example.com".to_owned(), second)];
        assert_one_is_pending(app, &ann, &tokens).await;
    }

    #[flags("--limit-mails-per-hour", "0", "--limit-credentials-per-minute", "0")]
    async fn of_requests_at_the_same_time_one_is_pending_and_only_its_token_works(app) {
        // A row that was replaced is deleted, and its token is not known any more.
        app.record_link_tokens().await;
        for round in 0..5 {
            let ann = app.user(&format!("ann{round}")).await;
            app.recorded_link_tokens().await;
            let addresses: Vec<String> = (0..6).map(|number| format!("r{round}n{number}@example.com")).collect();
            join_all(addresses.iter().map(|new| change_email(&ann, new))).await.iter().for_each(succeeds);
            let tokens = app.recorded_link_tokens().await;
            assert_eq!(tokens.len(), addresses.len());
            assert_one_is_pending(app, &ann, &tokens).await;
        }
    }

    async fn the_response_does_not_tell_that_an_address_is_taken(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        app.record_mails().await;
        let response = change_email(&ann, "Bob@Example.com").await;
        let user = json!({ "email": ann.email, "emailVerified": false, "pendingEmail": "Bob@Example.com" });
        assert_eq!(response.body, json!({ "data": { "changeEmail": { "user": user } } }));
        assert_eq!(addresses(&ann).await, user);
        let mails = ["address-in-use: Bob@Example.com", "email-change-requested: ann@example.com"];
        assert_eq!(app.queued_mails().await, mails);
        let token = app.link_token("CONFIRM", "Bob@Example.com").await;
        move_to(app, &bob, "bobs-new@example.com").await;
        refuses_link(&verify(app, &token).await, "the row has no token, also when the address is free again");
        assert_eq!(addresses(&ann).await, user);
    }

    async fn an_address_that_is_taken_after_the_request_is_a_conflict_and_stays_pending(app) {
        let ann = app.user("ann").await;
        succeeds(&change_email(&ann, "bob@example.com").await);
        let token = app.link_token("CONFIRM", "bob@example.com").await;
        app.user("bob").await;
        let before = (app.rows("users").await, app.link_token_rows().await);
        for _ in 0..2 {
            let error = verify(app, &token).await.error();
            assert_eq!((code(&error).as_str(), faults(&error)), ("CONFLICT", vec!["token taken".to_owned()]));
            assert_eq!(error["message"], "This e-mail address belongs to another account.");
        }
        assert_eq!((app.rows("users").await, app.link_token_rows().await), before);
        assert_eq!(pending(&ann).await, "bob@example.com");
    }

    async fn the_own_address_is_a_duplicate_only_in_the_same_spelling(app) {
        let ann = app.user("ann").await;
        let error = change_email(&ann, "ann@example.com").await.error();
        assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["input.newEmail duplicate".to_owned()]));
        app.record_mails().await;
        move_to(app, &ann, "Ann@Example.com").await;
        assert_eq!(addresses(&ann).await, json!({ "email": "Ann@Example.com", "emailVerified": true, "pendingEmail": null }));
        let mails = ["confirm-email: Ann@Example.com", "email-change-requested: ann@example.com", "email-changed: ann@example.com"];
        assert_eq!(app.queued_mails().await, mails);
    }

    async fn cancelling_ends_the_token_and_may_be_repeated(app) {
        let ann = app.user("ann").await;
        succeeds(&change_email(&ann, "new@example.com").await);
        let token = app.link_token("CONFIRM", "new@example.com").await;
        for _ in 0..2 {
            let cancelled = ann.data(CANCEL, json!({})).await["cancelEmailChange"].clone();
            assert_eq!(cancelled["user"], json!({ "email": ann.email, "pendingEmail": null }));
        }
        refuses_link(&verify(app, &token).await, "cancelled");
        assert_eq!(pending(&ann).await, Value::Null);
    }

    async fn a_pending_change_ends_with_the_lifetime_of_its_token(app) {
        let ann = app.user("ann").await;
        succeeds(&change_email(&ann, "new@example.com").await);
        let token = app.link_token("CONFIRM", "new@example.com").await;
        // The lifetime of a token begins when its mail is sent.
        eventually("the mails are sent", async || app.rows("mails").await.is_empty()).await;
        app.clock.advance(TimeDelta::hours(23));
        assert_eq!(pending(&ann).await, "new@example.com");
        app.clock.advance(TimeDelta::hours(26));
        assert_eq!(pending(&ann).await, Value::Null);
        refuses_link(&verify(app, &token).await, "expired");
    }

    async fn a_new_password_by_mail_ends_a_pending_change(app) {
        let ann = app.user("ann").await;
        succeeds(&change_email(&ann, "new@example.com").await);
        let token = app.link_token("CONFIRM", "new@example.com").await;
        succeeds(&reset(app, &app.new_link_token("RESET", &ann.email).await, NEW_PASSWORD).await);
        refuses_link(&verify(app, &token).await, "after a reset");
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_wrong_password_changes_nothing_and_counts_as_a_failed_login(app) {
        let ann = app.user("ann").await;
        let input = json!({ "newEmail": "new@example.com", "currentPassword": "wrong-horse-1" });
        for _ in 0..10 {
            assert_eq!(code(&ann.error(CHANGE_EMAIL, json!({ "input": input })).await), "INVALID_CREDENTIALS");
        }
        assert_eq!(change_email(&ann, "new@example.com").await.code(), "RATE_LIMITED");
        assert_eq!(login(app, "ann", PASSWORD).await.code(), "RATE_LIMITED");
        assert_eq!(pending(&ann).await, Value::Null);
    }
}
