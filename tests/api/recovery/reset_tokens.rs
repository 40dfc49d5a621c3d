//! Which tokens set a new password: five of an account at most, each once, and none that has ended.

use chrono::TimeDelta;
use taskhold::domain::{Faults, NewPassword};
use taskhold::service::Operator;

use super::{
    CHANGE_EMAIL, NEW_PASSWORD, change_email, login, move_to, refuses_link, request_reset, reset, succeeds,
    verify,
};
use crate::support::{Actor, PASSWORD, TestApp, json, on_both_databases};

const CHANGE_PASSWORD: &str = "mutation($new: String!, $current: String!) {
    changePassword(input: { currentPassword: $current, newPassword: $new }) { tokenType } }";

async fn change_password(actor: &Actor<'_>) {
    actor.data(CHANGE_PASSWORD, json!({ "current": PASSWORD, "new": NEW_PASSWORD })).await;
}

async fn set_password(app: &TestApp, keep_keys: bool) {
    let mut faults = Faults::default();
    let new = NewPassword::parse(&mut faults, "", NEW_PASSWORD).expect("it is strong");
    let operator = Operator::new(app.database.clone());
    operator.set_password("ann", &new, keep_keys).await.expect("the account exists");
}

on_both_databases! {
    #[flags("--limit-mails-per-hour", "0")]
    async fn five_links_of_an_account_work_at_the_same_time_and_a_sixth_ends_the_oldest(app) {
        let ann = app.user("ann").await;
        for count in 1..=5 {
            request_reset(app, "ann").await;
            assert_eq!(app.link_tokens("RESET", &ann.email).await.len(), count);
        }
        let tokens = app.link_tokens("RESET", &ann.email).await;
        request_reset(app, "ann").await;
        refuses_link(&reset(app, &tokens[0], NEW_PASSWORD).await, "the oldest");
        succeeds(&reset(app, &tokens[1], NEW_PASSWORD).await);
    }

    async fn every_token_that_is_not_valid_gets_the_same_answer(app) {
        let ann = app.user("ann").await;
        let confirm = async || {
            app.clock.advance(TimeDelta::minutes(2));
            succeeds(&change_email(&ann, "new@example.com").await);
            app.link_token("CONFIRM", "new@example.com").await
        };
        let (verification, confirmation) = (app.link_token("VERIFY", &ann.email).await, confirm().await);
        let used = app.new_link_token("RESET", &ann.email).await;
        let unknown = app.new_link_token("RESET", &ann.email).await;
        app.execute_sql("DELETE FROM email_tokens WHERE purpose = 'RESET'").await;
        let malformed = ["", " ", "x", &"é".repeat(22), &"0".repeat(44), &"z".repeat(44), &"a".repeat(100_000)];
        for token in malformed.into_iter().chain([verification.as_str(), &confirmation, &used, &unknown]) {
            refuses_link(&reset(app, token, NEW_PASSWORD).await, &token.chars().take(50).collect::<String>());
        }
        succeeds(&login(app, "ann", PASSWORD).await);
        let used = app.new_link_token("RESET", &ann.email).await;
        succeeds(&reset(app, &used, NEW_PASSWORD).await);
        refuses_link(&reset(app, &used, NEW_PASSWORD).await, "used");
    }

    async fn a_token_ends_with_its_lifetime_and_with_its_account(app) {
        let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
        let (ann_token, bob_token) = (app.new_link_token("RESET", &ann.email).await, app.new_link_token("RESET", &bob.email).await);
        let eve_token = app.new_link_token("RESET", &eve.email).await;
        app.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'bob'").await;
        refuses_link(&reset(app, &bob_token, NEW_PASSWORD).await, "an inactive account");
        eve.data("mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }", json!({ "password": PASSWORD })).await;
        refuses_link(&reset(app, &eve_token, NEW_PASSWORD).await, "a deleted account");
        app.clock.advance(TimeDelta::hours(1) + TimeDelta::seconds(1));
        refuses_link(&reset(app, &ann_token, NEW_PASSWORD).await, "an expired token");
        succeeds(&login(app, "ann", PASSWORD).await);
    }

    async fn another_password_or_address_ends_the_tokens(app) {
        let ann = app.user("ann").await;
        let token = app.new_link_token("RESET", &ann.email).await;
        change_password(&ann).await;
        refuses_link(&reset(app, &token, PASSWORD).await, "changePassword");

        let token = app.new_link_token("RESET", &ann.email).await;
        set_password(app, false).await;
        refuses_link(&reset(app, &token, PASSWORD).await, "set-password");

        succeeds(&reset(app, &app.new_link_token("RESET", &ann.email).await, PASSWORD).await);
        let signed_in = login(app, "ann", PASSWORD).await.body["data"]["login"]["accessToken"].clone();
        let ann_again = app.with_token(signed_in.as_str().expect("a token"));
        let token = app.new_link_token("RESET", &ann.email).await;
        move_to(app, &ann_again, "new@example.com").await;
        refuses_link(&reset(app, &token, NEW_PASSWORD).await, "a new address");
    }

    async fn another_password_ends_a_pending_change_of_the_address(app) {
        let ann = app.user("ann").await;
        for (what, is_operator) in [("changePassword", false), ("set-password", true)] {
            app.clock.advance(TimeDelta::minutes(2));
            let signed_in = login(app, "ann", if is_operator { NEW_PASSWORD } else { PASSWORD }).await;
            let actor = app.with_token(signed_in.body["data"]["login"]["accessToken"].as_str().expect("a token"));
            let input = json!({ "newEmail": "new@example.com", "currentPassword": if is_operator { NEW_PASSWORD } else { PASSWORD } });
            actor.data(CHANGE_EMAIL, json!({ "input": input })).await;
            let token = app.link_token("CONFIRM", "new@example.com").await;
            if is_operator { set_password(app, true).await } else { change_password(&ann).await }
            assert_eq!(app.link_tokens("CONFIRM", "new@example.com").await.len(), 0, "{what}");
            refuses_link(&verify(app, &token).await, what);
        }
    }
}
