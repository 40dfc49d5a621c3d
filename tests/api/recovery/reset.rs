//! A new password for a forgotten one: what it ends, and that all of it happens or nothing.

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::{NEW_PASSWORD, RESET, addresses, change_email, login, refuses_link, reset, succeeds, verify};
use crate::support::{Actor, PASSWORD, TestApp, code, faults, json, on_both_databases};

const ME: &str = "{ me { id } }";

async fn is_signed_in(actor: &Actor<'_>) -> bool {
    actor.execute(ME, json!({})).await.status == 200
}

/// Whether a key of a user works after a reset. The input of the reset is written as in the document.
async fn key_survives(app: &TestApp, is_verified: bool, input: &str) -> bool {
    let ann = app.user(&format!("user{}", app.rows("users").await.len())).await;
    if is_verified {
        succeeds(&verify(app, &app.link_token("VERIFY", &ann.email).await).await);
    }
    let (key, _) = ann.api_key(&["ACCOUNT"]).await;
    assert!(is_signed_in(&key).await);
    let query = format!(
        "mutation($token: String!, $new: String!) {{
            resetPassword(input: {{ token: $token, newPassword: $new {input} }}) {{ email }} }}"
    );
    let token = app.new_link_token("RESET", &ann.email).await;
    app.anonymous().data(&query, json!({ "token": token, "new": NEW_PASSWORD })).await;
    is_signed_in(&key).await
}

on_both_databases! {
    async fn a_reset_sets_the_password_and_ends_what_the_former_one_gave_access_to(app) {
        let ann = app.user("ann").await;
        let bob = app.user("bob").await;
        let second = login(app, "ann", PASSWORD).await.body["data"]["login"]["accessToken"].clone();
        let second = app.with_token(second.as_str().expect("a token"));
        succeeds(&change_email(&ann, "new@example.com").await);
        let confirm = app.link_token("CONFIRM", "new@example.com").await;
        let (token, other) = (app.new_link_token("RESET", &ann.email).await, app.new_link_token("RESET", &ann.email).await);
        let response = reset(app, &token, NEW_PASSWORD).await;
        succeeds(&response);
        assert_eq!(response.body["data"]["resetPassword"], json!({ "email": ann.email }));
        for (actor, signed_in) in [(&ann, false), (&second, false), (&bob, true)] {
            assert_eq!(is_signed_in(actor).await, signed_in);
        }
        let refresh = "mutation($token: String!) { refreshToken(refreshToken: $token) { tokenType } }";
        assert_eq!(code(&app.anonymous().error(refresh, json!({ "token": ann.refresh_token })).await), "INVALID_CREDENTIALS");
        assert_eq!(login(app, "ann", PASSWORD).await.code(), "INVALID_CREDENTIALS");
        let signed_in = login(app, "ann", NEW_PASSWORD).await.body["data"]["login"]["accessToken"].clone();
        let ann = app.with_token(signed_in.as_str().expect("a token"));
        assert_eq!(addresses(&ann).await, json!({ "email": "ann@example.com", "emailVerified": true, "pendingEmail": null }));
        refuses_link(&reset(app, &other, NEW_PASSWORD).await, "another token");
        refuses_link(&verify(app, &confirm).await, "the token of the pending change");
    }

    async fn of_twenty_uses_of_one_token_at_the_same_time_one_succeeds(app) {
        let ann = app.user("ann").await;
        app.record_mails().await;
        let token = app.new_link_token("RESET", &ann.email).await;
        let passwords: Vec<String> = (0..20).map(|number| format!("better-horse-{number}")).collect();
        let responses = join_all(passwords.iter().map(|password| reset(app, &token, password))).await;
        let mut successful = Vec::new();
        for (password, response) in passwords.iter().zip(responses) {
            match response.body.get("errors") {
                None => successful.push(password),
                // On a busy machine some requests find the hashing queue full.
                Some(_) => assert!(["INVALID_CREDENTIALS", "SERVICE_UNAVAILABLE"].contains(&response.code().as_str())),
            }
        }
        assert_eq!(successful.len(), 1);
        succeeds(&login(app, "ann", successful[0]).await);
        assert_eq!(app.queued_mails().await, ["password-changed: ann@example.com"]);
    }

    async fn a_reset_that_fails_half_way_changes_nothing(app) {
        let ann = app.user("ann").await;
        let (key, _) = ann.api_key(&["TASKS_READ"]).await;
        succeeds(&change_email(&ann, "new@example.com").await);
        let token = app.new_link_token("RESET", &ann.email).await;
        let keys = "(SELECT id, name FROM api_keys) AS keys";
        let stored = async || (app.all_rows().await, app.link_token_rows().await, app.rows(keys).await);
        let before = stored().await;
        // The mail is the last thing that is written.
        app.execute_sql("ALTER TABLE mails RENAME TO gone").await;
        assert_eq!(reset(app, &token, NEW_PASSWORD).await.code(), "INTERNAL_SERVER_ERROR");
        app.execute_sql("ALTER TABLE gone RENAME TO mails").await;
        assert_eq!(stored().await, before);
        assert!(is_signed_in(&ann).await && is_signed_in(&key).await);
        succeeds(&reset(app, &token, NEW_PASSWORD).await);
    }

    async fn a_password_that_breaks_rules_does_not_use_up_the_token(app) {
        let ann = app.user("ann").await;
        let token = app.new_link_token("RESET", &ann.email).await;
        let error = reset(app, &token, "abc").await.error();
        assert_eq!(faults(&error), ["input.newPassword too_short", "input.newPassword weak"]);
        let error = reset(app, "x", "abc").await.error();
        assert_eq!(code(&error), "BAD_USER_INPUT", "the input is checked before the token");
        succeeds(&reset(app, &token, NEW_PASSWORD).await);
    }

    async fn a_reset_revokes_api_keys_unless_the_client_keeps_those_of_a_verified_address(app) {
        for (is_verified, input, survives) in [
            (true, "", false),
            (true, "revokeApiKeys: true", false),
            (true, "revokeApiKeys: false", true),
            (false, "", false),
            (false, "revokeApiKeys: false", false),
        ] {
            assert_eq!(key_survives(app, is_verified, input).await, survives, "verified: {is_verified}, {input}");
        }
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_reset_clears_the_failed_logins(app) {
        let ann = app.user("ann").await;
        for _ in 0..10 {
            assert_eq!(login(app, "ann", "wrong-horse-1").await.code(), "INVALID_CREDENTIALS");
        }
        assert_eq!(login(app, "ann", PASSWORD).await.code(), "RATE_LIMITED");
        succeeds(&reset(app, &app.new_link_token("RESET", &ann.email).await, NEW_PASSWORD).await);
        succeeds(&login(app, "ann", NEW_PASSWORD).await);
    }

    async fn a_link_that_was_not_mailed_does_not_verify_the_address(app) {
        let ann = app.user("ann").await;
        let token = app.new_link_token("RESET", &ann.email).await;
        app.execute_sql("UPDATE email_tokens SET mailed = FALSE WHERE purpose = 'RESET'").await;
        succeeds(&reset(app, &token, NEW_PASSWORD).await);
        let signed_in = login(app, "ann", NEW_PASSWORD).await.body["data"]["login"]["accessToken"].clone();
        let ann = app.with_token(signed_in.as_str().expect("a token"));
        assert_eq!(addresses(&ann).await["emailVerified"], false);
    }

    async fn the_credential_of_the_request_plays_no_part_in_a_reset(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        app.clock.advance(TimeDelta::minutes(2));
        for actor in [bob.clone(), app.with_token("x"), app.with_token("taskhold_key_x")] {
            let token = app.new_link_token("RESET", &ann.email).await;
            let input = json!({ "token": token, "newPassword": NEW_PASSWORD });
            let data = actor.data(RESET, json!({ "input": input })).await;
            assert_eq!(data["resetPassword"]["email"], ann.email);
        }
        assert!(is_signed_in(&bob).await);
    }
}
