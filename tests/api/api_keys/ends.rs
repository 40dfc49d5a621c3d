//! What ends an API key, and what does not.

use chrono::TimeDelta;
use taskhold::api::{Event, Started};
use taskhold::domain::{Faults, NewPassword};
use taskhold::service::Operator;

use super::{LIST, ME, REVOKE, assert_refused, created, listed, works};
use crate::api::subscriptions::start;
use crate::support::{Actor, PASSWORD, TestApp, json, on_both_databases};

const NEW_PASSWORD: &str = "better-horse-2";

/// The ways to end the keys of a user whose session is `ann` and whose key is `key`.
const ENDINGS: [&str; 6] =
    ["revokeApiKey", "by itself", "changePassword", "resetPassword", "deleteAccount", "deactivate"];

async fn end(app: &TestApp, way: &str, ann: &Actor<'_>, key: &Actor<'_>, id: &str) {
    let change = "mutation($current: String!, $new: String!) { changePassword(input: {
        currentPassword: $current, newPassword: $new, revokeApiKeys: true }) { tokenType } }";
    let reset = "mutation($token: String!, $new: String!) {
        resetPassword(input: { token: $token, newPassword: $new }) { email } }";
    let delete = "mutation($current: String!) { deleteAccount(password: $current) { deletedUserId } }";
    let variables = json!({ "id": id, "current": PASSWORD, "new": NEW_PASSWORD });
    match way {
        "revokeApiKey" => drop(ann.data(REVOKE, variables).await),
        "by itself" => drop(key.data(REVOKE, variables).await),
        "changePassword" => drop(ann.data(change, variables).await),
        "deleteAccount" => drop(ann.data(delete, variables).await),
        "resetPassword" => {
            let token = app.new_link_token("RESET", &ann.email).await;
            app.anonymous().data(reset, json!({ "token": token, "new": NEW_PASSWORD })).await;
        }
        _ => panic!("{way} is no way to end a key in this process"),
    }
}

async fn set_password(app: &TestApp, keep_keys: bool) {
    let new = NewPassword::parse(&mut Faults::default(), "", NEW_PASSWORD).expect("it is strong");
    let set = Operator::new(app.database.clone()).set_password("ann", &new, keep_keys).await;
    set.expect("the account exists");
}

async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !condition().await {
        assert!(std::time::Instant::now() < deadline, "{what}: not within ten seconds");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

on_both_databases! {
    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_key_ends_immediately_in_every_way(app) {
        for way in ENDINGS.into_iter().filter(|way| *way != "deactivate") {
            let ann = app.user(&way.replace(' ', "-").to_lowercase()).await;
            let (key, id) = ann.api_key(&["ACCOUNT"]).await;
            let bystander = app.user(&format!("other-{}", app.rows("users").await.len())).await.api_key(&["ACCOUNT"]).await.0;
            assert!(works(&key).await, "{way}");
            end(app, way, &ann, &key, &id).await;
            assert!(!works(&key).await && works(&bystander).await, "{way}");
        }
    }

    async fn the_operator_ends_keys_within_two_seconds(app) {
        let ann = app.user("ann").await;
        let operator = Operator::new(app.database.clone());
        let key = ann.api_key(&["ACCOUNT"]).await.0;
        assert!(works(&key).await);
        assert_eq!(operator.revoke_api_keys("ann").await.expect("the account exists"), 1);
        eventually("revoke-keys", async || !works(&key).await).await;

        let key = ann.api_key(&["ACCOUNT"]).await.0;
        assert!(works(&key).await);
        set_password(app, true).await;
        eventually("the sessions end", async || ann.execute(ME, json!({})).await.status == 401).await;
        assert!(works(&key).await, "--keep-keys");
        set_password(app, false).await;
        eventually("set-password", async || !works(&key).await).await;
    }

    async fn the_keys_of_an_inactive_user_work_again_when_the_user_is_active_again(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let operator = Operator::new(app.database.clone());
        let ([key, unused], other) = ([ann.api_key(&["ACCOUNT"]).await.0, ann.api_key(&["TASKS_READ"]).await.0], bob.api_key(&["ACCOUNT"]).await.0);
        assert!(works(&key).await);
        for _ in 0..2 {
            operator.set_active("ann", false).await.expect("the account exists");
            eventually("the key is suspended", async || !works(&key).await).await;
            assert!(!works(&unused).await && works(&other).await);
            operator.set_active("ann", true).await.expect("the account exists");
            eventually("the key works again", async || works(&key).await).await;
            assert!(works(&unused).await);
            assert_eq!(key.data(LIST, json!({})).await["me"]["apiKeys"].as_array().map(Vec::len), Some(2));
        }
        assert_eq!(ann.execute(ME, json!({})).await.status, 401, "sessions do not begin again");
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn the_end_of_sessions_does_not_end_keys(app) {
        let ann = app.user("ann").await;
        let key = ann.api_key(&["ACCOUNT"]).await.0;
        let change = "mutation($current: String!, $new: String!) {
            changePassword(input: { currentPassword: $current, newPassword: $new }) { accessToken } }";
        let change = ann.data(change, json!({ "current": PASSWORD, "new": NEW_PASSWORD })).await;
        assert!(works(&key).await, "changePassword keeps keys unless it is asked to revoke them");
        let ann = app.with_token(change["changePassword"]["accessToken"].as_str().expect("a token"));
        ann.data("mutation { logout(scope: ALL) { success } }", json!({})).await;
        assert!(works(&key).await);
        app.execute_sql("DELETE FROM sessions").await;
        app.clock.advance(TimeDelta::days(60));
        assert!(works(&key).await);
    }

    async fn a_key_expires_to_the_second_and_is_still_listed(app) {
        let ann = app.user("ann").await;
        let key = ann.api_key(&["ACCOUNT"]).await.0;
        app.clock.advance(TimeDelta::days(90) - TimeDelta::seconds(5));
        assert!(works(&key).await);
        app.clock.advance(TimeDelta::seconds(5));
        assert_refused(&key.execute(ME, json!({})).await, "Token has expired");
        let fresh = app.with_token(key.token());
        assert_refused(&fresh.execute(ME, json!({})).await, "Token has expired");
        let ann = app.with_token(
            app.anonymous().data(
                "mutation($password: String!) { login(input: { usernameOrEmail: \"ann\", password: $password }) { accessToken } }",
                json!({ "password": PASSWORD }),
            ).await["login"]["accessToken"].as_str().expect("a token"),
        );
        assert_eq!(listed(&ann).await.len(), 1);
        // A public field works with an expired key too.
        key.data("{ serverInfo { version } }", json!({})).await;
    }

    async fn expired_keys_are_removed_after_thirty_days(app) {
        let ann = app.user("ann").await;
        ann.api_key(&["ACCOUNT"]).await;
        app.clock.advance(TimeDelta::days(119));
        app.start_second_instance();
        let bob = app.user("bob").await;
        bob.api_key(&["ACCOUNT"]).await;
        assert_eq!(app.rows("api_keys").await.len(), 2);
        app.clock.advance(TimeDelta::days(2));
        app.start_second_instance();
        eventually("it is removed", async || app.rows("api_keys").await.len() == 1).await;
        assert_eq!(listed(&bob).await.len(), 1);
    }

    async fn a_user_is_told_once_that_a_key_expires(app) {
        let ann = app.user("ann").await;
        for days in [13, 15, 90] {
            let ends = (app.clock.now() + TimeDelta::days(days)).to_rfc3339();
            created(&ann, json!({ "expiresAt": ends })).await;
        }
        app.record_mails().await;
        let told = async |days: i64| {
            app.clock.advance(TimeDelta::days(days));
            app.start_second_instance();
            app.start_second_instance();
            let unexpired = "(SELECT id FROM api_keys WHERE expiry_told_at IS NULL) AS untold";
            app.rows(unexpired).await.len()
        };
        // The key of 15 days is reported after 8, that of 13 days never.
        assert_eq!(told(7).await, 2);
        told(1).await;
        let untold = "(SELECT id FROM api_keys WHERE expiry_told_at IS NULL) AS untold";
        eventually("the key is reported", async || app.rows(untold).await.len() == 1).await;
        told(1).await;
        assert_eq!(app.queued_mails().await, ["api-key-expiring: ann@example.com"]);
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_subscription_ends_with_its_key(app) {
        for way in ENDINGS {
            let ann = app.user(&way.replace(' ', "-").to_lowercase()).await;
            let (key, id) = ann.api_key(&["TASKS_READ"]).await;
            let query = "subscription { taskChanges { cursor } }";
            let Started::Subscribed(mut subscription) = start(app, &key, query, json!({}), None).await else {
                panic!("{way}: the subscription was refused")
            };
            assert!(matches!(subscription.read().await, Some(Event::Next { .. })), "{way}");
            match way {
                "deactivate" => {
                    let operator = Operator::new(app.database.clone());
                    operator.set_active(&ann.email, false).await.expect("the account exists");
                    eventually("deactivate", async || !works(&key).await).await;
                }
                way => end(app, way, &ann, &key, &id).await,
            }
            assert!(matches!(subscription.read().await, Some(Event::Failed(_))), "{way}");
        }
    }
}
