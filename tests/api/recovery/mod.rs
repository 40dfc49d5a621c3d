//! Recovery of accounts by mail: verified addresses, changes of the address, and new passwords for forgotten ones.

mod change;
mod limits;
mod mails;
mod reset;
mod reset_requests;
mod reset_tokens;
mod verified_only;
mod verify;

use std::time::{Duration, Instant};

use crate::support::{Actor, GraphqlResponse, PASSWORD, TestApp, Value, json};

const NEW_PASSWORD: &str = "better-horse-2";
const INVALID_LINK: &str = "This link is not valid any more. Ask for a new one.";
const RESET: &str = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { email } }";
const VERIFY: &str = "mutation($token: String!) { verifyEmail(token: $token) { email } }";
const REQUEST_RESET: &str =
    "mutation($who: String!) { requestPasswordReset(usernameOrEmail: $who) { message } }";
const CHANGE_EMAIL: &str = "mutation($input: ChangeEmailInput!) {
    changeEmail(input: $input) { user { email emailVerified pendingEmail } } }";
const SEND_VERIFICATION: &str = "mutation { sendVerificationEmail { user { email emailVerified } } }";
const CANCEL: &str = "mutation { cancelEmailChange { user { email pendingEmail } } }";

async fn reset(app: &TestApp, token: &str, password: &str) -> GraphqlResponse {
    let input = json!({ "token": token, "newPassword": password });
    app.anonymous().execute(RESET, json!({ "input": input })).await
}

async fn verify(app: &TestApp, token: &str) -> GraphqlResponse {
    app.anonymous().execute(VERIFY, json!({ "token": token })).await
}

async fn change_email(actor: &Actor<'_>, new: &str) -> GraphqlResponse {
    let input = json!({ "newEmail": new, "currentPassword": PASSWORD });
    actor.execute(CHANGE_EMAIL, json!({ "input": input })).await
}

/// Changes the address of a user to a verified one.
async fn move_to(app: &TestApp, actor: &Actor<'_>, new: &str) {
    succeeds(&change_email(actor, new).await);
    succeeds(&verify(app, &app.link_token("CONFIRM", new).await).await);
}

async fn login(app: &TestApp, who: &str, password: &str) -> GraphqlResponse {
    let query = "mutation($who: String!, $password: String!) {
        login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }";
    app.anonymous().execute(query, json!({ "who": who, "password": password })).await
}

/// The address of a user, whether it is verified, and the one that is pending.
async fn addresses(actor: &Actor<'_>) -> Value {
    actor.data("{ me { email emailVerified pendingEmail } }", json!({})).await["me"].clone()
}

fn succeeds(response: &GraphqlResponse) {
    assert!(response.body.get("errors").is_none(), "{:#}", response.body);
}

/// Asserts that the token of a mail is refused.
fn refuses_link(response: &GraphqlResponse, shown: &str) {
    let error = response.error();
    assert_eq!(
        (response.code().as_str(), &error["message"]),
        ("INVALID_CREDENTIALS", &json!(INVALID_LINK)),
        "{shown}"
    );
    assert_eq!(response.status, 200, "{shown}");
}

/// Waits until no request for a new password is left to process.
async fn requests_are_processed(app: &TestApp) {
    eventually("the requests are processed", async || app.rows("reset_requests").await.is_empty()).await;
}

/// Waits until a background job has established a condition.
async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition().await {
        assert!(Instant::now() < deadline, "{what}: not within ten seconds");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Asks for a new password, and waits until the request is processed.
async fn request_reset(app: &TestApp, who: &str) {
    app.anonymous().data(REQUEST_RESET, json!({ "who": who })).await;
    requests_are_processed(app).await;
}
