//! Query plans of pages: both databases read a page from the index of its order, starting at the cursor.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, JsonValue, Statement};

use super::model::{self, Task};
use super::walk::Page;
use crate::support::{TestApp, Value, json, on_both_databases};

/// The statement of the first page in the default order, without quotes.
const FIRST: &str = "FROM tasks WHERE tasks.owner_id = $1 AND tasks.deleted_at IS NULL \
                     ORDER BY tasks.created_at DESC, tasks.id DESC LIMIT $2";
/// The statement of a page after a cursor, without quotes.
const DEEP: &str = "FROM tasks WHERE tasks.owner_id = $1 AND tasks.deleted_at IS NULL \
                    AND (tasks.created_at <= $2 AND (tasks.created_at < $3 \
                    OR (tasks.created_at = $4 AND tasks.id < $5))) \
                    ORDER BY tasks.created_at DESC, tasks.id DESC LIMIT $6";

async fn rows(connection: &impl ConnectionTrait, sql: &str) -> Vec<Value> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    JsonValue::find_by_statement(statement).all(connection).await.expect("the statement is valid")
}

/// The statement that reads a page, beginning with FROM.
async fn statement(app: &TestApp, page: impl Future<Output = Page>) -> String {
    let (statements, _) = app.statements(async { drop(page.await) }).await;
    let query = statements.iter().find(|sql| sql.contains("FROM \"tasks\"")).expect("the list was read");
    query[query.find("FROM").expect("the statement has FROM")..].replace('"', "")
}

/// Replaces the parameters by literals.
fn filled(sql: &str, values: &[String]) -> String {
    (1..).zip(values).fold(sql.to_owned(), |sql, (number, value)| sql.replace(&format!("${number}"), value))
}

/// The query plan of a statement.
async fn plan(app: &TestApp, sql: &str) -> String {
    let connection = app.connection();
    let explain = match connection.get_database_backend() {
        DbBackend::Postgres => "EXPLAIN",
        _ => "EXPLAIN QUERY PLAN",
    };
    rows(connection, &format!("{explain} SELECT * {sql}")).await.iter().map(Value::to_string).collect()
}

on_both_databases! {
    async fn every_page_is_read_from_the_index(app) {
        let (ann, eve) = (app.user("ann").await, app.user("eve").await);
        let tasks: Vec<Task> = (1..=3000).map(Task::numbered).collect();
        model::insert(app, &ann, &tasks[..2000]).await;
        model::insert(app, &eve, &tasks[2000..]).await;
        let is_postgres = app.connection().get_database_backend() == DbBackend::Postgres;
        if is_postgres {
            app.execute_sql("ANALYZE tasks").await;
            let cursor = &Page::of(&ann, json!({ "first": 100 })).await.cursors[99];
            assert_eq!(statement(app, Page::of(&ann, json!({}))).await, FIRST);
            assert_eq!(statement(app, Page::of(&ann, json!({ "after": cursor }))).await, DEEP);
        }
        let quoted = |value: &dyn ToString| format!("'{}'", value.to_string());
        let (owner, size) = (quoted(&ann.id), "21".to_owned());
        let (at, id) = (quoted(&tasks[500].created_at.to_rfc3339()), quoted(&tasks[500].id));
        let deep = [owner.clone(), at.clone(), at.clone(), at, id, size.clone()];
        for (sql, bound) in [
            (filled(FIRST, &[owner, size]), ["owner_id = ", "(owner_id=?)"]),
            (filled(DEEP, &deep), ["created_at <= ", "(owner_id=? AND created_at<?)"]),
        ] {
            let plan = plan(app, &sql).await;
            let sorts = ["Sort", "TEMP B-TREE"].iter().any(|step| plan.contains(step));
            assert!(plan.contains("tasks_owner_id_created_at_idx") && !sorts, "{plan}");
            assert!(plan.contains(bound[usize::from(!is_postgres)]), "{plan}");
        }
    }
}
