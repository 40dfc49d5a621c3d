//! Limits on sign-in: failed logins per account and credential operations per client address.

use std::time::Instant;

use chrono::TimeDelta;

use crate::support::{PASSWORD, Server, ServerEnv, Value, code, json, on_both_databases, operation};

const LOGIN: &str = "mutation($who: String!, $password: String!) {
    login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }";

fn attempt(who: &str, password: &str) -> Value {
    json!({ "who": who, "password": password })
}

on_both_databases! {
    #[flags("--limit-credentials-per-minute", "0")]
    async fn ten_failed_logins_lock_a_known_or_unknown_account_for_15_minutes(app) {
        app.user("ann").await;
        for who in ["ann", "nobody"] {
            for _ in 0..10 {
                assert_eq!(code(&app.anonymous().error(LOGIN, attempt(who, "wrong-horse-1")).await), "INVALID_CREDENTIALS");
            }
            let response = app.anonymous().execute(LOGIN, attempt(who, PASSWORD)).await;
            assert_eq!((response.status.as_u16(), response.code().as_str()), (429, "RATE_LIMITED"), "{who}");
            let wait = response.error()["extensions"]["retryAfter"].as_i64().expect("seconds");
            assert!((800..=900).contains(&wait), "{wait}");
            assert_eq!(response.header("retry-after"), wait.to_string());
        }
        app.clock.advance(TimeDelta::minutes(15) + TimeDelta::seconds(1));
        app.anonymous().data(LOGIN, attempt("ann", PASSWORD)).await;
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn successful_logins_do_not_count(app) {
        app.user("ann").await;
        for _ in 0..12 {
            app.anonymous().data(LOGIN, attempt("ANN", PASSWORD)).await;
        }
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn of_sixty_concurrent_attempts_ten_are_tried(app) {
        app.user("ann").await;
        let anonymous = app.anonymous();
        let tries = (0..60).map(|_| anonymous.execute(LOGIN, attempt("ann", "wrong-horse-1")));
        let codes: Vec<String> = futures_util::future::join_all(tries).await.iter().map(|response| response.code()).collect();
        let tried = codes.iter().filter(|code| *code == "INVALID_CREDENTIALS").count();
        let refused = codes.iter().filter(|code| *code == "RATE_LIMITED").count();
        let full = codes.iter().filter(|code| *code == "SERVICE_UNAVAILABLE").count();
        // One client network may use half of the hashing queue.
        assert_eq!((tried, refused + full), (10, 50), "{codes:?}");
        assert!(refused > 0, "{codes:?}");
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn all_names_of_an_account_share_one_count(app) {
        let ann = app.user("ann").await;
        let change = "mutation { changePassword(input: { currentPassword: \"wrong-horse-1\",
            newPassword: \"better-horse-2\" }) { tokenType } }";
        for who in ["ann", "ANN", "ann@example.com", "Ann@EXAMPLE.com", "ann", "ann@example.com", " ann "] {
            assert_eq!(code(&app.anonymous().error(LOGIN, attempt(who, "wrong-horse-1")).await), "INVALID_CREDENTIALS");
        }
        for _ in 0..3 {
            assert_eq!(code(&ann.error(change, json!({})).await), "INVALID_CREDENTIALS");
        }
        for who in ["ann", "ann@example.com"] {
            assert_eq!(code(&app.anonymous().error(LOGIN, attempt(who, PASSWORD)).await), "RATE_LIMITED", "{who}");
        }
        assert_eq!(code(&ann.error(change, json!({})).await), "RATE_LIMITED");
    }

    #[flags("--limit-credentials-per-minute", "0", "--limit-login-failures", "2")]
    async fn attempts_in_progress_do_not_count_as_failures(app) {
        app.user("ann").await;
        let anonymous = app.anonymous();
        let logins = (0..12).map(|_| anonymous.execute(LOGIN, attempt("ann", PASSWORD)));
        let mut right = 0;
        for response in futures_util::future::join_all(logins).await {
            match response.body.get("errors") {
                None => right += 1,
                // On a busy machine the results of the other attempts arrive too late.
                Some(_) => assert_eq!(response.code(), "SERVICE_UNAVAILABLE"),
            }
        }
        assert!(right > 2, "{right} of 12 succeeded");
        let mut wrong = 0;
        for response in futures_util::future::join_all((0..12).map(|n| {
            anonymous.execute(LOGIN, attempt("ann", if n % 2 == 0 { "wrong-horse-1" } else { PASSWORD }))
        })).await {
            match response.body.get("errors") {
                None => {}
                Some(_) if response.code() == "INVALID_CREDENTIALS" => wrong += 1,
                Some(_) => assert!(["RATE_LIMITED", "SERVICE_UNAVAILABLE"].contains(&response.code().as_str())),
            }
        }
        assert!((1..=2).contains(&wrong), "{wrong} wrong passwords were tried");
    }

    #[flags("--limit-credentials-per-minute", "0", "--limit-login-failures", "1")]
    async fn a_lock_never_lasts_longer_than_its_period_after_a_change_of_the_clock(app) {
        app.user("ann").await;
        let wrong = async || app.anonymous().execute(LOGIN, attempt("ann", "wrong-horse-1")).await.code();
        app.clock.advance(TimeDelta::days(400));
        assert_eq!((wrong().await.as_str(), wrong().await.as_str()), ("INVALID_CREDENTIALS", "RATE_LIMITED"));
        // The clock was far ahead and has been corrected.
        app.clock.advance(TimeDelta::days(-400));
        app.anonymous().data(LOGIN, attempt("ann", PASSWORD)).await;
        assert_eq!((wrong().await.as_str(), wrong().await.as_str()), ("INVALID_CREDENTIALS", "RATE_LIMITED"));
        app.clock.advance(TimeDelta::seconds(-50));
        let response = app.anonymous().execute(LOGIN, attempt("ann", PASSWORD)).await;
        assert_eq!(response.code(), "RATE_LIMITED");
        assert_eq!(response.error()["extensions"]["retryAfter"], 900);
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_wrong_current_password_counts_too(app) {
        let ann = app.user("ann").await;
        let change = "mutation($current: String!) { changePassword(input: { currentPassword: $current, newPassword: \"better-horse-2\" }) { tokenType } }";
        let delete = "mutation($current: String!) { deleteAccount(password: $current) { deletedUserId } }";
        for query in [change, delete].iter().cycle().take(10) {
            assert_eq!(code(&ann.error(query, json!({ "current": "wrong-horse-1" })).await), "INVALID_CREDENTIALS");
        }
        for query in [change, delete] {
            assert_eq!(code(&ann.error(query, json!({ "current": PASSWORD })).await), "RATE_LIMITED");
        }
    }

    #[flags("--limit-credentials-per-minute", "3")]
    async fn credential_operations_per_minute_are_limited_per_address(app) {
        app.user("ann").await;
        let refresh = "mutation { refreshToken(refreshToken: \"x\") { tokenType } }";
        assert_eq!(code(&app.anonymous().error(refresh, json!({})).await), "INVALID_CREDENTIALS");
        app.anonymous().data(LOGIN, attempt("ann", PASSWORD)).await;
        let response = app.anonymous().execute(LOGIN, attempt("ann", PASSWORD)).await;
        assert_eq!((response.status.as_u16(), response.code().as_str()), (429, "RATE_LIMITED"));
        assert!(!response.header("retry-after").is_empty());
        app.anonymous().data("{ serverInfo { version } }", json!({})).await;
    }
}

/// An environment with a trusted proxy, through which tests set client addresses.
fn env_behind_proxy() -> ServerEnv {
    ServerEnv::new().with("TRUSTED_PROXIES", "127.0.0.0/8")
}

fn login_from(server: &Server, address: &str, password: &str) -> String {
    let header = format!("x-forwarded-for: {address}");
    let body = server.post_with(&header, "", LOGIN, &attempt("ann", password)).json();
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn credential_operations_are_counted_per_64_bit_prefix_of_ipv6() {
    let server = env_behind_proxy().with("LIMIT_CREDENTIALS_PER_MINUTE", "2").start(&[]);
    server.register("ann");
    for address in ["2001:db8::1", "2001:db8::2:1"] {
        assert_eq!(login_from(&server, address, PASSWORD), "", "{address}");
    }
    assert_eq!(login_from(&server, "2001:db8::3", PASSWORD), "RATE_LIMITED");
    assert_eq!(login_from(&server, "2001:db8:0:1::1", PASSWORD), "");
}

#[test]
fn a_flood_of_logins_from_one_network_does_not_block_another() {
    let server = env_behind_proxy().with("LIMIT_CREDENTIALS_PER_MINUTE", "0").start(&[]);
    server.register("ann");
    let flood: Vec<_> = (1..=100)
        .map(|host| {
            let mut client = server.connect();
            let request = operation("", LOGIN, &attempt(&format!("unknown{host}"), PASSWORD));
            let header = format!("host: test\r\nx-forwarded-for: 198.51.100.{host}");
            client.send(&request.replacen("host: test", &header, 1));
            client
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(login_from(&server, "192.0.2.1", PASSWORD), "");
    let waited = begun.elapsed();
    let codes = flood.into_iter().map(|mut client| {
        let body = client.read_response().json();
        body["errors"][0]["extensions"]["code"].as_str().expect("the login fails").to_owned()
    });
    let refused = codes.filter(|code| code == "SERVICE_UNAVAILABLE").count();
    println!("another network waited {waited:?}; {refused} of 100 were refused");
    // The queue contains 32 logins of a network, and a few are hashed during the test.
    assert!(refused > 0, "no login was refused");
}
