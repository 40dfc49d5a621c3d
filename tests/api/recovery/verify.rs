//! Verification of an address: the token of the mail verifies it, once and again, and only while it is the address.

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::{SEND_VERIFICATION, addresses, move_to, refuses_link, succeeds, verify};
use crate::support::{PASSWORD, json, on_both_databases};

on_both_databases! {
    async fn the_token_of_the_first_mail_verifies_the_address(app) {
        app.record_mails().await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        assert_eq!(app.queued_mails().await, ["verify-email: ann@example.com", "verify-email: bob@example.com"]);
        assert_eq!(addresses(&ann).await["emailVerified"], false);
        let sessions = app.rows("sessions").await.len();
        let response = verify(app, &app.link_token("VERIFY", &ann.email).await).await;
        assert_eq!(response.body["data"]["verifyEmail"], json!({ "email": ann.email }));
        let verified = json!({ "email": ann.email, "emailVerified": true, "pendingEmail": null });
        assert_eq!(addresses(&ann).await, verified);
        assert_eq!(addresses(&bob).await["emailVerified"], false);
        assert_eq!(app.rows("sessions").await.len(), sessions, "it does not sign in");
    }

    async fn the_same_token_succeeds_again_and_changes_nothing(app) {
        let ann = app.user("ann").await;
        let token = app.link_token("VERIFY", &ann.email).await;
        join_all((0..10).map(|_| verify(app, &token))).await.iter().for_each(succeeds);
        let stored = app.rows("users").await;
        app.clock.advance(TimeDelta::hours(1));
        succeeds(&verify(app, &token).await);
        assert_eq!(app.rows("users").await, stored);
    }

    async fn every_token_that_is_not_valid_gets_the_same_answer(app) {
        let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
        let reset = app.new_link_token("RESET", &ann.email).await;
        for token in ["", " ", "x", &"é".repeat(22), &"0".repeat(44), &"z".repeat(44), &"a".repeat(100_000), &reset] {
            refuses_link(&verify(app, token).await, &token.chars().take(50).collect::<String>());
        }
        let [anns, bobs, eves] = [
            app.link_token("VERIFY", &ann.email).await,
            app.link_token("VERIFY", &bob.email).await,
            app.link_token("VERIFY", &eve.email).await,
        ];
        app.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'bob'").await;
        refuses_link(&verify(app, &bobs).await, "an inactive account");
        let delete = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }";
        eve.data(delete, json!({ "password": PASSWORD })).await;
        refuses_link(&verify(app, &eves).await, "a deleted account");
        app.clock.advance(TimeDelta::hours(49));
        refuses_link(&verify(app, &anns).await, "an expired token");
        assert_eq!(addresses(&ann).await["emailVerified"], false);
    }

    async fn the_token_of_a_former_address_is_not_valid(app) {
        let ann = app.user("ann").await;
        let (used, unused) = (app.link_token("VERIFY", &ann.email).await, app.new_link_token("VERIFY", &ann.email).await);
        succeeds(&verify(app, &used).await);
        move_to(app, &ann, "new@example.com").await;
        for token in [&used, &unused] {
            refuses_link(&verify(app, token).await, "of the former address");
        }
        assert_eq!(addresses(&ann).await["email"], "new@example.com");
    }

    async fn another_mail_is_sent_until_the_address_is_verified(app) {
        let ann = app.user("ann").await;
        app.record_mails().await;
        app.clock.advance(TimeDelta::minutes(2));
        let sent = ann.data(SEND_VERIFICATION, json!({})).await;
        assert_eq!(sent["sendVerificationEmail"]["user"], json!({ "email": ann.email, "emailVerified": false }));
        assert_eq!(app.queued_mails().await, ["verify-email: ann@example.com"]);
        let tokens = app.link_tokens("VERIFY", &ann.email).await;
        assert_eq!(tokens.len(), 2);
        for token in &tokens {
            succeeds(&verify(app, token).await);
        }
        for _ in 0..10 {
            let sent = ann.data(SEND_VERIFICATION, json!({})).await;
            assert_eq!(sent["sendVerificationEmail"]["user"]["emailVerified"], true);
        }
        assert_eq!(app.queued_mails().await, Vec::<String>::new());
    }

    #[flags("--limit-mails-per-hour", "0")]
    async fn five_links_of_an_address_work_at_the_same_time_and_a_sixth_ends_the_oldest(app) {
        let ann = app.user("ann").await;
        let first = app.link_token("VERIFY", &ann.email).await;
        for count in 2..=6 {
            ann.data(SEND_VERIFICATION, json!({})).await;
            assert_eq!(app.link_tokens("VERIFY", &ann.email).await.len(), count.min(5));
        }
        refuses_link(&verify(app, &first).await, "the oldest");
        succeeds(&verify(app, &app.link_tokens("VERIFY", &ann.email).await[0]).await);
    }
}
