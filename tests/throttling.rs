//! How often signing in may fail.

use chrono::TimeDelta;

use crate::support::{PASSWORD, Value, code, json, on_both_databases};

const LOGIN: &str = "mutation($who: String!, $password: String!) {
    login(input: { usernameOrEmail: $who, password: $password }) { accessToken } }";

fn attempt(who: &str, password: &str) -> Value {
    json!({ "who": who, "password": password })
}

on_both_databases! {
    #[flags("--limit-credentials-per-minute", "0")]
    async fn ten_failed_logins_lock_an_account_for_a_quarter_of_an_hour_known_or_not(app) {
        app.user("ann").await;
        for who in ["ann", "nobody"] {
            for _ in 0..10 {
                assert_eq!(code(&app.nobody().error(LOGIN, attempt(who, "wrong-horse-1")).await), "INVALID_CREDENTIALS");
            }
            let answer = app.nobody().ask(LOGIN, attempt(who, PASSWORD)).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "RATE_LIMITED"), "{who}");
            let wait = answer.error()["extensions"]["retryAfter"].as_i64().expect("seconds");
            assert!((800..=901).contains(&wait), "{wait}");
            assert_eq!(answer.header("retry-after"), wait.to_string());
        }
        app.clock.advance(TimeDelta::minutes(15) + TimeDelta::seconds(1));
        app.nobody().data(LOGIN, attempt("ann", PASSWORD)).await;
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_login_that_succeeds_does_not_count(app) {
        app.user("ann").await;
        for _ in 0..12 {
            app.nobody().data(LOGIN, attempt("ANN", PASSWORD)).await;
        }
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn of_sixty_parallel_attempts_ten_are_tried(app) {
        app.user("ann").await;
        let nobody = app.nobody();
        let tries = (0..60).map(|_| nobody.ask(LOGIN, attempt("ann", "wrong-horse-1")));
        let codes: Vec<String> = futures_util::future::join_all(tries).await.iter().map(|answer| answer.code()).collect();
        let tried = codes.iter().filter(|code| *code == "INVALID_CREDENTIALS").count();
        let refused = codes.iter().filter(|code| *code == "RATE_LIMITED").count();
        assert_eq!((tried, refused), (10, 50));
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_wrong_current_password_counts_as_well(app) {
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
    async fn an_address_has_so_many_credential_operations_a_minute(app) {
        app.user("ann").await;
        let refresh = "mutation { refreshToken(refreshToken: \"x\") { tokenType } }";
        assert_eq!(code(&app.nobody().error(refresh, json!({})).await), "INVALID_CREDENTIALS");
        app.nobody().data(LOGIN, attempt("ann", PASSWORD)).await;
        let answer = app.nobody().ask(LOGIN, attempt("ann", PASSWORD)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "RATE_LIMITED"));
        assert!(!answer.header("retry-after").is_empty());
        app.nobody().data("{ serverInfo { version } }", json!({})).await;
    }
}
