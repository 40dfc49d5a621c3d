//! The operations with mails and API keys, whose tokens must be nowhere but in the mails and in one response.

use std::fs;

use crate::process::login;
use crate::support::{Server, ServerEnv, json, wait_until};

/// Registers an account, and executes all operations with mails and API keys. Returns the tokens.
pub fn recovery_lifecycle(server: &Server, env: &ServerEnv) -> Vec<String> {
    let (password, better) = ("hush-Password-3", "hush-Password-4");
    let register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
    let input = json!({ "email": "hush-first@example.com", "password": password, "username": "hush-login" });
    let registered = server.post("", register, &json!({ "input": input })).json();
    let session = registered["data"]["register"]["accessToken"].as_str().expect("it is a new address");
    let verification = mailed_token(env, "verify-email");
    verify(server, &verification);

    let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { token } }";
    let key = json!({ "name": "hush-key", "scopes": ["ACCOUNT"], "currentPassword": password });
    let created = server.post(session, create, &json!({ "input": key })).json();
    let key = created["data"]["createApiKey"]["token"].as_str().expect("the password is correct").to_owned();
    let me = server.post(&key, "{ me { email } currentApiKey { name } }", &json!({})).json();
    assert_eq!(me["data"]["currentApiKey"]["name"], "hush-key", "{me}");
    server.post(&key.replace("taskhold_key_", "taskhold_key_0"), "{ me { id } }", &json!({}));

    let change =
        "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { user { pendingEmail } } }";
    let input = json!({ "newEmail": "hush-second@example.com", "currentPassword": password });
    server.post(session, change, &json!({ "input": input }));
    let confirmation = mailed_token(env, "confirm-email");
    verify(server, &confirmation);
    verify(server, "hush-token");

    let request = "mutation($who: String!) { requestPasswordReset(usernameOrEmail: $who) { message } }";
    for who in ["hush-login", "hush-unknown@example.com"] {
        server.post("", request, &json!({ "who": who }));
    }
    let reset = mailed_token(env, "reset-password");
    let set = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { email } }";
    for (token, new) in [("hush-token", better), (&reset, "hush"), (&reset, better), (&reset, better)] {
        server.post("", set, &json!({ "input": { "token": token, "newPassword": new } }));
    }
    let signed_in = login(server, "hush-second@example.com", better).json();
    assert!(signed_in["data"]["login"]["accessToken"].is_string(), "{signed_in}");
    assert_mails_have_no_text_of_users(env);
    vec![verification, key, confirmation, reset]
}

fn verify(server: &Server, token: &str) {
    let verify = "mutation($token: String!) { verifyEmail(token: $token) { email } }";
    server.post("", verify, &json!({ "token": token }));
}

/// The texts of all mails that were written as files.
fn mails(env: &ServerEnv) -> Vec<String> {
    let Ok(files) = fs::read_dir(env.path("data/mail")) else { return Vec::new() };
    let paths = files.map(|file| file.expect("the folder can be read").path());
    let mails = paths.filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
    mails.map(|path| fs::read_to_string(path).expect("a mail is text")).collect()
}

/// Waits for a mail of a kind to an address with "hush", and returns the token in its link.
fn mailed_token(env: &ServerEnv, kind: &str) -> String {
    let mut token = None;
    wait_until(&format!("the mail {kind} is written"), || {
        let of_kind = |mail: &&String| mail.contains(&format!("X-Taskhold-Mail: {kind}\r\n"));
        let mails = mails(env);
        let mail = mails.iter().filter(of_kind).find(|mail| mail.contains("hush-"));
        let link = mail.and_then(|mail| mail.lines().find(|line| line.starts_with("http")));
        token = link.and_then(|link| Some(link.split_once("#token=")?.1.to_owned()));
        token.is_some()
    });
    token.expect("the wait has ended")
}

fn assert_mails_have_no_text_of_users(env: &ServerEnv) {
    let mails = mails(env);
    assert!(mails.len() >= 7, "there are {} mails", mails.len());
    for mail in mails {
        let without_recipient = mail.lines().filter(|line| !line.starts_with("To: "));
        let texts: Vec<&str> = without_recipient.filter(|line| line.contains("hush")).collect();
        assert!(texts.is_empty(), "{texts:?}");
    }
}

/// Asserts that no file of the database has a token.
pub fn assert_database_has_no_token(env: &ServerEnv, tokens: &[String]) {
    for name in ["taskhold.db", "taskhold.db-wal"] {
        let Ok(bytes) = fs::read(env.path("data").join(name)) else { continue };
        for token in tokens {
            let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
            assert!(!found, "{name} has the token {token}");
        }
    }
    assert!(env.path("data/taskhold.db").exists(), "the database has another name");
}
