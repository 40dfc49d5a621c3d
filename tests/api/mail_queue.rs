//! The queue of mails: each mail is written once, and only while its link is valid.

use std::time::Duration;

use chrono::{DateTime, Utc};
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
        (now + chrono::TimeDelta::hours(1)).into(),
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

/// The rows of the only reset mail and of its token.
async fn reset(app: &TestApp) -> (Value, Value) {
    let row = |rows: Vec<String>, with: &str| {
        let row = rows.into_iter().find(|row| row.contains(with)).expect("there is such a row");
        serde_json::from_str(&row).expect("a row is JSON")
    };
    (row(app.rows("mails").await, "reset-password"), row(app.rows("email_tokens").await, "RESET"))
}

/// Waits until the reset mail has failed this number of times.
async fn attempted(app: &TestApp, attempts: u64) {
    for _ in 0..1_000 {
        let rows = app.rows("mails").await;
        if let Some(row) = rows.iter().find(|row| row.contains("reset-password")) {
            let row: Value = serde_json::from_str(row).expect("a row is JSON");
            if row["attempts"] == attempts && row["lease_until"].is_null() {
                return;
            }
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
            attempted(app, attempts).await;
            let (_, token) = reset(app).await;
            let expires_at = time(&token, "expires_at");
            assert!(expires_at > app.clock.now(), "after attempt {attempts}: {token}");
            app.clock.advance(time(&reset(app).await.0, "due_at") - app.clock.now());
        }
        attempted(app, 6).await;
    }

    async fn a_mail_whose_link_was_ended_is_not_sent(app) {
        queue(app, "reset-password", "ann@example.com", Some(Uuid::new_v4())).await;
        sent(app).await;
        assert!(app.mails().is_empty(), "{:?}", app.mails());
    }
}
