//! The queue of mails: each mail is written once, and only while its link is valid.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement, Value};
use taskhold::domain::Clock;
use uuid::Uuid;

use crate::support::{TestApp, on_both_databases};

/// Queues a mail. `token` is the row of the token in its link.
async fn queue(app: &TestApp, kind: &str, recipient: &str, token: Option<Uuid>) -> Uuid {
    let (id, now) = (Uuid::new_v4(), Clock::default().now());
    let columns =
        "id, kind, recipient, token_id, event_at, ip_address, created_at, due_at, attempts, gives_up_at";
    let values: [Value; 10] = [
        id.into(),
        kind.into(),
        recipient.into(),
        token.into(),
        now.into(),
        "203.0.113.7".into(),
        now.into(),
        chrono::DateTime::UNIX_EPOCH.into(),
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

    async fn a_mail_whose_link_was_ended_is_not_sent(app) {
        queue(app, "reset-password", "ann@example.com", Some(Uuid::new_v4())).await;
        sent(app).await;
        assert!(app.mails().is_empty(), "{:?}", app.mails());
    }
}
