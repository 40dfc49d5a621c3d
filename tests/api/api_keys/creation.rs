//! Creation of API keys: the token, the rules of the input, and the number of keys.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;

use super::{create, created, listed, works};
use crate::support::{DatabaseKind, PASSWORD, TestApp, Value, code, faults, json, on_both_databases};

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The CRC-32 of a text in base 62, bit by bit and digit by digit.
fn checksum(text: &str) -> String {
    let step = |crc: u32, byte: u8| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    };
    let mut rest = !text.bytes().fold(u32::MAX, step);
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut sum = Vec::new();
    for _ in 0..6 {
        sum.insert(0, digits[(rest % 62) as usize]);
        rest /= 62;
    }
    String::from_utf8(sum).expect("the digits are ASCII")
}

/// Asserts that a key works for this number of days. The lifetime begins shortly before the key is created.
fn assert_lifetime(key: &Value, days: i64) {
    let time = |field: &str| text(&key[field]).parse::<DateTime<Utc>>().expect("a time");
    let difference = TimeDelta::days(days) - (time("expiresAt") - time("createdAt"));
    assert!(difference.abs() < TimeDelta::seconds(10), "{key}");
}

fn in_days(app: &TestApp, days: i64) -> Value {
    json!((app.clock.now() + TimeDelta::days(days)).to_rfc3339())
}

/// Inserts this number of copies of the only key.
async fn copy_key(app: &TestApp, count: usize) {
    let columns = "user_id, name, scopes, start, created_at, expires_at";
    let (id, hash, numbers) = match app.kind {
        DatabaseKind::Postgres => (
            "gen_random_uuid()",
            "sha256(number::text::bytea)",
            format!("generate_series(1, {count}) AS number"),
        ),
        DatabaseKind::Sqlite => (
            "randomblob(16)",
            "randomblob(32)",
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n)"
            ),
        ),
    };
    app.execute_sql(&format!(
        "INSERT INTO api_keys (id, token_hash, {columns}) SELECT {id}, {hash}, {columns} FROM api_keys, {numbers}"
    ))
    .await;
}

#[test]
fn the_checksum_of_the_tests_is_that_of_the_published_example() {
    assert_eq!(checksum("taskhold_key_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"), "4FcdCf");
}

on_both_databases! {
    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_token_has_a_prefix_36_random_characters_and_a_checksum(app) {
        let ann = app.user("ann").await;
        let mut tokens = BTreeSet::new();
        for _ in 0..20 {
            let payload = created(&ann, json!({})).await;
            let token = text(&payload["token"]);
            let characters = token.strip_prefix("taskhold_key_").expect("the prefix");
            assert!(characters.len() == 42 && characters.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
            let (checked, sum) = token.split_at(49);
            assert_eq!(checksum(checked), sum, "{token}");
            assert_eq!(payload["apiKey"]["start"], token[..17]);
            assert!(works(&app.with_token(&token)).await);
            tokens.insert(characters[..36].to_owned());
        }
        assert_eq!(tokens.len(), 20);
    }

    async fn the_token_is_in_one_response_and_the_database_has_its_hash(app) {
        use sha2::{Digest, Sha256};
        let ann = app.user("ann").await;
        let token = text(&created(&ann, json!({})).await["token"]);
        let key = app.with_token(&token);
        let responses = [
            listed(&ann).await.into_iter().collect::<Value>(),
            key.data("{ currentApiKey { id start name } me { apiKeys { start } } }", json!({})).await,
        ];
        let mut rows = app.all_rows().await.concat();
        for table in ["mails", "email_tokens", "api_keys"] {
            rows.extend(app.rows(table).await);
        }
        for text in responses.iter().map(Value::to_string).chain(rows) {
            assert!(!text.contains(&token[17..]), "{text}");
        }
        let hash: String = Sha256::digest(&token).iter().map(|byte| format!("{byte:02x}")).collect();
        let stored = app.rows("(SELECT id, token_hash FROM api_keys) AS keys").await.concat();
        let stored: Value = serde_json::from_str(&stored).expect("a row");
        let bytes = stored["token_hash"].as_array().expect("bytes").iter();
        let stored: String = bytes.map(|byte| format!("{:02x}", byte.as_u64().expect("a byte"))).collect();
        assert_eq!(stored, hash);
    }

    async fn the_keys_of_a_user_are_listed_newest_first(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        created(&bob, json!({})).await;
        let mut expected = Vec::new();
        for name in ["one", " two ", "two"] {
            let scopes = json!(["ACCOUNT", "TASKS_READ", "ACCOUNT"]);
            let key = created(&ann, json!({ "name": name, "scopes": scopes })).await["apiKey"].clone();
            assert_eq!((&key["name"], &key["scopes"]), (&json!(name.trim()), &json!(["TASKS_READ", "ACCOUNT"])));
            assert_eq!((&key["current"], &key["lastUsedAt"], &key["lastUsedIpAddress"]), (&json!(false), &Value::Null, &Value::Null));
            expected.insert(0, key);
            app.clock.advance(TimeDelta::seconds(1));
        }
        assert_eq!(listed(&ann).await, expected);
    }

    async fn a_key_lives_for_90_days_or_as_chosen_up_to_the_limit(app) {
        let ann = app.user("ann").await;
        let info = app.anonymous().data("{ serverInfo { limits { apiKeysPerUser apiKeyDays } } }", json!({})).await;
        assert_eq!(info["serverInfo"]["limits"], json!({ "apiKeysPerUser": 50, "apiKeyDays": 366 }));
        for fields in [json!({}), json!({ "expiresAt": null })] {
            assert_lifetime(&created(&ann, fields).await["apiKey"], 90);
        }
        let chosen = app.clock.now() + TimeDelta::days(366);
        let key = created(&ann, json!({ "expiresAt": chosen.to_rfc3339() })).await["apiKey"].clone();
        assert_eq!(text(&key["expiresAt"]).parse::<DateTime<Utc>>().expect("a time"), chosen);
        for days in [0, -1, 367] {
            let error = create(&ann, json!({ "expiresAt": in_days(app, days) })).await.error();
            assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["input.expiresAt out_of_range".to_owned()]));
        }
        assert_eq!(listed(&ann).await.len(), 3);
    }

    #[flags("--api-key-max-ttl", "30d")]
    async fn the_default_lifetime_is_at_most_the_limit(app) {
        let ann = app.user("ann").await;
        assert_lifetime(&created(&ann, json!({})).await["apiKey"], 30);
        assert_eq!(faults(&create(&ann, json!({ "expiresAt": in_days(app, 31) })).await.error()), ["input.expiresAt out_of_range"]);
        let info = app.anonymous().data("{ serverInfo { limits { apiKeyDays } } }", json!({})).await;
        assert_eq!(info["serverInfo"]["limits"]["apiKeyDays"], 30);
    }

    async fn all_faults_of_a_new_key_are_reported_together(app) {
        let ann = app.user("ann").await;
        let error = create(&ann, json!({ "name": " ", "scopes": [], "expiresAt": in_days(app, -1), "currentPassword": "" })).await.error();
        assert_eq!(faults(&error), [
            "input.name required", "input.scopes required", "input.expiresAt out_of_range", "input.currentPassword required",
        ]);
        assert!(listed(&ann).await.is_empty());
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_wrong_password_creates_no_key_and_counts_as_a_failed_login(app) {
        let ann = app.user("ann").await;
        for _ in 0..10 {
            let error = create(&ann, json!({ "currentPassword": "wrong-horse-1" })).await.error();
            assert_eq!(code(&error), "INVALID_CREDENTIALS");
        }
        assert_eq!(create(&ann, json!({})).await.code(), "RATE_LIMITED");
        assert!(listed(&ann).await.is_empty());
        let login = "mutation($password: String!) { login(input: { usernameOrEmail: \"ann\", password: $password }) { tokenType } }";
        assert_eq!(code(&app.anonymous().error(login, json!({ "password": PASSWORD })).await), "RATE_LIMITED");
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn a_user_has_at_most_fifty_keys_also_after_creations_at_the_same_time(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        created(&ann, json!({ "expiresAt": in_days(app, 1) })).await;
        copy_key(app, 39).await;
        assert_eq!(listed(&ann).await.len(), 40);
        let responses = join_all((0..20).map(|_| create(&ann, json!({})))).await;
        let mut successful = 0;
        for response in &responses {
            match response.body.get("errors") {
                None => successful += 1,
                // On a busy machine the attempts wait too long for each other.
                Some(_) if response.code() == "SERVICE_UNAVAILABLE" => {}
                Some(_) => assert_eq!(faults(&response.error()), ["input too_many"], "{:#}", response.body),
            }
        }
        assert!(successful <= 10, "{successful} keys were created");
        while listed(&ann).await.len() < 50 {
            created(&ann, json!({})).await;
        }
        let error = create(&ann, json!({})).await.error();
        assert_eq!((code(&error).as_str(), faults(&error)), ("BAD_USER_INPUT", vec!["input too_many".to_owned()]));
        created(&bob, json!({})).await;
        // Expired keys do not count, and are still listed.
        app.clock.advance(TimeDelta::days(1) + TimeDelta::seconds(1));
        created(&ann, json!({})).await;
        assert_eq!(listed(&ann).await.len(), 51);
    }
}
