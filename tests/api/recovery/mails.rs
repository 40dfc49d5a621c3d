//! Which mails each operation queues, and to which address: exactly these, in the transaction of the operation.

use chrono::TimeDelta;
use taskhold::domain::{Faults, NewPassword};
use taskhold::service::Operator;

use super::{
    CHANGE_EMAIL, NEW_PASSWORD, SEND_VERIFICATION, change_email, login, request_reset, reset, succeeds,
    verify,
};
use crate::support::{DatabaseKind, PASSWORD, TestApp, json, on_both_databases};

const CHANGE_PASSWORD: &str = "mutation($current: String!, $new: String!) {
    changePassword(input: { currentPassword: $current, newPassword: $new }) { tokenType } }";
const DELETE: &str = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }";
const CREATE_KEY: &str = "mutation($current: String!) { createApiKey(input: {
    name: \"x\", scopes: [ACCOUNT], currentPassword: $current }) { apiKey { id } } }";

/// Adds mails to an address that are not due for a long time. They belong to the account with this address.
pub async fn add_waiting_mails(app: &TestApp, address: &str, count: usize) {
    let (id, numbers) = match app.kind {
        DatabaseKind::Postgres => ("gen_random_uuid()", format!("generate_series(1, {count})")),
        DatabaseKind::Sqlite => (
            "randomblob(16)",
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)"
            ),
        ),
    };
    let late = "'9999-01-01 00:00:00+00:00'";
    app.execute_sql(&format!(
        "INSERT INTO mails (id, kind, user_id, recipient, event_at, created_at, due_at, attempts, gives_up_at)
         SELECT {id}, 'password-changed', (SELECT id FROM users WHERE email = '{address}'), '{address}',
                {late}, {late}, {late}, 0, {late} FROM {numbers} AS number"
    ))
    .await;
}

on_both_databases! {
    async fn each_operation_queues_its_mails(app) {
        app.record_mails().await;
        let queued = async |expected: &[&str], what: &str| assert_eq!(app.queued_mails().await, expected, "{what}");
        let ann = app.user("ann").await;
        queued(&["verify-email: ann@example.com"], "register").await;
        app.clock.advance(TimeDelta::minutes(2));
        ann.data(SEND_VERIFICATION, json!({})).await;
        queued(&["verify-email: ann@example.com"], "sendVerificationEmail").await;
        succeeds(&verify(app, &app.link_token("VERIFY", &ann.email).await).await);
        queued(&[], "verifyEmail of the present address").await;
        app.user("bob").await;
        queued(&["verify-email: bob@example.com"], "register").await;
        succeeds(&change_email(&ann, "bob@example.com").await);
        queued(&["address-in-use: bob@example.com", "email-change-requested: ann@example.com"], "changeEmail to a taken address").await;
        succeeds(&change_email(&ann, "new@example.com").await);
        queued(&["confirm-email: new@example.com", "email-change-requested: ann@example.com"], "changeEmail").await;
        succeeds(&verify(app, &app.link_token("CONFIRM", "new@example.com").await).await);
        queued(&["email-changed: ann@example.com"], "verifyEmail of a new address").await;
        ann.data(CREATE_KEY, json!({ "current": PASSWORD })).await;
        queued(&["api-key-created: new@example.com"], "createApiKey").await;
        ann.data(CHANGE_PASSWORD, json!({ "current": PASSWORD, "new": NEW_PASSWORD })).await;
        queued(&["password-changed: new@example.com"], "changePassword").await;
        request_reset(app, "ann").await;
        queued(&["reset-password: new@example.com"], "requestPasswordReset").await;
        succeeds(&reset(app, &app.link_token("RESET", "new@example.com").await, PASSWORD).await);
        queued(&["password-changed: new@example.com"], "resetPassword").await;
        let new = NewPassword::parse(&mut Faults::default(), "", NEW_PASSWORD).expect("it is strong");
        Operator::new(app.database.clone()).set_password("ann", &new, true).await.expect("the account exists");
        queued(&["password-changed: new@example.com"], "set-password").await;
        let signed_in = login(app, "ann", NEW_PASSWORD).await.body["data"]["login"]["accessToken"].clone();
        let ann = app.with_token(signed_in.as_str().expect("a token"));
        queued(&[], "login").await;
        ann.data(DELETE, json!({ "password": NEW_PASSWORD })).await;
        queued(&["account-deleted: new@example.com"], "deleteAccount").await;
    }

    async fn a_failed_operation_queues_no_mail(app) {
        let ann = app.user("ann").await;
        app.record_mails().await;
        let wrong = json!({ "current": "wrong-horse-1", "password": "wrong-horse-1", "new": NEW_PASSWORD });
        for query in [CHANGE_PASSWORD, DELETE, CREATE_KEY] {
            ann.error(query, wrong.clone()).await;
        }
        let input = json!({ "newEmail": "new@example.com", "currentPassword": "wrong-horse-1" });
        ann.error(CHANGE_EMAIL, json!({ "input": input })).await;
        let input = json!({ "email": ann.email, "password": PASSWORD });
        app.anonymous().error("mutation($input: RegisterInput!) { register(input: $input) { tokenType } }", json!({ "input": input })).await;
        assert_eq!(app.queued_mails().await, Vec::<String>::new());
    }

    async fn mails_that_wait_are_removed_with_the_account(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        add_waiting_mails(app, &ann.email, 3).await;
        add_waiting_mails(app, &bob.email, 2).await;
        ann.data(DELETE, json!({ "password": PASSWORD })).await;
        let waiting = "(SELECT id, recipient FROM mails WHERE gives_up_at > '9000-01-01') AS waiting";
        let waiting = app.rows(waiting).await;
        assert!(waiting.len() == 2 && waiting.iter().all(|mail| mail.contains(&bob.email)), "{waiting:?}");
    }
}
