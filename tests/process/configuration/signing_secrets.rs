//! Rotation of signing secrets, and secrets that are refused.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::process::configuration::startup_errors::assert_fails_with;
use crate::process::{Tokens, code, refresh, sign_in, tokens, username_of};
use crate::support::{Server, ServerEnv, Value, json};

const OLD: &str = "the old secret of the tests: 0123456789";
const NEW: &str = "the new secret of the tests: 9876543210";

fn key_id(token: &str) -> Value {
    let header = token.split('.').next().unwrap_or_default();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).expect("base64");
    serde_json::from_slice::<Value>(&header).expect("JSON")["kid"].clone()
}

fn start_with_secrets(env: ServerEnv, secrets: &str) -> (ServerEnv, Server) {
    let env = env.with("BETTER_AUTH_SECRET", "").with("BETTER_AUTH_SECRETS", secrets);
    let server = env.start(&[]);
    (env, server)
}

fn assert_invalid(server: &Server, old: &Tokens) {
    let refused = server.post(&old.access, "{ me { id } }", &json!({}));
    let message = refused.json()["errors"][0]["message"].clone();
    assert_eq!((refused.status, message), (401, json!("Invalid token")));
    assert_eq!(code(&refresh(server, &old.refresh)), "INVALID_CREDENTIALS");
}

#[test]
fn tokens_stay_valid_while_their_secret_is_configured() {
    let env = ServerEnv::new().with("BETTER_AUTH_SECRET", OLD);
    let server = env.start(&[]);
    server.register("ann");
    let without_key_id = sign_in(&server, "ann");
    assert_eq!(key_id(&without_key_id.access), Value::Null);
    server.stop();

    let (env, server) = start_with_secrets(env, &format!("1:{OLD}"));
    let first = sign_in(&server, "ann");
    assert_eq!(key_id(&first.access), "1");
    assert_eq!(username_of(&server, &without_key_id.access), "ann");
    server.stop();

    let (env, server) = start_with_secrets(env, &format!("2:{NEW},1:{OLD}"));
    let second = sign_in(&server, "ann");
    assert_eq!(key_id(&second.access), "2");
    for old in [&without_key_id, &first] {
        assert_eq!(username_of(&server, &old.access), "ann");
        let refreshed = tokens(&refresh(&server, &old.refresh), "refreshToken");
        assert_eq!(
            (username_of(&server, &refreshed.access).as_str(), key_id(&refreshed.access)),
            ("ann", json!("2"))
        );
    }
    server.stop();

    let (_place, server) = start_with_secrets(env, &format!("2:{NEW}"));
    assert_invalid(&server, &without_key_id);
    assert_invalid(&server, &first);
    assert_eq!(username_of(&server, &second.access), "ann");
}

#[test]
fn a_token_is_only_verified_with_the_secret_of_its_key_id() {
    let env = ServerEnv::new().with("BETTER_AUTH_SECRETS", &format!("1:{OLD}"));
    let server = env.start(&[]);
    server.register("ann");
    let ann = sign_in(&server, "ann");
    server.stop();
    let (_place, server) = start_with_secrets(env, &format!("1:{NEW},2:{OLD}"));
    assert_eq!(server.post(&ann.access, "{ me { id } }", &json!({})).status, 401);
}

#[test]
fn secrets_that_cannot_be_used_are_refused_and_never_shown() {
    let good = "a s3cret of sufficient length: 0123456789";
    let shape = "BETTER_AUTH_SECRETS must be like 2:new,1:old";
    for (secrets, parts) in [
        (
            format!("2:{good},1:s3cret"),
            ["secret number 2 is too weak: it is shorter", "openssl rand -hex 32"],
        ),
        (
            format!("2:{},1:{good}", "s3cret".repeat(9)),
            ["secret number 1 is too weak: it has fewer", "openssl"],
        ),
        (format!("1:{good},1:{good}!"), ["BETTER_AUTH_SECRETS has two secrets with the same name", ""]),
        (good.replace(':', ""), [shape, ""]),
        (format!("2:{good},"), [shape, ""]),
        (format!("2:{good}, 1:{good}"), [shape, ""]),
        (format!(":{good}"), [shape, ""]),
        // The id is missing, and the secret contains a colon.
        (format!("s3cret-and-more-of-it:{good}"), [shape, ""]),
        ("1:".into(), ["secret number 1 is too weak", ""]),
    ] {
        let env = ServerEnv::new().with("BETTER_AUTH_SECRETS", &secrets);
        assert_fails_with(&env, &[], &parts);
        assert_fails_with(&env, &["check"], &parts);
    }
    let both =
        ServerEnv::new().with("BETTER_AUTH_SECRETS", &format!("1:{good}")).with("BETTER_AUTH_SECRET", good);
    assert_fails_with(
        &both,
        &[],
        &["BETTER_AUTH_SECRET and BETTER_AUTH_SECRETS are both set; use one of them"],
    );
}
