//! The queue of mails: each mail is written once, and only while its link is valid.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, Statement};
use taskhold::domain::Clock;
use uuid::Uuid;

use crate::support::{TestApp, Value, json, on_both_databases};

/// Queues a mail. `token` is the row of the token in its link.
async fn queue(app: &TestApp, kind: &str, recipient: &str, token: Option<Uuid>) -> Uuid {
    let (id, now) = (Uuid::new_v4(), Clock::default().now());
    let columns =
        "id, kind, recipient, token_id, event_at, ip_address, created_at, due_at, attempts, gives_up_at";
    let values: [sea_orm::Value; 10] = [
        id.into(),
        kind.into(),
        recipient.into(),
        token.into(),
        now.into(),
        "203.0.113.7".into(),
        now.into(),
        DateTime::UNIX_EPOCH.into(),
        0_i32.into(),
        (now + TimeDelta::hours(1)).into(),
    ];
    let places = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10";
    let sql = format!("INSERT INTO mails ({columns}) VALUES ({places})");
    let backend = app.connection().get_database_backend();
    let insert = Statement::from_sql_and_values(backend, sql, values);
    app.connection().execute_raw(insert).await.expect("the statement is valid");
    id
}

/// Waits until no mail is in the queue.
async fn sent(app: &TestApp) {
    for _ in 0..1_000 {
        if app.rows("mails").await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("these mails were not sent: {:?}", app.rows("mails").await);
}

/// Waits until the mail of a kind was tried this number of times, and returns its row.
async fn attempted(app: &TestApp, kind: &str, attempts: u64) -> Value {
    for _ in 0..1_000 {
        let rows = app.rows("mails").await;
        let mut rows = rows.iter().map(|row| serde_json::from_str::<Value>(row).expect("a row is JSON"));
        let is_tried = |row: &Value| row["attempts"] == attempts && row["lease_until"].is_null();
        if let Some(row) = rows.find(|row| row["kind"] == kind).filter(is_tried) {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there were not {attempts} attempts: {:?}", app.rows("mails").await);
}

fn time(row: &Value, column: &str) -> DateTime<Utc> {
    let text = row[column].as_str().expect("a time");
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

on_both_databases! {
    async fn several_instances_send_each_mail_once(app) {
        app.start_second_instance();
        app.start_second_instance();
        for number in 0..60 {
            queue(app, "password-changed", &format!("ann{number}@example.com"), None).await;
        }
        sent(app).await;
        let mails = app.mails();
        assert_eq!(mails.len(), 60);
        for number in 0..60 {
            let to = format!("\r\nTo: ann{number}@example.com\r\n");
            assert_eq!(mails.iter().filter(|mail| mail.contains(&to)).count(), 1, "{number}");
        }
    }

    /// No server listens on this port. The mail of a reset is tried for an hour.
    #[flags("--mail-url=smtp://127.0.0.1:1", "--mail-from=tasks@example.com",
            "--public-url=https://tasks.example.com", "--reset-token-ttl=5s")]
    async fn a_link_stays_valid_while_its_mail_is_tried_again(app) {
        app.user("ann").await;
        app.execute_sql("DELETE FROM mails").await;
        let request = "mutation { requestPasswordReset(usernameOrEmail: \"ann\") { message } }";
        app.anonymous().data(request, json!({})).await;
        for attempts in 1..=5 {
            let mail = attempted(app, "reset-password", attempts).await;
            let tokens = app.rows("email_tokens").await;
            let token = tokens.iter().find(|row| row.contains("RESET")).expect("there is one");
            let token: Value = serde_json::from_str(token).expect("a row is JSON");
            assert!(time(&token, "expires_at") > app.clock.now(), "after attempt {attempts}: {token}");
            app.clock.advance(time(&mail, "due_at") - app.clock.now());
        }
        attempted(app, "reset-password", 6).await;
    }

    /// No server listens on this port.
    #[flags("--mail-url=smtp://127.0.0.1:1", "--mail-from=tasks@example.com", "--public-url=https://tasks.example.com")]
    async fn a_mail_is_given_up_by_its_age(app) {
        queue(app, "password-changed", "ann@example.com", None).await;
        let waiting = attempted(app, "password-changed", 1).await;
        assert!(waiting["failed_at"].is_null(), "{waiting}");
        app.clock.advance(TimeDelta::hours(1));
        let given_up = attempted(app, "password-changed", 2).await;
        assert!(given_up["failed_at"].is_string(), "{given_up}");
    }

    async fn a_mail_whose_link_was_ended_is_not_sent(app) {
        queue(app, "reset-password", "ann@example.com", Some(Uuid::new_v4())).await;
        sent(app).await;
        assert!(app.mails().is_empty(), "{:?}", app.mails());
    }
}
