//! Sessions: refresh, revocation, password changes, deletion of the account, and forged tokens.

use axum::body::Body;
use axum::http::Request;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use taskhold::domain::{Faults, NewPassword};
use taskhold::service::Operator;

use crate::support::{
    Actor, DatabaseKind, PASSWORD, SECRET, TestApp, Value, code, faults, json, on_both_databases,
};

const ME: &str = "{ me { id } }";
const REFRESH: &str = "mutation($token: String!) { refreshToken(refreshToken: $token) {
    accessToken refreshToken expiresAt user { id } } }";
const LOGIN: &str = "mutation($who: String!, $password: String!) {
    login(input: { usernameOrEmail: $who, password: $password }) { accessToken refreshToken } }";
const SESSIONS: &str =
    "{ me { sessions { id current userAgent ipAddress createdAt lastUsedAt expiresAt } } }";
const CHANGE: &str = "mutation($input: ChangePasswordInput!) {
    changePassword(input: $input) { accessToken refreshToken user { id } } }";

async fn refresh(app: &TestApp, token: &Value) -> Value {
    app.anonymous().data(REFRESH, json!({ "token": token })).await["refreshToken"].clone()
}

async fn refused_refresh(app: &TestApp, token: &Value) -> String {
    code(&app.anonymous().error(REFRESH, json!({ "token": token })).await)
}

async fn login<'a>(app: &'a TestApp, who: &str) -> Actor<'a> {
    let data = app.anonymous().data(LOGIN, json!({ "who": who, "password": PASSWORD })).await;
    app.with_token(data["login"]["accessToken"].as_str().expect("a token"))
}

/// Inserts `count` copies of the newest session.
async fn copy_newest_session(app: &TestApp, count: usize) {
    let copies = |id: &str, numbers: &str| {
        format!(
            "INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, refreshes, refreshed_at)
             SELECT {id}, user_id, created_at, last_used_at, expires_at, 0, refreshed_at FROM sessions, {numbers}
             WHERE created_at = (SELECT max(created_at) FROM sessions)"
        )
    };
    app.execute_sql(&match app.kind {
        DatabaseKind::Postgres => copies("gen_random_uuid()", &format!("generate_series(1, {count})")),
        DatabaseKind::Sqlite => copies(
            "randomblob(16)",
            &format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)"
            ),
        ),
    })
    .await;
}

/// Waits until a background job has established a condition.
async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !condition().await {
        assert!(std::time::Instant::now() < deadline, "{what}: not within ten seconds");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// Signs a token with any header, claims and secret.
fn forge(header: Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    let signature = mac.chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

on_both_databases! {
    async fn a_refresh_token_is_exchanged_for_a_new_pair(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::days(1));
        let first = refresh(app, &json!(ann.refresh_token)).await;
        assert_eq!(first["user"]["id"], ann.id);
        assert_ne!(first["refreshToken"], ann.refresh_token);
        let second = refresh(app, &first["refreshToken"]).await;
        for token in [ann.token(), first["accessToken"].as_str().expect("text"), second["accessToken"].as_str().expect("text")] {
            app.with_token(token).data(ME, json!({})).await;
        }
    }

    async fn a_repeated_refresh_gets_the_same_response_for_ten_seconds(app) {
        let ann = app.user("ann").await;
        let token = json!(ann.refresh_token);
        let first = refresh(app, &token).await;
        app.clock.advance(TimeDelta::seconds(9));
        assert_eq!(refresh(app, &token).await, first);
        app.clock.advance(TimeDelta::seconds(2));
        assert_eq!(refused_refresh(app, &token).await, "INVALID_CREDENTIALS");
        assert_eq!(ann.execute(ME, json!({})).await.status, 401, "the session is still active");
        assert_eq!(refused_refresh(app, &first["refreshToken"]).await, "INVALID_CREDENTIALS");
    }

    async fn a_refresh_token_whose_successor_was_used_revokes_the_session(app) {
        let ann = app.user("ann").await;
        let first = refresh(app, &json!(ann.refresh_token)).await;
        refresh(app, &first["refreshToken"]).await;
        assert_eq!(refused_refresh(app, &json!(ann.refresh_token)).await, "INVALID_CREDENTIALS");
        assert_eq!(ann.execute(ME, json!({})).await.status, 401);
    }

    async fn concurrent_refreshes_get_one_successor(app) {
        let ann = app.user("ann").await;
        let token = json!(ann.refresh_token);
        let responses = futures_util::future::join_all((0..20).map(|_| refresh(app, &token))).await;
        assert!(responses.iter().all(|response| *response == responses[0]), "{responses:#?}");
        refresh(app, &responses[0]["refreshToken"]).await;
    }

    async fn a_session_cannot_be_refreshed_beyond_its_end(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::days(29));
        let last = refresh(app, &json!(ann.refresh_token)).await;
        let claims = app.with_token(last["accessToken"].as_str().expect("text")).claims();
        let lasts = claims["exp"].as_i64().expect("a number") - claims["iat"].as_i64().expect("a number");
        assert!((86_390..=86_400).contains(&lasts), "{lasts}");
        app.clock.advance(TimeDelta::days(1));
        assert_eq!(refused_refresh(app, &last["refreshToken"]).await, "INVALID_CREDENTIALS");
    }

    async fn refresh_tokens_of_revoked_sessions_and_inactive_users_are_refused(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        ann.data("mutation { logout { success } }", json!({})).await;
        app.execute_sql("UPDATE users SET is_active = FALSE WHERE username = 'bob'").await;
        for token in [ann.refresh_token.as_str(), &bob.refresh_token, "", "x", bob.token(), &format!("{}x", bob.refresh_token)] {
            assert_eq!(refused_refresh(app, &json!(token)).await, "INVALID_CREDENTIALS", "{token}");
        }
    }

    async fn sessions_are_listed_and_can_be_revoked_one_by_one(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::seconds(5));
        let phone = login(app, "ann").await;
        let listed = phone.data(SESSIONS, json!({})).await["me"]["sessions"].clone();
        let current: Vec<&Value> = listed.as_array().expect("a list").iter().map(|session| &session["current"]).collect();
        assert_eq!(current, [&json!(true), &json!(false)]);
        assert_eq!(listed[0]["ipAddress"], "127.0.0.1");
        let revoke = "mutation($id: ID!) { revokeSession(id: $id) { revokedSessionId } }";
        let data = phone.data(revoke, json!({ "id": ann.session_id() })).await;
        assert_eq!(data["revokeSession"]["revokedSessionId"], ann.session_id());
        assert_eq!(ann.execute(ME, json!({})).await.status, 401);
        assert_eq!(code(&phone.error(revoke, json!({ "id": ann.session_id() })).await), "NOT_FOUND");
        assert_eq!(faults(&phone.error(revoke, json!({ "id": "x" })).await), ["id invalid"]);
        let node = "query($id: ID!) { node(id: $id) { __typename ... on Session { current } } }";
        assert_eq!(phone.data(node, json!({ "id": phone.session_id() })).await["node"], json!({ "__typename": "Session", "current": true }));
        let bob = app.user("bob").await;
        assert_eq!(bob.data(node, json!({ "id": phone.session_id() })).await["node"], Value::Null);
    }

    async fn a_session_records_its_last_use_to_the_minute(app) {
        let ann = app.user("ann").await;
        let used = async || ann.data(SESSIONS, json!({})).await["me"]["sessions"][0]["lastUsedAt"].clone();
        let first = used().await;
        assert_eq!(used().await, first);
        app.clock.advance(TimeDelta::hours(2));
        // The refresh reads the session again, as an instance does that has not cached it.
        refresh(app, &json!(ann.refresh_token)).await;
        assert_ne!(used().await, first);
    }

    async fn an_open_stream_counts_as_use_of_its_session(app) {
        let ann = app.user("ann").await;
        let used = async || ann.data(SESSIONS, json!({})).await["me"]["sessions"][0]["lastUsedAt"].clone();
        let first = used().await;
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .header("authorization", format!("Bearer {}", ann.token()))
            .body(Body::from(json!({ "query": "subscription { taskChanges { cursor } }" }).to_string()));
        let stream = app.send(request.expect("a valid request")).await;
        assert_eq!(stream.status(), 200);
        app.clock.advance(TimeDelta::minutes(11));
        eventually("the use is recorded", async || used().await != first).await;
    }

    async fn changing_the_password_revokes_the_other_sessions(app) {
        let ann = app.user("ann").await;
        let other = login(app, "ann").await;
        other.data(ME, json!({})).await;
        let input = json!({ "currentPassword": PASSWORD, "newPassword": "better-horse-2" });
        let pair = ann.data(CHANGE, json!({ "input": input })).await["changePassword"].clone();
        ann.data(ME, json!({})).await;
        app.with_token(pair["accessToken"].as_str().expect("text")).data(ME, json!({})).await;
        refresh(app, &pair["refreshToken"]).await;
        assert_eq!(other.execute(ME, json!({})).await.status, 401);
        assert_eq!(code(&app.anonymous().error(LOGIN, json!({ "who": "ann", "password": PASSWORD })).await), "INVALID_CREDENTIALS");
        app.anonymous().data(LOGIN, json!({ "who": "ann", "password": "better-horse-2" })).await;
    }

    async fn changing_the_password_invalidates_earlier_refresh_tokens(app) {
        let ann = app.user("ann").await;
        let input = json!({ "currentPassword": PASSWORD, "newPassword": "better-horse-2" });
        ann.data(CHANGE, json!({ "input": input })).await;
        assert_eq!(refused_refresh(app, &json!(ann.refresh_token)).await, "INVALID_CREDENTIALS");
    }

    async fn changing_the_password_returns_the_updated_account(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::minutes(5));
        let change = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { createdAt updatedAt } } }";
        let input = json!({ "currentPassword": PASSWORD, "newPassword": "better-horse-2" });
        let changed = ann.data(change, json!({ "input": input })).await["changePassword"]["user"].clone();
        assert_eq!(changed, ann.data("{ me { createdAt updatedAt } }", json!({})).await["me"]);
        assert_ne!(changed["updatedAt"], changed["createdAt"]);
    }

    async fn changing_the_password_can_keep_the_other_sessions(app) {
        let ann = app.user("ann").await;
        let other = login(app, "ann").await;
        let input = json!({ "currentPassword": PASSWORD, "newPassword": "better-horse-2", "revokeOtherSessions": false });
        ann.data(CHANGE, json!({ "input": input })).await;
        other.data(ME, json!({})).await;
    }

    async fn a_password_is_not_changed_without_the_current_one(app) {
        let ann = app.user("ann").await;
        let before = app.rows("users").await;
        for (current, new, expected) in [
            ("wrong-horse-1", "better-horse-2", ("INVALID_CREDENTIALS", vec![])),
            (PASSWORD, "weak", ("BAD_USER_INPUT", vec!["input.newPassword too_short", "input.newPassword weak"])),
            ("", "better-horse-2", ("BAD_USER_INPUT", vec!["input.currentPassword required"])),
        ] {
            let error = ann.error(CHANGE, json!({ "input": { "currentPassword": current, "newPassword": new } })).await;
            assert_eq!((code(&error).as_str(), faults(&error)), (expected.0, expected.1.iter().map(ToString::to_string).collect()));
        }
        assert_eq!(app.rows("users").await, before);
    }

    async fn a_login_with_the_old_password_during_a_change_leaves_no_session(app) {
        let operator = Operator::new(app.database.clone());
        let passwords = [PASSWORD, "better-horse-2"];
        app.user("ann").await;
        for round in 0..10 {
            let old = passwords[round % 2];
            let mut faults = Faults::default();
            let new = NewPassword::parse(&mut faults, "", passwords[(round + 1) % 2]).expect("strong");
            let anonymous = app.anonymous();
            let wait = std::time::Duration::from_millis(round as u64);
            let (set, response) = futures_util::join!(operator.set_password("ann", &new, false), async {
                tokio::time::sleep(wait).await;
                anonymous.execute(LOGIN, json!({ "who": "ann", "password": old })).await
            });
            set.expect("the account exists");
            assert_eq!(app.rows("sessions").await, Vec::<String>::new(), "{:?}", response.body);
        }
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn concurrent_logins_refreshes_and_logouts_cause_no_internal_errors(app) {
        let ann = app.user("ann").await;
        let mut others = Vec::new();
        for _ in 0..4 {
            others.push(login(app, "ann").await);
        }
        let anonymous = app.anonymous();
        let mut responses = Vec::new();
        for round in 0..4 {
            let scope = ["OTHERS", "ALL"][round % 2];
            let logout = format!("mutation {{ logout(scope: {scope}) {{ success }} }}");
            let logouts = others.iter().map(|actor| actor.execute(&logout, json!({})));
            let refreshes = (0..8).map(|_| anonymous.execute(REFRESH, json!({ "token": ann.refresh_token })));
            let logins = (0..4).map(|_| anonymous.execute(LOGIN, json!({ "who": "ann", "password": PASSWORD })));
            let all = futures_util::join!(
                futures_util::future::join_all(logouts),
                futures_util::future::join_all(refreshes),
                futures_util::future::join_all(logins),
            );
            others = Vec::new();
            for token in all.2.iter().filter_map(|response| response.body["data"]["login"]["accessToken"].as_str()) {
                others.push(app.with_token(token));
            }
            assert!(!others.is_empty(), "no login succeeded");
            responses.extend([all.0, all.1, all.2].into_iter().flatten());
        }
        for response in responses.iter().filter(|response| response.body.get("errors").is_some()) {
            // The session was revoked; or, on a busy machine, the hashing queue was full.
            let expected = ["UNAUTHENTICATED", "INVALID_CREDENTIALS", "SERVICE_UNAVAILABLE"];
            assert!(expected.contains(&response.code().as_str()), "{:#}", response.body);
        }
    }

    // The number of sessions is tested, and not the time, which is several seconds without optimization.
    #[flags("--request-timeout", "10m")]
    async fn more_sessions_than_statement_parameters_can_be_revoked_together(app) {
        let ann = app.user("ann").await;
        copy_newest_session(app, 33_000).await;
        ann.data("mutation { logout(scope: ALL) { success } }", json!({})).await;
        assert_eq!(app.rows("sessions").await, Vec::<String>::new());
    }

    async fn a_sign_in_beyond_a_hundred_sessions_revokes_the_least_recently_used_one(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::hours(1));
        login(app, "ann").await;
        copy_newest_session(app, 98).await;
        app.clock.advance(TimeDelta::hours(1));
        // The oldest session is now the most recently used one.
        refresh(app, &json!(ann.refresh_token)).await;
        let third = login(app, "ann").await;
        ann.data(ME, json!({})).await;
        assert_eq!(app.rows("sessions").await.len(), 100);

        app.execute_sql("UPDATE sessions SET last_used_at = created_at").await;
        login(app, "ann").await;
        assert_eq!(ann.execute(ME, json!({})).await.status, 401, "the session is still active");
        assert_eq!(app.rows("sessions").await.len(), 100);
        third.data(ME, json!({})).await;
    }

    async fn a_sign_in_reduces_an_excessive_number_of_sessions_to_a_hundred(app) {
        let ann = app.user("ann").await;
        copy_newest_session(app, 3_000).await;
        // The session of the request is the most recently used one.
        app.clock.advance(TimeDelta::minutes(2));
        refresh(app, &json!(ann.refresh_token)).await;
        let listed = ann.data(SESSIONS, json!({})).await["me"]["sessions"].clone();
        assert_eq!((listed.as_array().map(Vec::len), &listed[0]["current"]), (Some(100), &json!(true)));
        app.start_second_instance();
        eventually("the sessions are brought down", async || app.rows("sessions").await.len() == 100).await;
        ann.data(ME, json!({})).await;
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn concurrent_logins_leave_a_hundred_sessions(app) {
        app.user("ann").await;
        copy_newest_session(app, 98).await;
        let logins = futures_util::future::join_all((0..8).map(|_| login(app, "ann"))).await;
        assert_eq!(app.rows("sessions").await.len(), 100);
        for session in logins {
            session.data(ME, json!({})).await;
        }
    }

    async fn expired_sessions_are_deleted_in_the_background(app) {
        let ann = app.user("ann").await;
        copy_newest_session(app, 1_200).await;
        app.clock.advance(TimeDelta::days(30));
        let bob = app.user("bob").await;
        app.start_second_instance();
        eventually("they are deleted", async || app.rows("sessions").await.len() == 1).await;
        bob.data(ME, json!({})).await;
        // The token has expired with its session, whether the row still exists or not.
        ann.data("mutation { logout { success } }", json!({})).await;
    }

    async fn the_use_of_a_session_is_recorded_in_the_background(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::minutes(5));
        let opened = app.rows("sessions").await;
        ann.data(ME, json!({})).await;
        eventually("the use is noted", async || app.rows("sessions").await != opened).await;
    }

    async fn an_outdated_refresh_token_stays_invalid_when_the_clock_is_set_back(app) {
        let ann = app.user("ann").await;
        refresh(app, &json!(ann.refresh_token)).await;
        app.clock.advance(TimeDelta::hours(-1));
        assert_eq!(refused_refresh(app, &json!(ann.refresh_token)).await, "INVALID_CREDENTIALS");
        assert!(app.rows("sessions").await.is_empty(), "the session is still active");
    }

    async fn a_token_is_valid_to_the_second_after_any_change_of_the_clock(app) {
        let ann = app.user("ann").await;
        for (skip, status) in [(7 * 86_400 - 2, 200), (2, 401), (-3, 200), (3, 401), (-5, 200)] {
            app.clock.advance(TimeDelta::seconds(skip));
            assert_eq!(ann.execute(ME, json!({})).await.status.as_u16(), status, "{skip}");
        }
        // A token pair issued while the clock was ahead, used after the clock was corrected.
        let pair = refresh(app, &json!(ann.refresh_token)).await;
        app.clock.advance(TimeDelta::days(-6));
        refresh(app, &pair["refreshToken"]).await;
    }

    async fn an_expired_token_logs_out_only_of_its_own_session(app) {
        let ann = app.user("ann").await;
        app.clock.advance(TimeDelta::days(8));
        let second = login(app, "ann").await;
        for scope in ["OTHERS", "ALL"] {
            let logout = format!("mutation {{ logout(scope: {scope}) {{ success }} }}");
            assert_eq!(ann.error(&logout, json!({})).await["message"], "Token has expired");
        }
        ann.data("mutation { logout { success } }", json!({})).await;
        assert_eq!(refused_refresh(app, &json!(ann.refresh_token)).await, "INVALID_CREDENTIALS");
        second.data(ME, json!({})).await;
    }

    async fn a_deleted_account_is_inaccessible_immediately_and_its_rows_are_deleted_later(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let task = ann.full_task("one").await;
        let id = task["id"].as_str().expect("an id");
        bob.task("two").await;
        let copies = "INSERT INTO risks (id, task_id, position, description, likelihood, impact) SELECT";
        app.execute_sql(&match app.kind {
            DatabaseKind::Postgres => format!("{copies} gen_random_uuid(), task_id, position, description, likelihood,
                impact FROM risks, generate_series(1, 3000)"),
            DatabaseKind::Sqlite => format!("{copies} randomblob(16), task_id, position, description, likelihood, impact
                FROM risks, (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i FROM n)"),
        }).await;
        let delete = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }";
        assert_eq!(code(&ann.error(delete, json!({ "password": "wrong-horse-1" })).await), "INVALID_CREDENTIALS");
        let data = ann.data(delete, json!({ "password": PASSWORD })).await;
        assert_eq!(data["deleteAccount"]["deletedUserId"], ann.id);

        assert_eq!(ann.execute(ME, json!({})).await.status, 401);
        assert_eq!(refused_refresh(app, &json!(ann.refresh_token)).await, "INVALID_CREDENTIALS");
        let change = "mutation($id: ID!) { completeTask(id: $id) { task { id } } }";
        for query in ["query($id: ID!) { task(id: $id) { id } }", change] {
            assert_eq!(code(&bob.error(query, json!({ "id": id })).await), "NOT_FOUND");
        }
        let bulk = "mutation($id: ID!) { completeTasks(ids: [$id]) { tasks { id } } }";
        assert_eq!(code(&bob.error(bulk, json!({ "id": id })).await), "NOT_FOUND");
        let listed = Operator::new(app.database.clone()).list().await.expect("a list");
        assert_eq!(listed.len(), 1);
        let name = format!("deleted {}", ann.id);
        for who in ["ann", "ann@example.com", &name] {
            let error = app.anonymous().error(LOGIN, json!({ "who": who, "password": PASSWORD })).await;
            assert_eq!(code(&error), "INVALID_CREDENTIALS", "{who}");
        }
        bob.create(json!({ "id": id, "title": "three" })).await;
        let again = app.user("ann").await;
        assert_ne!(again.id, ann.id);
        assert_eq!(again.data("{ tasks { totalCount } }", json!({})).await["tasks"]["totalCount"], 0);

        eventually("the rows are deleted", async || {
            let mut counts = Vec::new();
            for table in ["users", "sessions", "tasks", "checklist_items", "risks", "file_changes"] {
                counts.push(app.rows(table).await.len());
            }
            counts == [2, 2, 2, 0, 0, 0]
        })
        .await;
    }

    async fn a_forged_token_is_invalid(app) {
        let ann = app.user("ann").await;
        let good = ann.claims();
        let header = json!({ "typ": "JWT", "alg": "HS256" });
        let with = |field: &str, value: Value| {
            let mut claims = good.clone();
            claims[field] = value;
            claims
        };
        let without = |field: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().expect("an object").remove(field);
            claims
        };
        app.with_token(&forge(header.clone(), &good, SECRET)).data(ME, json!({})).await;
        let iat = good["iat"].as_i64().expect("a number");
        let bob = app.user("bob").await;
        let mut flipped = ann.token().to_owned();
        let last = flipped.pop().expect("the token is not empty");
        flipped.push(if last == 'A' { 'B' } else { 'A' });
        let forged = [
            ("alg none", forge(json!({ "alg": "none" }), &good, SECRET)),
            ("no signature", ann.token().rsplit_once('.').expect("three parts").0.to_owned() + "."),
            ("HS384", forge(json!({ "alg": "HS384" }), &good, SECRET)),
            ("RS256", forge(json!({ "alg": "RS256" }), &good, SECRET)),
            ("another secret", forge(header.clone(), &good, "another secret of the same length 01234")),
            ("no exp", forge(header.clone(), &without("exp"), SECRET)),
            ("exp as text", forge(header.clone(), &with("exp", json!(good["exp"].to_string())), SECRET)),
            ("exp as fraction", forge(header.clone(), &with("exp", json!(4e9)), SECRET)),
            ("no sid", forge(header.clone(), &without("sid"), SECRET)),
            ("unknown sid", forge(header.clone(), &with("sid", json!("00000000-0000-7000-8000-000000000000")), SECRET)),
            ("crit", forge(json!({ "alg": "HS256", "crit": ["exp"] }), &good, SECRET)),
            ("unknown kid", forge(json!({ "alg": "HS256", "kid": "9" }), &good, SECRET)),
            ("5 KiB", forge(header.clone(), &with("email", json!("x".repeat(5_120))), SECRET)),
            ("future iat", forge(header.clone(), &with("iat", json!(iat + 3_600)), SECRET)),
            ("swapped sub", forge(header.clone(), &with("sub", json!(bob.id)), SECRET)),
            ("a flipped byte", flipped),
            ("not a token", "a.b.c".into()),
            ("a refresh token", ann.refresh_token.clone()),
        ];
        for (what, token) in forged {
            let response = app.with_token(&token).execute(ME, json!({})).await;
            assert_eq!((response.status.as_u16(), &response.error()["message"]), (401, &json!("Invalid token")), "{what}");
        }
    }

    async fn fifty_concurrent_registrations_of_one_address_create_one_account(app) {
        let register = "mutation($input: RegisterInput!) { register(input: $input) { user { id } } }";
        let input = json!({ "email": "ann@example.com", "password": PASSWORD });
        let anonymous = app.anonymous();
        let tries = (0..50).map(|_| anonymous.execute(register, json!({ "input": input })));
        let responses = futures_util::future::join_all(tries).await;
        let made = responses.iter().filter(|response| response.body["data"]["register"].is_object()).count();
        assert_eq!(made, 1);
        assert!(responses.iter().filter(|response| !response.body["data"]["register"].is_object()).all(|response| {
            // On a busy machine some requests find the hashing queue full.
            ["CONFLICT", "SERVICE_UNAVAILABLE"].contains(&response.code().as_str())
        }));
        assert_eq!(app.rows("users").await.len(), 1);
    }

    async fn a_session_revoked_in_a_request_is_revoked_for_its_later_fields(app) {
        let ann = app.user("ann").await;
        let query = "mutation { a: createTask(input: { title: \"before\" }) { task { id } } logout(scope: ALL) { success }
            b: createTask(input: { title: \"after\" }) { task { id } } }";
        let response = ann.execute(query, json!({})).await;
        assert_eq!((code(&response.error()).as_str(), &response.error()["path"]), ("UNAUTHENTICATED", &json!(["b"])));
        assert_eq!(app.rows("tasks").await.len(), 1);
    }
}

#[tokio::test]
async fn a_created_task_is_returned_even_if_the_session_is_revoked_meanwhile() {
    use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
    TestApp::with(DatabaseKind::Postgres, &[], async |app| {
        let waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'tasks'::regclass";
        let waiting = || Statement::from_string(DbBackend::Postgres, waiting);
        let ann = app.user("ann").await;
        let held = app.connection().begin().await.expect("a transaction begins");
        held.execute_unprepared("LOCK TABLE tasks").await.expect("the table can be locked");
        let create = "mutation { createTask(input: { title: \"one\" }) { task { title } } }";
        let (response, ()) = futures_util::join!(ann.execute(create, json!({})), async {
            while held.query_one_raw(waiting()).await.expect("the statement is valid").is_none() {}
            ann.data("mutation { logout { success } }", json!({})).await;
            held.rollback().await.expect("the lock is released");
        });
        assert_eq!(response.body["data"]["createTask"]["task"]["title"], "one", "{:#}", response.body);
    })
    .await;
}
