//! Rows that the database records when the service inserts them, because the service deletes them soon: mails that
//! were sent, and tokens that were replaced.

use sea_orm::{ConnectionTrait, QueryResult, Statement, TryGetable};
use uuid::Uuid;

use super::{DatabaseKind, TestApp, link_tokens};

impl TestApp {
    /// Records all mails that are queued from now on.
    pub async fn record_mails(&self) {
        self.record_inserts("mails", &["id", "kind", "recipient"]).await;
    }

    /// The mails that were queued since the last call, in their order: each as its kind and its recipient.
    pub async fn queued_mails(&self) -> Vec<String> {
        let mail = |row: &QueryResult| format!("{}: {}", column::<String>(row, 1), column::<String>(row, 2));
        self.recorded("mails").await.iter().map(mail).collect()
    }

    /// The rows of the tokens of mails, without the columns that change when a mail is sent.
    pub async fn link_token_rows(&self) -> Vec<String> {
        self.rows("(SELECT id, user_id, purpose, email, used_at, usable FROM email_tokens) AS tokens").await
    }

    /// Records all tokens of mails that are created from now on.
    pub async fn record_link_tokens(&self) {
        self.record_inserts("email_tokens", &["id", "email"]).await;
    }

    /// The tokens that were created since the last call, in their order: each after the address that it is mailed to.
    pub async fn recorded_link_tokens(&self) -> Vec<(String, String)> {
        let token = |row: &QueryResult| (column(row, 1), link_tokens::token_of(column::<Uuid>(row, 0)));
        self.recorded("email_tokens").await.iter().map(token).collect()
    }

    async fn record_inserts(&self, table: &str, columns: &[&str]) {
        let selected = columns.join(", ");
        self.execute_sql(&format!(
            "CREATE TABLE recorded_{table} AS SELECT {selected} FROM {table} WHERE 1 = 0"
        ))
        .await;
        let values: Vec<String> = columns.iter().map(|column| format!("new.{column}")).collect();
        let insert = format!("INSERT INTO recorded_{table} VALUES ({});", values.join(", "));
        let trigger = format!("CREATE TRIGGER record_{table} AFTER INSERT ON {table} FOR EACH ROW");
        self.execute_sql(&match self.kind {
            DatabaseKind::Sqlite => format!("{trigger} BEGIN {insert} END"),
            DatabaseKind::Postgres => format!(
                "CREATE FUNCTION record_{table}() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN {insert} RETURN new; END $$; {trigger} EXECUTE FUNCTION record_{table}()"
            ),
        })
        .await;
    }

    /// Removes and returns the rows that were recorded.
    async fn recorded(&self, table: &str) -> Vec<QueryResult> {
        let sql = format!("SELECT * FROM recorded_{table} ORDER BY id");
        let select = Statement::from_string(self.connection().get_database_backend(), sql);
        let rows = self.connection().query_all_raw(select).await.expect("the rows are recorded");
        self.execute_sql(&format!("DELETE FROM recorded_{table}")).await;
        rows
    }
}

fn column<T: TryGetable>(row: &QueryResult, index: usize) -> T {
    row.try_get_by_index(index).expect("the column has this type")
}
