//! The client address of a request: the TCP peer, or the address that a trusted proxy reports.

use crate::process::code;
use crate::process::configuration::startup_errors::assert_fails_with;
use crate::support::{PASSWORD, Server, ServerEnv, json};

const LOGIN: &str = "mutation($password: String!) {
    login(input: { usernameOrEmail: \"ann\", password: $password }) { accessToken } }";

/// Sends an invalid refresh token, which counts as a credential operation of the client address.
fn attempt(server: &Server, forwarded: &str) -> String {
    let query = "mutation { refreshToken(refreshToken: \"x\") { tokenType } }";
    code(&server.post_with(&format!("x-forwarded-for: {forwarded}"), "", query, &json!({})))
}

#[test]
fn behind_a_trusted_proxy_every_client_has_its_own_limit() {
    let env = ServerEnv::new().with("LIMIT_CREDENTIALS_PER_MINUTE", "2");
    let server = env.with("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.0/8").start(&[]);
    for client in ["198.51.100.1", "198.51.100.2", "2001:db8::1"] {
        for expected in ["INVALID_CREDENTIALS", "INVALID_CREDENTIALS", "RATE_LIMITED"] {
            assert_eq!(attempt(&server, client), expected, "{client}");
        }
        // Addresses sent by the client precede those added by the proxies and are ignored.
        assert_eq!(attempt(&server, &format!("192.0.2.7, {client}")), "RATE_LIMITED");
        assert_eq!(attempt(&server, &format!("192.0.2.8, {client}, 10.1.2.3")), "RATE_LIMITED");
    }
}

#[test]
fn forwarded_addresses_of_untrusted_peers_are_ignored() {
    for trusted in ["", "10.0.0.0/8"] {
        let env = ServerEnv::new().with("LIMIT_CREDENTIALS_PER_MINUTE", "2");
        let server = env.with("TRUSTED_PROXIES", trusted).start(&[]);
        for (client, expected) in
            [(1, "INVALID_CREDENTIALS"), (2, "INVALID_CREDENTIALS"), (3, "RATE_LIMITED")]
        {
            assert_eq!(attempt(&server, &format!("198.51.100.{client}")), expected);
        }
    }
}

#[test]
fn an_invalid_trusted_network_is_refused() {
    for network in ["10.0.0.0/33", "proxy.example.com", "10.0.0.0/8,10.0.0", "127.0.0.1:80", "*"] {
        let env = ServerEnv::new().with("TRUSTED_PROXIES", network);
        assert_fails_with(&env, &[], &["TRUSTED_PROXIES", "like 10.0.0.0/8"]);
        assert_fails_with(&env, &["check"], &["TRUSTED_PROXIES"]);
    }
}

#[test]
fn a_session_stores_the_client_address_and_user_agent() {
    let server = ServerEnv::new().with("TRUSTED_PROXIES", "::ffff:127.0.0.0/104").start(&[]);
    server.register("ann");
    let long = "ü".repeat(300);
    for (sent, kept) in [
        (
            "user-agent: A/1.0 (X; ä)\r\nx-forwarded-for: 198.51.100.1",
            json!(["A/1.0 (X; ä)", "198.51.100.1"]),
        ),
        ("user-agent: a\tb\r\nx-forwarded-for: ::ffff:198.51.100.2", json!(["ab", "198.51.100.2"])),
        (&format!("user-agent: {long}"), json!(["ü".repeat(256), "127.0.0.1"])),
        ("user-agent:\r\nx-forwarded-for: 2001:DB8::1", json!([null, "2001:db8::1"])),
        ("x-forwarded-for: \"[2001:db8::2]:4711\"", json!([null, "2001:db8::2"])),
        ("x-forwarded-for: fe80::3%eth0, , 127.0.0.1", json!([null, "fe80::3"])),
        ("x-forwarded-for: 198.51.100.4, unknown", json!([null, "127.0.0.1"])),
    ] {
        let response = server.post_with(sent, "", LOGIN, &json!({ "password": PASSWORD })).json();
        let token = response["data"]["login"]["accessToken"].as_str().expect("a token").to_owned();
        let query = "{ me { sessions { current userAgent ipAddress } } }";
        let sessions = server.post(&token, query, &json!({})).json()["data"]["me"]["sessions"].clone();
        let sessions = sessions.as_array().expect("a list").clone();
        let current = sessions
            .into_iter()
            .find(|session| session["current"] == true)
            .expect("the current session is listed");
        assert_eq!(json!([current["userAgent"], current["ipAddress"]]), kept);
    }
}
