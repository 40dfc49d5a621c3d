//! REQUIRE_VERIFIED_EMAIL: without a verified address, a user reads tasks but does not change them, and creates no
//! API key.

use super::{CANCEL, change_email, succeeds, verify};
use crate::api::ownership::{create_objects, root_fields, row};
use crate::support::{Actor, Value, json, on_both_databases};

/// The mutations of accounts that work without a verified address.
const ALLOWED: [&str; 3] = ["updateProfile", "cancelEmailChange", "sendVerificationEmail"];

fn assert_unverified(error: &Value, shown: &str) {
    let extensions = &error["extensions"];
    assert_eq!((&extensions["code"], &extensions["status"]), (&json!("FORBIDDEN"), &json!(403)), "{shown}");
    assert_eq!(extensions["required"], "VERIFIED_EMAIL", "{shown}");
    assert_eq!(error["message"], "Verify your e-mail address first.", "{shown}");
}

/// The mutations that change tasks or their parts.
async fn task_mutations(anonymous: &Actor<'_>) -> Vec<String> {
    let is_of_tasks =
        |field: &String| ["Task", "Item", "Risk", "FileChange"].iter().any(|part| field.contains(part));
    root_fields(anonymous, "Mutation").await.into_iter().filter(is_of_tasks).collect()
}

on_both_databases! {
    #[flags("--require-verified-email", "true", "--limit-mails-per-hour", "0")]
    async fn without_a_verified_address_no_task_is_changed_and_no_key_is_created(app) {
        let ann = app.user("ann").await;
        let token = app.link_token("VERIFY", &ann.email).await;
        succeeds(&verify(app, &token).await);
        let ids = create_objects(&ann).await;
        let key = ann.api_key(&["TASKS_WRITE"]).await.0;
        app.execute_sql("UPDATE users SET email_verified_at = NULL").await;
        let stored = app.all_rows().await;
        let mutations = task_mutations(&app.anonymous()).await;
        assert!(mutations.len() > 20, "{mutations:?}");
        for field in &mutations {
            for actor in [&ann, &key] {
                assert_unverified(&actor.error(row(field).query, ids.clone()).await, field);
            }
        }
        assert_unverified(&ann.error(row("createApiKey").query, json!({})).await, "createApiKey");
        assert_eq!(app.all_rows().await, stored);

        for field in ["me", "task", "tasks", "trash", "taskChanges", "node", "nodes"] {
            ann.data(row(field).query, ids.clone()).await;
        }
        succeeds(&change_email(&ann, "new@example.com").await);
        ann.data(CANCEL, json!({})).await;
        for field in ALLOWED {
            ann.data(row(field).query, ids.clone()).await;
        }
        let info = app.anonymous().data("{ serverInfo { verifiedEmailRequired } }", json!({})).await;
        assert_eq!(info["serverInfo"]["verifiedEmailRequired"], true);

        succeeds(&verify(app, &app.link_token("VERIFY", &ann.email).await).await);
        for actor in [&ann, &key] {
            actor.task("allowed").await;
        }
        ann.data(row("createApiKey").query, json!({})).await;
    }

    #[flags("--require-verified-email", "true")]
    async fn a_request_that_verifies_the_address_may_change_tasks_after_that(app) {
        let ann = app.user("ann").await;
        let query = "mutation($token: String!) { a: createTask(input: { title: \"x\" }) { task { id } }
            verifyEmail(token: $token) { email } b: createTask(input: { title: \"x\" }) { task { id } } }";
        let response = ann.execute(query, json!({ "token": app.link_token("VERIFY", &ann.email).await })).await;
        assert_unverified(&response.error(), "a");
        assert!(response.body["data"]["a"].is_null() && response.body["data"]["b"].is_object(), "{:#}", response.body);
    }

    async fn by_default_an_unverified_address_is_no_obstacle(app) {
        let ann = app.user("ann").await;
        ann.api_key(&["TASKS_WRITE"]).await.0.task("one").await;
        let info = app.anonymous().data("{ serverInfo { verifiedEmailRequired } }", json!({})).await;
        assert_eq!(info["serverInfo"]["verifiedEmailRequired"], false);
    }
}
